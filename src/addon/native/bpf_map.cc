#include "bpf_map.h"

#include "bytes.h"
#include "error.h"
#include "instance.h"
#include "pinned.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

namespace ipvigil
{

namespace
{

/** Keys per BPF_MAP_LOOKUP_BATCH: some hundred kilobytes at a time, and more than a hash bucket of a sane map holds. */
constexpr uint32_t batchKeys = 4096;
/** A hash bucket that does not fit makes the kernel say ENOSPC; growing ends here. */
constexpr uint32_t batchKeysMax = 1 << 16;
constexpr int kernelNotSupported = 524;

/** Neither this type of map nor, perhaps, this kernel knows batches: the operation must be done key by key. */
bool refusesBatches(int error)
{
	return error == EINVAL || error == EOPNOTSUPP || error == kernelNotSupported;
}

} // namespace

Napi::Function BpfMap::define(Napi::Env env)
{
	return DefineClass(env, "BpfMap",
			   {StaticMethod<&BpfMap::openPinned>("openPinned"),
			    InstanceMethod<&BpfMap::describe>("describe"), InstanceMethod<&BpfMap::get>("get"),
			    InstanceMethod<&BpfMap::set>("set"), InstanceMethod<&BpfMap::remove>("delete"),
			    InstanceMethod<&BpfMap::entries>("entries"), InstanceMethod<&BpfMap::setBatch>("setBatch"),
			    InstanceMethod<&BpfMap::pin>("pin"), InstanceMethod<&BpfMap::close>("close")});
}

Napi::Object BpfMap::create(Napi::Env env, Descriptor fd, const std::string &name)
{
	Napi::Object object = Instance::of(env).map.New({});
	BpfMap::Unwrap(object)->adopt(env, std::move(fd), name);
	return object;
}

BpfMap::BpfMap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<BpfMap>(info)
{
}

Napi::Value BpfMap::openPinned(const Napi::CallbackInfo &info)
{
	return create(info.Env(), openPinnedAs(info.Env(), info[0].As<Napi::String>(), "bpf-map"), "");
}

void BpfMap::adopt(Napi::Env env, Descriptor fd, const std::string &name)
{
	if (!fd.isOpen())
		throw systemError(env, errno, "fcntl", name);
	uint32_t length = sizeof(kernel_);
	if (bpf_obj_get_info_by_fd(fd.get(), &kernel_, &length) < 0)
		throw systemError(env, errno, "bpf_obj_get_info_by_fd", name);
	fd_ = std::move(fd);
	name_ = name.empty() ? kernel_.name : name;
	possibleCpus_ = isPerCpu() ? static_cast<size_t>(libbpf_num_possible_cpus()) : 1;
}

int BpfMap::fd(Napi::Env env) const
{
	if (!fd_.isOpen())
		throw closedError(env, "map");
	return fd_.get();
}

bool BpfMap::isPerCpu() const
{
	return kernel_.type == BPF_MAP_TYPE_PERCPU_HASH || kernel_.type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       kernel_.type == BPF_MAP_TYPE_PERCPU_ARRAY || kernel_.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

bool BpfMap::isArray() const
{
	return kernel_.type == BPF_MAP_TYPE_ARRAY || kernel_.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

size_t BpfMap::valueStride() const
{
	return isPerCpu() ? (kernel_.value_size + 7) / 8 * 8 * possibleCpus_ : kernel_.value_size;
}

Napi::Value BpfMap::describe(const Napi::CallbackInfo &info)
{
	fd(info.Env());
	Napi::Object result = Napi::Object::New(info.Env());
	result.Set("name", name_);
	result.Set("type", kernel_.type);
	result.Set("keySize", kernel_.key_size);
	result.Set("valueSize", kernel_.value_size);
	result.Set("valueStride", static_cast<double>(valueStride()));
	result.Set("maxEntries", kernel_.max_entries);
	result.Set("perCpu", isPerCpu());
	return result;
}

Napi::Value BpfMap::get(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	std::vector<uint8_t> value(valueStride());
	if (bpf_map_lookup_elem(fd(env), info[0].As<Napi::Uint8Array>().Data(), value.data()) == 0)
		return copyBytes(env, value);
	if (errno == ENOENT)
		return env.Undefined();
	throw systemError(env, errno, "bpf_map_lookup_elem", name_);
}

void BpfMap::set(const Napi::CallbackInfo &info)
{
	const uint64_t flags = info[2].As<Napi::Number>().Uint32Value();
	if (bpf_map_update_elem(fd(info.Env()), info[0].As<Napi::Uint8Array>().Data(),
				info[1].As<Napi::Uint8Array>().Data(), flags) < 0)
		throw systemError(info.Env(), errno, "bpf_map_update_elem", name_);
}

Napi::Value BpfMap::remove(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	if (bpf_map_delete_elem(fd(env), info[0].As<Napi::Uint8Array>().Data()) == 0)
		return Napi::Boolean::New(env, true);
	if (errno == ENOENT)
		return Napi::Boolean::New(env, false);
	throw systemError(env, errno, "bpf_map_delete_elem", name_);
}

/**
 * Walks with BPF_MAP_LOOKUP_BATCH. The token that says where the next batch starts is a u32 for hashes and a whole key
 * for other maps (kernel/bpf/hashtab.c, generic_map_lookup_batch() in syscall.c). ENOENT says that the walk is over,
 * and comes with the last entries. An array's entries come in the order of their keys, so no more than the first
 * `limit` of them are read: one of a per-CPU array is as many values as there are CPUs.
 */
int BpfMap::collectBatches(uint32_t limit, Collected &into) const
{
	const size_t tokenBytes = std::max<size_t>(kernel_.key_size, sizeof(uint32_t));
	std::vector<uint8_t> from(tokenBytes), next(tokenBytes);
	uint32_t chunk = std::min(batchKeys, std::max(kernel_.max_entries, 1U));
	bool started = false;
	while (into.count < limit) {
		if (isArray())
			chunk = std::min(chunk, limit - static_cast<uint32_t>(into.count));
		into.keys.resize((into.count + size_t{chunk}) * kernel_.key_size);
		into.values.resize((into.count + size_t{chunk}) * valueStride());
		uint32_t count = chunk;
		const int status =
		    bpf_map_lookup_batch(fd_.get(), started ? from.data() : nullptr, next.data(),
					 into.keys.data() + into.count * size_t{kernel_.key_size},
					 into.values.data() + into.count * valueStride(), &count, nullptr);
		const int error = status < 0 ? errno : 0;
		if (error == ENOSPC && chunk < batchKeysMax) {
			chunk *= 2;
			continue;
		}
		if (error != 0 && error != ENOENT)
			return error;
		into.count += count;
		if (error == ENOENT)
			break;
		started = true;
		std::swap(from, next);
	}
	return 0;
}

/** The number of steps is bounded too: a key that is deleted under the walk sends it back to the start. */
int BpfMap::collectOneByOne(uint32_t limit, Collected &into) const
{
	std::vector<uint8_t> key(kernel_.key_size), next(kernel_.key_size), value(valueStride());
	const uint64_t stepsMax = 2 * uint64_t{kernel_.max_entries} + 1;
	for (uint64_t step = 0; step < stepsMax && into.count < limit; step++) {
		if (bpf_map_get_next_key(fd_.get(), step == 0 ? nullptr : key.data(), next.data()) < 0)
			return errno == ENOENT ? 0 : errno;
		std::swap(key, next);
		if (bpf_map_lookup_elem(fd_.get(), key.data(), value.data()) < 0)
			continue;
		into.keys.insert(into.keys.end(), key.begin(), key.end());
		into.values.insert(into.values.end(), value.begin(), value.end());
		into.count++;
	}
	return 0;
}

Napi::Value BpfMap::entries(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	fd(env);
	const uint32_t limit = info[0].As<Napi::Number>();
	Collected collected;
	int error = collectBatches(limit, collected);
	if (refusesBatches(error)) {
		collected = Collected();
		error = collectOneByOne(limit, collected);
	}
	if (error != 0)
		throw systemError(env, error, "bpf_map_lookup_batch", name_);
	const uint32_t count = std::min(limit, collected.count);
	Napi::Object result = Napi::Object::New(env);
	result.Set("keys", copyBytes(env, collected.keys.data(), count * size_t{kernel_.key_size}));
	result.Set("values", copyBytes(env, collected.values.data(), count * valueStride()));
	result.Set("count", count);
	return result;
}

int BpfMap::updateOneByOne(const uint8_t *keys, const uint8_t *values, uint32_t count) const
{
	for (uint32_t at = 0; at < count; at++) {
		if (bpf_map_update_elem(fd_.get(), keys + at * size_t{kernel_.key_size}, values + at * valueStride(),
					BPF_ANY) < 0)
			return errno;
	}
	return 0;
}

void BpfMap::setBatch(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	fd(env);
	const Napi::Uint8Array keys = info[0].As<Napi::Uint8Array>();
	const Napi::Uint8Array values = info[1].As<Napi::Uint8Array>();
	const uint32_t total = static_cast<uint32_t>(keys.ByteLength() / kernel_.key_size);
	uint32_t count = total;
	if (total == 0 || bpf_map_update_batch(fd_.get(), keys.Data(), values.Data(), &count, nullptr) == 0)
		return;
	const int error = refusesBatches(errno) ? updateOneByOne(keys.Data(), values.Data(), total) : errno;
	if (error != 0)
		throw systemError(env, error, "bpf_map_update_batch", name_);
}

void BpfMap::pin(const Napi::CallbackInfo &info)
{
	const std::string path = info[0].As<Napi::String>();
	if (bpf_obj_pin(fd(info.Env()), path.c_str()) < 0)
		throw systemError(info.Env(), errno, "bpf_obj_pin", path);
}

void BpfMap::close(const Napi::CallbackInfo &)
{
	fd_.close();
}

} // namespace ipvigil
