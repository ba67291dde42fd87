// SPDX-License-Identifier: GPL-2.0
/*
 * The object that test/addon loads: one small program or map for each thing the addon can do. It is built like the
 * real ones (build/bpf/addon_fixture.bpf.o) and shares nothing with them, so that these tests stay about the addon.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The kernel's types, no more of them than is read here (include/linux/bpf.h, kernel/bpf/map_iter.c). */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
} __attribute__((preserve_access_index));

char LICENSE[] SEC("license") = "GPL";

/* Set by the tests before the load; 0 would show that setting it did not work. */
const volatile __u32 answer = 0;
const volatile __u64 wide_answer = 0;

/* What the tests compare structSize() with. */
struct fixture_record {
	__u64 at_ns;
	__u32 length;
	__u32 answer;
};

/* Keeps the struct in the object's BTF, which lists only what a global refers to. */
const struct fixture_record *fixture_record_in_btf;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

/* The kernel reads this type of map one by one only: it has no batch operations (kernel/bpf/devmap.c). */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

static __always_inline void send_record(__u32 length)
{
	struct fixture_record *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record)
		return;
	record->at_ns = bpf_ktime_get_ns();
	record->length = length;
	record->answer = answer;
	bpf_ringbuf_submit(record, 0);
}

/* One record per packet; the answer is what the tests set, so that a test run shows it. */
SEC("xdp")
int xdp_record(struct xdp_md *ctx)
{
	send_record(ctx->data_end - ctx->data);
	return answer ? answer : XDP_PASS;
}

SEC("xdp")
int xdp_interface(struct xdp_md *ctx)
{
	return ctx->ingress_ifindex;
}

/* TC_ACT_UNSPEC, and TCX_NEXT: whoever comes after us still sees the packet. */
SEC("tc")
int tc_record(struct __sk_buff *skb)
{
	send_record(skb->len);
	return -1;
}

SEC("tc")
int tc_interface(struct __sk_buff *skb)
{
	return skb->ifindex;
}

/* TC_ACT_OK, and TCX_PASS: nobody after it sees the packet. */
SEC("tc")
int tc_final(struct __sk_buff *skb)
{
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(count_calls)
{
	__u32 key = 0;
	__u64 *calls = bpf_map_lookup_elem(&plain, &key);
	if (calls)
		__sync_fetch_and_add(calls, 1);
	return 0;
}

SEC("iter/bpf_map_elem")
int print_plain(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;

	if (key && value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u %llu\n", *key, *value);
	return 0;
}

/* The verifier refuses it: the tests want the reason in the log. Off unless asked for. */
SEC("?xdp")
int rejected(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data;
}
