// One BPF map by descriptor, independent of the object that it came from. Keys and values are bytes as the kernel has
// them; a value of a per-CPU map is the values of all possible CPUs, each rounded up to 8 bytes (bpf(2)).
#pragma once

#include "raii.h"

#include <linux/bpf.h>
#include <napi.h>

#include <string>
#include <vector>

namespace ipvigil
{

class BpfMap : public Napi::ObjectWrap<BpfMap>
{
      public:
	static Napi::Function define(Napi::Env env);
	/** Takes over the descriptor. `name` may be longer than the 15 characters the kernel remembers. */
	static Napi::Object create(Napi::Env env, Descriptor fd, const std::string &name);

	explicit BpfMap(const Napi::CallbackInfo &info);
	int fd(Napi::Env env) const;
	uint32_t maxEntries() const
	{
		return kernel_.max_entries;
	}

      private:
	struct Collected {
		std::vector<uint8_t> keys;
		std::vector<uint8_t> values;
		uint32_t count = 0;
	};

	static Napi::Value openPinned(const Napi::CallbackInfo &info);
	void adopt(Napi::Env env, Descriptor fd, const std::string &name);
	bool isPerCpu() const;
	bool isArray() const;
	/** Bytes of one value as bpf(2) moves it. */
	size_t valueStride() const;
	/** Each of these gives 0 or a positive errno. */
	int collectBatches(uint32_t limit, Collected &into) const;
	int collectOneByOne(uint32_t limit, Collected &into) const;
	int updateOneByOne(const uint8_t *keys, const uint8_t *values, uint32_t count) const;

	Napi::Value describe(const Napi::CallbackInfo &info);
	Napi::Value get(const Napi::CallbackInfo &info);
	void set(const Napi::CallbackInfo &info);
	Napi::Value remove(const Napi::CallbackInfo &info);
	Napi::Value entries(const Napi::CallbackInfo &info);
	void setBatch(const Napi::CallbackInfo &info);
	void pin(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	Descriptor fd_;
	std::string name_;
	bpf_map_info kernel_{};
	size_t possibleCpus_ = 1;
};

} // namespace ipvigil
