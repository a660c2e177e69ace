/* SPDX-License-Identifier: Apache-2.0
 * nft - see nft.h
 */
#include "core/net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX  4096          /* of all but lists of elements */
#define ELEMENTS_MAX (UINT16_MAX - 1024) /* bytes of a list: an attribute's length has 16 bits */
#define UDATA_COMMENT 0            /* as libnftnl writes it: type, length, text with its NUL */

/* ---- messages ---- */

void nft_free(struct nl_msg *m)
{
	free(m->data);
	m->data = NULL;
}

/* Places in a message are offsets, so it may move. */
static void room(struct nl_msg *m, size_t len)
{
	if (m->cap - m->len >= len || m->overflow)
		return;
	size_t cap = m->cap * 2 + len;
	char *p = realloc(m->data, cap);
	if (!p) {
		m->overflow = true;
		return;
	}
	m->data = p;
	m->cap = cap;
}

static void begin(struct nl_msg *m, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg none, *g = &none;

	room(m, MESSAGE_MAX);
	if (m->data && !m->overflow)
		g = nl_begin(m, type, flags, sizeof(*g));
	*g = (struct nfgenmsg){ .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(res_id) };
}

void nft_begin(struct nl_msg *m, uint32_t generation)
{
	begin(m, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nl_put_be32(m, NFNL_BATCH_GENID, generation);
}

void nft_end(struct nl_msg *m)
{
	/* the kernel has taken the whole when it acknowledges its last message: that is sent behind the commit */
	if (!m->overflow)
		((struct nlmsghdr *)(void *)(m->data + m->begin))->nlmsg_flags |= NLM_F_ACK;
	begin(m, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void nft_msg(struct nl_msg *m, int msg, uint16_t flags, uint8_t family, const char *table)
{
	begin(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | msg), flags, family, 0);
	if (table)
		nl_put_str(m, NFTA_TABLE_NAME, table); /* tables, chains, rules and sets have it in the same place */
}

void nft_other(struct nl_msg *m, uint16_t type, uint8_t family)
{
	begin(m, type, 0, family, 0);
}

static void put_comment(struct nl_msg *m, uint16_t type, const char *comment)
{
	char b[130] = { UDATA_COMMENT };
	size_t len = strnlen(comment, sizeof(b) - 3) + 1;

	b[1] = (char)len;
	memcpy(b + 2, comment, len - 1);
	nl_put(m, type, b, len + 2);
}

/* ---- rules ---- */

enum { NONE, VALUE, BITS, NAME, GOTO, XT };

static const struct { char name[10]; uint8_t attr[4], data; } ops[] = {
	[NFT_OP_META]     = { "meta", { NFTA_META_DREG, NFTA_META_KEY }, NONE },
	[NFT_OP_META_SET] = { "meta", { NFTA_META_SREG, NFTA_META_KEY }, NONE },
	[NFT_OP_CT]       = { "ct", { NFTA_CT_DREG, NFTA_CT_KEY }, NONE },
	[NFT_OP_FIB]      = { "fib", { NFTA_FIB_DREG, NFTA_FIB_FLAGS, NFTA_FIB_RESULT }, NONE },
	[NFT_OP_PAYLOAD]  = { "payload", { NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN }, NONE },
	[NFT_OP_CMP]      = { "cmp", { NFTA_CMP_SREG, NFTA_CMP_OP }, VALUE },
	[NFT_OP_BITS]     = { "bitwise", { NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN }, BITS },
	[NFT_OP_IN]       = { "lookup", { NFTA_LOOKUP_SREG }, NAME },
	[NFT_OP_MAP]      = { "lookup", { NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG }, NAME },
	[NFT_OP_VERDICT]  = { "immediate", { 0 }, GOTO },
	[NFT_OP_NAT]      = { "nat", { NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_FAMILY, NFTA_NAT_TYPE }, NONE },
	[NFT_OP_MASQ]     = { "masq", { 0 }, NONE },
	[NFT_OP_XT]       = { "match", { 0 }, XT },
};

static void put_value(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	size_t at = nl_nest(m, type);

	nl_put(m, NFTA_DATA_VALUE, data, len);
	nl_nest_end(m, at);
}

static void put_verdict(struct nl_msg *m, uint16_t type, int code, const char *chain)
{
	size_t at = nl_nest(m, type), v = nl_nest(m, NFTA_DATA_VERDICT);

	nl_put_be32(m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nl_put_str(m, NFTA_VERDICT_CHAIN, chain);
	nl_nest_end(m, v);
	nl_nest_end(m, at);
}

static void put_data(struct nl_msg *m, const struct nft_ex *x)
{
	const uint8_t *data = x->data;

	switch (ops[x->op].data) {
	case VALUE:
		put_value(m, NFTA_CMP_DATA, data, x->v[3]);
		break;
	case BITS:
		put_value(m, NFTA_BITWISE_MASK, data, x->v[2]);
		put_value(m, NFTA_BITWISE_XOR, data + x->v[2], x->v[2]);
		break;
	case NAME:
		nl_put_str(m, NFTA_LOOKUP_SET, x->data);
		break;
	case GOTO:
		nl_put_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
		put_verdict(m, NFTA_IMMEDIATE_DATA, (int8_t)x->v[0], x->data);
		break;
	case XT:
		nl_put_str(m, NFTA_MATCH_NAME, "mark");
		nl_put_be32(m, NFTA_MATCH_REV, 1);
		nl_put(m, NFTA_MATCH_INFO, data, 16);
		break;
	default:
		break;
	}
}

static void put_ex(struct nl_msg *m, const struct nft_ex *x)
{
	size_t at = nl_nest(m, NFTA_LIST_ELEM);

	nl_put_str(m, NFTA_EXPR_NAME, ops[x->op].name);
	size_t data = nl_nest(m, NFTA_EXPR_DATA);
	for (size_t i = 0; i < 4 && ops[x->op].attr[i]; i++)
		nl_put_be32(m, ops[x->op].attr[i], x->v[i]);
	put_data(m, x);
	nl_nest_end(m, data);
	nl_nest_end(m, at);
}

const struct nft_ex *nft_rule(struct nl_msg *m, uint16_t flags, uint8_t family, const char *table, const char *chain,
			      const struct nft_ex *x, const char *comment)
{
	nft_msg(m, NFT_MSG_NEWRULE, flags | NLM_F_CREATE, family, table);
	nl_put_str(m, NFTA_RULE_CHAIN, chain);
	size_t at = nl_nest(m, NFTA_RULE_EXPRESSIONS);
	for (; x->op != NFT_OP_END; x++)
		put_ex(m, x);
	nl_nest_end(m, at);
	if (comment)
		put_comment(m, NFTA_RULE_USERDATA, comment);
	return x + 1;
}

/* ---- elements ---- */

void nft_elems_end(struct nft_elems *s)
{
	if (s->nest)
		nl_nest_end(s->m, s->nest);
	s->nest = 0;
}

void nft_elem(struct nft_elems *s, const void *key, size_t key_len, const void *data, size_t data_len,
	      const char *comment)
{
	struct nl_msg *m = s->m;

	room(m, MESSAGE_MAX);
	if (s->nest && m->len - s->nest > ELEMENTS_MAX)
		nft_elems_end(s);
	if (!s->nest) {
		nft_msg(m, s->msg, s->flags, s->family, s->table);
		nl_put_str(m, NFTA_SET_ELEM_LIST_SET, s->set);
		s->nest = nl_nest(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	size_t at = nl_nest(m, NFTA_LIST_ELEM);
	put_value(m, NFTA_SET_ELEM_KEY, key, key_len);
	if (data_len)
		put_value(m, NFTA_SET_ELEM_DATA, data, data_len);
	else if (data)
		put_verdict(m, NFTA_SET_ELEM_DATA, NFT_GOTO, data);
	if (comment)
		put_comment(m, NFTA_SET_ELEM_USERDATA, comment);
	nl_nest_end(m, at);
}

/* ---- reading ---- */

static int on_generation(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[NFTA_GEN_ID + 1];

	if (nl_attrs(h, sizeof(struct nfgenmsg), a, NFTA_GEN_ID) && a[NFTA_GEN_ID])
		*(uint32_t *)ctx = ntohl(nl_u32(a[NFTA_GEN_ID]));
	return 0;
}

int nft_generation(struct nl *n, uint32_t *out, struct err *e)
{
	auto_nft struct nl_msg m = { 0 };

	*out = 0;
	nft_msg(&m, NFT_MSG_GETGEN, 0, AF_UNSPEC, NULL);
	if (nl_get(n, &m, on_generation, out, e) == 0)
		return 0;
	if (e->code == EPERM)
		return err_set(e, EPERM, "nftables: no permission: needs CAP_NET_ADMIN where the network is the host's");
	/* nfnetlink does not know the number of a subsystem that is not there */
	return err_set(e, ENOTSUP, "the kernel lacks nftables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET), or its module "
		       "nf_tables cannot be loaded");
}

int nft_each(const struct nlattr *list, int (*fn)(void *ctx, const struct nlattr *a), void *ctx)
{
	size_t left = list ? nl_len(list) : 0;
	const char *p = list ? nl_data(list) : NULL;

	while (left >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;
		if (a->nla_len < NLA_HDRLEN || a->nla_len > left)
			return 0;
		int r = fn(ctx, a);
		if (r)
			return r;
		size_t step = NLA_ALIGN((size_t)a->nla_len);
		step = step < left ? step : left;
		p += step;
		left -= step;
	}
	return 0;
}

const char *nft_comment(const struct nlattr *userdata)
{
	const unsigned char *p = userdata ? nl_data(userdata) : NULL;
	size_t left = userdata ? nl_len(userdata) : 0;

	while (left >= 2 && left - 2 >= p[1]) {
		if (p[0] == UDATA_COMMENT)
			return p[1] && !p[2 + p[1] - 1] ? (const char *)p + 2 : NULL;
		left -= 2u + p[1];
		p += 2 + p[1];
	}
	return NULL;
}

const char *nft_str(const struct nlattr *a)
{
	return a && nl_len(a) && !((const char *)nl_data(a))[nl_len(a) - 1] ? nl_data(a) : "";
}
