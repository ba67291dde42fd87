/*
 * The lab's clients, servers and forgers, in C because every exec and every script costs a tenth of a second under
 * emulation and because refusals must be stamped when they happen.
 *
 *   labtool serve NAME tcp|udp ADDRESS PORT...   answers with NAME until it is killed (serve.c)
 *   labtool clients --to ADDRESS:PORT ...        connects at a steady rate and reports what became of it (clients.c)
 *   labtool forge KIND --interface NAME ...      sends a bounded number of packets that are lies (forge.c)
 *   labtool load KIND THROUGH BESIDE ...         times operations through IPVS and beside it, by turns (load.c)
 *   labtool echo ADDRESS PORT                    gives back what it gets, to such a load (load.c)
 *
 * This file holds what they share, and main.
 */
#include "labtool.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

__attribute__((noreturn)) void die(const char *what)
{
	fprintf(stderr, "labtool: %s: %s\n", what, errno ? strerror(errno) : "wrong arguments");
	exit(2);
}

socklen_t address_of(const char *host, const char *port, struct sockaddr_storage *to)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	socklen_t length;

	errno = 0;
	if (getaddrinfo(host, port, &hints, &found))
		die(host);
	memcpy(to, found->ai_addr, found->ai_addrlen);
	length = found->ai_addrlen;
	freeaddrinfo(found);
	return length;
}

socklen_t endpoint_of(char *text, struct sockaddr_storage *to)
{
	char *colon = strrchr(text, ':'), *host = text;

	errno = 0;
	if (!colon)
		die(text);
	*colon = 0;
	if (*host == '[' && colon > host + 1 && colon[-1] == ']') {
		colon[-1] = 0;
		host++;
	}
	return address_of(host, colon + 1, to);
}

int socket_type_of(const char *protocol)
{
	if (!strcmp(protocol, "tcp"))
		return SOCK_STREAM;
	if (!strcmp(protocol, "udp"))
		return SOCK_DGRAM;
	errno = 0;
	die(protocol);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 && !strcmp(argv[1], "serve"))
		return serve(argc - 2, argv + 2);
	if (argc >= 2 && !strcmp(argv[1], "clients"))
		return clients(argc - 2, argv + 2);
	if (argc >= 2 && !strcmp(argv[1], "forge"))
		return forge(argc - 2, argv + 2);
	if (argc >= 2 && !strcmp(argv[1], "load"))
		return load(argc - 2, argv + 2);
	if (argc >= 2 && !strcmp(argv[1], "echo"))
		return echo(argc - 2, argv + 2);
	errno = 0;
	die("serve | clients | forge | load | echo");
}
