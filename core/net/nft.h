/* SPDX-License-Identifier: Apache-2.0
 * nft - messages to nf_tables: batches, expressions of rules from tables, elements of sets, and reading them back
 *
 * Our own over netlink.h. libnftnl is GPL and would be linked into the program; libmnl alone does no more than
 * netlink.c, which is needed anyway.
 *
 * A rule is an array of struct nft_ex, which the macros below write nearly as nft(8) does. Registers are the 32-bit ones,
 * from NFT_R on; a register holds four bytes, so an address of IPv6 takes four of them.
 * Source: kernel include/uapi/linux/netfilter/nf_tables.h.
 */
#pragma once

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "core/net/netlink.h"

#define NFT_R NFT_REG32_00

enum nft_op {
	NFT_OP_END, NFT_OP_CHAIN, NFT_OP_META, NFT_OP_META_SET, NFT_OP_CT, NFT_OP_FIB, NFT_OP_PAYLOAD, NFT_OP_CMP,
	NFT_OP_BITS, NFT_OP_IN, NFT_OP_MAP, NFT_OP_VERDICT, NFT_OP_NAT, NFT_OP_MASQ, NFT_OP_XT, NFT_OP_STOP,
};

struct nft_ex {
	uint8_t     op, v[4];
	const void *data;
};

#define NFT_META(key, reg)           { NFT_OP_META, { (reg), (key) }, NULL }
#define NFT_SET_META(key, reg)       { NFT_OP_META_SET, { (reg), (key) }, NULL }
#define NFT_CT(key, reg)             { NFT_OP_CT, { (reg), (key) }, NULL }
#define NFT_FIB_TYPE(flag, reg)      { NFT_OP_FIB, { (reg), (flag), NFT_FIB_RESULT_ADDRTYPE }, NULL }
#define NFT_PAYLOAD(base, off, len, reg) { NFT_OP_PAYLOAD, { (reg), (base), (off), (len) }, NULL }
#define NFT_CMP(how, reg, bytes, len) { NFT_OP_CMP, { (reg), (how), 0, (len) }, (bytes) }
/* and with the first @len of @bytes, exclusive or with the second */
#define NFT_BITS(reg, bytes, len)    { NFT_OP_BITS, { (reg), (reg), (len) }, (bytes) }
#define NFT_IN(set, reg)             { NFT_OP_IN, { (reg) }, (set) }
#define NFT_MAP(map, reg, to)        { NFT_OP_MAP, { (reg), (to) }, (map) } /* to NFT_REG_VERDICT: goes there */
#define NFT_VERDICT(code, chain)     { NFT_OP_VERDICT, { (uint8_t)(code) }, (chain) }
#define NFT_DNAT(family, reg, port)  { NFT_OP_NAT, { (reg), (port), (family), NFT_NAT_DNAT }, NULL }
#define NFT_MASQUERADE               { NFT_OP_MASQ, { 0 }, NULL }
#define NFT_XT_MARK(bytes)           { NFT_OP_XT, { 0 }, (bytes) } /* struct xt_mark_mtinfo1, as iptables has it */
#define NFT_END                      { NFT_OP_END, { 0 }, NULL }
#define NFT_STOP                     { NFT_OP_STOP, { 0 }, NULL } /* behind the last rule of an array */

/* Messages are of a buffer on the heap that grows; nft_free() it. Failed memory is m->overflow. */
void nft_free(struct nl_msg *m);
#define auto_nft __attribute__((cleanup(nft_free)))

/** nft_begin(), nft_end() - a transaction; @generation: it fails with ERESTART when that is not the rule set's any more */
void nft_begin(struct nl_msg *m, uint32_t generation);
void nft_end(struct nl_msg *m);
/** nft_msg() - begins a message about something in @table */
void nft_msg(struct nl_msg *m, int msg, uint16_t flags, uint8_t family, const char *table);
/** nft_other() - begins a message to another part of netfilter */
void nft_other(struct nl_msg *m, uint16_t type, uint8_t family);
/** nft_rule() - up to NFT_OP_END; NLM_F_APPEND in @flags: behind the others. Returns what is behind the end. */
const struct nft_ex *nft_rule(struct nl_msg *m, uint16_t flags, uint8_t family, const char *table, const char *chain,
			      const struct nft_ex *x, const char *comment);

/* Elements of one set, in as many messages as they need. */
struct nft_elems {
	struct nl_msg *m;
	const char    *table, *set;
	uint16_t       msg, flags;
	uint8_t        family;
	size_t         nest; /* 0: no message is begun */
};
/** nft_elem() - @data of @data_len bytes, or with length 0 the name of the chain to go to, or NULL; so @comment */
void nft_elem(struct nft_elems *s, const void *key, size_t key_len, const void *data, size_t data_len,
	      const char *comment);
void nft_elems_end(struct nft_elems *s);

/** nft_generation() - ENOTSUP: no nf_tables in the kernel */
int nft_generation(struct nl *n, uint32_t *out, struct err *e);

/** nft_each() - entries of a list of attributes; non-zero from @fn ends it and is returned */
int nft_each(const struct nlattr *list, int (*fn)(void *ctx, const struct nlattr *a), void *ctx);
/** nft_comment() - of user data, or NULL; borrowed */
const char *nft_comment(const struct nlattr *userdata);
/** nft_str() - of an attribute; "": it is not there, or not a string */
const char *nft_str(const struct nlattr *a);
