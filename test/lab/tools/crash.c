/*
 * An LD_PRELOAD library that kills its process at a chosen weight write. It stands between the program and the
 * socket calls, knows generic netlink's IPVS commands but nothing of ipvigil, and is used by tests only.
 *
 *   CRASH_ON=set_dest:N:before|after[:zero|nonzero]
 *
 * N counts, from 0, the IPVS SET_DEST requests whose weight is as said (any weight where nothing is said). `before`
 * dies without sending it; `after` dies when the kernel has carried it out: a generic netlink request is handled
 * inside send (net/netlink/genetlink.c, genl_rcv).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum moment { NEVER, BEFORE, AFTER };
enum weight { ANY, ZERO, NONZERO };

static struct {
	unsigned long number;
	enum moment moment;
	enum weight weight;
} trigger;
static unsigned long seen;
static pthread_once_t read_once = PTHREAD_ONCE_INIT;

/* A trigger that cannot be read would make a test pass for the wrong reason, so it stops the program. */
static void read_trigger(void)
{
	const char *text = getenv("CRASH_ON");
	char moment[8] = "", weight[8] = "";
	int fields;

	if (!text)
		return;
	fields = sscanf(text, "set_dest:%lu:%7[a-z]:%7[a-z]", &trigger.number, moment, weight);
	trigger.moment = !strcmp(moment, "before") ? BEFORE : !strcmp(moment, "after") ? AFTER : NEVER;
	trigger.weight = !strcmp(weight, "zero") ? ZERO : !strcmp(weight, "nonzero") ? NONZERO : ANY;
	if (fields < 2 || trigger.moment == NEVER || (fields == 3 && trigger.weight == ANY)) {
		fprintf(stderr, "crash: CRASH_ON=%s is not set_dest:N:before|after[:zero|nonzero]\n", text);
		abort();
	}
}

/* The attribute's payload, or NULL; stays within the bytes given whatever the lengths say. */
static const char *attribute(const char *bytes, size_t length, int type, size_t *size)
{
	while (length >= sizeof(struct nlattr)) {
		struct nlattr head;

		memcpy(&head, bytes, sizeof(head));
		if (head.nla_len < sizeof(head) || head.nla_len > length)
			return NULL;
		if ((head.nla_type & NLA_TYPE_MASK) == type) {
			*size = head.nla_len - sizeof(head);
			return bytes + sizeof(head);
		}
		if ((size_t)NLA_ALIGN(head.nla_len) >= length)
			return NULL;
		bytes += NLA_ALIGN(head.nla_len);
		length -= NLA_ALIGN(head.nla_len);
	}
	return NULL;
}

static int is_awaited(const char *bytes, size_t length)
{
	struct genlmsghdr generic;
	const char *destination, *weight;
	size_t size;
	uint32_t value;

	if (length < NLMSG_HDRLEN + GENL_HDRLEN || ((const struct nlmsghdr *)bytes)->nlmsg_type < GENL_MIN_ID)
		return 0;
	memcpy(&generic, bytes + NLMSG_HDRLEN, sizeof(generic));
	if (generic.cmd != IPVS_CMD_SET_DEST)
		return 0;
	bytes += NLMSG_HDRLEN + GENL_HDRLEN;
	length -= NLMSG_HDRLEN + GENL_HDRLEN;
	destination = attribute(bytes, length, IPVS_CMD_ATTR_DEST, &size);
	weight = destination ? attribute(destination, size, IPVS_DEST_ATTR_WEIGHT, &size) : NULL;
	if (!weight || size < sizeof(value))
		return 0;
	memcpy(&value, weight, sizeof(value));
	return trigger.weight == ANY || (trigger.weight == ZERO) == (value == 0);
}

static enum moment moment_of(int fd, const char *bytes, size_t length)
{
	int protocol = -1, domain = -1;
	socklen_t size = sizeof(int);

	pthread_once(&read_once, read_trigger);
	if (trigger.moment == NEVER)
		return NEVER;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_NETLINK)
		return NEVER;
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) || protocol != NETLINK_GENERIC)
		return NEVER;
	if (!is_awaited(bytes, length) || __atomic_fetch_add(&seen, 1, __ATOMIC_SEQ_CST) != trigger.number)
		return NEVER;
	return trigger.moment;
}

static void die_at(enum moment now, enum moment chosen)
{
	if (now == chosen)
		raise(SIGKILL);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t to_length)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
	    dlsym(RTLD_NEXT, "sendto");
	enum moment chosen = moment_of(fd, bytes, length);
	ssize_t sent;

	die_at(BEFORE, chosen);
	sent = real(fd, bytes, length, flags, to, to_length);
	die_at(AFTER, chosen);
	return sent;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
	return sendto(fd, bytes, length, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	char bytes[4096];
	size_t length = 0;
	enum moment chosen;
	ssize_t sent;

	/* A SET_DEST is under 200 bytes; what does not fit is none. */
	for (size_t i = 0; i < message->msg_iovlen && length + message->msg_iov[i].iov_len <= sizeof(bytes); i++) {
		memcpy(bytes + length, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
		length += message->msg_iov[i].iov_len;
	}
	chosen = moment_of(fd, bytes, length);
	die_at(BEFORE, chosen);
	sent = real(fd, message, flags);
	die_at(AFTER, chosen);
	return sent;
}
