// What the addon exports, and nothing else. src/addon/index.ts is the only code that may load it: it has checked every
// argument before a call arrives here, and the classes rely on that.
#include "bpf_map.h"
#include "bpf_object.h"
#include "clsact_filter.h"
#include "error.h"
#include "instance.h"
#include "libbpf_log.h"
#include "link.h"
#include "marked_connection.h"
#include "marked_socket.h"
#include "netlink_socket.h"
#include "packet_socket.h"
#include "ring_reader.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace ipvigil
{

namespace
{

Napi::Value readClock(Napi::Env env, clockid_t clock)
{
	constexpr int64_t nsPerSecond = 1'000'000'000;
	timespec now{};
	clock_gettime(clock, &now);
	return Napi::BigInt::New(env, int64_t{now.tv_sec} * nsPerSecond + now.tv_nsec);
}

/** The clock of bpf_ktime_get_ns(). */
Napi::Value monotonicNs(const Napi::CallbackInfo &info)
{
	return readClock(info.Env(), CLOCK_MONOTONIC);
}

/** The clock of bpf_ktime_get_boot_ns(): goes on while the machine sleeps. */
Napi::Value bootNs(const Napi::CallbackInfo &info)
{
	return readClock(info.Env(), CLOCK_BOOTTIME);
}

Napi::Value possibleCpus(const Napi::CallbackInfo &info)
{
	const int cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		throw systemError(info.Env(), -cpus, "libbpf_num_possible_cpus");
	return Napi::Number::New(info.Env(), cpus);
}

Napi::Value interfaceIndex(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	const unsigned int index = if_nametoindex(name.c_str());
	if (index == 0 && errno != ENODEV)
		throw systemError(info.Env(), errno, "if_nametoindex", name);
	return index == 0 ? info.Env().Undefined() : Napi::Number::New(info.Env(), index);
}

/** ARPHRD_*: what the frames of an interface begin with (netdevice(7), SIOCGIFHWADDR). */
Napi::Value interfaceHardwareType(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	ifreq request{};
	std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
	const Descriptor socketFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (!socketFd.isOpen() || ioctl(socketFd.get(), SIOCGIFHWADDR, &request) < 0)
		throw systemError(info.Env(), errno, "ioctl(SIOCGIFHWADDR)", name);
	return Napi::Number::New(info.Env(), request.ifr_hwaddr.sa_family);
}

Napi::Object initialise(Napi::Env env, Napi::Object exports)
{
	LibbpfLog::install();
	Instance *instance = new Instance();
	env.SetInstanceData(instance);
	const Napi::Function map = BpfMap::define(env);
	const Napi::Function link = Link::define(env);
	instance->map = Napi::Persistent(map);
	instance->link = Napi::Persistent(link);
	instance->clsactFilter = Napi::Persistent(ClsactFilter::define(env));
	exports.Set("BpfMap", map);
	exports.Set("Link", link);
	exports.Set("BpfObject", BpfObject::define(env));
	exports.Set("RingReader", RingReader::define(env));
	exports.Set("NetlinkSocket", NetlinkSocket::define(env));
	exports.Set("PacketSocket", PacketSocket::define(env));
	exports.Set("MarkedConnection", MarkedConnection::define(env));
	exports.Set("openMarkedDatagramSocket", Napi::Function::New(env, openMarkedDatagramSocket));
	exports.Set("monotonicNs", Napi::Function::New(env, monotonicNs));
	exports.Set("bootNs", Napi::Function::New(env, bootNs));
	exports.Set("possibleCpus", Napi::Function::New(env, possibleCpus));
	exports.Set("interfaceIndex", Napi::Function::New(env, interfaceIndex));
	exports.Set("interfaceHardwareType", Napi::Function::New(env, interfaceHardwareType));
	return exports;
}

} // namespace

NODE_API_MODULE(ipvigil, initialise)

} // namespace ipvigil
