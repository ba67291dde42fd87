// libbpf prints through one function per process, but says there why a load failed. While a LibbpfLog lives, what
// libbpf says on this thread (workers load objects too) is collected; at all other times it is dropped.
#pragma once

#include <string>

namespace ipvigil
{

class LibbpfLog
{
      public:
	LibbpfLog();
	~LibbpfLog();
	LibbpfLog(const LibbpfLog &) = delete;
	LibbpfLog &operator=(const LibbpfLog &) = delete;

	/** Makes libbpf print to us instead of stderr. Once per process is enough, more does not harm. */
	static void install();
	const std::string &text() const
	{
		return text_;
	}
	void append(const char *piece, size_t length);

      private:
	std::string text_;
};

} // namespace ipvigil
