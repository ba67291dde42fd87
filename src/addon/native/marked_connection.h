// A TCP connection with a firewall mark, from connect(2) until it stands or fails: then its descriptor goes to Node,
// which has no way to take one that is still connecting.
#pragma once

#include "raii.h"
#include "watch.h"

#include <napi.h>

namespace ipvigil
{

class MarkedConnection : public Napi::ObjectWrap<MarkedConnection>, private Watch::Owner
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit MarkedConnection(const Napi::CallbackInfo &info);

      private:
	void onReady() override;
	void onTeardown() override;

	void close(const Napi::CallbackInfo &info);
	void release();

	Napi::FunctionReference onConnect_;
	Napi::FunctionReference onError_;
	Descriptor fd_;
	Watch::Ptr watch_;
};

} // namespace ipvigil
