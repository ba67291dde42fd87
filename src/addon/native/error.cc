#include "error.h"

#include <cerrno>
#include <cstring>

namespace ipvigil
{

namespace
{

/** The kernel's own errno for "not supported" (include/linux/errno.h); it leaks out of bpf(2) and libc has no name for
 * it. */
constexpr int kernelNotSupported = 524;

std::string nameOf(int error)
{
	if (error == kernelNotSupported)
		return "ENOTSUPP";
	const char *name = strerrorname_np(error);
	return name ? name : "E" + std::to_string(error);
}

std::string describe(int error)
{
	return error == kernelNotSupported ? "Operation not supported by this kernel" : strerror(error);
}

} // namespace

Napi::Error systemError(Napi::Env env, int error, const char *syscall, const std::string &subject)
{
	const std::string code = nameOf(error);
	const std::string about = subject.empty() ? "" : " " + subject;
	Napi::Error result = Napi::Error::New(env, code + ": " + describe(error) + ", " + syscall + about);
	result.Set("code", code);
	result.Set("errno", Napi::Number::New(env, -error));
	result.Set("syscall", syscall);
	return result;
}

Napi::Error closedError(Napi::Env env, const char *handle)
{
	return systemError(env, EBADF, handle, "(closed)");
}

void callBack(const Napi::Object &receiver, const Napi::FunctionReference &callback,
	      const std::initializer_list<napi_value> &arguments)
{
	try {
		callback.MakeCallback(receiver, arguments);
	} catch (const Napi::Error &error) {
		try {
			napi_fatal_exception(error.Env(), error.Value());
		} catch (const Napi::Error &) {
		}
	}
}

} // namespace ipvigil
