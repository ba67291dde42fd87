/*
 * The clients: new connections (or datagrams) at a steady rate, open-loop, so that a slow server does not slow the next
 * attempt. One JSON line for each attempt that failed, and a line of running totals every 200 ms.
 *
 *   clients --to ADDRESS:PORT [--protocol tcp|udp] [--rate N] [--from A,B] [--duration S] [--timeout-ms N]
 */
#include "labtool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SOURCES 64
/* 50 connections/s that each wait the whole 5 s limit, twice over. */
#define MAX_ATTEMPTS 512
#define MAX_SERVERS 16
#define NAME_BYTES 16
#define TOTALS_EVERY_NS 200000000ull

enum result { OK, REFUSED, TIMEOUT, RESET, UNREACHABLE, CLOSED, ERROR, RESULTS };
static const char *result_names[RESULTS] = {"ok", "refused", "timeout", "reset", "unreachable", "closed", "error"};

struct attempt {
	unsigned long long began_ns;
	const char *from;
	int connected;
};

static struct {
	struct sockaddr_storage to;
	socklen_t to_length;
	int socket_type;
	const char *from[MAX_SOURCES];
	int from_count;
	double rate;
	double duration_s;
	unsigned long long limit_ns;
} plan = {.socket_type = SOCK_STREAM, .rate = 20, .duration_s = 3600, .limit_ns = 3000 * NS_PER_MS};

/* attempts[i] belongs to waiting[i]; a finished one is replaced by the last. */
static struct attempt attempts[MAX_ATTEMPTS];
static struct pollfd waiting[MAX_ATTEMPTS];
static int open_count;
static unsigned long long started_total, skipped_total, totals[RESULTS];
static struct {
	char name[NAME_BYTES];
	unsigned long long ok;
} servers[MAX_SERVERS];
static int server_count;
static volatile sig_atomic_t stopping;

static void on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static enum result result_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REFUSED;
	case ECONNRESET:
		return RESET;
	case ETIMEDOUT:
		return TIMEOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return UNREACHABLE;
	default:
		return ERROR;
	}
}

static void count_server(const char *body)
{
	char name[NAME_BYTES] = "";
	int i;

	sscanf(body, "%15[a-zA-Z0-9._-]", name);
	for (i = 0; i < server_count && strcmp(servers[i].name, name); i++)
		;
	if (i == MAX_SERVERS)
		return;
	if (i == server_count)
		strcpy(servers[server_count++].name, name);
	servers[i].ok++;
}

static void finish(int i, enum result result)
{
	unsigned long long at_ns = now_ns();

	totals[result]++;
	if (result != OK)
		printf("{\"kind\":\"failure\",\"result\":\"%s\",\"at_ns\":%llu,\"took_us\":%llu,\"from\":\"%s\"}\n",
		       result_names[result], at_ns, (at_ns - attempts[i].began_ns) / 1000, attempts[i].from);
	close(waiting[i].fd);
	open_count--;
	attempts[i] = attempts[open_count];
	waiting[i] = waiting[open_count];
}

static void begin(const char *from)
{
	struct sockaddr_storage source;
	struct attempt *attempt = &attempts[open_count];
	int fd;

	if (open_count == MAX_ATTEMPTS) {
		skipped_total++;
		return;
	}
	fd = socket(plan.to.ss_family, plan.socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (from && bind(fd, (struct sockaddr *)&source, address_of(from, "0", &source)))
		die(from);
	*attempt = (struct attempt){.began_ns = now_ns(), .from = from ? from : ""};
	waiting[open_count] = (struct pollfd){.fd = fd, .events = POLLOUT};
	open_count++;
	started_total++;
	if (connect(fd, (struct sockaddr *)&plan.to, plan.to_length) && errno != EINPROGRESS)
		finish(open_count - 1, result_of(errno));
}

static void go_on(int i)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	char reply[512], *body;
	int error = 0;
	socklen_t length = sizeof(error);
	ssize_t got;

	if (!attempts[i].connected) {
		getsockopt(waiting[i].fd, SOL_SOCKET, SO_ERROR, &error, &length);
		attempts[i].connected = 1;
		waiting[i].events = POLLIN;
		if (error || write(waiting[i].fd, request, sizeof(request) - 1) < 0)
			finish(i, result_of(error ? error : errno));
	} else {
		/* Not SO_ERROR first: an answer may be here whole, though a reset came behind it. */
		got = read(waiting[i].fd, reply, sizeof(reply) - 1);
		if (got <= 0) {
			finish(i, got ? result_of(errno) : CLOSED);
			return;
		}
		reply[got] = 0;
		/* A datagram is the name alone. */
		body = strstr(reply, "\r\n\r\n");
		if (body || plan.socket_type == SOCK_DGRAM)
			count_server(body ? body + 4 : reply);
		finish(i, OK);
	}
}

static void print_totals(void)
{
	printf("{\"kind\":\"totals\",\"at_ns\":%llu,\"started\":%llu,\"skipped\":%llu,\"open\":%d", now_ns(),
	       started_total, skipped_total, open_count);
	for (int i = 0; i < RESULTS; i++)
		printf(",\"%s\":%llu", result_names[i], totals[i]);
	printf(",\"by\":{");
	for (int i = 0; i < server_count; i++)
		printf("%s\"%s\":%llu", i ? "," : "", servers[i].name, servers[i].ok);
	puts("}}");
	fflush(stdout);
}

static void give_up_late(unsigned long long at_ns)
{
	for (int i = open_count - 1; i >= 0; i--)
		if (at_ns - attempts[i].began_ns > plan.limit_ns)
			finish(i, TIMEOUT);
}

static void read_plan(int argc, char **argv)
{
	for (int i = 0; i + 1 < argc; i += 2) {
		char *value = argv[i + 1];

		if (!strcmp(argv[i], "--to")) {
			plan.to_length = endpoint_of(value, &plan.to);
		} else if (!strcmp(argv[i], "--protocol")) {
			plan.socket_type = socket_type_of(value);
		} else if (!strcmp(argv[i], "--rate")) {
			plan.rate = atof(value);
		} else if (!strcmp(argv[i], "--duration")) {
			plan.duration_s = atof(value);
		} else if (!strcmp(argv[i], "--timeout-ms")) {
			plan.limit_ns = strtoull(value, NULL, 10) * NS_PER_MS;
		} else if (!strcmp(argv[i], "--from")) {
			for (char *each = strtok(value, ","); each && plan.from_count < MAX_SOURCES;
			     each = strtok(NULL, ","))
				plan.from[plan.from_count++] = each;
		} else {
			die(argv[i]);
		}
	}
	if (!plan.to_length || plan.rate <= 0)
		die("clients --to ADDRESS:PORT");
}

int clients(int argc, char **argv)
{
	unsigned long long began_ns, end_ns, next_ns, totals_ns, interval_ns, at_ns;

	read_plan(argc, argv);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	interval_ns = 1e9 / plan.rate;
	began_ns = next_ns = totals_ns = now_ns();
	end_ns = began_ns + plan.duration_s * 1e9;
	for (;;) {
		at_ns = now_ns();
		if ((stopping || at_ns >= end_ns) && !open_count)
			break;
		if (!stopping && at_ns < end_ns && at_ns >= next_ns) {
			begin(plan.from_count ? plan.from[started_total % plan.from_count] : NULL);
			/* After a stall the rate goes on from here: no burst that no real client would make. */
			next_ns = at_ns - next_ns > interval_ns ? at_ns + interval_ns : next_ns + interval_ns;
		}
		if (at_ns >= totals_ns) {
			print_totals();
			totals_ns = at_ns + TOTALS_EVERY_NS;
		}
		if (poll(waiting, open_count, next_ns > at_ns + 5 * NS_PER_MS || stopping ? 5 : 1) > 0)
			for (int i = open_count - 1; i >= 0; i--)
				if (waiting[i].revents)
					go_on(i);
		give_up_late(now_ns());
	}
	print_totals();
	return 0;
}
