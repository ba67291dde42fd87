#include "marked_connection.h"

#include "error.h"
#include "marked_socket.h"

#include <cerrno>

namespace ipvigil
{

Napi::Function MarkedConnection::define(Napi::Env env)
{
	return DefineClass(env, "MarkedConnection", {InstanceMethod<&MarkedConnection::close>("close")});
}

/** (mark, source, address, port, onConnect, onError). A connection that stands at once is told later all the same. */
MarkedConnection::MarkedConnection(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<MarkedConnection>(info), onConnect_(Napi::Persistent(info[4].As<Napi::Function>())),
      onError_(Napi::Persistent(info[5].As<Napi::Function>()))
{
	const Napi::Env env = info.Env();
	const uint32_t mark = info[0].As<Napi::Number>();
	const uint32_t port = info[3].As<Napi::Number>();
	const SocketAddress address = SocketAddress::of(info[2].As<Napi::Uint8Array>(), static_cast<uint16_t>(port));
	fd_ = openMarkedSocket(env, SOCK_STREAM, mark, SocketAddress::of(info[1].As<Napi::Uint8Array>(), 0));
	if (connect(fd_.get(), address.get(), address.length) < 0 && errno != EINPROGRESS)
		throw systemError(env, errno, "connect");
	watch_ = Watch::start(env, fd_.get(), this, UV_WRITABLE);
	// Only the end lets go again: a connection that nobody refers to still has to tell how it ended.
	Ref();
}

/** Once: the watch and both callbacks are gone before either of them is called. */
void MarkedConnection::onReady()
{
	Napi::HandleScope scope(Env());
	try {
		// The handle keeps us alive while a callback runs.
		const Napi::Object self = Value();
		int error = 0;
		socklen_t length = sizeof(error);
		getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
		const Napi::FunctionReference onConnect = std::move(onConnect_);
		const Napi::FunctionReference onError = std::move(onError_);
		if (error != 0) {
			release();
			callBack(self, onError, {systemError(Env(), error, "connect").Value()});
		} else {
			Descriptor connected = std::move(fd_);
			release();
			const Napi::Number number = Napi::Number::New(Env(), connected.get());
			connected.release();
			callBack(self, onConnect, {number});
		}
	} catch (const Napi::Error &) {
		// A worker that is being terminated fails every call into JavaScript, and nobody is left to hear of it.
	}
}

void MarkedConnection::close(const Napi::CallbackInfo &)
{
	release();
}

void MarkedConnection::onTeardown()
{
	release();
}

void MarkedConnection::release()
{
	if (!watch_)
		return;
	watch_.reset();
	fd_.close();
	onConnect_.Reset();
	onError_.Reset();
	Unref();
}

} // namespace ipvigil
