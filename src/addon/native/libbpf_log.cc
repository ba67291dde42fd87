#include "libbpf_log.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <vector>

namespace ipvigil
{

namespace
{

/** libbpf caps the verifier's own log at 16 MiB, far more than anybody reads. */
constexpr size_t logBytesMax = 4 << 20;

thread_local LibbpfLog *current = nullptr;

/** A whole verifier log arrives as one %s: only a measured buffer keeps the line with the reason, the last one. */
int print(libbpf_print_level level, const char *format, va_list arguments)
{
	if (!current || level == LIBBPF_DEBUG)
		return 0;
	va_list again;
	va_copy(again, arguments);
	const int length = vsnprintf(nullptr, 0, format, again);
	va_end(again);
	if (length <= 0)
		return 0;
	std::vector<char> piece(static_cast<size_t>(length) + 1);
	vsnprintf(piece.data(), piece.size(), format, arguments);
	current->append(piece.data(), static_cast<size_t>(length));
	return 0;
}

} // namespace

LibbpfLog::LibbpfLog()
{
	current = this;
}

LibbpfLog::~LibbpfLog()
{
	current = nullptr;
}

void LibbpfLog::install()
{
	libbpf_set_print(print);
}

/** Keeps the newest text: the reason for a failure comes last. */
void LibbpfLog::append(const char *piece, size_t length)
{
	const size_t kept = std::min(length, logBytesMax);
	text_.append(piece + (length - kept), kept);
	if (text_.size() > logBytesMax)
		text_.erase(0, text_.size() - logBytesMax);
}

} // namespace ipvigil
