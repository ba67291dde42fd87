/*
 * One operation after the other for a limited time, for the benchmark: by turns through IPVS and beside it, to the same
 * server, so that whatever else the machine does meets both alike. Answers the median time of each. What goes through
 * comes from FROM and nothing else does: NAT takes a reply for its own where address and port meet an old entry.
 *
 *   load connect|exchange FROM THROUGH:PORT BESIDE:PORT DURATION_MS
 *       connect    a short connection to a `serve`: a request, its answer, the end
 *       exchange   an octet to an `echo` and back, on a long connection
 *   echo ADDRESS PORT
 *       the other end of `exchange`
 */
#include "labtool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <string.h>
#include <unistd.h>

enum path { THROUGH, BESIDE, PATHS };

/* Ten seconds at 10,000 operations a second; later ones are not kept. */
#define MAX_TIMES 100000
/* An operation that takes so long has broken. */
#define STALL_S 10

struct endpoint {
	struct sockaddr_storage to;
	socklen_t to_length;
	/* NULL: as the kernel chooses. */
	const char *from;
	/* The long connection. */
	int fd;
};

static unsigned long long times[PATHS][MAX_TIMES];

static int open_connection(struct endpoint *endpoint)
{
	struct timeval limit = {.tv_sec = STALL_S};
	struct sockaddr_storage source;
	int one = 1, fd = socket(endpoint->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (endpoint->from && bind(fd, (struct sockaddr *)&source, address_of(endpoint->from, "0", &source)))
		die(endpoint->from);
	if (connect(fd, (struct sockaddr *)&endpoint->to, endpoint->to_length))
		die("connect");
	return fd;
}

static void connect_once(struct endpoint *endpoint)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	int fd = open_connection(endpoint);
	ssize_t got, all = 0;
	char reply[512];

	if (write(fd, request, sizeof(request) - 1) < 0)
		die("request");
	while ((got = read(fd, reply, sizeof(reply))) > 0)
		all += got;
	if (got < 0 || all == 0)
		die("answer");
	close(fd);
}

static void exchange_once(struct endpoint *endpoint)
{
	char octet = 0;

	if (write(endpoint->fd, &octet, 1) != 1 || read(endpoint->fd, &octet, 1) != 1)
		die("exchange");
}

static int by_value(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

static unsigned long long median(unsigned long long *values, int count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static int alternate(struct endpoint *endpoints, void (*operation)(struct endpoint *), unsigned long long end_ns)
{
	unsigned long long began_ns = now_ns(), done_ns;
	int count = 0;

	while (count < MAX_TIMES && began_ns < end_ns) {
		for (int path = THROUGH; path < PATHS; path++) {
			operation(&endpoints[path]);
			done_ns = now_ns();
			times[path][count] = done_ns - began_ns;
			began_ns = done_ns;
		}
		count++;
	}
	return count;
}

int load(int argc, char **argv)
{
	struct endpoint endpoints[PATHS] = {};
	void (*operation)(struct endpoint *);
	int count;

	errno = 0;
	if (argc != 5)
		die("load connect|exchange FROM THROUGH:PORT BESIDE:PORT DURATION_MS");
	operation = strcmp(argv[0], "exchange") ? connect_once : exchange_once;
	endpoints[THROUGH].from = argv[1];
	for (int path = THROUGH; path < PATHS; path++) {
		endpoints[path].to_length = endpoint_of(argv[2 + path], &endpoints[path].to);
		if (operation == exchange_once)
			endpoints[path].fd = open_connection(&endpoints[path]);
	}
	count = alternate(endpoints, operation, now_ns() + strtoull(argv[4], NULL, 10) * NS_PER_MS);
	if (count == 0)
		die("no operation");
	printf("{\"count\":%d,\"through_ns\":%llu,\"beside_ns\":%llu}\n", count, median(times[THROUGH], count),
	       median(times[BESIDE], count));
	return 0;
}

static void give_back(int fd)
{
	int one = 1;
	char octet;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (read(fd, &octet, 1) == 1 && write(fd, &octet, 1) == 1)
		;
}

int echo(int argc, char **argv)
{
	int listener, fd;

	errno = 0;
	if (argc != 2)
		die("echo ADDRESS PORT");
	listener = listen_on(SOCK_STREAM, argv[0], argv[1]);
	signal(SIGCHLD, SIG_IGN);
	puts("{\"kind\":\"serving\"}");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		if (fork() == 0) {
			give_back(fd);
			_exit(0);
		}
		close(fd);
	}
}
