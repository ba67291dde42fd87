// An attached program: a BPF link by descriptor. The program stays attached as long as the descriptor or a pin does.
#pragma once

#include "raii.h"

#include <napi.h>

namespace ipvigil
{

class Link : public Napi::ObjectWrap<Link>
{
      public:
	static Napi::Function define(Napi::Env env);
	static Napi::Object create(Napi::Env env, Descriptor fd);

	explicit Link(const Napi::CallbackInfo &info);

      private:
	static Napi::Value openPinned(const Napi::CallbackInfo &info);
	int fd(Napi::Env env) const;
	Napi::Value describe(const Napi::CallbackInfo &info);
	void pin(const Napi::CallbackInfo &info);
	void update(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	Descriptor fd_;
};

} // namespace ipvigil
