/* SPDX-License-Identifier: Apache-2.0
 * firewall_hosts - chains of the host's own, which are told to accept what is ours; see firewall.h and firewall_table.h
 */
#include <fcntl.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/net/firewall_table.h"

/* ---- what they are ---- */

bool fw_host_is_asked(const struct fw_host *c, unsigned families)
{
	return c->family == NFPROTO_INET || families & 1u << (c->family == NFPROTO_IPV6);
}

bool fw_host_legacy(bool six)
{
	auto_close int fd = open(six ? "/proc/thread-self/net/ip6_tables_names" : "/proc/thread-self/net/ip_tables_names",
				 O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1;
}

static bool keep(char *out, size_t size, const struct nlattr *a)
{
	int n = snprintf(out, size, "%s", nft_str(a));

	return n > 0 && (size_t)n < size;
}

bool fw_host_read(const struct nlmsghdr *h, struct fw_host *out)
{
	const struct nlattr *a[NFTA_CHAIN_TYPE + 1], *k[NFTA_HOOK_HOOKNUM + 1];
	const struct nfgenmsg *g = NLMSG_DATA(h);

	*out = (struct fw_host){ 0 };
	if (!nl_attrs(h, sizeof(*g), a, NFTA_CHAIN_TYPE) || !a[NFTA_CHAIN_HOOK] ||
	    !nl_nested(a[NFTA_CHAIN_HOOK], k, NFTA_HOOK_HOOKNUM) || !k[NFTA_HOOK_HOOKNUM] ||
	    nl_u32(k[NFTA_HOOK_HOOKNUM]) != __builtin_bswap32(NF_INET_FORWARD) || strcmp(nft_str(a[NFTA_CHAIN_TYPE]), "filter"))
		return false;
	out->family = g->nfgen_family;
	if (out->family != NFPROTO_INET && out->family != NFPROTO_IPV4 && out->family != NFPROTO_IPV6)
		return false;
	out->drops = a[NFTA_CHAIN_POLICY] && nl_u32(a[NFTA_CHAIN_POLICY]) == NF_DROP;
	if (!keep(out->table, sizeof(out->table), a[NFTA_CHAIN_TABLE]) || !keep(out->name, sizeof(out->name), a[NFTA_CHAIN_NAME]))
		return false;
	out->iptables = out->family != NFPROTO_INET && !strcmp(out->table, "filter") && !strcmp(out->name, "FORWARD");
	return fw_is_table(out->family, out->table) < 0;
}

/* 1: it ends the chain for whatever comes, 2: only for what it matches */
static int on_expression(void *ctx, const struct nlattr *entry)
{
	const struct nlattr *a[NFTA_EXPR_DATA + 1], *i[NFTA_IMMEDIATE_DATA + 1], *v[NFTA_DATA_VERDICT + 1], *c[NFTA_VERDICT_CODE + 1];

	if (!nl_nested(entry, a, NFTA_EXPR_DATA))
		return 2;
	const char *name = nft_str(a[NFTA_EXPR_NAME]);
	if (!strcmp(name, "counter") || !strcmp(name, "log"))
		return 0;
	if (!strcmp(name, "reject"))
		return 1;
	bool drops = !strcmp(name, "immediate") && a[NFTA_EXPR_DATA] && nl_nested(a[NFTA_EXPR_DATA], i, NFTA_IMMEDIATE_DATA) &&
		     i[NFTA_IMMEDIATE_DATA] && nl_nested(i[NFTA_IMMEDIATE_DATA], v, NFTA_DATA_VERDICT) && v[NFTA_DATA_VERDICT] &&
		     nl_nested(v[NFTA_DATA_VERDICT], c, NFTA_VERDICT_CODE) && c[NFTA_VERDICT_CODE] &&
		     nl_u32(c[NFTA_VERDICT_CODE]) == NF_DROP;
	return drops ? 1 : 2;
}

static int on_rule(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[NFTA_RULE_USERDATA + 1];
	struct fw_host *c = ctx;

	if (!nl_attrs(h, sizeof(struct nfgenmsg), a, NFTA_RULE_USERDATA) || strcmp(nft_str(a[NFTA_RULE_CHAIN]), c->name) ||
	    strcmp(nft_str(a[NFTA_RULE_TABLE]), c->table))
		return 0;
	const char *comment = nft_comment(a[NFTA_RULE_USERDATA]);
	if (comment && !strcmp(comment, FW_TABLE) && a[NFTA_RULE_HANDLE] && nl_len(a[NFTA_RULE_HANDLE]) == sizeof(c->ours))
		memcpy(&c->ours, nl_data(a[NFTA_RULE_HANDLE]), sizeof(c->ours));
	if (nft_each(a[NFTA_RULE_EXPRESSIONS], on_expression, NULL) == 1)
		c->drops = true;
	return 0;
}

int fw_host_rules(struct nl *n, struct fw_host *c, struct err *e)
{
	auto_nft struct nl_msg m = { 0 };

	nft_msg(&m, NFT_MSG_GETRULE, 0, c->family, c->table);
	nl_put_str(&m, NFTA_RULE_CHAIN, c->name);
	return nl_dump(n, &m, on_rule, c, e);
}

/* ---- our rule ---- */

static const struct { uint32_t mark, mask, invert, pad; } xt_mark = { FW_MARK, FW_MARK_BYTE, 0, 0 };
static const uint32_t marked = FW_MARK, mark_byte[] = { FW_MARK_BYTE, 0 };
static const struct nft_ex accept_xt[] = { NFT_XT_MARK(&xt_mark), NFT_VERDICT(NF_ACCEPT, NULL), NFT_END };
static const struct nft_ex accept_marked[] = {
	NFT_META(NFT_META_MARK, NFT_R), NFT_BITS(NFT_R, mark_byte, 4), NFT_CMP(NFT_CMP_EQ, NFT_R, &marked, 4),
	NFT_VERDICT(NF_ACCEPT, NULL), NFT_END,
};

/* An older iptables does not know its own "mark" in the words of nftables: it would show a rule that accepts everything,
 * and save it so. */
void fw_host_accept(struct nl_msg *m, const struct fw_host *c, bool native)
{
	nft_rule(m, 0, c->family, c->table, c->name, c->iptables && !native ? accept_xt : accept_marked, FW_TABLE);
}

void fw_host_forget(struct nl_msg *m, const struct fw_host *c)
{
	nft_msg(m, NFT_MSG_DELRULE, 0, c->family, c->table);
	nl_put_str(m, NFTA_RULE_CHAIN, c->name);
	nl_put(m, NFTA_RULE_HANDLE, &c->ours, sizeof(c->ours));
}
