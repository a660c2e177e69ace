/* SPDX-License-Identifier: Apache-2.0
 * proxy_udp - sessions of the proxy: one for each address that sends datagrams, with a socket of its own towards the pod,
 * for as long as something comes or goes; see proxy_loop.h
 *
 * When all are in use the one that was silent for longest gives way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/net/proxy_loop.h"

#define SESSIONS_MAX 512
#define SILENCE_MS   60000
#define BUCKETS      256
#define TURN         64 /* datagrams, before others have their turn */

struct session {
	struct proxy_watch watch;
	int                fd;
	struct proxy_ear  *ear;
	union proxy_addr   from;
	socklen_t          from_len, control_len;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))]; /* which of our addresses it sent to */
	int64_t            last_ms;
	struct session    *next, *older, *newer; /* in its bucket, or among the idle ones; by time */
};

struct proxy_sessions {
	struct session *bucket[BUCKETS], *oldest, *newest, *idle;
	size_t          n_fresh;
	struct session  v[SESSIONS_MAX];
};

static struct session **bucket(struct proxy_sessions *t, const union proxy_addr *from, socklen_t len)
{
	const unsigned char *p = (const unsigned char *)from;
	uint32_t h = 2166136261u;

	for (socklen_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 16777619u;
	return &t->bucket[(h ^ h >> 16) % BUCKETS];
}

static void unlink_time(struct proxy_sessions *t, struct session *s)
{
	*(s->older ? &s->older->newer : &t->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &t->newest) = s->older;
}

static void touch(struct proxy_loop *l, struct session *s)
{
	struct proxy_sessions *t = l->sessions;

	s->last_ms = l->now_ms;
	s->newer = NULL;
	s->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

static void end(struct proxy_loop *l, struct session *s)
{
	struct proxy_sessions *t = l->sessions;
	struct session **p = bucket(t, &s->from, s->from_len);

	while (*p && *p != s)
		p = &(*p)->next;
	*p = s->next;
	unlink_time(t, s);
	fd_close(&s->fd);
	s->next = t->idle;
	t->idle = s;
	l->n_sessions--;
}

int proxy_sessions_expire(struct proxy_loop *l)
{
	struct session *s;

	while ((s = l->sessions->oldest) && l->now_ms - s->last_ms >= SILENCE_MS)
		end(l, s);
	return s ? (int)(s->last_ms + SILENCE_MS - l->now_ms) : -1;
}

/* from the pod: to who sent, from the address it was sent to */
static void on_answer(struct proxy_loop *l, struct proxy_watch *w, uint32_t events)
{
	struct session *s = (struct session *)w;

	(void)events;
	for (int i = 0; s->fd >= 0 && i < TURN; i++) {
		ssize_t n = recv(s->fd, l->room, PROXY_ROOM, 0);
		if (n < 0 && errno == ECONNREFUSED)
			continue; /* nobody is there yet: datagrams get lost */
		if (n < 0)
			return;
		struct iovec v = { l->room, (size_t)n };
		struct msghdr m = { .msg_name = &s->from, .msg_namelen = s->from_len, .msg_iov = &v, .msg_iovlen = 1,
				    .msg_control = s->control_len ? s->control : NULL, .msg_controllen = s->control_len };
		sendmsg(s->ear->fd, &m, MSG_NOSIGNAL);
		unlink_time(l->sessions, s);
		touch(l, s);
	}
}

static struct session *make(struct proxy_loop *l, struct proxy_ear *ear, const struct msghdr *m)
{
	struct proxy_sessions *t = l->sessions;

	if (!t->idle && t->n_fresh == SESSIONS_MAX)
		end(l, t->oldest);
	struct session *s = t->idle ? t->idle : &t->v[t->n_fresh++];
	if (s == t->idle)
		t->idle = s->next;
	*s = (struct session){ .watch = { on_answer }, .ear = ear, .from_len = m->msg_namelen,
			       .control_len = (socklen_t)m->msg_controllen };
	memcpy(&s->from, m->msg_name, m->msg_namelen);
	memcpy(s->control, m->msg_control, m->msg_controllen);
	s->fd = socket(ear->to.a.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, &ear->to.a, ear->to_len) < 0 || proxy_watch(l, s->fd, EPOLLIN, &s->watch) < 0) {
		fd_close(&s->fd);
		s->next = t->idle;
		t->idle = s;
		return NULL;
	}
	struct session **p = bucket(t, &s->from, s->from_len);
	s->next = *p;
	*p = s;
	l->n_sessions++;
	return s;
}

static struct session *session_of(struct proxy_loop *l, struct proxy_ear *ear, const struct msghdr *m)
{
	struct proxy_sessions *t = l->sessions;
	struct session *s = *bucket(t, m->msg_name, m->msg_namelen);

	while (s && (s->ear != ear || s->from_len != m->msg_namelen || memcmp(&s->from, m->msg_name, s->from_len) != 0 ||
		     s->control_len != m->msg_controllen || memcmp(s->control, m->msg_control, s->control_len) != 0))
		s = s->next;
	if (s)
		unlink_time(t, s);
	else
		s = make(l, ear, m);
	if (s)
		touch(l, s);
	return s;
}

/* by which interface it came does not matter: the answer takes the way that routes have for it */
static void forget_interface(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c || m->msg_flags & MSG_CTRUNC)
		m->msg_controllen = 0;
	else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
		((struct in_pktinfo *)(void *)CMSG_DATA(c))->ipi_ifindex = 0;
	else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		 !IN6_IS_ADDR_LINKLOCAL(&((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_addr))
		((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex = 0;
}

void proxy_datagram(struct proxy_loop *l, struct proxy_watch *w, uint32_t events)
{
	struct proxy_ear *ear = (struct proxy_ear *)w;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
		union proxy_addr from = { 0 };
		struct iovec v = { l->room, PROXY_ROOM };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1,
				    .msg_control = control, .msg_controllen = ear->any ? sizeof(control) : 0 };
		ssize_t n = recvmsg(ear->fd, &m, 0);
		if (n < 0)
			return;
		forget_interface(&m);
		struct session *s = session_of(l, ear, &m);
		if (s)
			send(s->fd, l->room, (size_t)n, MSG_NOSIGNAL);
	}
}

int proxy_sessions_init(struct proxy_loop *l)
{
	l->sessions = calloc(1, sizeof(*l->sessions));
	return l->sessions ? 0 : -1;
}
