#include "netlink_socket.h"

#include "bytes.h"
#include "error.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace ipvigil
{

namespace
{

/** The kernel builds dumps of at most 32 KiB for a reader that offers that much (netlink_dump() in af_netlink.c). */
constexpr size_t datagramBytesMax = 64 << 10;
/** Per turn of the loop: 2 MiB at most, and a dump of a large table still takes few turns. */
constexpr uint32_t datagramsPerBatch = 32;
/** Room for a burst of link events while a garbage collection holds us up; the default is 208 KiB. */
constexpr int receiveBufferBytes = 1 << 20;
/** An error that stays must not become a busy loop. Lost messages (ENOBUFS) are reported without this rest. */
constexpr uint64_t errorPauseMs = 1000;

void setOption(Napi::Env env, int fd, int option, int value, const char *name)
{
	if (setsockopt(fd, SOL_NETLINK, option, &value, sizeof(value)) < 0)
		throw systemError(env, errno, "setsockopt", name);
}

} // namespace

Napi::Function NetlinkSocket::define(Napi::Env env)
{
	return DefineClass(env, "NetlinkSocket",
			   {InstanceMethod<&NetlinkSocket::portId>("portId"),
			    InstanceMethod<&NetlinkSocket::send>("send"),
			    InstanceMethod<&NetlinkSocket::close>("close")});
}

/** (protocol, groups, onBatch, onError) */
NetlinkSocket::NetlinkSocket(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<NetlinkSocket>(info), onBatch_(Napi::Persistent(info[2].As<Napi::Function>())),
      onError_(Napi::Persistent(info[3].As<Napi::Function>())), scratch_(datagramBytesMax)
{
	const Napi::Env env = info.Env();
	const int protocol = info[0].As<Napi::Number>();
	fd_ = Descriptor(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
	if (!fd_.isOpen())
		throw systemError(env, errno, "socket", "AF_NETLINK " + std::to_string(protocol));
	configure(env);
	portId_ = bindToAnyPort(env);
	join(env, info[1].As<Napi::Array>());
	watch_ = Watch::start(env, fd_.get(), this);
	// Only close() lets go again: a socket that nobody refers to still has to deliver.
	Ref();
}

/** The larger buffer needs CAP_NET_ADMIN; without it the limit of net.core.rmem_max holds, and that must do. */
void NetlinkSocket::configure(Napi::Env env)
{
	setOption(env, fd_.get(), NETLINK_EXT_ACK, 1, "NETLINK_EXT_ACK");
	const int bytes = receiveBufferBytes;
	if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0)
		return;
	if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		throw systemError(env, errno, "setsockopt", "SO_RCVBUF");
}

uint32_t NetlinkSocket::bindToAnyPort(Napi::Env env)
{
	sockaddr_nl address{};
	address.nl_family = AF_NETLINK;
	socklen_t length = sizeof(address);
	if (bind(fd_.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) < 0)
		throw systemError(env, errno, "bind", "AF_NETLINK");
	if (getsockname(fd_.get(), reinterpret_cast<sockaddr *>(&address), &length) < 0)
		throw systemError(env, errno, "getsockname", "AF_NETLINK");
	return address.nl_pid;
}

void NetlinkSocket::join(Napi::Env env, const Napi::Array &groups)
{
	for (uint32_t at = 0; at < groups.Length(); at++) {
		const int group = groups.Get(at).As<Napi::Number>();
		setOption(env, fd_.get(), NETLINK_ADD_MEMBERSHIP, group, "NETLINK_ADD_MEMBERSHIP");
	}
}

NetlinkSocket::Received NetlinkSocket::receive(Napi::Env env, size_t *length)
{
	sockaddr_nl sender{};
	socklen_t senderLength = sizeof(sender);
	// With MSG_TRUNC the kernel says how long the datagram was, not how much of it fitted.
	const ssize_t received = recvfrom(fd_.get(), scratch_.data(), scratch_.size(), MSG_TRUNC,
					  reinterpret_cast<sockaddr *>(&sender), &senderLength);
	if (received < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return Received::nothing;
		throw systemError(env, errno, "recvfrom", "AF_NETLINK");
	}
	if (sender.nl_pid != 0)
		return Received::foreign;
	*length = static_cast<size_t>(received);
	if (*length > scratch_.size())
		throw systemError(env, EMSGSIZE, "recvfrom",
				  "AF_NETLINK (a datagram of " + std::to_string(received) + " bytes)");
	return Received::datagram;
}

void NetlinkSocket::receiveBatch(Napi::Env env, Napi::Array datagrams)
{
	for (uint32_t at = 0; at < datagramsPerBatch; at++) {
		size_t length = 0;
		const Received received = receive(env, &length);
		if (received == Received::nothing)
			return;
		if (received == Received::datagram)
			datagrams.Set(datagrams.Length(), copyBytes(env, scratch_.data(), length));
	}
}

/** A worker that is being terminated fails every call into JavaScript, and nobody is left to hear of it. */
void NetlinkSocket::onReady()
{
	Napi::HandleScope scope(Env());
	try {
		deliver(Env());
	} catch (const Napi::Error &) {
	}
}

/** What came before an error is delivered before the error is told: their order is the order of the socket. */
void NetlinkSocket::deliver(Napi::Env env)
{
	// The handle keeps us alive while a callback runs, which may close us.
	const Napi::Object self = Value();
	Napi::Array datagrams = Napi::Array::New(env);
	Napi::Value failure = env.Undefined();
	try {
		receiveBatch(env, datagrams);
	} catch (const Napi::Error &caught) {
		failure = caught.Value();
		const std::string code = failure.As<Napi::Object>().Get("code").As<Napi::String>();
		if (code != "ENOBUFS" && code != "EMSGSIZE")
			watch_->pauseFor(errorPauseMs);
	}
	if (datagrams.Length() > 0)
		callBack(self, onBatch_, {datagrams});
	if (watch_ && !failure.IsUndefined())
		callBack(self, onError_, {failure});
}

Napi::Value NetlinkSocket::portId(const Napi::CallbackInfo &info)
{
	if (!fd_.isOpen())
		throw closedError(info.Env(), "netlink socket");
	return Napi::Number::New(info.Env(), portId_);
}

/** libc's sendto(), not a raw system call: tests interpose it. The kernel acts on a request before this returns. */
void NetlinkSocket::send(const Napi::CallbackInfo &info)
{
	if (!fd_.isOpen())
		throw closedError(info.Env(), "netlink socket");
	const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
	sockaddr_nl kernel{};
	kernel.nl_family = AF_NETLINK;
	if (sendto(fd_.get(), bytes.Data(), bytes.ByteLength(), 0, reinterpret_cast<const sockaddr *>(&kernel),
		   sizeof(kernel)) < 0)
		throw systemError(info.Env(), errno, "sendto", "AF_NETLINK");
}

void NetlinkSocket::close(const Napi::CallbackInfo &)
{
	release();
}

void NetlinkSocket::onTeardown()
{
	release();
}

void NetlinkSocket::release()
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
