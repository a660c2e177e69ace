/* SPDX-License-Identifier: Apache-2.0
 * net_kit - for unit tests of interfaces: a host and pods in network namespaces of the test's own
 */
#pragma once

#include "testsuite/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/net/inside.h"
#include "core/net/link.h"

static struct err e;

/* a call that has to succeed: says what was wrong */
#define OK(call) CHECK_STR((call) < 0 ? e.msg : "", "")

static inline int this_net(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* A namespace beside the caller's: its descriptor and a socket in it. */
static inline int new_pod(struct nl *n)
{
	int own = this_net();

	CHECK(unshare(CLONE_NEWNET) == 0);
	int fd = this_net();
	OK(nl_open(NETLINK_ROUTE, n, &e));
	OK(link_up(n, "lo", &e));
	CHECK(setns(own, CLONE_NEWNET) == 0);
	close(own);
	return fd;
}

static inline bool new_host(struct nl *n)
{
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	OK(nl_open(NETLINK_ROUTE, n, &e));
	OK(link_up(n, "lo", &e));
	return true;
}

static inline struct ip_cidr cidr(const char *text)
{
	struct ip_cidr c = { 0 };

	OK(ip_cidr_parse(text, &c, &e));
	return c;
}

/* addresses of one interface, which is brought up */
static inline void give(struct nl *n, const char *name, const char *address)
{
	struct link l = { 0 };
	struct ip_cidr a = cidr(address);
	NL_MSG(m, 512);

	OK(link_get(n, name, &l, &e));
	link_put_up(&m, l.index, IFF_UP);
	link_put_address(&m, l.index, &a, true);
	OK(link_apply(n, &m, name, &e));
}

/* whether a shell command succeeds in the namespace @fd; -1: the caller's */
static inline bool sh(int fd, const char *command)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		if (fd >= 0 && setns(fd, CLONE_NEWNET) < 0)
			_exit(99);
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 1);
		dup2(1, 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* a datagram from @from_fd's namespace to an address in that of @to_fd arrives, within a second and a half */
static long slowest_ns;

static inline long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

struct place { const char *address; int socket; };

static inline int open_socket(void *ctx, struct err *err)
{
	struct place *p = ctx;
	const struct timeval wait = { .tv_usec = 300000 };
	int family = strchr(p->address, ':') ? AF_INET6 : AF_INET;

	p->socket = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return setsockopt(p->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? err_sys(err, "socket") : 0;
}

static inline bool arrives(int from_fd, int to_fd, const char *address)
{
	union { struct sockaddr s; struct sockaddr_in v4; struct sockaddr_in6 v6; } a = { 0 };
	struct place from = { .address = address }, to = { .address = address };
	bool good = false;
	char c = 'x';

	OK(inside_call(to_fd, open_socket, &to, &e));
	OK(inside_call(from_fd, open_socket, &from, &e));
	a.s.sa_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	socklen_t len = a.s.sa_family == AF_INET ? sizeof(a.v4) : sizeof(a.v6);
	CHECK(inet_pton(a.s.sa_family, address, a.s.sa_family == AF_INET ? (void *)&a.v4.sin_addr : &a.v6.sin6_addr) == 1);
	if (bind(to.socket, &a.s, len) < 0 || getsockname(to.socket, &a.s, &len) < 0)
		CHECK_STR(strerror(errno), "bind");
	long begin = now_ns();
	/* a question for an address is repeated after a second, and what waits for the answer may be dropped */
	for (int i = 0; i < 5 && !good; i++)
		if (sendto(from.socket, &c, 1, 0, &a.s, len) == 1)
			good = recv(to.socket, &c, 1, 0) == 1;
	if (good && now_ns() - begin > slowest_ns)
		slowest_ns = now_ns() - begin;
	close(from.socket);
	close(to.socket);
	return good;
}
