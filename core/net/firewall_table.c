/* SPDX-License-Identifier: Apache-2.0
 * firewall_table - what is in our tables; see firewall_table.h
 *
 * Whether a packet is ours is found out in maps, however many pods there are. Those of connections' first packets:
 * ports and addresses (where a forwarded port leads to), pods (an address of a pod; which chain masquerades for it).
 * Of every forwarded packet: interfaces, those that lead to pods, and closed, those of them which nothing leaves.
 *
 * The mark is how chains of the host's own learn what is ours: the first byte of a packet's mark, set before any of them
 * is asked and cleared behind the last. A packet whose first byte somebody else uses is left to the host's own rules. So
 * these chains need a single rule, which is the same for all pods, can be shown by any iptables, and matches nothing when
 * it is still there after us.
 */
#include "core/net/firewall_table.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* ---- sets ---- */

/* numbers by which nft(8) knows what to print; six bits each where a key has several parts */
enum { T_IP4 = 7, T_IP6 = 8, T_PROTO = 12, T_PORT = 13, T_IFACE = 41 };
#define AND(a, b) ((uint32_t)(a) << 6 | (uint32_t)(b))

#define INTERFACES { "interfaces", T_IFACE, IFNAMSIZ, 0, 0 }
#define CLOSED     { "closed", T_IFACE, IFNAMSIZ, 0, 0 }
#define INSIDES    { "inside", AND(T_IFACE, T_IFACE), 2 * IFNAMSIZ, 0, 0 }

const struct fw_set_form fw_sets[FW_SETS] = {
	[FW_PODS]       = { "pods", T_IP4, 4, NFT_DATA_VERDICT, 0 },
	[FW_PODS6]      = { "pods", T_IP6, 16, NFT_DATA_VERDICT, 0 },
	[FW_PORTS]      = { "ports", AND(T_PROTO, T_PORT), 8, AND(T_IP4, T_PORT), 8 },
	[FW_PORTS6]     = { "ports", AND(T_PROTO, T_PORT), 8, AND(T_IP6, T_PORT), 20 },
	[FW_ADDRESSES]  = { "addresses", AND(AND(T_IP4, T_PROTO), T_PORT), 12, AND(T_IP4, T_PORT), 8 },
	[FW_ADDRESSES6] = { "addresses", AND(AND(T_IP6, T_PROTO), T_PORT), 24, AND(T_IP6, T_PORT), 20 },
	[FW_IFACES]     = INTERFACES,
	[FW_IFACES6]    = INTERFACES,
	[FW_CLOSED]     = CLOSED,
	[FW_CLOSED6]    = CLOSED,
	[FW_INSIDE]     = INSIDES,
	[FW_INSIDE6]    = INSIDES,
};

static void put_set(struct nl_msg *m, uint32_t i)
{
	const struct fw_set_form *s = &fw_sets[i];

	nft_msg(m, NFT_MSG_NEWSET, NLM_F_CREATE, FW_FAMILY(FW_SET_IS6(i)), FW_TABLE);
	nl_put_str(m, NFTA_SET_NAME, s->name);
	nl_put_be32(m, NFTA_SET_ID, i + 1);
	nl_put_be32(m, NFTA_SET_KEY_TYPE, s->key_type);
	nl_put_be32(m, NFTA_SET_KEY_LEN, s->key_len);
	nl_put_be32(m, NFTA_SET_FLAGS, s->data_type ? NFT_SET_MAP : 0);
	/* nft(8) wants to be told what its own tables say, or it prints no names */
	const uint8_t order[] = { 0, 4, i >= FW_IFACES ? 1 : 2, 0, 0, 0 };
	nl_put(m, NFTA_SET_USERDATA, order, sizeof(order));
	if (!s->data_type)
		return;
	nl_put_be32(m, NFTA_SET_DATA_TYPE, s->data_type);
	nl_put_be32(m, NFTA_SET_DATA_LEN, s->data_len);
}

struct nft_elems fw_elements(struct nl_msg *m, int set, uint16_t msg, uint16_t flags)
{
	return (struct nft_elems){ m, FW_TABLE, fw_sets[set].name, msg, flags, FW_FAMILY(FW_SET_IS6(set)), 0 };
}

/* ---- chains and rules ---- */

struct chain { const char *name, *type; int hook, priority; };

static const struct chain chains[] = {
	{ "prerouting", "nat", NF_INET_PRE_ROUTING, -100 },
	{ "output", "nat", NF_INET_LOCAL_OUT, -100 },
	{ "postrouting", "nat", NF_INET_POST_ROUTING, 100 },
	{ .name = "ports" },
	{ .name = "hairpin" },
	{ .name = "to-pods" },
};

/* Every hook that is used costs each packet of the host, and the first to use it a change of the running kernel. */
static const struct chain forward_chains[] = {
	{ FW_FORWARD, "filter", NF_INET_FORWARD, -140 }, /* behind mangle (-150), before every filter */
	{ "forwarded", "filter", NF_INET_FORWARD, 1000 },
	{ .name = "from-closed" },
	{ .name = "to-closed" },
	{ .name = "mark-it" },
};

/* host byte order */
static const uint32_t is_local = RTN_LOCAL, nothing = 0;
static const uint32_t dnat[] = { IPS_DST_NAT, 0 };
static const uint32_t going_on[] = { NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), 0 };
static const uint32_t marked = FW_MARK, mark_byte[] = { FW_MARK_BYTE, 0 };
static const uint32_t mark[] = { ~FW_MARK_BYTE, FW_MARK }, unmark[] = { ~FW_MARK_BYTE, 0 };
static const uint8_t reply[] = { 1 /* IP_CT_DIR_REPLY */ };
static const uint8_t net127[] = { 127 }, localhost6[16] = { [15] = 1 };
/* addresses that stand for many: 224.0.0.0/3 with the broadcast one, ff00::/8 */
static const uint8_t many4_bits[] = { 0xe0, 0 }, many4[] = { 0xe0 }, many6_bits[] = { 0xff, 0 }, many6[] = { 0xff };

#define R         NFT_R
#define CHAIN(n)  { NFT_OP_CHAIN, { 0 }, (n) }
#define IS(reg, bytes) NFT_CMP(NFT_CMP_EQ, reg, &(bytes), sizeof(bytes))
#define SOME(key, bits) NFT_CT(key, R), NFT_BITS(R, bits, 4), NFT_CMP(NFT_CMP_NEQ, R, &nothing, 4)
#define NONE(key, bits) NFT_CT(key, R), NFT_BITS(R, bits, 4), NFT_CMP(NFT_CMP_EQ, R, &nothing, 4)
#define IP(off, len, reg) NFT_PAYLOAD(NFT_PAYLOAD_NETWORK_HEADER, off, len, reg)
#define SADDR4    IP(12, 4, R)
#define DADDR4    IP(16, 4, R)
#define SADDR6    IP(8, 16, R)
#define DADDR6    IP(24, 16, R)
#define PORT(reg) NFT_META(NFT_META_L4PROTO, reg), NFT_PAYLOAD(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, (reg) + 1)
#define FROM(set) NFT_META(NFT_META_IIFNAME, R), NFT_IN(set, R)
#define TO(set)   NFT_META(NFT_META_OIFNAME, R), NFT_IN(set, R)
/* from an interface to the same: bridged, where br_netfilter shows the firewall what bridges do */
#define INSIDE    NFT_META(NFT_META_IIFNAME, R), NFT_META(NFT_META_OIFNAME, R + 4), NFT_IN("inside", R)
#define MARK_BYTE NFT_META(NFT_META_MARK, R), NFT_BITS(R, mark_byte, 4)
#define SET_MARK(bits) NFT_META(NFT_META_MARK, R), NFT_BITS(R, bits, 4), NFT_SET_META(NFT_META_MARK, R)
#define DO(code, chain) NFT_VERDICT(code, chain), NFT_END

static const struct nft_ex rules[] = {
	CHAIN("prerouting"), DO(NFT_JUMP, "ports"),
	CHAIN("output"), DO(NFT_JUMP, "ports"),
	CHAIN("ports"),
	NFT_FIB_TYPE(NFTA_FIB_F_DADDR, R), NFT_CMP(NFT_CMP_NEQ, R, &is_local, 4), DO(NFT_RETURN, NULL),

	CHAIN("postrouting"),
	SOME(NFT_CT_STATUS, dnat), TO("interfaces"), DO(NFT_JUMP, "to-pods"),
	/* pods that need not have a route back: to the host's own addresses, or, closed, to anywhere */
	CHAIN("to-pods"),
	NFT_FIB_TYPE(NFTA_FIB_F_SADDR, R), IS(R, is_local), NFT_MASQUERADE, NFT_END,
	TO("closed"), NFT_MASQUERADE, NFT_END,
	/* a pod at a forwarded port: it may be its own, or a neighbour's, who would answer past us */
	CHAIN("hairpin"),
	SOME(NFT_CT_STATUS, dnat), NFT_MASQUERADE, NFT_END,
	NFT_STOP,
};

/* behind those; loopback addresses are the proxy's: see proxy.h */
static const struct nft_ex rules4[] = {
	CHAIN("ports"),
	IP(16, 1, R), IS(R, net127), DO(NFT_RETURN, NULL),
	DADDR4, PORT(R + 1), NFT_MAP("addresses", R, R), NFT_DNAT(NFPROTO_IPV4, R, R + 1), NFT_END,
	PORT(R), NFT_MAP("ports", R, R), NFT_DNAT(NFPROTO_IPV4, R, R + 1), NFT_END,
	CHAIN("postrouting"),
	SADDR4, NFT_MAP("pods", R, NFT_REG_VERDICT), NFT_END,
	NFT_STOP,
};
static const struct nft_ex rules6[] = {
	CHAIN("ports"),
	DADDR6, IS(R, localhost6), DO(NFT_RETURN, NULL),
	DADDR6, PORT(R + 4), NFT_MAP("addresses", R, R), NFT_DNAT(NFPROTO_IPV6, R, R + 4), NFT_END,
	PORT(R), NFT_MAP("ports", R, R), NFT_DNAT(NFPROTO_IPV6, R, R + 4), NFT_END,
	CHAIN("postrouting"),
	SADDR6, NFT_MAP("pods", R, NFT_REG_VERDICT), NFT_END,
	NFT_STOP,
};

static const struct nft_ex forward_rules[] = {
	CHAIN(FW_FORWARD),
	FROM("closed"), DO(NFT_JUMP, "from-closed"),
	TO("closed"), DO(NFT_JUMP, "to-closed"),
	FROM("interfaces"), DO(NFT_GOTO, "mark-it"),
	SOME(NFT_CT_STATE, going_on), TO("interfaces"), DO(NFT_GOTO, "mark-it"),
	SOME(NFT_CT_STATUS, dnat), TO("interfaces"), DO(NFT_GOTO, "mark-it"),
	CHAIN("from-closed"),
	INSIDE, DO(NFT_GOTO, "mark-it"),
	NFT_CT(NFT_CT_DIRECTION, R), IS(R, reply), SOME(NFT_CT_STATUS, dnat), DO(NFT_RETURN, NULL),
	DO(NF_DROP, NULL),
	CHAIN("to-closed"),
	INSIDE, DO(NFT_GOTO, "mark-it"),
	SOME(NFT_CT_STATUS, dnat), DO(NFT_RETURN, NULL),
	DO(NF_DROP, NULL),
	CHAIN("mark-it"),
	MARK_BYTE, NFT_CMP(NFT_CMP_EQ, R, &nothing, 4), SET_MARK(mark), NFT_END,
	CHAIN("forwarded"),
	MARK_BYTE, IS(R, marked), SET_MARK(unmark), NFT_END,
	NFT_STOP,
};

static void put_chains(struct nl_msg *m, uint8_t family, const struct chain *c, const struct chain *end)
{
	for (; c < end; c++) {
		nft_msg(m, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family, FW_TABLE);
		nl_put_str(m, NFTA_CHAIN_NAME, c->name);
		if (!c->type)
			continue;
		size_t at = nl_nest(m, NFTA_CHAIN_HOOK);
		nl_put_be32(m, NFTA_HOOK_HOOKNUM, (uint32_t)c->hook);
		nl_put_be32(m, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
		nl_nest_end(m, at);
		nl_put_str(m, NFTA_CHAIN_TYPE, c->type);
	}
}

static void put_rules(struct nl_msg *m, uint8_t family, const struct nft_ex *x)
{
	const char *chain = NULL;

	while (x->op != NFT_OP_STOP)
		if (x->op == NFT_OP_CHAIN)
			chain = (x++)->data;
		else
			x = nft_rule(m, NLM_F_APPEND, family, FW_TABLE, chain, x, NULL);
}

#define END(array) ((array) + sizeof(array) / sizeof(*(array)))

void fw_put_table(struct nl_msg *m, bool six)
{
	uint8_t family = FW_FAMILY(six);

	nft_msg(m, NFT_MSG_NEWTABLE, NLM_F_CREATE, family, FW_TABLE);
	put_chains(m, family, chains, END(chains));
	for (uint32_t i = six; i < FW_SETS; i += FW_FAMILIES)
		put_set(m, i);
	put_rules(m, family, rules);
	put_rules(m, family, six ? rules6 : rules4);
}

void fw_put_forward(struct nl_msg *m, bool six)
{
	put_chains(m, FW_FAMILY(six), forward_chains, END(forward_chains));
	put_rules(m, FW_FAMILY(six), forward_rules);
}

int fw_is_table(uint8_t family, const char *name)
{
	if (strcmp(name, FW_TABLE) != 0)
		return -1;
	return family == NFPROTO_IPV4 ? 0 : family == NFPROTO_IPV6 ? 1 : -1;
}

/* ---- networks ---- */

char *fw_chain_name(const struct ip_cidr *net, char *out)
{
	char text[IP_CIDR_MAX];
	struct ip_cidr n = ip_network(net);

	snprintf(out, FW_CHAIN_MAX, "net-%s", ip_cidr_text(&n, text));
	for (char *p = out; (p = strchr(p, ':')); )
		*p = '_'; /* which nft(8) could not read again */
	return out;
}

void fw_put_network(struct nl_msg *m, const char *chain, const struct ip_cidr *net)
{
	bool is6 = net->ip.len == 16;
	struct ip_cidr n = ip_network(net);
	struct ip ones = ip_last(net);
	uint8_t len = n.ip.len, bits[32] = { 0 };

	for (size_t i = 0; i < len; i++)
		bits[i] = (uint8_t)~(ones.b[i] ^ n.ip.b[i]);
	const struct nft_ex masquerade[] = {
		IP(is6 ? 24 : 16, 1, R), NFT_BITS(R, is6 ? many6_bits : many4_bits, 1),
		NFT_CMP(NFT_CMP_EQ, R, is6 ? many6 : many4, 1), DO(NF_ACCEPT, NULL),
		IP(is6 ? 24 : 16, len, R), NFT_BITS(R, bits, len), NFT_CMP(NFT_CMP_EQ, R, n.ip.b, len),
		NONE(NFT_CT_STATUS, dnat), DO(NF_ACCEPT, NULL),
		NFT_MASQUERADE, NFT_END,
	};
	const struct nft_ex *x = masquerade;

	nft_msg(m, NFT_MSG_NEWCHAIN, NLM_F_CREATE, FW_FAMILY(is6), FW_TABLE);
	nl_put_str(m, NFTA_CHAIN_NAME, chain);
	while (x < END(masquerade))
		x = nft_rule(m, NLM_F_APPEND, FW_FAMILY(is6), FW_TABLE, chain, x, NULL);
}
