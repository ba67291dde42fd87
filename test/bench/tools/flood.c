/*
 * Sends segments without data (seq 0) at a steady rate through one interface, each to another client:
 *
 *   flood INTERFACE DESTINATION-MAC SOURCE-ADDRESS PORTS RATE SECONDS [FLAGS]
 *
 * PORTS are the sender's, by commas, in turn; so are FLAGS, octet 13 of the TCP header in hexadecimal (RFC 9293
 * section 3.1): 14, RST|ACK, unless others are named. Clients are spoofed from 198.18.0.0/15, the range for
 * benchmarks (RFC 2544). Prints one JSON line at its end; `cpu_ns` is how long the process ran, with what the kernel
 * did meanwhile for its packets. It falls behind rather than send a burst: `sent` says what went out.
 */
#define _GNU_SOURCE /* sendmmsg() */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define MAX_PORTS 16
#define MAX_FLAGS 64
#define NS_PER_S 1000000000ull

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static struct frame frames[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];
static unsigned short ports[MAX_PORTS];
static unsigned char flags[MAX_FLAGS] = {TH_RST | TH_ACK};
static unsigned int port_count, flags_count = 1, clients;

static __attribute__((noreturn)) void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, errno ? strerror(errno) : "wrong arguments");
	exit(2);
}

static unsigned long long read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* RFC 1071; the header is even, and its checksum field is zero while it is summed. */
static unsigned short checksum(const void *header, int octets)
{
	const unsigned short *words = header;
	unsigned int sum = 0;

	for (int i = 0; i < octets / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void prepare(struct frame *frame, const unsigned char *to, const char *source)
{
	memcpy(frame->ethernet.ether_dhost, to, ETH_ALEN);
	frame->ethernet.ether_type = htons(ETHERTYPE_IP);
	frame->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP};
	frame->ip.tot_len = htons(sizeof(frame->ip) + sizeof(frame->tcp));
	if (inet_pton(AF_INET, source, &frame->ip.saddr) != 1)
		die(source);
	frame->tcp = (struct tcphdr){.doff = 5};
}

/* 131,070 clients in turn: more than any table of prefixes would hold. */
static void address_next(struct frame *frame)
{
	frame->ip.daddr = htonl(0xc6120001u + clients % 0x1fffe);
	frame->ip.check = 0;
	frame->ip.check = checksum(&frame->ip, sizeof(frame->ip));
	frame->tcp.th_flags = flags[clients % flags_count];
	frame->tcp.source = htons(ports[clients % port_count]);
	frame->tcp.dest = htons(1024 + clients % 60000);
	frame->tcp.ack_seq = htonl(clients * 2654435761u);
	clients++;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(interface)};
	int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die(interface);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	return fd;
}

static unsigned long long send_batch(int fd, unsigned int count)
{
	int sent;

	for (unsigned int i = 0; i < count; i++)
		address_next(&frames[i]);
	sent = sendmmsg(fd, messages, count, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
		die("sendmmsg");
	return sent > 0 ? sent : 0;
}

static void read_flags(char *words)
{
	flags_count = 0;
	for (char *word = strtok(words, ","); word && flags_count < MAX_FLAGS; word = strtok(NULL, ","))
		flags[flags_count++] = strtoul(word, NULL, 16);
	if (!flags_count)
		die("FLAGS");
}

int main(int argc, char **argv)
{
	unsigned char to[ETH_ALEN];
	unsigned long long began_ns, end_ns, at_ns, due, sent = 0;
	double rate;
	int fd;

	if (argc < 7 || argc > 8 ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6)
		die("flood INTERFACE DESTINATION-MAC SOURCE-ADDRESS PORTS RATE SECONDS [FLAGS]");
	for (char *port = strtok(argv[4], ","); port && port_count < MAX_PORTS; port = strtok(NULL, ","))
		ports[port_count++] = atoi(port);
	if (!port_count)
		die("PORTS");
	if (argc == 8)
		read_flags(argv[7]);
	for (int i = 0; i < BATCH; i++) {
		prepare(&frames[i], to, argv[3]);
		parts[i] = (struct iovec){&frames[i], sizeof(frames[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	fd = open_socket(argv[1]);
	rate = atof(argv[5]);
	began_ns = read_clock(CLOCK_MONOTONIC);
	end_ns = began_ns + atof(argv[6]) * NS_PER_S;
	while ((at_ns = read_clock(CLOCK_MONOTONIC)) < end_ns) {
		due = (at_ns - began_ns) / (double)NS_PER_S * rate;
		if (due > sent)
			sent += send_batch(fd, due - sent < BATCH ? due - sent : BATCH);
		else
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	printf("{\"kind\":\"flooded\",\"sent\":%llu,\"took_ns\":%llu,\"cpu_ns\":%llu}\n", sent, at_ns - began_ns,
	       read_clock(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}
