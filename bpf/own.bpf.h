/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What every vantage point in tracing hooks needs: which network namespace is ours, because such hooks see all of
 * them, and addresses of the kernel in the one form of events.h.
 */
#ifndef IPVIGIL_OWN_BPF_H
#define IPVIGIL_OWN_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "compat.bpf.h"

/* Set before load: the inode number of the director's network namespace (/proc/self/ns/net). */
const volatile __u32 own_netns = 0;

/* IPv4 as v4-mapped; `from` is in kernel memory and holds four octets or sixteen, as the family says. */
static __always_inline void read_address(__u8 *address, const void *from, __u32 family)
{
	__u32 *words = (__u32 *)address;

	if (family == AF_INET6) {
		bpf_core_read(address, 16, (const union nf_inet_addr *)from);
		return;
	}
	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	bpf_core_read(&words[3], 4, (const union nf_inet_addr *)from);
}

#endif
