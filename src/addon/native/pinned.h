// Opening what is pinned in a bpffs. BPF_OBJ_GET answers with whatever lies at the path, so its kind is checked: a map
// that is taken for a link would be misread, not refused, by every later call.
#pragma once

#include "error.h"
#include "raii.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace ipvigil
{

/** `kind` is how the kernel names the descriptor's anonymous inode: "bpf-map", "bpf-link" (kernel/bpf/syscall.c). */
inline Descriptor openPinnedAs(Napi::Env env, const std::string &path, const std::string &kind)
{
	Descriptor fd(bpf_obj_get(path.c_str()));
	if (!fd.isOpen())
		throw systemError(env, errno, "bpf_obj_get", path);
	char target[64] = {};
	const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
	if (readlink(self.c_str(), target, sizeof(target) - 1) < 0)
		throw systemError(env, errno, "readlink", self);
	if (std::string(target).find(kind) == std::string::npos)
		throw systemError(env, EINVAL, "bpf_obj_get", path + " (is " + target + ", not " + kind + ")");
	return fd;
}

} // namespace ipvigil
