// What one environment (the main thread, a worker) keeps of the addon: the constructors of the handles that other
// handles make. Nothing is static: each worker has its own.
#pragma once

#include <napi.h>

namespace ipvigil
{

struct Instance {
	Napi::FunctionReference map;
	Napi::FunctionReference link;
	Napi::FunctionReference clsactFilter;

	static Instance &of(Napi::Env env)
	{
		return *env.GetInstanceData<Instance>();
	}
};

} // namespace ipvigil
