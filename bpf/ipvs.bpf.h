/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the vantage points inside IPVS share: whether a table is the director's own, and how a service and a
 * destination of the kernel become a key of events.h. It reads and names; it keeps and decides nothing.
 */
#ifndef IPVIGIL_IPVS_BPF_H
#define IPVIGIL_IPVS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "compat.bpf.h"
#include "events.h"
#include "own.bpf.h"

/* Tracing hooks see every network namespace. */
static __always_inline int is_own(struct netns_ipvs *ipvs)
{
	return ipvs->net->ns.inum == own_netns;
}

/* The service's part of a key; the destination's stays zero. */
static __always_inline void read_service_key(struct destination_key *key, struct ip_vs_service *service)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->fwmark = service->fwmark;
	read_address(key->service.address, &service->addr, service->af);
	key->service.port = service->port;
	/* A firewall mark carries a protocol field that means nothing; ipvsadm leaves 0 or TCP in it. */
	key->service.protocol = key->fwmark ? 0 : service->protocol;
}

static __always_inline void read_key(struct destination_key *key, struct ip_vs_service *service,
				     struct ip_vs_dest *dest)
{
	read_service_key(key, service);
	read_address(key->destination.address, &dest->addr, dest->af);
	key->destination.port = dest->port;
	key->destination.protocol = key->service.protocol;
}

#endif
