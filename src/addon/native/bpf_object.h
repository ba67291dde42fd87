// One BPF object file: opened, configured, loaded, and then the source of maps and attached programs, which live on
// without it. A load that failed is final (libbpf's rule): open the file again.
#pragma once

#include "raii.h"

#include <napi.h>

#include <string>

namespace ipvigil
{

class BpfObject : public Napi::ObjectWrap<BpfObject>
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit BpfObject(const Napi::CallbackInfo &info);

	/** The descriptor of a loaded program; throws ENOENT for one that is not there or was not loaded. */
	int programFd(Napi::Env env, const std::string &name) const;

      private:
	bpf_object *object(Napi::Env env) const;
	bpf_program *program(Napi::Env env, const std::string &name) const;
	bpf_map *map(Napi::Env env, const std::string &name) const;

	// bpf_object.cc
	void setVariable(const Napi::CallbackInfo &info);
	void setMaxEntries(const Napi::CallbackInfo &info);
	void setPinPath(const Napi::CallbackInfo &info);
	void setAutoload(const Napi::CallbackInfo &info);
	void load(const Napi::CallbackInfo &info);
	Napi::Value programNames(const Napi::CallbackInfo &info);
	Napi::Value loadedProgramNames(const Napi::CallbackInfo &info);
	Napi::Value mapNames(const Napi::CallbackInfo &info);
	Napi::Value structSize(const Napi::CallbackInfo &info);
	Napi::Value instructionCount(const Napi::CallbackInfo &info);
	Napi::Value openMap(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	// bpf_attach.cc
	Napi::Value attachXdp(const Napi::CallbackInfo &info);
	Napi::Value attachTcx(const Napi::CallbackInfo &info);
	Napi::Value attachClsact(const Napi::CallbackInfo &info);
	Napi::Value attachTracing(const Napi::CallbackInfo &info);
	Napi::Value attachIterator(const Napi::CallbackInfo &info);
	Napi::Value testRun(const Napi::CallbackInfo &info);

	ObjectOwner object_;
};

} // namespace ipvigil
