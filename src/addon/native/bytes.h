// Copies between std containers and fresh JavaScript arrays: what JavaScript gets is its own, and stays as it is.
#pragma once

#include <napi.h>

#include <cstring>
#include <vector>

namespace ipvigil
{

inline Napi::Uint8Array copyBytes(Napi::Env env, const void *bytes, size_t length)
{
	Napi::Uint8Array copy = Napi::Uint8Array::New(env, length);
	if (length > 0)
		std::memcpy(copy.Data(), bytes, length);
	return copy;
}

inline Napi::Uint8Array copyBytes(Napi::Env env, const std::vector<uint8_t> &bytes)
{
	return copyBytes(env, bytes.data(), bytes.size());
}

inline Napi::Uint32Array copyWords(Napi::Env env, const std::vector<uint32_t> &words)
{
	Napi::Uint32Array copy = Napi::Uint32Array::New(env, words.size());
	if (!words.empty())
		std::memcpy(copy.Data(), words.data(), words.size() * sizeof(uint32_t));
	return copy;
}

} // namespace ipvigil
