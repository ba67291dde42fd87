/*
 * Speaks to IPVS by setsockopt(2), as programs without generic netlink do (ipvsadm has it as a fallback only).
 * IPv4 and TCP; the destination is masqueraded. Ends with 1 and the kernel's word where IPVS refuses.
 *
 *   setsockopt add-service|edit-service|delete-service VIP PORT
 *   setsockopt add|edit|delete VIP PORT RIP PORT WEIGHT
 *   setsockopt flush
 */
#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* As the kernel wants it: the one behind the other (net/netfilter/ipvs/ip_vs_ctl.c, set_arglen). */
static struct {
	struct ip_vs_service_user service;
	struct ip_vs_dest_user destination;
} request;

static const struct {
	const char *name;
	int number;
	int arguments;
	socklen_t length;
} commands[] = {
    {"add-service", IP_VS_SO_SET_ADD, 4, sizeof(request.service)},
    {"edit-service", IP_VS_SO_SET_EDIT, 4, sizeof(request.service)},
    {"delete-service", IP_VS_SO_SET_DEL, 4, sizeof(request.service)},
    {"flush", IP_VS_SO_SET_FLUSH, 2, 0},
    {"add", IP_VS_SO_SET_ADDDEST, 7, sizeof(request)},
    {"edit", IP_VS_SO_SET_EDITDEST, 7, sizeof(request)},
    {"delete", IP_VS_SO_SET_DELDEST, 7, sizeof(request)},
};

static int carry_out(int number, socklen_t length)
{
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (raw >= 0 && setsockopt(raw, IPPROTO_IP, number, &request, length) == 0)
		return 0;
	perror("setsockopt");
	return 1;
}

static void read_request(int argc, char **argv)
{
	request.service.protocol = IPPROTO_TCP;
	strcpy(request.service.sched_name, "rr");
	if (argc >= 4) {
		request.service.addr = inet_addr(argv[2]);
		request.service.port = htons(atoi(argv[3]));
	}
	if (argc >= 7) {
		request.destination.addr = inet_addr(argv[4]);
		request.destination.port = htons(atoi(argv[5]));
		request.destination.conn_flags = IP_VS_CONN_F_MASQ;
		request.destination.weight = atoi(argv[6]);
	}
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc != commands[i].arguments)
			continue;
		read_request(argc, argv);
		return carry_out(commands[i].number, commands[i].length);
	}
	fprintf(stderr, "setsockopt: wrong arguments\n");
	return 2;
}
