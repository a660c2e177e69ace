/* SPDX-License-Identifier: Apache-2.0
 * netlink - one socket to the kernel's network configuration: messages with attributes, acknowledged one by one or as a
 * batch
 *
 * A message is built in a buffer of the caller, which remembers that it overflowed; it is sent and its answer awaited in
 * one call. Errors carry the kernel's own words, which it gives with extended acknowledgements (since 4.12).
 * Source: kernel Documentation/userspace-api/netlink/intro.rst; linux/netlink.h.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct nl {
	int      fd; /* -1: not open */
	uint32_t seq;
};
#define NL_NONE { .fd = -1 }
#define auto_nl __attribute__((cleanup(nl_close)))

/** nl_open() - @protocol NETLINK_ROUTE or NETLINK_NETFILTER; of the caller's network namespace, for good */
int nl_open(int protocol, struct nl *out, struct err *e);
/** nl_open_in() - of the network namespace @netns_fd; the calling thread is back in its own when this returns */
int nl_open_in(int netns_fd, int protocol, struct nl *out, struct err *e);
void nl_close(struct nl *n);

/* One message, or several in a row. */
struct nl_msg {
	char  *data;
	size_t len, cap;
	size_t begin;    /* of the last message */
	bool   overflow; /* then it is not sent: ENOBUFS, a bug of ours */
	int    fine;     /* an errno that is as good as done: EEXIST */
};
/** NL_MSG() - a buffer of its own on the stack */
#define NL_MSG(name, size) \
	_Alignas(NLMSG_ALIGNTO) char name##_room[size]; \
	struct nl_msg name = { .data = name##_room, .cap = (size) }

/** nl_begin() - ends the message before, begins one with a family header of @head_len zeroed bytes, and returns that;
 * never NULL */
void *nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, size_t head_len);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *s); /* with the NUL */
void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v);
void nl_put_u16(struct nl_msg *m, uint16_t type, uint16_t v);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v);
void nl_put_be32(struct nl_msg *m, uint16_t type, uint32_t v); /* nftables wants its numbers so */
/** nl_put_raw() - no attribute: the family header that some nested ones begin with */
void nl_put_raw(struct nl_msg *m, const void *data, size_t len);
/** nl_nest() - begins an attribute of attributes; nl_nest_end() takes what it returned */
size_t nl_nest(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, size_t at);

/**
 * nl_ask() - sends @m, waits for the acknowledgement
 *
 * Every message of @m that has NLM_F_ACK is waited for (a lone message gets it); the first error counts, and *failed,
 * if not NULL, receives which message it was, from 0. Of rtnetlink the messages after it were carried out as well, so a
 * batch must be such that this does no harm.
 * Errors: the kernel's errno with "strerror (what the kernel says)" as text; the caller adds what it wanted with
 * err_wrap().
 */
int nl_ask(struct nl *n, struct nl_msg *m, size_t *failed, struct err *e);

/** nl_dump() - sends @m (NLM_F_DUMP is added), calls @fn with each answer; non-zero from it ends the calls, not the
 * reading, and is returned. EINTR of a dump that changed meanwhile is repeated by us, so @fn may see entries twice.
 */
int nl_dump(struct nl *n, struct nl_msg *m, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e);

/** nl_get() - sends @m and gives its one answer to @fn, whose value it returns. With NLM_F_ACK (and NLM_F_ECHO, for what
 * changes something) it is no error when the kernel does what it is asked to without such an answer: 0. */
int nl_get(struct nl *n, struct nl_msg *m, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e);

/** nl_attrs() - attributes of @h behind a family header of @head_len bytes by type, into @out[0..max]; NULL: not there.
 * false: malformed */
bool nl_attrs(const struct nlmsghdr *h, size_t head_len, const struct nlattr **out, uint16_t max);
bool nl_nested(const struct nlattr *a, const struct nlattr **out, uint16_t max);
static inline const void *nl_data(const struct nlattr *a) { return (const char *)a + NLA_HDRLEN; }
static inline size_t nl_len(const struct nlattr *a) { return a->nla_len - NLA_HDRLEN; }
uint32_t nl_u32(const struct nlattr *a);
