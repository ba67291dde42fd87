/*
 * A real server: answers each connection with its name over a small HTTP reply, or each datagram with the name alone,
 * until it is killed. One process and no threads, so that SIGSTOP makes of it the host that accepts and never answers.
 *
 *   serve NAME tcp|udp ADDRESS PORT...
 */
#include "labtool.h"

#include <netinet/in.h>
#include <poll.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_PORTS 16

int listen_on(int type, const char *host, const char *port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(host, port, &address);
	int one = 1;
	int fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, length) || (type == SOCK_STREAM && listen(fd, 512)))
		die("listen");
	return fd;
}

/* A probe that sends nothing is let go after 200 ms, so it cannot hold up the clients behind it for long. */
static void answer_connection(int listener, const char *name)
{
	struct timeval limit = {.tv_usec = 200000};
	char request[1024], reply[256];
	int length = snprintf(reply, sizeof(reply), "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s\n",
			      strlen(name) + 1, name);
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (read(fd, request, sizeof(request)) > 0)
		(void)!write(fd, reply, length);
	close(fd);
}

static void answer_datagram(int fd, const char *name)
{
	struct sockaddr_storage client;
	socklen_t length = sizeof(client);
	char request[1024];

	if (recvfrom(fd, request, sizeof(request), 0, (struct sockaddr *)&client, &length) >= 0)
		sendto(fd, name, strlen(name), 0, (struct sockaddr *)&client, length);
}

int serve(int argc, char **argv)
{
	struct pollfd sockets[MAX_PORTS];
	int count = 0, type;

	errno = 0;
	if (argc < 4 || argc - 3 > MAX_PORTS)
		die("serve NAME tcp|udp ADDRESS PORT...");
	type = socket_type_of(argv[1]);
	for (; count < argc - 3; count++)
		sockets[count] = (struct pollfd){.fd = listen_on(type, argv[2], argv[count + 3]), .events = POLLIN};
	puts("{\"kind\":\"serving\"}");
	fflush(stdout);
	for (;;) {
		if (poll(sockets, count, -1) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < count; i++)
			if (sockets[i].revents & POLLIN)
				(type == SOCK_STREAM ? answer_connection : answer_datagram)(sockets[i].fd, argv[0]);
	}
}
