/* SPDX-License-Identifier: Apache-2.0
 * net_world - a host, another host and three pods, each a network namespace, for tests that send packets
 *
 *	other 192.0.2.2 --- 192.0.2.1 lan  host  veth1 --- 172.16.28.2  pod 1 (default route through the host)
 *	      2001:db8::2   2001:db8::1          veth2 --- 172.16.28.3  pod 2 (the same network)
 *	                                         veth3 --- 172.17.0.2   pod 3 (no route but its own network)
 *
 * The calling process is the host. Servers answer with the address that they see the client have.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testsuite/unit/unit.h"

enum { HOST, OTHER, POD1, POD2, POD3, PLACES };

struct world {
	pid_t pid[PLACES];
	int   ns[PLACES];
	pid_t servers[32];
	int   n_servers;
	char  seen[100];
};

/* runs a script with $other, $pod1 ... as process ids; what it prints is shown when it fails */
static inline int world_sh(const struct world *w, const char *script)
{
	char *all = NULL;
	if (asprintf(&all, "exec 2>&1; set -e; other=%d pod1=%d pod2=%d pod3=%d; on() { p=$1; shift; nsenter -t $p -n \"$@\"; }\n%s",
		     (int)w->pid[OTHER], (int)w->pid[POD1], (int)w->pid[POD2], (int)w->pid[POD3], script) < 0)
		return -1;
	int r = system(all);
	free(all);
	return r;
}

/* what a command prints, without the last newline; the caller frees */
static inline char *world_read(const char *command)
{
	size_t len = 0, cap = 1 << 20;
	char *out = malloc(cap);
	FILE *f = popen(command, "r");

	if (out && f)
		len = fread(out, 1, cap - 1, f);
	if (f)
		pclose(f);
	if (out)
		out[len && out[len - 1] == '\n' ? len - 1 : len] = '\0';
	return out;
}

static inline bool world_has(const char *command, const char *text)
{
	char *s = world_read(command);
	bool has = s && strstr(s, text);

	free(s);
	return has;
}

/* false: no network namespaces here */
static inline bool world_make(struct world *w)
{
	*w = (struct world){ 0 };
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	for (int i = OTHER; i < PLACES; i++) {
		int ready[2];
		char path[40], c;
		if (pipe2(ready, O_CLOEXEC) < 0)
			return false;
		w->pid[i] = fork();
		if (w->pid[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
				for (;;)
					pause();
			_exit(1);
		}
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			return false;
		close(ready[0]);
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)w->pid[i]);
		w->ns[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	w->ns[HOST] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return world_sh(w,
		"ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n"
		"pair() { ip link add $1 type veth peer name eth0 netns $2; ip link set $1 up; on $2 ip link set lo up;\n"
		"	on $2 ip link set eth0 up; }\n"
		"pair lan $other; ip addr add 192.0.2.1/24 dev lan; ip addr add 2001:db8::1/64 dev lan nodad\n"
		"on $other ip addr add 192.0.2.2/24 dev eth0; on $other ip addr add 2001:db8::2/64 dev eth0 nodad\n"
		"pod() { pair $1 $2; ip addr add $3.1/32 dev $1; ip route add $3.$4/32 dev $1 src $3.1\n"
		"	on $2 ip addr add $3.$4/32 dev eth0; on $2 ip route add $3.1/32 dev eth0 src $3.$4\n"
		"	on $2 ip route add $3.0/24 via $3.1 src $3.$4; }\n"
		"pod veth1 $pod1 172.16.28 2; pod veth2 $pod2 172.16.28 3; pod veth3 $pod3 172.17.0 2\n"
		"for i in 1 2; do eval p=\\$pod$i; on $p ip route add default via 172.16.28.1\n"
		"	ip addr add fd00::1/128 dev veth$i nodad; ip route add fd00::1$i/128 dev veth$i\n"
		"	on $p ip addr add fd00::1$i/128 dev eth0 nodad; on $p ip route add fd00::1/128 dev eth0\n"
		"	on $p ip route add default via fd00::1 dev eth0; done\n") == 0;
}

static inline void world_end(struct world *w)
{
	for (int i = 0; i < w->n_servers; i++)
		kill(w->servers[i], SIGKILL);
	for (int i = OTHER; i < PLACES; i++)
		if (w->pid[i] > 0)
			kill(w->pid[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	for (int i = HOST; i < PLACES; i++)
		close(w->ns[i]);
}

union world_addr { struct sockaddr a; struct sockaddr_in in; struct sockaddr_in6 in6; };

static inline socklen_t world_addr(union world_addr *a, const char *text, int port)
{
	*a = (union world_addr){ 0 };
	if (strchr(text, ':')) {
		a->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		inet_pton(AF_INET6, text, &a->in6.sin6_addr);
		return sizeof(a->in6);
	}
	a->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	inet_pton(AF_INET, text, &a->in.sin_addr);
	return sizeof(a->in);
}

static inline void world_answer(int fd, int type)
{
	char text[INET6_ADDRSTRLEN] = "", room[64];
	union world_addr from;
	socklen_t len = sizeof(from);
	int c = fd;

	if (type == SOCK_STREAM)
		c = accept4(fd, &from.a, &len, SOCK_CLOEXEC);
	else if (recvfrom(fd, room, sizeof(room), 0, &from.a, &len) < 0)
		return;
	if (from.a.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &from.in6.sin6_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET, &from.in.sin_addr, text, sizeof(text));
	if (type != SOCK_STREAM) {
		sendto(fd, text, strlen(text), 0, &from.a, len);
		return;
	}
	send(c, text, strlen(text), MSG_NOSIGNAL);
	close(c);
}

/* a server in @place, until the world ends */
static inline void world_serve(struct world *w, int place, int type, const char *address, int port)
{
	int ready[2];
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		union world_addr a;
		int yes = 1;
		socklen_t len = world_addr(&a, address, port);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(w->ns[place], CLONE_NEWNET) < 0)
			_exit(1);
		int fd = socket(a.a.sa_family, type, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (bind(fd, &a.a, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			world_answer(fd, type);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		printf("# cannot serve %s port %d\n", address, port);
	close(ready[0]);
	w->servers[w->n_servers++] = pid;
}

/* what address a server at that address sees of one who asks from @place; "refused", "nothing" */
static inline const char *world_ask_ms(struct world *w, int place, int type, const char *address, int port, int ms)
{
	int back[2];

	w->seen[0] = '\0';
	if (pipe2(back, O_CLOEXEC) < 0)
		return "";
	pid_t pid = fork();
	if (pid == 0) {
		union world_addr a;
		char text[INET6_ADDRSTRLEN] = "nothing", got[64];
		socklen_t len = world_addr(&a, address, port);
		if (setns(w->ns[place], CLONE_NEWNET) < 0)
			_exit(1);
		int fd = socket(a.a.sa_family, type | SOCK_NONBLOCK, 0);
		struct pollfd p = { fd, type == SOCK_STREAM ? POLLOUT : POLLIN, 0 };
		int r = connect(fd, &a.a, len);
		if (type != SOCK_STREAM)
			r = (int)send(fd, "?", 1, 0);
		if ((r >= 0 || errno == EINPROGRESS) && poll(&p, 1, ms) == 1) {
			p.events = POLLIN;
			poll(&p, 1, ms);
			ssize_t n = recv(fd, got, sizeof(got), 0);
			snprintf(text, sizeof(text), "%.*s", n > 0 ? (int)n : 7, n > 0 ? got : errno == EAGAIN ? "nothing" : "refused");
		} else if (r < 0 && errno != EINPROGRESS) {
			snprintf(text, sizeof(text), "%s", "refused");
		}
		if (write(back[1], text, strlen(text)) < 0)
			_exit(1);
		_exit(0);
	}
	close(back[1]);
	ssize_t n = read(back[0], w->seen, sizeof(w->seen) - 1);
	w->seen[n > 0 ? n : 0] = '\0';
	close(back[0]);
	waitpid(pid, NULL, 0);
	return w->seen;
}

static inline const char *world_ask(struct world *w, int place, int type, const char *address, int port)
{
	return world_ask_ms(w, place, type, address, port, 700);
}
