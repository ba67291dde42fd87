/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every difference between kernels, and the pieces of kernel structures that the programs read. The members
 * are found by name at load time (CO-RE), so only names and kinds matter here, not order or offset. The IPVS
 * ones live in the BTF of the ip_vs module: they resolve only while it is loaded.
 *
 * Read against the sources and the BTF of 6.1, 6.12 and 7.3.
 */
#ifndef IPVIGIL_COMPAT_BPF_H
#define IPVIGIL_COMPAT_BPF_H

#include <linux/types.h>

#define BY_NAME __attribute__((preserve_access_index))

/* linux/socket.h; not in the UAPI headers. */
#define AF_INET 2
#define AF_INET6 10

struct ns_common {
	unsigned int inum;
} BY_NAME;

struct net {
	struct ns_common ns;
} BY_NAME;

/* A typedef without a tag in the kernel too; a member of it is found by its own name (CONFIG_NET_NS). */
typedef struct {
	struct net *net;
} BY_NAME possible_net_t;

/* include/net/sock.h */
struct sock_common {
	possible_net_t skc_net;
} BY_NAME;

struct sock {
	struct sock_common __sk_common;
} BY_NAME;

/* include/net/genetlink.h; `_net` is that of the asking socket. */
struct genlmsghdr {
	__u8 cmd;
} BY_NAME;

struct genl_info {
	struct genlmsghdr *genlhdr;
	possible_net_t _net;
} BY_NAME;

struct netns_ipvs {
	struct net *net;
} BY_NAME;

typedef struct {
	int counter;
} BY_NAME atomic_t;

/* include/uapi/linux/if.h; the whole of it is not for BPF. */
#define IFF_SLAVE 0x800

/* include/linux/netdevice.h */
enum netdev_state_t { __LINK_STATE_NOCARRIER = 2 };

struct net_device {
	unsigned long state;
	unsigned int flags;
	int ifindex;
	void *rx_handler_data;
	char name[16];
	atomic_t carrier_up_count;
	atomic_t carrier_down_count;
	possible_net_t nd_net;
} BY_NAME;

/* include/net/bonding.h; in the BTF of the module bonding. */
struct slave {
	struct net_device *dev;
	struct bonding *bond;
	signed char link;
} BY_NAME;

struct bonding {
	struct net_device *dev;
	struct slave *curr_active_slave;
} BY_NAME;

/* include/net/neighbour.h */
struct neigh_table {
	int family;
} BY_NAME;

struct neighbour {
	struct neigh_table *tbl;
	__u8 nud_state;
	struct net_device *dev;
	__u8 primary_key[0];
} BY_NAME;

/* include/uapi/linux/netfilter.h; 16 octets everywhere, an IPv4 address in the first four. */
union nf_inet_addr {
	__be32 all[4];
};

/*
 * include/net/ip_vs.h. `af` is 16 bits wide up to 6.x and 8 bits in 7.x. A plain load through these
 * declarations is rewritten to the kernel's width when the member is unsigned; bpf_core_read() of two octets
 * is not, and gave 0x9c02 instead of 2 on 7.3. So `af` is always loaded plainly.
 */
struct ip_vs_service {
	__u16 af;
	__u16 protocol;
	union nf_inet_addr addr;
	__be16 port;
	__u32 fwmark;
	struct netns_ipvs *ipvs;
} BY_NAME;

struct ip_vs_dest {
	__u16 af;
	__be16 port;
	union nf_inet_addr addr;
	atomic_t weight;
	struct ip_vs_service *svc;
} BY_NAME;

/* include/net/ip_vs.h: the protocol state of a TCP connection between the SYN and the handshake's last ACK. */
#define IP_VS_TCP_S_SYN_RECV 3

/* include/net/ip_vs.h: which way a packet goes. */
#define IP_VS_DIR_INPUT 0
#define IP_VS_DIR_OUTPUT 1

struct timer_list {
	unsigned long expires;
} BY_NAME;

struct ip_vs_conn {
	__u16 af;
	__be16 cport;
	__be16 dport;
	__u16 protocol;
	__u16 state;
	__u32 flags;
	union nf_inet_addr caddr;
	struct timer_list timer;
	/* The connection that this one belongs to. */
	struct ip_vs_conn *control;
	struct ip_vs_dest *dest;
	struct netns_ipvs *ipvs;
} BY_NAME;

/* include/linux/skbuff.h; the two header offsets count from `head`. */
struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	/* The interface it came in by; 0 where the director itself has sent it. */
	int skb_iif;
	__u16 transport_header;
	__u16 network_header;
	unsigned char *head;
	unsigned char *data;
} BY_NAME;

struct ip_vs_iphdr {
	/* Of the IP header, IPv6 extension headers included. */
	__u32 len;
	union nf_inet_addr saddr;
} BY_NAME;

/* What a caller asks for, from either interface (include/net/ip_vs.h, same members from 5.10 to 7.3). */
struct ip_vs_service_user_kern {
	__u16 af;
	__u16 protocol;
	union nf_inet_addr addr;
	__be16 port;
	__u32 fwmark;
} BY_NAME;

struct ip_vs_dest_user_kern {
	union nf_inet_addr addr;
	__be16 port;
	int weight;
	__u16 af;
} BY_NAME;

struct task_struct {
	struct task_struct *real_parent;
	char comm[16];
} BY_NAME;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} BY_NAME;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
} BY_NAME;

#endif
