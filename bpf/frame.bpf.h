/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One packet at either hook: what the bodies of wire.bpf.c need of XDP's and tc's contexts, so that there is one body
 * for both. It reads no header but the Ethernet one's source, and knows no protocol.
 */
#ifndef IPVIGIL_FRAME_BPF_H
#define IPVIGIL_FRAME_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "events.h"

/* Set before load: each event then carries the head of its packet (trace). */
const volatile __u8 with_packets = 0;

enum hook {
	HOOK_XDP,
	HOOK_TC,
};

/* Where a packet begins. */
enum opening {
	OPENING_ETHERNET,
	/* Tunnel devices, tun, ppp: there is no MAC address. */
	OPENING_IP,
};

struct frame {
	void *context;
	enum hook hook;
	enum opening opening;
	__u32 interface_index;
	/* Of the whole packet, wherever it lies; as wide as a register, so that the verifier sees what bounds it. */
	__u64 octets;
	/* The sender's MAC address in the first six octets, as `struct host_senders` has them; 0 where there is none.
	 */
	__u64 source;
};

/* `end` bounds what can be read in place; the reading before has shown that the header is there. */
static __always_inline __u64 source_of(void *data, void *end, enum opening opening)
{
	struct ethhdr *ethernet = data;
	__u64 source = 0;

	if (opening == OPENING_ETHERNET && (void *)(ethernet + 1) <= end)
		__builtin_memcpy(&source, ethernet->h_source, sizeof(ethernet->h_source));
	return source;
}

/* Copies from anywhere in the packet; negative where it does not reach that far. */
static __always_inline long copy_octets(struct frame *frame, __u32 offset, void *to, __u32 octets)
{
	return frame->hook == HOOK_XDP ? bpf_xdp_load_bytes(frame->context, offset, to, octets)
				       : bpf_skb_load_bytes(frame->context, offset, to, octets);
}

/* `ip_version` is the packet's own. */
static __always_inline void fill_packet_head(struct packet_head *head, struct frame *frame, __u32 ip_version)
{
	__u64 octets = frame->octets;

	if (octets > sizeof(head->octets))
		octets = sizeof(head->octets);
	head->packet_octets = frame->octets;
	if (frame->opening == OPENING_IP)
		head->protocol = bpf_htons(ip_version == 4 ? ETH_P_IP : ETH_P_IPV6);
	if (octets == 0)
		return;
	/*
	 * The verifier of Linux 6.1 learns nothing from "not equal" and refuses a copy of what may be no octets; so the
	 * same number is said in a way that it follows, and the compiler is kept from seeing through it.
	 */
	barrier_var(octets);
	octets = ((octets - 1) & (sizeof(head->octets) - 1)) + 1;
	if (copy_octets(frame, 0, head->octets, octets) == 0)
		head->captured_octets = octets;
}

#endif
