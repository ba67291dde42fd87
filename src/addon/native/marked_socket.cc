#include "marked_socket.h"

#include "error.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace ipvigil
{

SocketAddress SocketAddress::of(Napi::Uint8Array octets, uint16_t port)
{
	SocketAddress address;
	if (octets.ByteLength() == sizeof(in_addr)) {
		auto *inet = reinterpret_cast<sockaddr_in *>(&address.storage);
		inet->sin_family = AF_INET;
		inet->sin_port = htons(port);
		std::memcpy(&inet->sin_addr, octets.Data(), sizeof(in_addr));
		address.length = sizeof(sockaddr_in);
	} else {
		auto *inet6 = reinterpret_cast<sockaddr_in6 *>(&address.storage);
		inet6->sin6_family = AF_INET6;
		inet6->sin6_port = htons(port);
		std::memcpy(&inet6->sin6_addr, octets.Data(), sizeof(in6_addr));
		address.length = sizeof(sockaddr_in6);
	}
	return address;
}

/** IP_BIND_ADDRESS_NO_PORT: the port is chosen when the peer is known, so that they do not run out (ip(7)). */
Descriptor openMarkedSocket(Napi::Env env, int type, uint32_t mark, const SocketAddress &source)
{
	const int family = source.storage.ss_family;
	Descriptor fd(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (!fd.isOpen())
		throw systemError(env, errno, "socket");
	if (setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		throw systemError(env, errno, "setsockopt", "SO_MARK");
	const int on = 1;
	if (setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		throw systemError(env, errno, "setsockopt", "IP_BIND_ADDRESS_NO_PORT");
	if (bind(fd.get(), source.get(), source.length) < 0)
		throw systemError(env, errno, "bind");
	return fd;
}

Napi::Value openMarkedDatagramSocket(const Napi::CallbackInfo &info)
{
	const uint32_t mark = info[0].As<Napi::Number>();
	const SocketAddress source = SocketAddress::of(info[1].As<Napi::Uint8Array>(), 0);
	return Napi::Number::New(info.Env(), openMarkedSocket(info.Env(), SOCK_DGRAM, mark, source).release());
}

} // namespace ipvigil
