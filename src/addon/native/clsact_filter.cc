#include "clsact_filter.h"

#include "error.h"
#include "instance.h"

#include <cerrno>

namespace ipvigil
{

namespace
{

bpf_tc_hook ingressOf(int interfaceIndex)
{
	bpf_tc_hook hook{};
	hook.sz = sizeof(hook);
	hook.ifindex = interfaceIndex;
	hook.attach_point = BPF_TC_INGRESS;
	return hook;
}

bpf_tc_opts optionsFor(const ClsactFilter::Place &place)
{
	bpf_tc_opts options{};
	options.sz = sizeof(options);
	options.handle = place.handle;
	options.priority = place.priority;
	return options;
}

} // namespace

Napi::Function ClsactFilter::define(Napi::Env env)
{
	return DefineClass(
	    env, "ClsactFilter",
	    {InstanceMethod<&ClsactFilter::close>("close"), InstanceMethod<&ClsactFilter::stands>("stands")});
}

Napi::Object ClsactFilter::attach(Napi::Env env, int programFd, const Place &place, bool replace)
{
	bpf_tc_hook hook = ingressOf(place.interfaceIndex);
	const int created = bpf_tc_hook_create(&hook);
	if (created < 0 && created != -EEXIST)
		throw systemError(env, -created, "bpf_tc_hook_create");
	Napi::Object object = Instance::of(env).clsactFilter.New({});
	bpf_tc_opts options = optionsFor(place);
	options.prog_fd = programFd;
	options.flags = replace ? BPF_TC_F_REPLACE : 0;
	const int attached = bpf_tc_attach(&hook, &options);
	if (attached < 0)
		throw systemError(env, -attached, "bpf_tc_attach");
	ClsactFilter *filter = ClsactFilter::Unwrap(object);
	filter->place_ = place;
	filter->programId_ = options.prog_id;
	return object;
}

ClsactFilter::ClsactFilter(const Napi::CallbackInfo &info) : Napi::ObjectWrap<ClsactFilter>(info)
{
}

ClsactFilter::~ClsactFilter()
{
	detach();
}

/** Somebody else's program at our place, no filter and no interface all mean that there is nothing of ours. */
bool ClsactFilter::isOurs() const
{
	bpf_tc_hook hook = ingressOf(place_.interfaceIndex);
	bpf_tc_opts standing = optionsFor(place_);
	return programId_ != 0 && bpf_tc_query(&hook, &standing) == 0 && standing.prog_id == programId_;
}

int ClsactFilter::detach()
{
	const bool ours = isOurs();
	programId_ = 0;
	if (!ours)
		return 0;
	bpf_tc_hook hook = ingressOf(place_.interfaceIndex);
	const bpf_tc_opts target = optionsFor(place_);
	return -bpf_tc_detach(&hook, &target);
}

Napi::Value ClsactFilter::stands(const Napi::CallbackInfo &info)
{
	return Napi::Boolean::New(info.Env(), isOurs());
}

void ClsactFilter::close(const Napi::CallbackInfo &info)
{
	const int error = detach();
	if (error != 0)
		throw systemError(info.Env(), error, "bpf_tc_detach");
}

} // namespace ipvigil
