// A packet socket on one interface: whole frames in, whole frames out (packet(7)). Which frames come in is for the
// filter to say, which TypeScript generates; nothing passes before it is in place.
#pragma once

#include "raii.h"
#include "watch.h"

#include <napi.h>

#include <vector>

namespace ipvigil
{

class PacketSocket : public Napi::ObjectWrap<PacketSocket>, private Watch::Owner
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit PacketSocket(const Napi::CallbackInfo &info);

      private:
	void onReady() override;
	void onTeardown() override;

	void deliver(Napi::Env env);
	void filter(Napi::Env env, Napi::Uint8Array program);
	void bindTo(Napi::Env env, int interfaceIndex);
	/** False: there is nothing to read. Throws what the kernel reports instead of a frame. */
	bool receive(Napi::Env env, size_t *length);
	void receiveBatch(Napi::Env env, Napi::Array frames);
	void send(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);
	void release();

	Napi::FunctionReference onBatch_;
	Napi::FunctionReference onError_;
	Descriptor fd_;
	Watch::Ptr watch_;
	std::vector<uint8_t> scratch_;
};

} // namespace ipvigil
