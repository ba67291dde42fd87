/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Part of audit.bpf.c: commands to IPVS as a whole, from the entry of either interface to its return. The entry
 * remembers by which way the task speaks, which the destination hooks look up; on the way a service gets its
 * name; the return tells what became of a service. No hook alone could: the function that deletes a service is
 * inlined (6.1, 6.12), and one that refuses early never reaches any.
 */
#ifndef IPVIGIL_AUDIT_SERVICE_BPF_H
#define IPVIGIL_AUDIT_SERVICE_BPF_H

static __always_inline int begin_command(struct net *net, enum via via, enum operation operation)
{
	struct command command = {.via = via, .operation = operation};
	__u64 thread = bpf_get_current_pid_tgid();

	if (net->ns.inum == own_netns)
		bpf_map_update_elem(&commands, &thread, &command, BPF_ANY);
	return 0;
}

static __always_inline void tell_service(struct command *command, int result)
{
	struct service_event *event = emit_reserve(EVENT_KIND_SERVICE, sizeof(*event), bpf_ktime_get_ns());

	if (!event)
		return;
	/* A flush deletes one after the other: the last one's name is not the flush's. */
	if (command->operation != OPERATION_FLUSH) {
		event->service = command->service.service;
		event->fwmark = command->service.fwmark;
	}
	event->operation = command->operation;
	event->result = result;
	event->via = command->via;
	read_caller(&event->caller);
	emit_submit(event);
}

/*
 * Who lacks the capability is not told of: every user of the machine may call setsockopt(2) and be turned away,
 * and what is never rate-limited must not be theirs to fill.
 */
static __always_inline int end_command(int result)
{
	struct command *command = current_command();
	__u64 thread = bpf_get_current_pid_tgid();

	if (!command)
		return 0;
	if (command->operation && result != -EPERM)
		tell_service(command, result);
	bpf_map_delete_elem(&commands, &thread);
	return 0;
}

/* Names in include/uapi/linux/ip_vs.h. */
static __always_inline enum operation netlink_operation(__u8 number)
{
	switch (number) {
	case IPVS_CMD_NEW_SERVICE:
		return OPERATION_ADD;
	case IPVS_CMD_SET_SERVICE:
		return OPERATION_EDIT;
	case IPVS_CMD_DEL_SERVICE:
		return OPERATION_DELETE;
	case IPVS_CMD_FLUSH:
		return OPERATION_FLUSH;
	}
	return 0;
}

static __always_inline enum operation setsockopt_operation(int number)
{
	switch (number) {
	case IP_VS_SO_SET_ADD:
		return OPERATION_ADD;
	case IP_VS_SO_SET_EDIT:
		return OPERATION_EDIT;
	case IP_VS_SO_SET_DEL:
		return OPERATION_DELETE;
	case IP_VS_SO_SET_FLUSH:
		return OPERATION_FLUSH;
	}
	return 0;
}

SEC("fentry/ip_vs_genl_set_cmd")
int BPF_PROG(begin_netlink, void *skb, struct genl_info *info)
{
	return begin_command(info->_net.net, VIA_NETLINK, netlink_operation(info->genlhdr->cmd));
}

SEC("fexit/ip_vs_genl_set_cmd")
int BPF_PROG(end_netlink, void *skb, struct genl_info *info, int result)
{
	return end_command(result);
}

SEC("fentry/do_ip_vs_set_ctl")
int BPF_PROG(begin_setsockopt, struct sock *socket, int number)
{
	return begin_command(socket->__sk_common.skc_net.net, VIA_SETSOCKOPT, setsockopt_operation(number));
}

/* The third parameter is a sockptr_t of two words, passed by value (include/linux/sockptr.h). */
SEC("fexit/do_ip_vs_set_ctl")
int BPF_PROG(end_setsockopt, struct sock *socket, int number, __u64 pointer, __u64 is_kernel, unsigned int length,
	     int result)
{
	return end_command(result);
}

static __always_inline int name_requested(struct ip_vs_service_user_kern *requested)
{
	struct command *command = current_command();
	struct destination_key *key;

	if (!command)
		return 0;
	key = &command->service;
	key->fwmark = requested->fwmark;
	read_address(key->service.address, &requested->addr, requested->af);
	key->service.port = requested->port;
	key->service.protocol = key->fwmark ? 0 : requested->protocol;
	return 0;
}

static __always_inline int name_found(struct ip_vs_service *service)
{
	struct command *command = current_command();

	if (command)
		read_service_key(&command->service, service);
	return 0;
}

/* Whatever comes of the command, over netlink this is whom it was about. Also called by readers, who have no command.
 */
SEC("fexit/ip_vs_genl_parse_service")
int BPF_PROG(name_parsed, void *ipvs, struct ip_vs_service_user_kern *requested, void *attribute, int full, void *found,
	     int result)
{
	return result ? 0 : name_requested(requested);
}

SEC("fentry/ip_vs_add_service")
int BPF_PROG(name_added, void *ipvs, struct ip_vs_service_user_kern *requested)
{
	return name_requested(requested);
}

SEC("fentry/ip_vs_edit_service")
int BPF_PROG(name_edited, struct ip_vs_service *service)
{
	return name_found(service);
}

/* On the way of every deletion, and not inlined, because it stands in another file of the kernel. */
SEC("fentry/ip_vs_unbind_scheduler")
int BPF_PROG(name_deleted, struct ip_vs_service *service)
{
	return name_found(service);
}

#endif
