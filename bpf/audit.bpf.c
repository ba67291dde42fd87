// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point on the table: who changed, or was refused to change, which service or destination. IPVS
 * tells nobody of its changes (its generic netlink family has no multicast group), so ipvigil could not know
 * otherwise that a monitor or a person has spoken. Every write goes into the ring, never rate-limited, and
 * those that IPVS carried out into `writers`, which remembers the last one of each destination; maps and links
 * are pinned and outlive the agent.
 *
 * All hooks run in the writer's own task (net/netfilter/ipvs/ip_vs_ctl.c). They see every network namespace;
 * only the director's own is recorded. Two of them are the audit, update_dest and delete_dest; each other one
 * adds something and may be missing. The sync daemon and a removal of the whole namespace are not told.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/ip_vs.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
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

/* What a task is asking of IPVS just now. The service is all zero as long as IPVS has not found or read it. */
struct command {
	enum via via;
	/* On a service; 0 for every other command. */
	enum operation operation;
	struct destination_key service;
};

/*
 * By thread. IPVS carries out one command at a time and 1,024 that wait for it are more than any director has;
 * one too many is told all the same, as of unknown way.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct command);
} commands SEC(".maps");

/* One write as the hooks see it; a weight that the kernel has not, or is not asked for, is NO_WEIGHT. */
struct table_write {
	enum operation operation;
	__s32 old_weight;
	__s32 new_weight;
	/* 0, or the negative errno with which IPVS refused. */
	__s32 result;
};

static __always_inline struct command *current_command(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&commands, &thread);
}

static __always_inline void read_caller(struct caller *caller)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	caller->pid = bpf_get_current_pid_tgid() >> 32;
	caller->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(caller->comm, sizeof(caller->comm));
	/* ldirectord and mon run ipvsadm: without its parent a write could not be told from a person's. */
	BPF_CORE_READ_STR_INTO(&caller->parent_comm, task, real_parent, comm);
}

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
	struct command *command;

	if (!event)
		return;
	command = current_command();
	event->key = *key;
	event->operation = write->operation;
	event->old_weight = write->old_weight;
	event->new_weight = write->new_weight;
	event->result = write->result;
	event->via = command ? command->via : VIA_UNKNOWN;
	read_caller(&event->caller);
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

/* A refusal changed nothing, so the last writer stays who it was. What was carried out is told by the hooks above it.
 */
static __always_inline int record_refusal(struct ip_vs_service *service, struct ip_vs_dest_user_kern *udest,
					  struct table_write write)
{
	struct destination_key key;

	if (write.result == 0 || !is_own(service->ipvs))
		return 0;
	read_service_key(&key, service);
	read_address(key.destination.address, &udest->addr, udest->af);
	key.destination.port = udest->port;
	key.destination.protocol = key.service.protocol;
	tell(&key, &write, bpf_ktime_get_ns());
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

SEC("fexit/ip_vs_add_dest")
int BPF_PROG(refuse_add, struct ip_vs_service *service, struct ip_vs_dest_user_kern *udest, int result)
{
	struct table_write write = {OPERATION_ADD, NO_WEIGHT, udest->weight, result};

	return record_refusal(service, udest, write);
}

SEC("fexit/ip_vs_edit_dest")
int BPF_PROG(refuse_edit, struct ip_vs_service *service, struct ip_vs_dest_user_kern *udest, int result)
{
	struct table_write write = {OPERATION_EDIT, NO_WEIGHT, udest->weight, result};

	return record_refusal(service, udest, write);
}

SEC("fexit/ip_vs_del_dest")
int BPF_PROG(refuse_delete, struct ip_vs_service *service, struct ip_vs_dest_user_kern *udest, int result)
{
	struct table_write write = {OPERATION_DELETE, NO_WEIGHT, NO_WEIGHT, result};

	return record_refusal(service, udest, write);
}

#include "audit_service.bpf.h"
#include "show_writers.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
