// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point on the table: who changed which destination from what to what. IPVS tells nobody of its
 * changes (its generic netlink family has no multicast group), so ipvigil could not know otherwise that a
 * monitor or a person has spoken. Every write goes into the ring, never rate-limited, and into `writers`,
 * which remembers the last one of each destination; map and links are pinned and outlive the agent.
 *
 * Both hooks run in the writer's own task, under IPVS's mutex (net/netfilter/ipvs/ip_vs_ctl.c), before the
 * change. They see every network namespace; only the director's own is recorded. Services and the sync
 * daemon are not watched.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "emit.bpf.h"
#include "ipvs.bpf.h"

/*
 * 32,768 destinations are twice the largest table aimed at. Not preallocated, because most tables are small.
 * A plain hash, because an eviction would silently forget who spoke last.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct destination_key);
	__type(value, struct writer_value);
} writers SEC(".maps");

/* One write as both hooks see it. */
struct table_write {
	enum operation operation;
	__s32 old_weight;
	__s32 new_weight;
};

static __always_inline void remember(struct destination_key *key, struct table_write *write, __u64 now_ns)
{
	struct writer_value *last;
	struct writer_value value;

	/* A destination that is gone has no last writer; so the map never outgrows the table. */
	if (write->operation == OPERATION_DELETE) {
		bpf_map_delete_elem(&writers, key);
		return;
	}
	last = bpf_map_lookup_elem(&writers, key);
	value = (struct writer_value){
	    .writes = last ? last->writes + 1 : 1,
	    .time_ns = now_ns,
	    .pid = bpf_get_current_pid_tgid() >> 32,
	    .weight = write->new_weight,
	    .operation = write->operation,
	};

	bpf_get_current_comm(value.comm, sizeof(value.comm));
	if (bpf_map_update_elem(&writers, key, &value, BPF_ANY) != 0)
		count_loss(LOSS_WRITERS_FULL);
}

static __always_inline void tell(struct destination_key *key, struct table_write *write, __u64 now_ns)
{
	struct write_event *event = emit_reserve(EVENT_KIND_WRITE, sizeof(*event), now_ns);
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (!event)
		return;
	event->key = *key;
	event->operation = write->operation;
	event->old_weight = write->old_weight;
	event->new_weight = write->new_weight;
	event->caller.pid = bpf_get_current_pid_tgid() >> 32;
	event->caller.uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event->caller.comm, sizeof(event->caller.comm));
	/* ldirectord and mon run ipvsadm: without its parent a write could not be told from a person's. */
	BPF_CORE_READ_STR_INTO(&event->caller.parent_comm, task, real_parent, comm);
	emit_submit(event);
}

static __always_inline int record_write(struct ip_vs_service *service, struct ip_vs_dest *dest,
					struct table_write write)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct destination_key key;

	if (!is_own(service->ipvs))
		return 0;
	read_key(&key, service, dest);
	remember(&key, &write, now_ns);
	tell(&key, &write, now_ns);
	return 0;
}

/* Adds and edits meet here; for an add `dest` holds no weight yet, or that of an earlier life in the trash. */
SEC("fentry/__ip_vs_update_dest")
int BPF_PROG(update_dest, struct ip_vs_service *service, struct ip_vs_dest *dest, struct ip_vs_dest_user_kern *udest,
	     int add)
{
	struct table_write write = {
	    .operation = add ? OPERATION_ADD : OPERATION_EDIT,
	    .old_weight = add ? NO_WEIGHT : dest->weight.counter,
	    .new_weight = udest->weight,
	};

	return record_write(service, dest, write);
}

/* Reached for each destination, whether it, its service or the whole table is deleted. */
SEC("fentry/__ip_vs_del_dest")
int BPF_PROG(delete_dest, struct netns_ipvs *ipvs, struct ip_vs_dest *dest)
{
	struct table_write write = {
	    .operation = OPERATION_DELETE,
	    .old_weight = dest->weight.counter,
	    .new_weight = NO_WEIGHT,
	};
	struct ip_vs_service *service = dest->svc;

	return service ? record_write(service, dest, write) : 0;
}

#include "show_writers.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
