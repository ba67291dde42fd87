// Owners for what the kernel and libbpf hand out. Each releases exactly once; none of them knows JavaScript.
#pragma once

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace ipvigil
{

class Descriptor
{
      public:
	Descriptor() = default;
	explicit Descriptor(int fd) : fd_(fd)
	{
	}
	Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1))
	{
	}
	Descriptor &operator=(Descriptor &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Descriptor()
	{
		if (fd_ >= 0)
			::close(fd_);
	}

	/** A second descriptor of the same thing, which outlives the first. */
	static Descriptor duplicate(int fd)
	{
		return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
	}
	int get() const
	{
		return fd_;
	}
	bool isOpen() const
	{
		return fd_ >= 0;
	}
	/** The descriptor is the caller's from now on. */
	int release()
	{
		return std::exchange(fd_, -1);
	}
	void close()
	{
		Descriptor closing(std::move(*this));
	}

      private:
	int fd_ = -1;
};

struct ObjectCloser {
	void operator()(bpf_object *object) const
	{
		bpf_object__close(object);
	}
};
using ObjectOwner = std::unique_ptr<bpf_object, ObjectCloser>;

struct LinkCloser {
	void operator()(bpf_link *link) const
	{
		bpf_link__destroy(link);
	}
};
using LinkOwner = std::unique_ptr<bpf_link, LinkCloser>;

struct RingCloser {
	void operator()(ring_buffer *ring) const
	{
		ring_buffer__free(ring);
	}
};
using RingOwner = std::unique_ptr<ring_buffer, RingCloser>;

} // namespace ipvigil
