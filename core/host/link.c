/* SPDX-License-Identifier: Apache-2.0
 * link - kinds of interfaces and nftables, see probe.h
 *
 * In a network namespace of the probe's own, which ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/probe.h"
#include "core/net/link.h"

#define NFT_SUBSYSTEM  10
#define NFT_ASK_GEN    16
#define MODULES_MAX    (8u << 20)
#define NO_SUCH_KIND   EOPNOTSUPP

/* whether a line of a file, or the name in a path there, begins with @text */
static bool mentions(const char *path, const char *text)
{
	auto_free char *all = NULL;
	struct err ignored;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, MODULES_MAX, &all, &len, &ignored) < 0)
		return false;
	for (const char *s = all; (s = strstr(s, text)); s++)
		if (s == all || s[-1] == '/' || s[-1] == '\n')
			return true;
	return false;
}

/* there as a file, but not in the kernel yet: to ask for it would load it */
static bool is_loadable(const char *module)
{
	struct utsname u;
	char path[sizeof(u.release) + 40], text[40];

	snprintf(text, sizeof(text), "%s.ko", module);
	if (uname(&u) < 0 || snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", u.release) < 0 ||
	    !mentions(path, text))
		return false;
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	snprintf(text, sizeof(text), "%s ", module);
	return access(path, F_OK) < 0 && !mentions("/proc/modules", text);
}

static int leave_it(struct host_probe *p, const char *module)
{
	return probe_say(p, HOST_UNKNOWN, "module %s is there, but not loaded yet", module);
}

/* sends, and waits for the answer: 0, or -1 and the errno in it */
static int ask(int protocol, void *message, size_t len)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	union {
		struct nlmsghdr h;
		char            room[4096];
	} answer;

	if (fd < 0 || send(fd, message, len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return -1;
	if (answer.h.nlmsg_type == NLMSG_ERROR)
		errno = -((struct nlmsgerr *)NLMSG_DATA(&answer.h))->error;
	else
		errno = 0;
	return errno ? -1 : 0;
}

static int own_network(struct host_probe *p)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	probe_say(p, HOST_UNKNOWN, "needs ns-net: %s", strerror(errno));
	return -1;
}

int probe_nftables(struct host_probe *p)
{
	const char *module = host_word(p->check, HOST_MODULE);
	struct {
		struct nlmsghdr  h;
		struct nfgenmsg  g;
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = NFT_SUBSYSTEM << 8 | NFT_ASK_GEN, .nlmsg_flags = NLM_F_REQUEST },
	};

	if (is_loadable(module))
		return leave_it(p, module);
	if (own_network(p) < 0)
		return 0;
	return ask(NETLINK_NETFILTER, &m, sizeof(m));
}

/* id: the kind. Some want another interface to stand on; that they say so tells that they are there. */
int probe_link(struct host_probe *p)
{
	const char *module = host_word(p->check, HOST_MODULE);
	struct {
		struct nlmsghdr  h;
		struct ifinfomsg i;
		struct rtattr    info, kind;
		char             name[8];
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK },
		.info = { .rta_type = IFLA_LINKINFO, .rta_len = sizeof(m.info) + sizeof(m.kind) + sizeof(m.name) },
		.kind = { .rta_type = IFLA_INFO_KIND, .rta_len = sizeof(m.kind) + sizeof(m.name) },
	};

	memcpy(m.name, p->check->words, strlen(p->check->words));
	if (is_loadable(module))
		return leave_it(p, module);
	if (own_network(p) < 0)
		return 0;
	if (ask(NETLINK_ROUTE, &m, sizeof(m)) == 0 || (p->check->arg && errno == EINVAL))
		return 0;
	return errno == NO_SUCH_KIND ? probe_say(p, HOST_MISSING, "no interfaces of that kind") : -1;
}

/* of the loopback interface, which is the first one of every network */
int probe_shape(struct host_probe *p)
{
	const char *module = host_word(p->check, HOST_MODULE);
	auto_nl struct nl n = NL_NONE;
	struct err why;

	if (is_loadable(module))
		return leave_it(p, module);
	if (own_network(p) < 0)
		return 0;
	if (nl_open(NETLINK_ROUTE, &n, &why) == 0 && link_shape(&n, 1, 1500, 1000000, &why) == 0)
		return 0;
	errno = why.code;
	return why.code == ENOENT ? probe_say(p, HOST_MISSING, "no such queueing discipline") : -1;
}
