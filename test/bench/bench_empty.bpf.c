// SPDX-License-Identifier: GPL-2.0
/*
 * The programs that the benchmark measures the real ones against: what BPF_PROG_TEST_RUN costs with nothing in it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "GPL";
