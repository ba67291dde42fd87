/*
 * What the parts of labtool share. Stamps are CLOCK_BOOTTIME, the clock of ipvigil's journal; a mistake in the words
 * ends the tool with 2, because only the lab calls it.
 */
#ifndef LABTOOL_H
#define LABTOOL_H

#include <sys/socket.h>

#define NS_PER_MS 1000000ull

unsigned long long now_ns(void);
__attribute__((noreturn)) void die(const char *what);
/* Reads a numeric address; answers its length. */
socklen_t address_of(const char *host, const char *port, struct sockaddr_storage *to);
/* As address_of, for "ADDRESS:PORT" and "[ADDRESS]:PORT"; the text is taken apart. */
socklen_t endpoint_of(char *text, struct sockaddr_storage *to);
/* SOCK_STREAM or SOCK_DGRAM for "tcp" or "udp". */
int socket_type_of(const char *protocol);
/* A socket bound to a numeric address and port, and listening where its type does that. */
int listen_on(int type, const char *host, const char *port);

int serve(int argc, char **argv);
int clients(int argc, char **argv);
int forge(int argc, char **argv);
int load(int argc, char **argv);
int echo(int argc, char **argv);

#endif
