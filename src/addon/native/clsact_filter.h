// A program on a clsact qdisc's ingress: the attachment of kernels without tcx. It is no BPF link: the kernel keeps the
// filter when the process is killed, so closing has to take it away, and takes away only what is still ours.
#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

namespace ipvigil
{

class ClsactFilter : public Napi::ObjectWrap<ClsactFilter>
{
      public:
	struct Place {
		int interfaceIndex;
		uint32_t handle;
		uint32_t priority;
	};

	static Napi::Function define(Napi::Env env);
	/**
	 * Creates the clsact qdisc if there is none. With `replace`, a filter that stands at this very handle and
	 * priority (one that an earlier run left behind) gives way; without it, the kernel answers EEXIST.
	 */
	static Napi::Object attach(Napi::Env env, int programFd, const Place &place, bool replace);

	explicit ClsactFilter(const Napi::CallbackInfo &info);
	~ClsactFilter();

      private:
	void close(const Napi::CallbackInfo &info);
	Napi::Value stands(const Napi::CallbackInfo &info);
	/** Whether our program is what the kernel has at our place. */
	bool isOurs() const;
	/** 0, or a positive errno. */
	int detach();

	Place place_{};
	/** 0 while nothing is attached. */
	uint32_t programId_ = 0;
};

} // namespace ipvigil
