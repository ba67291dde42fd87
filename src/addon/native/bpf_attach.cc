// The half of BpfObject that puts loaded programs to work: on an interface, on a kernel function, on a map, or on one
// packet in a test run. Every attachment but clsact is a bare BPF link of bpf(2), so that one descriptor is all there
// is to own, to pin and to hand over.
#include "bpf_map.h"
#include "bpf_object.h"
#include "bytes.h"
#include "clsact_filter.h"
#include "error.h"
#include "link.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <cerrno>

namespace ipvigil
{

namespace
{

/** BPF_TCX_INGRESS of Linux 6.6 (include/uapi/linux/bpf.h): older headers and libbpf 1.1 do not name it, but pass it
 * on. */
constexpr auto tcxIngress = static_cast<bpf_attach_type>(46);
/** BPF_F_BEFORE of Linux 6.6: with no other program named, before all of them. */
constexpr uint32_t beforeAll = 1 << 3;
/** What a program may grow a packet by in a test run: XDP_PACKET_HEADROOM. */
constexpr size_t headroomBytes = 256;

Napi::Object linkTo(Napi::Env env, int programFd, int target, bpf_attach_type type, const bpf_link_create_opts *options,
		    const std::string &program)
{
	Descriptor fd(bpf_link_create(programFd, target, type, options));
	if (!fd.isOpen())
		throw systemError(env, errno, "bpf_link_create", program);
	return Link::create(env, std::move(fd));
}

bpf_link_create_opts linkOptions()
{
	bpf_link_create_opts options{};
	options.sz = sizeof(options);
	return options;
}

/** The context in which the kernel runs the packet, if it shall come from a certain interface. */
union Context {
	xdp_md xdp;
	__sk_buff skb;
};

uint32_t fillContext(bpf_prog_type type, uint32_t interfaceIndex, uint32_t packetBytes, Context *context)
{
	*context = {};
	if (type == BPF_PROG_TYPE_XDP) {
		context->xdp.data_end = packetBytes;
		context->xdp.ingress_ifindex = interfaceIndex;
		return sizeof(context->xdp);
	}
	context->skb = {};
	context->skb.ifindex = interfaceIndex;
	return sizeof(context->skb);
}

} // namespace

/** (program, interface index, generic?) */
Napi::Value BpfObject::attachXdp(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	bpf_link_create_opts options = linkOptions();
	options.flags = info[2].As<Napi::Boolean>() ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	return linkTo(info.Env(), programFd(info.Env(), name), info[1].As<Napi::Number>(), BPF_XDP, &options, name);
}

/** (program, interface index, first?) */
Napi::Value BpfObject::attachTcx(const Napi::CallbackInfo &info)
{
	const std::string name = info[0].As<Napi::String>();
	bpf_link_create_opts options = linkOptions();
	options.flags = info[2].As<Napi::Boolean>() ? beforeAll : 0;
	return linkTo(info.Env(), programFd(info.Env(), name), info[1].As<Napi::Number>(), tcxIngress, &options, name);
}

/** (program, interface index, handle, priority, replace?) */
Napi::Value BpfObject::attachClsact(const Napi::CallbackInfo &info)
{
	const int fd = programFd(info.Env(), info[0].As<Napi::String>());
	const ClsactFilter::Place place = {info[1].As<Napi::Number>(), info[2].As<Napi::Number>(),
					   info[3].As<Napi::Number>()};
	return ClsactFilter::attach(info.Env(), fd, place, info[4].As<Napi::Boolean>());
}

/**
 * (program). libbpf knows which of the kernel's ways each type wants; what it makes for these types is a link whose
 * descriptor is the whole attachment (libbpf.c, bpf_program__attach_btf_id()), unlike kprobes and tracepoints.
 */
Napi::Value BpfObject::attachTracing(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	const std::string name = info[0].As<Napi::String>();
	bpf_program *traced = program(env, name);
	const bpf_prog_type type = bpf_program__type(traced);
	if (type != BPF_PROG_TYPE_TRACING && type != BPF_PROG_TYPE_RAW_TRACEPOINT)
		throw systemError(env, EINVAL, "bpf_program__attach", name + " (not a tracing program)");
	programFd(env, name);
	LinkOwner link(bpf_program__attach(traced));
	if (!link)
		throw systemError(env, errno, "bpf_program__attach", name);
	return Link::create(env, Descriptor::duplicate(bpf_link__fd(link.get())));
}

/** (program, map name) */
Napi::Value BpfObject::attachIterator(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	const std::string name = info[0].As<Napi::String>();
	const std::string mapName = info[1].As<Napi::String>();
	bpf_iter_link_info over{};
	const int mapFd = bpf_map__fd(map(env, mapName));
	if (mapFd < 0)
		throw systemError(env, ENOENT, "bpf_map__fd", mapName + " (not loaded)");
	over.map.map_fd = static_cast<uint32_t>(mapFd);
	bpf_link_create_opts options = linkOptions();
	options.iter_info = &over;
	options.iter_info_len = sizeof(over);
	return linkTo(env, programFd(env, name), 0, BPF_TRACE_ITER, &options, name);
}

/** (program, packet, repeat, interface index or 0) */
Napi::Value BpfObject::testRun(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	const std::string name = info[0].As<Napi::String>();
	const Napi::Uint8Array packet = info[1].As<Napi::Uint8Array>();
	const uint32_t interfaceIndex = info[3].As<Napi::Number>();
	std::vector<uint8_t> after(packet.ByteLength() + headroomBytes);
	Context context;
	bpf_test_run_opts options{};
	options.sz = sizeof(options);
	options.data_in = packet.Data();
	options.data_size_in = static_cast<uint32_t>(packet.ByteLength());
	options.data_out = after.data();
	options.data_size_out = static_cast<uint32_t>(after.size());
	options.repeat = info[2].As<Napi::Number>();
	if (interfaceIndex != 0) {
		options.ctx_in = &context;
		options.ctx_size_in =
		    fillContext(bpf_program__type(program(env, name)), interfaceIndex, options.data_size_in, &context);
	}
	const int status = bpf_prog_test_run_opts(programFd(env, name), &options);
	if (status < 0)
		throw systemError(env, -status, "bpf_prog_test_run_opts", name);
	Napi::Object result = Napi::Object::New(env);
	result.Set("returnValue", options.retval);
	result.Set("durationNs", options.duration);
	result.Set("packet", copyBytes(env, after.data(), options.data_size_out));
	return result;
}

} // namespace ipvigil
