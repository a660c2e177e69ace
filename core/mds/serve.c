/* SPDX-License-Identifier: Apache-2.0
 * serve - the service's connections: bounded in number, time and memory
 *
 * One request at a time of each connection: what comes behind it waits in the kernel until its reply has been taken. So
 * a client that does not read cannot make us write for it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/mds/service.h"

#define ROOM_MIN  4096
#define ROOM_FREE (4 * ROOM_MIN) /* that each may have, whatever the others take */
#define DRAIN_MS  1000
#define RETRY_MS  20

struct connection {
	int        fd;
	char      *in;
	size_t     len, cap, sent;
	struct buf out;
	int64_t    until_ms; /* it is closed then */
	bool       last;     /* it is closed when out has been sent */
	bool       drains;   /* we have said all; what still comes is read, or the client's kernel drops what we said */
};

struct serving {
	const struct mds_server *s;
	struct connection        c[MDS_CONNECTIONS];
	size_t                   n, memory;
	int64_t                  now_ms, idle_since_ms;
};

/* ---- one connection ---- */

static void set_room(struct serving *v, struct connection *c, size_t cap)
{
	char *p = cap ? realloc(c->in, cap) : NULL;

	if (!cap)
		free(c->in);
	if (cap && !p)
		return;
	v->memory += cap - c->cap;
	c->in = p;
	c->cap = cap;
}

static void drop(struct serving *v, struct connection *c)
{
	set_room(v, c, 0);
	buf_free(&c->out);
	fd_cleanup(&c->fd);
}

static void queue(struct serving *v, struct connection *c, struct mds_reply *r, bool keep, bool head_only)
{
	mds_reply_write(r, keep, head_only, &c->out);
	buf_free(&r->body);
	c->last = !keep || c->out.failed;
	c->until_ms = v->now_ms + MDS_REQUEST_MS;
}

static void refuse(struct serving *v, struct connection *c, int status)
{
	struct mds_reply r = { .status = status };

	queue(v, c, &r, false, false);
}

static void answer(struct serving *v, struct connection *c, const struct mds_request *q)
{
	struct mds_reply r = { .status = 0 };

	mds_answer(v->s->find(v->s->ctx, q->path), q, &r);
	queue(v, c, &r, q->keep, q->method == MDS_HEAD);
}

/* what is there of a request; a reply is on its way after that, or more has to come */
static void take_request(struct serving *v, struct connection *c)
{
	struct mds_request q;
	size_t used;
	int status;

	switch (mds_request_parse(c->in, c->len, &q, &used, &status)) {
	case MDS_MORE:
		return;
	case MDS_BAD:
		refuse(v, c, status);
		return;
	case MDS_WHOLE:
		answer(v, c, &q);
		c->len -= used;
		memmove(c->in, c->in + used, c->len);
		if (!c->len)
			set_room(v, c, 0);
	}
}

/* false: the connection is to be closed */
static bool send_out(struct serving *v, struct connection *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
	}
	buf_free(&c->out);
	c->sent = 0;
	if (!c->last)
		return true;
	c->drains = true;
	c->until_ms = v->now_ms + DRAIN_MS;
	return shutdown(c->fd, SHUT_WR) == 0;
}

/* as many as have come already; false as above */
static bool converse(struct serving *v, struct connection *c)
{
	for (;;) {
		if (c->out.len && !send_out(v, c))
			return false;
		if (c->out.len || c->drains || !c->len)
			return true;
		take_request(v, c);
		if (!c->out.len)
			return !c->last;
	}
}

static bool drain(struct connection *c)
{
	char rest[4096];
	ssize_t n = recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool take_bytes(struct serving *v, struct connection *c)
{
	size_t want = c->cap ? c->cap : ROOM_MIN;

	if (c->drains)
		return drain(c);
	if (c->len == c->cap)
		want = c->cap ? 2 * c->cap : ROOM_MIN;
	if (want != c->cap && (want <= ROOM_FREE || v->memory + want - c->cap <= MDS_MEMORY_MAX))
		set_room(v, c, want);
	if (c->len == c->cap) {
		refuse(v, c, 503);
		return converse(v, c);
	}
	ssize_t n = recv(c->fd, c->in + c->len, c->cap - c->len, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if (!c->len)
		c->until_ms = v->now_ms + MDS_REQUEST_MS;
	c->len += (size_t)n;
	return converse(v, c);
}

static bool in_time(struct serving *v, struct connection *c)
{
	if (v->now_ms < c->until_ms)
		return true;
	if (c->drains || c->out.len || !c->len)
		return false;
	c->len = 0;
	refuse(v, c, 408);
	return converse(v, c);
}

/* ---- all of them ---- */

/* who has let us wait longest for a request, when there is no room for somebody else: he may come again; -1: nobody waits */
static int most_idle(const struct serving *v)
{
	int found = -1;

	for (size_t i = 0; i < v->n; i++)
		if (!v->c[i].out.len && (found < 0 || v->c[i].until_ms < v->c[found].until_ms))
			found = (int)i;
	return found;
}

static bool has_room(const struct serving *v)
{
	return v->n < MDS_CONNECTIONS || most_idle(v) >= 0;
}

static void take_connection(struct serving *v)
{
	int idle = v->n < MDS_CONNECTIONS ? -1 : most_idle(v);

	if (idle >= 0) {
		drop(v, &v->c[idle]);
		v->c[idle] = v->c[--v->n];
	}
	if (v->n == MDS_CONNECTIONS)
		return;
	int fd = accept4(v->s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* no descriptor for it, say: it is still there, and asking again at once would not help */
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			poll(NULL, 0, RETRY_MS);
		return;
	}
	struct connection *c = &v->c[v->n++];
	*c = (struct connection){ .fd = fd, .until_ms = v->now_ms + MDS_REQUEST_MS };
	/* mostly it has spoken already */
	if (!take_bytes(v, c)) {
		drop(v, c);
		v->n--;
	}
}

static int timeout_ms(const struct serving *v)
{
	int64_t until = v->s->idle_ms < 0 ? INT64_MAX : v->idle_since_ms + v->s->idle_ms;

	if (v->n)
		until = INT64_MAX;
	for (size_t i = 0; i < v->n; i++)
		until = v->c[i].until_ms < until ? v->c[i].until_ms : until;
	return until == INT64_MAX ? -1 : until <= v->now_ms ? 0 : (int)(until - v->now_ms);
}

static int look_at_others(const struct serving *v, const struct pollfd *p)
{
	int r = 0;

	for (size_t i = 0; i < 2 && !r; i++)
		if (p[i].revents)
			r = v->s->other(v->s->ctx, v->s->others[i]);
	return r;
}

static int step(struct serving *v, struct err *e)
{
	struct pollfd p[3 + MDS_CONNECTIONS] = {
		{ .fd = v->s->others[0], .events = POLLIN }, { .fd = v->s->others[1], .events = POLLIN },
		{ .fd = has_room(v) ? v->s->listen_fd : -1, .events = POLLIN },
	};
	size_t n = v->n, kept = 0;

	for (size_t i = 0; i < n; i++)
		p[3 + i] = (struct pollfd){ .fd = v->c[i].fd, .events = v->c[i].out.len ? POLLOUT : POLLIN };
	if (poll(p, (nfds_t)(3 + n), timeout_ms(v)) < 0 && errno != EINTR)
		return err_sys(e, "metadata service: poll");
	v->now_ms = clock_ms(CLOCK_MONOTONIC);
	for (size_t i = 0; i < n; i++) {
		struct connection *c = &v->c[i];
		bool stays = !p[3 + i].revents || (c->out.len ? converse(v, c) : take_bytes(v, c));
		if (!stays || !in_time(v, c))
			drop(v, c);
		else
			v->c[kept++] = *c;
	}
	v->n = kept;
	if (p[2].revents)
		take_connection(v);
	if (v->n)
		v->idle_since_ms = v->now_ms;
	return look_at_others(v, p);
}

int mds_serve(const struct mds_server *s, struct err *e)
{
	struct serving *v = calloc(1, sizeof(*v));
	int r = 0;

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	v->s = s;
	v->now_ms = v->idle_since_ms = clock_ms(CLOCK_MONOTONIC);
	while (!r && (s->idle_ms < 0 || v->n || v->now_ms - v->idle_since_ms < s->idle_ms))
		r = step(v, e);
	while (v->n)
		drop(v, &v->c[--v->n]);
	free(v);
	return r;
}
