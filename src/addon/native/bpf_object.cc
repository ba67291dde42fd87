#include "bpf_object.h"

#include "bpf_map.h"
#include "error.h"
#include "libbpf_log.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <cerrno>
#include <cstring>

namespace ipvigil
{

namespace
{

/** Where a constant of the program lies: a variable of a .rodata section, as the object's BTF has it. */
struct Variable {
	const char *section;
	uint32_t offset;
	uint32_t size;
};

bool findInSection(const btf *types, const btf_type *section, const char *name, Variable *found)
{
	const btf_var_secinfo *member = btf_var_secinfos(section);
	for (uint32_t at = 0; at < btf_vlen(section); at++, member++) {
		const btf_type *variable = btf__type_by_id(types, member->type);
		if (strcmp(btf__name_by_offset(types, variable->name_off), name) != 0)
			continue;
		*found = {btf__name_by_offset(types, section->name_off), member->offset, member->size};
		return true;
	}
	return false;
}

bool findConstant(const btf *types, const char *name, Variable *found)
{
	constexpr char readOnly[] = ".rodata";
	for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
		const btf_type *type = btf__type_by_id(types, id);
		if (!btf_is_datasec(type))
			continue;
		const char *section = btf__name_by_offset(types, type->name_off);
		if (strncmp(section, readOnly, sizeof(readOnly) - 1) == 0 && findInSection(types, type, name, found))
			return true;
	}
	return false;
}

} // namespace

Napi::Function BpfObject::define(Napi::Env env)
{
	return DefineClass(
	    env, "BpfObject",
	    {InstanceMethod<&BpfObject::setVariable>("setVariable"),
	     InstanceMethod<&BpfObject::setMaxEntries>("setMaxEntries"),
	     InstanceMethod<&BpfObject::setPinPath>("setPinPath"),
	     InstanceMethod<&BpfObject::setAutoload>("setAutoload"), InstanceMethod<&BpfObject::load>("load"),
	     InstanceMethod<&BpfObject::programNames>("programNames"),
	     InstanceMethod<&BpfObject::loadedProgramNames>("loadedProgramNames"),
	     InstanceMethod<&BpfObject::mapNames>("mapNames"), InstanceMethod<&BpfObject::structSize>("structSize"),
	     InstanceMethod<&BpfObject::instructionCount>("instructionCount"),
	     InstanceMethod<&BpfObject::openMap>("map"), InstanceMethod<&BpfObject::attachXdp>("attachXdp"),
	     InstanceMethod<&BpfObject::attachTcx>("attachTcx"),
	     InstanceMethod<&BpfObject::attachClsact>("attachClsact"),
	     InstanceMethod<&BpfObject::attachTracing>("attachTracing"),
	     InstanceMethod<&BpfObject::attachIterator>("attachIterator"),
	     InstanceMethod<&BpfObject::testRun>("testRun"), InstanceMethod<&BpfObject::close>("close")});
}

BpfObject::BpfObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<BpfObject>(info)
{
	const std::string path = info[0].As<Napi::String>();
	LibbpfLog log;
	object_.reset(bpf_object__open_file(path.c_str(), nullptr));
	if (object_)
		return;
	Napi::Error error = systemError(info.Env(), errno, "bpf_object__open_file", path);
	error.Set("log", log.text());
	throw error;
}

bpf_object *BpfObject::object(Napi::Env env) const
{
	if (!object_)
		throw closedError(env, "BPF object");
	return object_.get();
}

bpf_program *BpfObject::program(Napi::Env env, const std::string &name) const
{
	bpf_program *found = bpf_object__find_program_by_name(object(env), name.c_str());
	if (!found)
		throw systemError(env, ENOENT, "bpf_object__find_program_by_name", name);
	return found;
}

int BpfObject::programFd(Napi::Env env, const std::string &name) const
{
	const int fd = bpf_program__fd(program(env, name));
	if (fd < 0)
		throw systemError(env, ENOENT, "bpf_program__fd", name + " (not loaded)");
	return fd;
}

bpf_map *BpfObject::map(Napi::Env env, const std::string &name) const
{
	bpf_map *found = bpf_object__find_map_by_name(object(env), name.c_str());
	if (!found)
		throw systemError(env, ENOENT, "bpf_object__find_map_by_name", name);
	return found;
}

/** libbpf keeps the section's first contents in memory until the load freezes them. */
void BpfObject::setVariable(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	const std::string name = info[0].As<Napi::String>();
	const Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
	const btf *types = bpf_object__btf(object(env));
	Variable variable{};
	if (!types || !findConstant(types, name.c_str(), &variable))
		throw systemError(env, ENOENT, "setVariable", name);
	bpf_map *section = map(env, variable.section);
	if (bpf_map__fd(section) >= 0)
		throw systemError(env, EBUSY, "setVariable", name + " (already loaded)");
	if (bytes.ByteLength() != variable.size)
		throw systemError(env, EINVAL, "setVariable",
				  name + " (has " + std::to_string(variable.size) + " bytes, not " +
				      std::to_string(bytes.ByteLength()) + ")");
	size_t size = 0;
	char *contents = static_cast<char *>(const_cast<void *>(bpf_map__initial_value(section, &size)));
	if (!contents || size_t{variable.offset} + variable.size > size)
		throw systemError(env, EINVAL, "bpf_map__initial_value", variable.section);
	memcpy(contents + variable.offset, bytes.Data(), variable.size);
}

void BpfObject::setMaxEntries(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const uint32_t entries = info[1].As<Napi::Number>();
	const int status = bpf_map__set_max_entries(map(info.Env(), name), entries);
	if (status < 0)
		throw systemError(info.Env(), -status, "bpf_map__set_max_entries", name);
}

void BpfObject::setPinPath(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const std::string path = info[1].As<Napi::String>();
	const int status = bpf_map__set_pin_path(map(info.Env(), name), path.c_str());
	if (status < 0)
		throw systemError(info.Env(), -status, "bpf_map__set_pin_path", name);
}

void BpfObject::setAutoload(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const int status = bpf_program__set_autoload(program(info.Env(), name), info[1].As<Napi::Boolean>());
	if (status < 0)
		throw systemError(info.Env(), -status, "bpf_program__set_autoload", name);
}

void BpfObject::load(const Napi::CallbackInfo &info)
{
	LibbpfLog log;
	const int status = bpf_object__load(object(info.Env()));
	if (status >= 0)
		return;
	Napi::Error error = systemError(info.Env(), -status, "bpf_object__load", bpf_object__name(object_.get()));
	error.Set("log", log.text());
	throw error;
}

Napi::Value BpfObject::programNames(const Napi::CallbackInfo &info)
{
	Napi::Array names = Napi::Array::New(info.Env());
	bpf_program *each = nullptr;
	bpf_object__for_each_program(each, object(info.Env())) names.Set(names.Length(), bpf_program__name(each));
	return names;
}

Napi::Value BpfObject::loadedProgramNames(const Napi::CallbackInfo &info)
{
	Napi::Array names = Napi::Array::New(info.Env());
	bpf_program *each = nullptr;
	bpf_object__for_each_program(each, object(info.Env()))
	{
		if (bpf_program__fd(each) >= 0)
			names.Set(names.Length(), bpf_program__name(each));
	}
	return names;
}

Napi::Value BpfObject::mapNames(const Napi::CallbackInfo &info)
{
	Napi::Array names = Napi::Array::New(info.Env());
	bpf_map *each = nullptr;
	bpf_object__for_each_map(each, object(info.Env())) names.Set(names.Length(), bpf_map__name(each));
	return names;
}

Napi::Value BpfObject::structSize(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const btf *types = bpf_object__btf(object(info.Env()));
	const int id = types ? btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT) : -ENOENT;
	if (id < 0)
		return info.Env().Undefined();
	return Napi::Number::New(info.Env(), static_cast<double>(btf__resolve_size(types, static_cast<uint32_t>(id))));
}

Napi::Value BpfObject::instructionCount(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	const std::string name = info[0].As<Napi::String>();
	bpf_prog_info kernel{};
	uint32_t length = sizeof(kernel);
	if (bpf_obj_get_info_by_fd(programFd(env, name), &kernel, &length) < 0)
		throw systemError(env, errno, "bpf_obj_get_info_by_fd", name);
	Napi::Object result = Napi::Object::New(env);
	result.Set("translated", static_cast<uint32_t>(kernel.xlated_prog_len / sizeof(bpf_insn)));
	result.Set("verified", kernel.verified_insns);
	return result;
}

Napi::Value BpfObject::openMap(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const int fd = bpf_map__fd(map(info.Env(), name));
	if (fd < 0)
		throw systemError(info.Env(), ENOENT, "bpf_map__fd", name + " (not loaded)");
	return BpfMap::create(info.Env(), Descriptor::duplicate(fd), name);
}

void BpfObject::close(const Napi::CallbackInfo &)
{
	object_.reset();
}

} // namespace ipvigil
