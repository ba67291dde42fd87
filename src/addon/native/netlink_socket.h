// A netlink socket to the kernel: whole datagrams in, whole datagrams out. What is in them is src/netlink's business.
// A datagram that the kernel did not send is dropped unseen, because any process may send us one (netlink(7)).
#pragma once

#include "raii.h"
#include "watch.h"

#include <napi.h>

#include <vector>

namespace ipvigil
{

class NetlinkSocket : public Napi::ObjectWrap<NetlinkSocket>, private Watch::Owner
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit NetlinkSocket(const Napi::CallbackInfo &info);

      private:
	enum class Received { datagram, foreign, nothing };

	void onReady() override;
	void onTeardown() override;

	void deliver(Napi::Env env);
	void configure(Napi::Env env);
	void join(Napi::Env env, const Napi::Array &groups);
	uint32_t bindToAnyPort(Napi::Env env);
	/** Throws what the kernel reports instead of a datagram: ENOBUFS, or EMSGSIZE for one that did not fit. */
	Received receive(Napi::Env env, size_t *length);
	void receiveBatch(Napi::Env env, Napi::Array datagrams);
	Napi::Value portId(const Napi::CallbackInfo &info);
	void send(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);
	void release();

	Napi::FunctionReference onBatch_;
	Napi::FunctionReference onError_;
	Descriptor fd_;
	uint32_t portId_ = 0;
	Watch::Ptr watch_;
	std::vector<uint8_t> scratch_;
};

} // namespace ipvigil
