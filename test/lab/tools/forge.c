/*
 * Lies, for the scenarios in which nobody must believe them: a bounded number of IPv4 packets at a bounded rate, each
 * with a source that is not ours, from our own MAC address to the director's.
 *
 *   forge KIND --interface NAME --mac MAC --server ADDRESS:PORT --vip ADDRESS:PORT --clients A.B.0.0 --count N --rate N
 *
 *   rst           "from" the server to a client: RST|ACK with sequence number 0, as a closed port would answer
 *   unreachable   "from" the server to a client: ICMP host and port unreachable by turns, quoting a SYN to the server
 *   syn           "from" a client to the VIP: a flood of them is a SYN flood with spoofed sources
 *   refused-syn   as syn, and at once after each the RST that would truly answer it, "from" the server
 *
 * The clients are hosts of A.B.0.0/16, another one each time. PACKET(7) sends the frames, so neither routing nor the
 * addresses that this node really has come in between.
 */
#include "labtool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some minutes at the highest rate that an emulated guest reaches. */
#define MAX_COUNT 200000
#define BURST_NS NS_PER_MS

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct complaint {
	struct iphdr ip;
	struct icmphdr icmp;
	/* RFC 792: the header and the first 64 bits; Linux quotes more, so the whole segment stands here. */
	struct segment quote;
} __attribute__((packed));

static struct {
	struct sockaddr_ll to;
	struct sockaddr_in server, vip;
	in_addr_t clients;
	unsigned long count;
	double rate;
} plan;
static int fd;

/* RFC 1071, over an even number of octets, added to the sum so far. */
static uint32_t sum_of(const void *octets, size_t length, uint32_t sum)
{
	const uint8_t *each = octets;

	for (size_t i = 0; i < length; i += 2)
		sum += each[i] << 8 | each[i + 1];
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static struct iphdr ip_header(in_addr_t from, in_addr_t to, uint8_t protocol, size_t length)
{
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol, .saddr = from, .daddr = to};

	ip.tot_len = htons(length);
	ip.check = checksum(sum_of(&ip, sizeof(ip), 0));
	return ip;
}

static struct segment segment(struct sockaddr_in from, struct sockaddr_in to, struct tcphdr tcp)
{
	struct segment made = {
	    .ip = ip_header(from.sin_addr.s_addr, to.sin_addr.s_addr, IPPROTO_TCP, sizeof(made)),
	    .tcp = tcp,
	};
	const struct {
		in_addr_t from, to;
		uint16_t protocol, length;
	} pseudo = {made.ip.saddr, made.ip.daddr, htons(IPPROTO_TCP), htons(sizeof(tcp))};

	made.tcp.source = from.sin_port;
	made.tcp.dest = to.sin_port;
	made.tcp.doff = sizeof(tcp) / 4;
	made.tcp.check = checksum(sum_of(&made.tcp, sizeof(tcp), sum_of(&pseudo, sizeof(pseudo), 0)));
	return made;
}

static void send_packet(const void *packet, size_t length)
{
	const struct sockaddr *to = (const struct sockaddr *)&plan.to;

	/* A full queue loses a lie, which is none the less counted: a flood is bounded by what was tried. */
	if (sendto(fd, packet, length, 0, to, sizeof(plan.to)) < 0 && errno != ENOBUFS && errno != EAGAIN)
		die("sendto");
}

/* Knuth's multiplier walks through the whole /16 and through the ports before anyone comes again. */
static struct sockaddr_in client_of(unsigned long i)
{
	uint32_t mixed = i * 2654435761u;
	/* Below the ports that true clients are given (ip_local_port_range begins at 32768): a lie must not meet their
	 * connections. */
	struct sockaddr_in client = {.sin_family = AF_INET, .sin_port = htons(1024 + mixed % 31000)};

	client.sin_addr.s_addr = plan.clients | htonl(mixed >> 16);
	return client;
}

static void forge_reset(struct sockaddr_in client, uint32_t acknowledged)
{
	struct segment lie =
	    segment(plan.server, client, (struct tcphdr){.rst = 1, .ack = 1, .ack_seq = htonl(acknowledged)});

	send_packet(&lie, sizeof(lie));
}

static void forge_unreachable(struct sockaddr_in client, unsigned long i)
{
	struct complaint lie = {
	    .ip = ip_header(plan.server.sin_addr.s_addr, client.sin_addr.s_addr, IPPROTO_ICMP, sizeof(lie)),
	    .icmp = {.type = ICMP_DEST_UNREACH, .code = i % 2 ? ICMP_PORT_UNREACH : ICMP_HOST_UNREACH},
	    .quote = segment(client, plan.server, (struct tcphdr){.syn = 1, .seq = htonl(i), .window = htons(1024)}),
	};

	lie.icmp.checksum = checksum(sum_of(&lie.icmp, sizeof(lie.icmp) + sizeof(lie.quote), 0));
	send_packet(&lie, sizeof(lie));
}

static void forge_syn(struct sockaddr_in client, uint32_t sequence)
{
	struct segment lie =
	    segment(client, plan.vip, (struct tcphdr){.syn = 1, .seq = htonl(sequence), .window = htons(1024)});

	send_packet(&lie, sizeof(lie));
}

static void send_lie(const char *kind, unsigned long i)
{
	struct sockaddr_in client = client_of(i);
	uint32_t sequence = i * 7919;

	errno = 0;
	if (!strcmp(kind, "rst")) {
		forge_reset(client, sequence + 1);
	} else if (!strcmp(kind, "unreachable")) {
		forge_unreachable(client, i);
	} else if (!strcmp(kind, "syn")) {
		forge_syn(client, sequence);
	} else if (!strcmp(kind, "refused-syn")) {
		forge_syn(client, sequence);
		forge_reset(client, sequence + 1);
	} else {
		die(kind);
	}
}

static void read_mac(const char *text)
{
	unsigned char *mac = plan.to.sll_addr;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
		die(text);
	plan.to.sll_halen = ETH_ALEN;
}

static void read_endpoint(char *text, struct sockaddr_in *to)
{
	struct sockaddr_storage read;

	if (endpoint_of(text, &read) != sizeof(*to))
		die(text);
	memcpy(to, &read, sizeof(*to));
}

static void read_option(const char *name, char *value)
{
	errno = 0;
	if (!strcmp(name, "--interface")) {
		plan.to.sll_ifindex = if_nametoindex(value);
	} else if (!strcmp(name, "--mac")) {
		read_mac(value);
	} else if (!strcmp(name, "--server")) {
		read_endpoint(value, &plan.server);
	} else if (!strcmp(name, "--vip")) {
		read_endpoint(value, &plan.vip);
	} else if (!strcmp(name, "--clients")) {
		plan.clients = inet_addr(value);
	} else if (!strcmp(name, "--count")) {
		plan.count = strtoul(value, NULL, 10);
	} else if (!strcmp(name, "--rate")) {
		plan.rate = atof(value);
	} else {
		die(name);
	}
}

int forge(int argc, char **argv)
{
	unsigned long long began_ns;

	for (int i = 1; i + 1 < argc; i += 2)
		read_option(argv[i], argv[i + 1]);
	if (!plan.to.sll_ifindex || !plan.to.sll_halen || plan.rate <= 0 || !plan.count || plan.count > MAX_COUNT)
		die("forge KIND --interface NAME --mac MAC ... --count N --rate N");
	plan.to.sll_family = AF_PACKET;
	plan.to.sll_protocol = htons(ETH_P_IP);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	began_ns = now_ns();
	for (unsigned long i = 0; i < plan.count; i++) {
		while (now_ns() < began_ns + i / plan.rate * 1e9)
			nanosleep(&(struct timespec){.tv_nsec = BURST_NS}, NULL);
		send_lie(argv[0], i);
	}
	printf("{\"kind\":\"forged\",\"count\":%lu,\"took_ms\":%llu}\n", plan.count, (now_ns() - began_ns) / NS_PER_MS);
	return 0;
}
