#include "link.h"

#include "bpf_object.h"
#include "error.h"
#include "instance.h"
#include "pinned.h"

#include <linux/bpf.h>

namespace ipvigil
{

Napi::Function Link::define(Napi::Env env)
{
	return DefineClass(env, "Link",
			   {StaticMethod<&Link::openPinned>("openPinned"), InstanceMethod<&Link::describe>("describe"),
			    InstanceMethod<&Link::pin>("pin"), InstanceMethod<&Link::update>("update"),
			    InstanceMethod<&Link::close>("close")});
}

Napi::Object Link::create(Napi::Env env, Descriptor fd)
{
	Napi::Object object = Instance::of(env).link.New({});
	Link::Unwrap(object)->fd_ = std::move(fd);
	return object;
}

Link::Link(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Link>(info)
{
}

Napi::Value Link::openPinned(const Napi::CallbackInfo &info)
{
	return create(info.Env(), openPinnedAs(info.Env(), info[0].As<Napi::String>(), "bpf-link"));
}

int Link::fd(Napi::Env env) const
{
	if (!fd_.isOpen())
		throw closedError(env, "link");
	return fd_.get();
}

Napi::Value Link::describe(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	bpf_link_info kernel{};
	uint32_t length = sizeof(kernel);
	if (bpf_obj_get_info_by_fd(fd(env), &kernel, &length) < 0)
		throw systemError(env, errno, "bpf_obj_get_info_by_fd");
	Napi::Object result = Napi::Object::New(env);
	result.Set("id", kernel.id);
	result.Set("programId", kernel.prog_id);
	return result;
}

void Link::pin(const Napi::CallbackInfo &info)
{
	const std::string path = info[0].As<Napi::String>();
	if (bpf_obj_pin(fd(info.Env()), path.c_str()) < 0)
		throw systemError(info.Env(), errno, "bpf_obj_pin", path);
}

void Link::update(const Napi::CallbackInfo &info)
{
	const std::string program = info[1].As<Napi::String>();
	const int programFd = BpfObject::Unwrap(info[0].As<Napi::Object>())->programFd(info.Env(), program);
	if (bpf_link_update(fd(info.Env()), programFd, nullptr) < 0)
		throw systemError(info.Env(), errno, "bpf_link_update", program);
}

void Link::close(const Napi::CallbackInfo &)
{
	fd_.close();
}

} // namespace ipvigil
