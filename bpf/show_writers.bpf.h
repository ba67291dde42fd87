/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Part of audit.bpf.c: the last-writer map as text. Pinned as an iterator, it lets a shell ask "is the
 * weight still ours?" with cat and grep when there is no Node. One line per destination:
 *
 *   tcp 10.0.0.100:8080 10.1.0.11:8080 pid=4711 weight=0 writes=3 comm=ipvigil
 *   fwmark 7 inet6 [fd00::11]:80 pid=4711 weight=-1 writes=4 comm=ipvsadm
 *
 * Names are spelled as `ipvsadm -Ln` and src/table/identity.ts spell them. A weight of -1 says deleted.
 */
#ifndef IPVIGIL_SHOW_WRITERS_BPF_H
#define IPVIGIL_SHOW_WRITERS_BPF_H

#define IPV6_GROUPS 8

/* Where the longest run of zero groups begins, and its length; the first of equals (RFC 5952 section 4.2). */
struct zero_run {
	int start;
	int length;
};

static __always_inline struct zero_run longest_zero_run(const __be16 *groups)
{
	struct zero_run best = {-1, 1}; /* a single zero group is not shortened */
	int length = 0;

	for (int i = 0; i < IPV6_GROUPS; i++) {
		length = groups[i] ? 0 : length + 1;
		if (length > best.length) {
			best.length = length;
			best.start = i + 1 - length;
		}
	}
	return best;
}

static __always_inline void show_ipv6(struct seq_file *seq, const __be16 *groups)
{
	struct zero_run run = longest_zero_run(groups);

	int run_end = run.start + run.length;

	for (int i = 0; i < IPV6_GROUPS; i++) {
		if (i == run.start)
			BPF_SEQ_PRINTF(seq, "::");
		if (run.start >= 0 && i >= run.start && i < run_end)
			continue;
		if (i > 0 && (run.start < 0 || i != run_end))
			BPF_SEQ_PRINTF(seq, ":");
		BPF_SEQ_PRINTF(seq, "%x", bpf_ntohs(groups[i]));
	}
}

static __always_inline int is_mapped_ipv4(const struct endpoint_key *endpoint)
{
	const __u32 *words = (const __u32 *)endpoint->address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __noinline int show_endpoint(struct seq_file *seq, const struct endpoint_key *endpoint)
{
	struct endpoint_key copy = *endpoint;

	if (is_mapped_ipv4(&copy)) {
		BPF_SEQ_PRINTF(seq, "%pI4:%u ", &copy.address[12], bpf_ntohs(copy.port));
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "[");
	show_ipv6(seq, (const __be16 *)copy.address);
	BPF_SEQ_PRINTF(seq, "]:%u ", bpf_ntohs(copy.port));
	return 0;
}

static __always_inline void show_service(struct seq_file *seq, struct destination_key *key)
{
	if (key->fwmark && is_mapped_ipv4(&key->service))
		BPF_SEQ_PRINTF(seq, "fwmark %u ", key->fwmark);
	else if (key->fwmark)
		BPF_SEQ_PRINTF(seq, "fwmark %u inet6 ", key->fwmark);
	else if (key->service.protocol == IPPROTO_TCP)
		BPF_SEQ_PRINTF(seq, "tcp ");
	else if (key->service.protocol == IPPROTO_UDP)
		BPF_SEQ_PRINTF(seq, "udp ");
	else
		BPF_SEQ_PRINTF(seq, "sctp ");
	if (!key->fwmark)
		show_endpoint(seq, &key->service);
}

/* A process names itself (prctl PR_SET_NAME), line ends and blanks included: no name may forge a second line. */
static __always_inline void clean_comm(char *comm)
{
	for (int i = 0; i < COMM_LENGTH - 1; i++)
		if (comm[i] && (comm[i] <= ' ' || comm[i] > '~'))
			comm[i] = '?';
	comm[COMM_LENGTH - 1] = 0;
}

SEC("iter/bpf_map_elem")
int show_writers(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct writer_value *value = ctx->value;
	struct destination_key *key = ctx->key;
	char comm[COMM_LENGTH];

	if (!key || !value)
		return 0; /* the iterator's last call, after the last element */
	__builtin_memcpy(comm, value->comm, sizeof(comm));
	clean_comm(comm);
	show_service(seq, key);
	show_endpoint(seq, &key->destination);
	BPF_SEQ_PRINTF(seq, "pid=%u weight=%d ", value->pid, value->weight);
	BPF_SEQ_PRINTF(seq, "writes=%llu comm=%s\n", value->writes, comm);
	return 0;
}

#endif
