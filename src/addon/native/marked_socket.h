// Sockets whose packets carry a firewall mark (SO_MARK, socket(7)), which Node cannot set on its own ones. They are
// Node's once they are made: what is said on them is no business of ours.
#pragma once

#include "raii.h"

#include <napi.h>
#include <sys/socket.h>

namespace ipvigil
{

/** What bind(2) and connect(2) take, of either family. */
struct SocketAddress {
	sockaddr_storage storage{};
	socklen_t length = 0;

	/** Four octets or sixteen, in network order. */
	static SocketAddress of(Napi::Uint8Array octets, uint16_t port);
	const sockaddr *get() const
	{
		return reinterpret_cast<const sockaddr *>(&storage);
	}
};

/** Of the type SOCK_STREAM or SOCK_DGRAM, non-blocking, marked, bound to `source`, of which all zeros is any address.
 */
Descriptor openMarkedSocket(Napi::Env env, int type, uint32_t mark, const SocketAddress &source);

/** (mark, source): the descriptor, which is the caller's. */
Napi::Value openMarkedDatagramSocket(const Napi::CallbackInfo &info);

} // namespace ipvigil
