/* SPDX-License-Identifier: Apache-2.0
 * proxy - see proxy.h: the listening sockets, conflicts, and the loop
 */
#include "core/net/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/net/proxy_loop.h"

#define BACKLOG 1024

static const struct ip any[] = { { .len = 4 }, { .len = 16 } };
static const struct ip localhost[] = { { 4, { 127, 0, 0, 1 } }, { 16, { [15] = 1 } } };

socklen_t proxy_addr(const struct ip *ip, uint16_t port, union proxy_addr *out)
{
	*out = (union proxy_addr){ 0 };
	out->a.sa_family = (sa_family_t)ip_family(ip);
	out->in.sin_port = htons(port); /* IPv6 has it in the same place */
	if (ip->len == 4)
		memcpy(&out->in.sin_addr, ip->b, 4);
	else
		memcpy(&out->in6.sin6_addr, ip->b, 16);
	return ip->len == 4 ? sizeof(out->in) : sizeof(out->in6);
}

/* ---- listening ---- */

static const char *protocol_name(int protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "sctp";
}

static int in_the_way(int protocol, const struct ip *ip, uint16_t port, const char *what, struct err *e)
{
	char who[64], text[IP_TEXT_MAX];
	int why = errno;

	ip_text(ip, text);
	if (why == EADDRINUSE && proxy_who(protocol, port, who, sizeof(who)))
		return err_set(e, why, "%s port %u of %s is used by %s", protocol_name(protocol), port,
			       ip_is_zero(ip) ? "the host" : text, who);
	errno = why;
	return err_sys(e, "%s port %u of %s%s%s", protocol_name(protocol), port, ip_is_zero(ip) ? "the host" : text,
		       *what ? ": " : "", why == EMFILE ? "a descriptor for each; raise the limit of open files" : what);
}

/* a socket that is bound, and hears if @hear; -1/errno, and what was tried in *what */
static int bound(int protocol, const struct ip *ip, uint16_t port, bool hear, const char **what)
{
	static const int yes = 1;
	bool udp = protocol == IPPROTO_UDP;
	union proxy_addr a;
	socklen_t len = proxy_addr(ip, port, &a);
	auto_close int fd = socket(a.a.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	*what = "";
	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT))
		*what = "the kernel lacks it (CONFIG_IP_SCTP)";
	if (fd < 0)
		return -1;
	/* of udp the option would let two have the port */
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (ip->len == 16)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (udp && ip_is_zero(ip))
		setsockopt(fd, ip->len == 4 ? IPPROTO_IP : IPPROTO_IPV6, ip->len == 4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &yes, sizeof(yes));
	if (bind(fd, &a.a, len) < 0 || (hear && !udp && listen(fd, BACKLOG) < 0))
		return -1;
	return take_fd(&fd);
}

/*
 * With @check a socket of any address is bound for a moment, which a program that listens on whatever address of the host
 * is in the way of; that it does not hear keeps others from connecting to it.
 * @try: where there is no such family, or kind of socket, nobody can connect either
 */
static int hear(struct proxy *p, const struct fw_port *q, unsigned i, const struct ip *ip, const struct ip *check, bool try,
		struct err *e)
{
	uint16_t port = (uint16_t)(q->host_port + i);
	const char *what;

	if (check) {
		auto_close int fd = bound(q->protocol, check, port, false, &what);
		if (fd < 0)
			return try && errno != EADDRINUSE && errno != EMFILE ? 0 : in_the_way(q->protocol, check, port, what, e);
	}
	if (!ip)
		return 0;
	int fd = bound(q->protocol, ip, port, true, &what);
	if (fd < 0)
		return try && errno != EADDRINUSE && errno != EMFILE ? 0 : in_the_way(q->protocol, ip, port, what, e);
	struct proxy_ear *x = &p->v[p->n++];
	*x = (struct proxy_ear){ .fd = fd, .protocol = q->protocol, .any = ip_is_zero(ip) };
	x->to_len = proxy_addr(&q->pod_ip, (uint16_t)(q->pod_port + i), &x->to);
	return 0;
}

/* the family that q is not of leads to the pod as well, unless the pod has such an address itself */
static bool has_own(const struct fw_port *ports, size_t n, const struct fw_port *q)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].protocol == q->protocol && ports[i].pod_ip.len != q->pod_ip.len && !ports[i].host_ip.len &&
		    ports[i].host_port < q->host_port + q->count && q->host_port < ports[i].host_port + ports[i].count)
			return true;
	return false;
}

static int hear_one(struct proxy *p, const struct fw_port *ports, size_t n, const struct fw_port *q, bool loopback, struct err *e)
{
	bool six = q->pod_ip.len == 16, both = !q->host_ip.len && !has_own(ports, n, q);
	bool sctp = loopback && q->protocol == IPPROTO_SCTP; /* then it is forwarded without such sockets */

	for (unsigned i = 0; i < q->count; i++) {
		if (q->host_ip.len) {
			bool kernels = loopback && !ip_is_loopback(&q->host_ip);
			if (hear(p, q, i, kernels ? NULL : &q->host_ip, kernels ? &q->host_ip : NULL, sctp, e) < 0)
				return -1;
			continue;
		}
		for (int f = 0; f < 2; f++)
			if ((f == six || both) && hear(p, q, i, loopback ? &localhost[f] : &any[f], loopback ? &any[f] : NULL,
						       sctp || f != six, e) < 0)
				return -1;
	}
	return 0;
}

struct proxy *proxy_open(const struct fw_port *ports, size_t n, bool loopback, struct err *e)
{
	struct proxy *p = calloc(1, sizeof(*p));
	size_t most = 1;

	for (size_t i = 0; i < n; i++)
		most += 2u * ports[i].count;
	if (p)
		p->v = calloc(most, sizeof(*p->v));
	if (!p || !p->v) {
		free(p);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (hear_one(p, ports, n, &ports[i], loopback, e) < 0) {
			proxy_close(p);
			return NULL;
		}
	return p;
}

void proxy_close(struct proxy *p)
{
	for (size_t i = 0; p && i < p->n; i++)
		close(p->v[i].fd);
	if (p)
		free(p->v);
	free(p);
}

size_t proxy_n_polls(const struct proxy *p)
{
	return p ? p->n : 0;
}

size_t proxy_polls(const struct proxy *p, struct pollfd *out)
{
	for (size_t i = 0; i < proxy_n_polls(p); i++)
		out[i] = (struct pollfd){ .fd = p->v[i].fd, .events = POLLIN };
	return proxy_n_polls(p);
}

/* ---- serving ---- */

int proxy_watch(struct proxy_loop *l, int fd, uint32_t events, struct proxy_watch *w)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

void proxy_hear(struct proxy_loop *l, bool hear)
{
	if (l->deaf == !hear)
		return;
	l->deaf = !hear;
	for (size_t i = 0; i < l->p->n; i++) {
		struct epoll_event ev = { .events = hear ? EPOLLIN : 0, .data.ptr = &l->p->v[i].watch };
		if (l->p->v[i].protocol != IPPROTO_UDP)
			epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, l->p->v[i].fd, &ev);
	}
}

static void tell_time(struct proxy_loop *l)
{
	l->now_ms = clock_ms(CLOCK_BOOTTIME);
}

/* a process of its own, so it may have as many descriptors as it can get */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int turn(struct proxy_loop *l, struct err *e)
{
	struct epoll_event ev[64];
	int wait = proxy_sessions_expire(l);

	if (l->busy)
		wait = 0;
	else if (l->deaf)
		wait = 100; /* descriptors may be short because of others */
	else if (!l->n_conns && wait < 0)
		wait = PROXY_IDLE_MS;
	int n = epoll_wait(l->epoll_fd, ev, 64, wait);
	if (n < 0 && errno != EINTR)
		return err_sys(e, "port proxy: wait");
	tell_time(l);
	if (n == 0 && wait == PROXY_IDLE_MS && !l->n_conns && !l->n_sessions)
		return 1;
	if (l->deaf && l->n_conns < l->max_conns)
		proxy_hear(l, true);
	for (int i = 0; i < n; i++) {
		struct proxy_watch *w = ev[i].data.ptr;
		w->ready(l, w, ev[i].events);
	}
	proxy_conns_go_on(l);
	return 0;
}

int proxy_main(struct proxy *p, struct err *e)
{
	struct proxy_loop l = { .p = p, .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .room = malloc(PROXY_ROOM) };
	int r = 0;

	raise_limit();
	tell_time(&l);
	if (l.epoll_fd < 0 || !l.room || proxy_conns_init(&l) < 0 || proxy_sessions_init(&l) < 0)
		return err_sys(e, "port proxy");
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].watch.ready = p->v[i].protocol == IPPROTO_UDP ? proxy_datagram : proxy_accept;
		if (proxy_watch(&l, p->v[i].fd, EPOLLIN, &p->v[i].watch) < 0)
			return err_sys(e, "port proxy: watch");
	}
	while (r == 0)
		r = turn(&l, e);
	return r < 0 ? -1 : 0;
}
