/* SPDX-License-Identifier: Apache-2.0
 * netlink - see netlink.h
 *
 * Answers are told apart by their sequence numbers: each message has its own, and what is left of a call that ended with
 * an error is passed over by the next one. Only the kernel is listened to.
 */
#include "core/net/netlink.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/net/inside.h"

#define ANSWER_MAX  (16 << 10) /* the kernel makes parts of a dump no longer than 8 KB where nobody asks for more */
#define DUMP_TRIES  20

int nl_open(int protocol, struct nl *out, struct err *e)
{
	/* the kernel's words; no copy of our own message; only what was asked for in dumps. Older kernels do without. */
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	static const int yes = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return err_sys(e, "netlink socket");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, SOL_NETLINK, options[i], &yes, sizeof(yes));
	*out = (struct nl){ .fd = fd };
	return 0;
}

struct opening { int protocol; struct nl *out; };

static int open_here(void *ctx, struct err *e)
{
	const struct opening *o = ctx;

	return nl_open(o->protocol, o->out, e);
}

int nl_open_in(int netns_fd, int protocol, struct nl *out, struct err *e)
{
	return inside_call(netns_fd, open_here, &(struct opening){ protocol, out }, e);
}

void nl_close(struct nl *n)
{
	fd_cleanup(&n->fd);
	n->fd = -1;
}

/* ---- building ---- */

static struct nlmsghdr *last(const struct nl_msg *m)
{
	return (struct nlmsghdr *)(void *)(m->data + m->begin);
}

/* zeroed room at the end of the last message, which grows by it; NULL: there is none */
static void *grow(struct nl_msg *m, size_t len)
{
	char *p = m->data + m->len;
	size_t room = NLMSG_ALIGN(len);

	if (m->overflow || room > m->cap - m->len) {
		m->overflow = true;
		return NULL;
	}
	memset(p, 0, room);
	m->len += room;
	last(m)->nlmsg_len = (uint32_t)(m->len - m->begin);
	return p;
}

void *nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, size_t head_len)
{
	assert(m->cap >= NLMSG_HDRLEN + head_len);
	if (m->cap - m->len < NLMSG_HDRLEN + NLMSG_ALIGN(head_len)) {
		m->overflow = true;
		return m->data;
	}
	m->begin = m->len;
	grow(m, NLMSG_HDRLEN);
	last(m)->nlmsg_type = type;
	last(m)->nlmsg_flags = flags | NLM_F_REQUEST;
	return grow(m, head_len);
}

void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = len > UINT16_MAX - NLA_HDRLEN ? NULL : grow(m, NLA_HDRLEN + len);

	if (!a) {
		m->overflow = true;
		return;
	}
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (len)
		memcpy(a + 1, data, len);
}

void nl_put_str(struct nl_msg *m, uint16_t type, const char *s)
{
	nl_put(m, type, s, strlen(s) + 1);
}

void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u16(struct nl_msg *m, uint16_t type, uint16_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_be32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	nl_put_u32(m, type, htobe32(v));
}

void nl_put_raw(struct nl_msg *m, const void *data, size_t len)
{
	void *p = grow(m, len);

	if (p)
		memcpy(p, data, len);
}

size_t nl_nest(struct nl_msg *m, uint16_t type)
{
	size_t at = m->len;

	nl_put(m, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_msg *m, size_t at)
{
	size_t len = m->len - at;

	if (m->overflow)
		return;
	m->overflow = len > UINT16_MAX;
	((struct nlattr *)(void *)(m->data + at))->nla_len = (uint16_t)len;
}

/* ---- reading ---- */

/* into @out what stands in the @len bytes at @p */
static bool read_attrs(const char *p, size_t len, const struct nlattr **out, uint16_t max)
{
	memset(out, 0, (max + 1u) * sizeof(*out));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;
		size_t step = NLA_ALIGN(a->nla_len), type = a->nla_type & NLA_TYPE_MASK;
		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return false;
		if (type <= max)
			out[type] = a;
		step = step < len ? step : len;
		p += step;
		len -= step;
	}
	return true;
}

bool nl_attrs(const struct nlmsghdr *h, size_t head_len, const struct nlattr **out, uint16_t max)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(head_len);

	return h->nlmsg_len >= skip && read_attrs((const char *)h + skip, h->nlmsg_len - skip, out, max);
}

bool nl_nested(const struct nlattr *a, const struct nlattr **out, uint16_t max)
{
	return read_attrs(nl_data(a), nl_len(a), out, max);
}

uint32_t nl_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	if (nl_len(a) >= sizeof(v))
		memcpy(&v, nl_data(a), sizeof(v));
	return v;
}

/* ---- asking ---- */

/* what an error message says beside its number: the kernel's words behind the header of the message that failed, or
 * behind all of it */
static const char *words(const struct nlmsghdr *h, const struct nlmsgerr *r)
{
	const struct nlattr *a[NLMSGERR_ATTR_MSG + 1];
	size_t head = sizeof(*r);

	if (!(h->nlmsg_flags & NLM_F_CAPPED) && r->msg.nlmsg_len > NLMSG_HDRLEN)
		head += r->msg.nlmsg_len - NLMSG_HDRLEN;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || !nl_attrs(h, head, a, NLMSGERR_ATTR_MSG) || !a[NLMSGERR_ATTR_MSG])
		return NULL;
	const char *s = nl_data(a[NLMSGERR_ATTR_MSG]);
	return memchr(s, '\0', nl_len(a[NLMSGERR_ATTR_MSG])) ? s : NULL;
}

/* 0: an acknowledgement */
static int verdict(const struct nlmsghdr *h, int fine, struct err *e)
{
	const struct nlmsgerr *r = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*r)))
		return err_set(e, EBADMSG, "the kernel's answer is too short");
	if (r->error == 0 || -r->error == fine)
		return 0;
	const char *s = words(h, r);
	if (!s)
		return err_set(e, -r->error, "%s", strerror(-r->error));
	size_t len = strlen(s);
	return err_set(e, -r->error, "%s (%.*s)", strerror(-r->error), (int)len - (len && s[len - 1] == '.'), s);
}

/* What comes back for the messages from @first to before n->seq. */
struct reading {
	uint32_t first;
	size_t   n_acks, *failed; /* acknowledgements still to come */
	int      fine;
	bool     one, interrupted; /* ends with the first answer */
	int    (*fn)(void *ctx, const struct nlmsghdr *h);
	void    *ctx;
	int      r; /* what fn returned */
};

/* 1: that was the last, 0: more will come */
static int read_one(struct reading *g, const struct nlmsghdr *h, struct err *e)
{
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		g->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR) {
		if (g->failed)
			*g->failed = h->nlmsg_seq - g->first;
		return verdict(h, g->fine, e) < 0 ? -1 : g->n_acks <= 1 || --g->n_acks == 0;
	}
	if (h->nlmsg_type == NLMSG_DONE) {
		int code = 0;
		/* a dump that failed on its way says so here */
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
			memcpy(&code, NLMSG_DATA(h), sizeof(code));
		return code < 0 ? err_set(e, -code, "%s", strerror(-code)) : 1;
	}
	if (g->fn && !g->r)
		g->r = g->fn(g->ctx, h);
	return g->one;
}

static int read_many(const struct nl *n, struct reading *g, const char *p, size_t len, struct err *e)
{
	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *h = (const void *)p;
		size_t step = h->nlmsg_len;
		if (step < NLMSG_HDRLEN || step > len)
			return err_set(e, EBADMSG, "the kernel's answer has no end");
		int r = h->nlmsg_seq - g->first < n->seq - g->first ? read_one(g, h, e) : 0;
		if (r)
			return r;
		step = NLMSG_ALIGN(step) < len ? NLMSG_ALIGN(step) : len;
		p += step;
		len -= step;
	}
	return 0;
}

static int read_answers(const struct nl *n, struct reading *g, struct err *e)
{
	union { struct nlmsghdr h; char room[ANSWER_MAX]; } a;
	struct sockaddr_nl from;

	for (;;) {
		struct iovec v = { &a, sizeof(a) };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t len = recvmsg(n->fd, &m, 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return err_sys(e, "the kernel's answer");
		if (from.nl_pid)
			continue;
		if (m.msg_flags & MSG_TRUNC)
			return err_set(e, EMSGSIZE, "the kernel's answer is too long");
		int r = read_many(n, g, a.room, (size_t)len, e);
		if (r)
			return r < 0 ? -1 : 0;
	}
}

static int send_all(struct nl *n, struct nl_msg *m, struct reading *g, struct err *e)
{
	struct nlmsghdr *h;

	if (m->overflow)
		return err_set(e, ENOBUFS, "netlink message too long");
	g->first = n->seq;
	g->fine = m->fine;
	for (size_t at = 0; at < m->len; at += h->nlmsg_len) {
		h = (struct nlmsghdr *)(void *)(m->data + at);
		h->nlmsg_seq = n->seq++;
		g->n_acks += (h->nlmsg_flags & NLM_F_ACK) != 0;
	}
	while (send(n->fd, m->data, m->len, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "ask the kernel");
	return 0;
}

int nl_ask(struct nl *n, struct nl_msg *m, size_t *failed, struct err *e)
{
	struct reading g = { .failed = failed };

	if (!m->begin && m->len)
		last(m)->nlmsg_flags |= NLM_F_ACK;
	return send_all(n, m, &g, e) < 0 ? -1 : g.n_acks ? read_answers(n, &g, e) : 0;
}

int nl_dump(struct nl *n, struct nl_msg *m, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e)
{
	last(m)->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct reading g = { .fn = fn, .ctx = ctx };
		if (send_all(n, m, &g, e) < 0 || read_answers(n, &g, e) < 0)
			return -1;
		if (g.r || !g.interrupted)
			return g.r;
	}
	return err_set(e, EINTR, "what was asked for keeps changing");
}

int nl_get(struct nl *n, struct nl_msg *m, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e)
{
	struct reading g = { .fn = fn, .ctx = ctx };

	g.one = !(last(m)->nlmsg_flags & NLM_F_ACK);
	return send_all(n, m, &g, e) < 0 || read_answers(n, &g, e) < 0 ? -1 : g.r;
}
