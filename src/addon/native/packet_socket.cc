#include "packet_socket.h"

#include "bytes.h"
#include "error.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>

namespace ipvigil
{

namespace
{

/** The largest IP packet, as segments put together by the kernel (GRO) may be, and its Ethernet header. */
constexpr size_t frameBytesMax = (64 << 10) + ETH_HLEN;
/** Per turn of the loop, so that a flood that passes the filter does not hold up the rest of the process. */
constexpr uint32_t framesPerBatch = 64;
/** An error that stays must not become a busy loop. */
constexpr uint64_t errorPauseMs = 1000;

void setOption(Napi::Env env, int fd, int level, int option, const void *value, socklen_t length, const char *name)
{
	if (setsockopt(fd, level, option, value, length) < 0)
		throw systemError(env, errno, "setsockopt", name);
}

} // namespace

Napi::Function PacketSocket::define(Napi::Env env)
{
	return DefineClass(
	    env, "PacketSocket",
	    {InstanceMethod<&PacketSocket::send>("send"), InstanceMethod<&PacketSocket::close>("close")});
}

/** (interfaceIndex, filter, onBatch, onError). A socket of protocol 0 receives nothing until it is bound (packet(7)).
 */
PacketSocket::PacketSocket(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<PacketSocket>(info), onBatch_(Napi::Persistent(info[2].As<Napi::Function>())),
      onError_(Napi::Persistent(info[3].As<Napi::Function>())), scratch_(frameBytesMax)
{
	const Napi::Env env = info.Env();
	fd_ = Descriptor(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (!fd_.isOpen())
		throw systemError(env, errno, "socket", "AF_PACKET");
	filter(env, info[1].As<Napi::Uint8Array>());
	bindTo(env, info[0].As<Napi::Number>());
	watch_ = Watch::start(env, fd_.get(), this);
	// Only close() lets go again: a socket that nobody refers to still has to deliver.
	Ref();
}

/** What this machine itself sends never comes back to us, whatever the program says (Linux 4.20). */
void PacketSocket::filter(Napi::Env env, Napi::Uint8Array program)
{
	const int on = 1;
	setOption(env, fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on), "PACKET_IGNORE_OUTGOING");
	sock_fprog filter{};
	filter.len = static_cast<unsigned short>(program.ByteLength() / sizeof(sock_filter));
	filter.filter = reinterpret_cast<sock_filter *>(program.Data());
	setOption(env, fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter), "SO_ATTACH_FILTER");
}

void PacketSocket::bindTo(Napi::Env env, int interfaceIndex)
{
	sockaddr_ll address{};
	address.sll_family = AF_PACKET;
	address.sll_protocol = htons(ETH_P_ALL);
	address.sll_ifindex = interfaceIndex;
	if (bind(fd_.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) < 0)
		throw systemError(env, errno, "bind", "AF_PACKET " + std::to_string(interfaceIndex));
}

bool PacketSocket::receive(Napi::Env env, size_t *length)
{
	const ssize_t received = recv(fd_.get(), scratch_.data(), scratch_.size(), 0);
	if (received < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return false;
		throw systemError(env, errno, "recv", "AF_PACKET");
	}
	*length = static_cast<size_t>(received);
	return true;
}

void PacketSocket::receiveBatch(Napi::Env env, Napi::Array frames)
{
	size_t length = 0;
	for (uint32_t at = 0; at < framesPerBatch && receive(env, &length); at++)
		frames.Set(at, copyBytes(env, scratch_.data(), length));
}

/** A worker that is being terminated fails every call into JavaScript, and nobody is left to hear of it. */
void PacketSocket::onReady()
{
	Napi::HandleScope scope(Env());
	try {
		deliver(Env());
	} catch (const Napi::Error &) {
	}
}

/** What came before an error is delivered before the error is told: their order is the order of the socket. */
void PacketSocket::deliver(Napi::Env env)
{
	// The handle keeps us alive while a callback runs, which may close us.
	const Napi::Object self = Value();
	Napi::Array frames = Napi::Array::New(env);
	Napi::Value failure = env.Undefined();
	try {
		receiveBatch(env, frames);
	} catch (const Napi::Error &caught) {
		failure = caught.Value();
		watch_->pauseFor(errorPauseMs);
	}
	if (frames.Length() > 0)
		callBack(self, onBatch_, {frames});
	if (watch_ && !failure.IsUndefined())
		callBack(self, onError_, {failure});
}

/** A bound socket sends through its own interface, and the kernel reads the protocol from the frame. */
void PacketSocket::send(const Napi::CallbackInfo &info)
{
	if (!fd_.isOpen())
		throw closedError(info.Env(), "packet socket");
	const Napi::Uint8Array frame = info[0].As<Napi::Uint8Array>();
	if (::send(fd_.get(), frame.Data(), frame.ByteLength(), 0) < 0)
		throw systemError(info.Env(), errno, "send", "AF_PACKET");
}

void PacketSocket::close(const Napi::CallbackInfo &)
{
	release();
}

void PacketSocket::onTeardown()
{
	release();
}

void PacketSocket::release()
{
	if (!watch_)
		return;
	watch_.reset();
	fd_.close();
	onBatch_.Reset();
	onError_.Reset();
	Unref();
}

} // namespace ipvigil
