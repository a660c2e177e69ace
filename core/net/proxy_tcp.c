/* SPDX-License-Identifier: Apache-2.0
 * proxy_tcp - connections of the proxy: accepted, connected, and what they carry moved both ways until both ends have
 * closed; see proxy_loop.h
 *
 * Bytes of tcp go through a pipe by splice(2) and are never copied; a connection has a pipe only while one side does not
 * take what the other has sent. Messages of sctp are looked at, sent, and only then taken, so none has to be kept.
 * Descriptors are watched for edges: each turn moves what there is, up to a bound, beyond which it goes on next time.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/sctp.h>

#include "core/base/fd.h"
#include "core/net/proxy_loop.h"

#define CONNS_MAX  512
#define PIPE_BYTES (256 << 10)
#define ROUNDS     16   /* of a pipe's content each, before others have their turn */

struct side { struct proxy_watch watch; struct proxy_conn *c; int fd; };
struct half { int pipe[2]; size_t in_pipe; bool eof, shut; };

struct proxy_conn {
	struct side        s[2]; /* who connected, the pod */
	struct half        h[2]; /* what comes from that side */
	bool               connected, sctp, busy;
	struct proxy_conn *next; /* among the idle ones, or the busy ones (with those that have ended) */
};

/* empty ones are kept for whoever needs one next */
static bool get_pipe(struct proxy_loop *l, struct half *h)
{
	if (h->pipe[0] >= 0)
		return true;
	if (l->n_pipes) {
		memcpy(h->pipe, l->pipes[--l->n_pipes], sizeof(h->pipe));
		return true;
	}
	if (pipe2(h->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		h->pipe[0] = h->pipe[1] = -1;
		return false;
	}
	fcntl(h->pipe[0], F_SETPIPE_SZ, PIPE_BYTES); /* or what it has */
	return true;
}

static void put_pipe(struct proxy_loop *l, struct half *h)
{
	if (h->pipe[0] < 0)
		return;
	if (!h->in_pipe && l->n_pipes < PROXY_PIPES) {
		memcpy(l->pipes[l->n_pipes++], h->pipe, sizeof(h->pipe));
	} else {
		close(h->pipe[0]);
		close(h->pipe[1]);
	}
	h->pipe[0] = h->pipe[1] = -1;
}

static void be_busy(struct proxy_loop *l, struct proxy_conn *c)
{
	if (c->busy)
		return;
	c->busy = true;
	c->next = l->busy;
	l->busy = c;
}

static void end(struct proxy_loop *l, struct proxy_conn *c, bool reset)
{
	static const struct linger at_once = { 1, 0 };

	for (int i = 0; i < 2; i++) {
		if (reset && c->s[i].fd >= 0)
			setsockopt(c->s[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		fd_close(&c->s[i].fd);
		put_pipe(l, &c->h[i]);
	}
	be_busy(l, c); /* events of this turn may still name it, so nobody has its place before the next one */
	l->n_conns--;
	proxy_hear(l, true);
}

/* ---- moving ---- */

/* 1: some, 0: nothing at the moment, -1: the connection is lost */
static int some(ssize_t n)
{
	return n >= 0 ? n > 0 : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static int splice_once(struct proxy_loop *l, struct half *h, int from, int to)
{
	int r = 0;

	if (!h->eof) {
		if (!get_pipe(l, h))
			return -1;
		ssize_t n = splice(from, NULL, h->pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		h->eof = n == 0;
		h->in_pipe += n > 0 ? (size_t)n : 0;
		r = some(n);
	}
	if (r >= 0 && h->in_pipe) {
		ssize_t n = splice(h->pipe[0], NULL, to, NULL, h->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		h->in_pipe -= n > 0 ? (size_t)n : 0;
		int sent = some(n);
		r = sent < 0 ? -1 : r | sent;
	}
	return r;
}

/* with the number of its stream, and what else its sender said of it */
static int message_once(struct half *h, int from, int to, char *room)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct sctp_sndrcvinfo))];
	struct iovec v = { room, PROXY_ROOM };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

	if (h->eof)
		return 0;
	ssize_t n = recvmsg(from, &m, MSG_PEEK);
	h->eof = n == 0;
	if (n <= 0)
		return some(n);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == IPPROTO_SCTP && c->cmsg_type == SCTP_SNDRCV) {
		struct sctp_sndrcvinfo *i = (void *)CMSG_DATA(c);
		*i = (struct sctp_sndrcvinfo){ .sinfo_stream = i->sinfo_stream, .sinfo_ppid = i->sinfo_ppid,
					       .sinfo_flags = i->sinfo_flags & SCTP_UNORDERED };
	} else {
		m.msg_control = NULL;
		m.msg_controllen = 0;
	}
	v.iov_len = (size_t)n;
	int r = some(sendmsg(to, &m, MSG_NOSIGNAL));
	return r <= 0 ? r : some(recv(from, room, (size_t)n, 0));
}

/* 1: there may be more, 0: not until something happens, -1: lost */
static int move_half(struct proxy_loop *l, struct proxy_conn *c, int i)
{
	struct half *h = &c->h[i];
	int from = c->s[i].fd, to = c->s[!i].fd, r = 1;

	for (int n = 0; n < ROUNDS && r == 1; n++)
		r = c->sctp ? message_once(h, from, to, l->room) : splice_once(l, h, from, to);
	if (r < 0)
		return -1;
	if (!h->in_pipe)
		put_pipe(l, h);
	if (h->eof && !h->in_pipe && !h->shut) {
		shutdown(to, SHUT_WR);
		h->shut = true;
	}
	return r;
}

static void move(struct proxy_loop *l, struct proxy_conn *c)
{
	int a = move_half(l, c, 0), b = a < 0 ? -1 : move_half(l, c, 1);

	if (b < 0 || (c->h[0].shut && c->h[1].shut)) {
		end(l, c, b < 0);
	} else if (a || b) {
		be_busy(l, c);
	}
}

void proxy_conns_go_on(struct proxy_loop *l)
{
	struct proxy_conn *c = l->busy;

	l->busy = NULL;
	while (c) {
		struct proxy_conn *next = c->next;
		c->busy = false;
		if (c->s[0].fd >= 0) {
			move(l, c);
		} else {
			c->next = l->idle;
			l->idle = c;
		}
		c = next;
	}
}

static void on_side(struct proxy_loop *l, struct proxy_watch *w, uint32_t events)
{
	struct side *s = (struct side *)w;
	struct proxy_conn *c = s->c;

	if (s->fd < 0)
		return; /* ended by another event of this turn */
	if (events & EPOLLERR) {
		end(l, c, true); /* the other side learns it in the same way */
		return;
	}
	if (s == &c->s[1] && events & EPOLLOUT)
		c->connected = true;
	if (c->connected)
		move(l, c);
}

/* ---- connecting ---- */

static void set_options(int fd, bool sctp)
{
	static const int yes = 1, tries = 4; /* half a minute */
	static const struct sctp_event_subscribe want = { .sctp_data_io_event = 1 };

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes)); /* idle is fine, gone is not */
	if (sctp) {
		setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &want, sizeof(want));
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
}

static bool join(struct proxy_loop *l, struct proxy_conn *c, struct proxy_ear *ear)
{
	c->s[1].fd = socket(ear->to.a.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, ear->protocol);
	if (c->s[1].fd < 0)
		return false;
	for (int i = 0; i < 2; i++)
		set_options(c->s[i].fd, c->sctp);
	if (connect(c->s[1].fd, &ear->to.a, ear->to_len) < 0 && errno != EINPROGRESS)
		return false;
	for (int i = 0; i < 2; i++)
		if (proxy_watch(l, c->s[i].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->s[i].watch) < 0)
			return false;
	return true;
}

static struct proxy_conn *new_conn(struct proxy_loop *l, int fd, bool sctp)
{
	struct proxy_conn *c = l->idle;

	if (c)
		l->idle = c->next;
	else
		c = &l->conns[l->n_fresh++];
	*c = (struct proxy_conn){ .sctp = sctp };
	for (int i = 0; i < 2; i++) {
		c->s[i] = (struct side){ { on_side }, c, i ? -1 : fd };
		c->h[i].pipe[0] = c->h[i].pipe[1] = -1;
	}
	l->n_conns++;
	return c;
}

void proxy_accept(struct proxy_loop *l, struct proxy_watch *w, uint32_t events)
{
	struct proxy_ear *ear = (struct proxy_ear *)w;

	(void)events;
	for (int n = 0; n < ROUNDS; n++) {
		/* a place is free a little later than its connection is gone */
		if (l->n_conns >= l->max_conns || (!l->idle && l->n_fresh >= CONNS_MAX)) {
			proxy_hear(l, false); /* they wait in the backlog */
			return;
		}
		int fd = accept4(ear->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				proxy_hear(l, false);
			if (errno != ECONNABORTED && errno != EINTR)
				return;
			continue;
		}
		struct proxy_conn *c = new_conn(l, fd, ear->protocol == IPPROTO_SCTP);
		if (!join(l, c, ear))
			end(l, c, true);
	}
}

int proxy_conns_init(struct proxy_loop *l)
{
	struct rlimit r = { 1024, 1024 };

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &r);
	size_t room = r.rlim_cur > l->p->n + 64 ? (size_t)(r.rlim_cur - l->p->n - 64) / 6 : 1;
	l->max_conns = room < CONNS_MAX ? room : CONNS_MAX;
	l->conns = calloc(CONNS_MAX, sizeof(*l->conns));
	return l->conns ? 0 : -1;
}
