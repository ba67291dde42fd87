// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point on the director's own links: carriers, bonds and neighbours, where the kernel changes them and
 * so before any rtnetlink listener hears of it (linkwatch waits up to a second for a link that is no port of a
 * bond; a bond's notice goes through a work queue). What a change means for a real server is userspace's to say.
 *
 * The hooks see what is about to happen, or what just did, once or more: netif_carrier_off() is called by drivers
 * that are down already, netdev_lower_state_changed() for two reasons. Here only the plainly redundant is left out;
 * that each change is told once is src/evidence/links.ts's care.
 *
 * The hooks on bonds exist only while the module bonding is loaded, and pin it while they are attached.
 */
#include <linux/bpf.h>
#include <linux/neighbour.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "emit.bpf.h"
#include "own.bpf.h"

/* A neighbour that clients keep asking for fails every three seconds; one that is told more often is an accident. */
#define FAILURE_INTERVAL_NS (1000 * 1000 * 1000ULL)

/*
 * The real servers and gateways whose neighbour entry counts; the value is when its failure was last told, 0 once
 * it has come back. A LAN full of other neighbours costs one lookup for each of their failures. As many as
 * endpoints (wire.bpf.c), and not preallocated, because most directors have a few dozen.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct address_key);
	__type(value, __u64);
} hosts SEC(".maps");

static __always_inline int is_ours(struct net_device *dev)
{
	return dev->nd_net.net->ns.inum == own_netns;
}

/* An interface without an index is not registered yet: a driver that sets it up. */
static __always_inline struct link_event *open_event(struct net_device *dev, enum link_change change)
{
	struct link_event *event;

	if (!is_ours(dev) || dev->ifindex == 0)
		return 0;
	event = emit_reserve(EVENT_KIND_LINK, sizeof(*event), bpf_ktime_get_ns());
	if (!event)
		return 0;
	event->interface_index = dev->ifindex;
	event->change = change;
	bpf_core_read_str(event->name, sizeof(event->name), &dev->name);
	return event;
}

/* Before the change, which the kernel makes only where it is one (test_and_set_bit in net/sched/sch_generic.c). */
static __always_inline int tell_carrier(struct net_device *dev, __u32 up)
{
	__u64 no_carrier = 1ULL << bpf_core_enum_value(enum netdev_state_t, __LINK_STATE_NOCARRIER);
	__u32 is_up = (dev->state & no_carrier) == 0;
	struct link_event *event;

	if (is_up == up)
		return 0;
	event = open_event(dev, LINK_CHANGE_CARRIER);
	if (!event)
		return 0;
	event->value = up;
	event->changes = dev->carrier_up_count.counter + dev->carrier_down_count.counter + 1;
	emit_submit(event);
	return 0;
}

/* Before the change. No slave is a null pointer: what is read through it is 0, as for no interface. */
static __always_inline int tell_active_slave(struct bonding *bond, struct slave *active)
{
	struct link_event *event;

	if (bond->curr_active_slave == active)
		return 0;
	event = open_event(bond->dev, LINK_CHANGE_ACTIVE_SLAVE);
	if (!event)
		return 0;
	event->value = active->dev->ifindex;
	emit_submit(event);
	return 0;
}

/*
 * After the change, of the slave's link or of who is active. Bonding tells both by bond_lower_state_changed(), which
 * compilers inline where it matters most, into the link monitor; what that calls is out of their reach. Team ports
 * pass here too, without IFF_SLAVE.
 */
static __always_inline int tell_slave(struct net_device *dev)
{
	struct slave *slave = dev->rx_handler_data;
	struct link_event *event;

	if (!(dev->flags & IFF_SLAVE) || !slave)
		return 0;
	event = open_event(dev, LINK_CHANGE_SLAVE);
	if (!event)
		return 0;
	event->value = BPF_CORE_READ(slave, link);
	event->other_index = BPF_CORE_READ(slave, bond, dev, ifindex);
	emit_submit(event);
	return 0;
}

/* When the failure of this neighbour was last told; null where nobody asked for it. */
static __always_inline __u64 *failure_of(struct neighbour *neighbour, struct address_key *key)
{
	if (!is_ours(neighbour->dev))
		return 0;
	read_address(key->address, &neighbour->primary_key, neighbour->tbl->family);
	return bpf_map_lookup_elem(&hosts, key);
}

static __always_inline void emit_neighbour(struct neighbour *neighbour, struct address_key *key, __u32 state,
					   __u64 now_ns)
{
	struct neighbour_event *event = emit_reserve(EVENT_KIND_NEIGHBOUR, sizeof(*event), now_ns);

	if (!event)
		return;
	__builtin_memcpy(event->address, key->address, sizeof(event->address));
	event->interface_index = neighbour->dev->ifindex;
	event->state = state;
	emit_submit(event);
}

/* neigh_update does not fire for a failure, this one does (net/core/neighbour.c). */
static __always_inline int tell_failure(struct neighbour *neighbour)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct address_key key;
	__u64 *failed_ns;

	if (!(neighbour->nud_state & NUD_FAILED))
		return 0;
	failed_ns = failure_of(neighbour, &key);
	if (!failed_ns || now_ns - *failed_ns < FAILURE_INTERVAL_NS)
		return 0;
	*failed_ns = now_ns;
	emit_neighbour(neighbour, &key, NUD_FAILED, now_ns);
	return 0;
}

/* Somebody answered, or the administrator says so; told once after a failure. */
static __always_inline int tell_return(struct neighbour *neighbour, __u32 state)
{
	const __u32 valid = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
	struct address_key key;
	__u64 *failed_ns;

	if (!(state & valid))
		return 0;
	failed_ns = failure_of(neighbour, &key);
	if (!failed_ns || *failed_ns == 0)
		return 0;
	*failed_ns = 0;
	emit_neighbour(neighbour, &key, state, bpf_ktime_get_ns());
	return 0;
}

SEC("fentry/netif_carrier_off")
int BPF_PROG(carrier_off, struct net_device *dev)
{
	return tell_carrier(dev, 0);
}

SEC("fentry/netif_carrier_on")
int BPF_PROG(carrier_on, struct net_device *dev)
{
	return tell_carrier(dev, 1);
}

SEC("fentry/bond_change_active_slave")
int BPF_PROG(active_slave, struct bonding *bond, struct slave *new_active)
{
	return tell_active_slave(bond, new_active);
}

SEC("fentry/netdev_lower_state_changed")
int BPF_PROG(slave_state, struct net_device *slave)
{
	return tell_slave(slave);
}

SEC("tp_btf/neigh_timer_handler")
int BPF_PROG(neighbour_failed, struct neighbour *neighbour, int error)
{
	return tell_failure(neighbour);
}

SEC("tp_btf/neigh_update")
int BPF_PROG(neighbour_back, struct neighbour *neighbour, const __u8 *link_address, __u8 state)
{
	return tell_return(neighbour, state);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
