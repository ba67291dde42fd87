// The one way from an errno to JavaScript: an Error with `code`, `errno` (negative, as Node's own system errors) and
// `syscall`. It explains nothing: src/addon/errors.ts and the callers do.
#pragma once

#include <napi.h>

#include <string>

namespace ipvigil
{

/** `error` is a positive errno; `subject` is what the call was about (a path, a program), for the message. */
Napi::Error systemError(Napi::Env env, int error, const char *syscall, const std::string &subject = "");

/** What every call on a closed handle gets. */
Napi::Error closedError(Napi::Env env, const char *handle);

/**
 * Calls back into JavaScript from the event loop. What the callback throws becomes an uncaught exception; what a
 * terminating worker throws at us is dropped, for nobody is left to hear it.
 */
void callBack(const Napi::Object &receiver, const Napi::FunctionReference &callback,
	      const std::initializer_list<napi_value> &arguments);

} // namespace ipvigil
