/* SPDX-License-Identifier: Apache-2.0
 * firewall_flows - what the kernel remembers of datagrams to ports that lead elsewhere now
 *
 * Where a flow leads is decided by its first packet, and a client that goes on sending from one port (a resolver, a
 * logger) keeps it alive: it would never find the pod, or find one that is gone. Connections of tcp end by themselves.
 */
#include <netinet/in.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "core/net/firewall_table.h"

struct flows { const struct fw_pod *pod; struct nl_msg del; };

static bool leads_to(const struct fw_pod *p, unsigned number)
{
	for (size_t i = 0; i < p->n_ports; i++)
		if (p->ports[i].protocol == IPPROTO_UDP && number >= p->ports[i].host_port &&
		    number - p->ports[i].host_port < p->ports[i].count)
			return true;
	return false;
}

static int on_flow(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[CTA_TUPLE_ORIG + 1], *t[CTA_TUPLE_PROTO + 1], *p[CTA_PROTO_DST_PORT + 1];
	struct flows *f = ctx;
	uint16_t number;

	if (!nl_attrs(h, sizeof(struct nfgenmsg), a, CTA_TUPLE_ORIG) || !a[CTA_TUPLE_ORIG] ||
	    !nl_nested(a[CTA_TUPLE_ORIG], t, CTA_TUPLE_PROTO) || !t[CTA_TUPLE_PROTO] ||
	    !nl_nested(t[CTA_TUPLE_PROTO], p, CTA_PROTO_DST_PORT) || !p[CTA_PROTO_NUM] || !nl_len(p[CTA_PROTO_NUM]) ||
	    *(const uint8_t *)nl_data(p[CTA_PROTO_NUM]) != IPPROTO_UDP || !p[CTA_PROTO_DST_PORT] ||
	    nl_len(p[CTA_PROTO_DST_PORT]) != sizeof(number))
		return 0;
	memcpy(&number, nl_data(p[CTA_PROTO_DST_PORT]), sizeof(number));
	if (leads_to(f->pod, ntohs(number))) {
		nft_other(&f->del, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			  ((const struct nfgenmsg *)NLMSG_DATA(h))->nfgen_family);
		nl_put(&f->del, CTA_TUPLE_ORIG | NLA_F_NESTED, nl_data(a[CTA_TUPLE_ORIG]), nl_len(a[CTA_TUPLE_ORIG]));
	}
	return 0;
}

void fw_forget_flows(const struct fw_pod *p)
{
	auto_nft struct nl_msg ask = { 0 };
	auto_nl struct nl n = NL_NONE;
	struct flows f = { .pod = p };
	struct err ignored;
	bool any = false;

	for (size_t i = 0; i < p->n_ports; i++)
		any |= p->ports[i].protocol == IPPROTO_UDP;
	if (!any || nl_open(NETLINK_NETFILTER, &n, &ignored) < 0)
		return;
	nft_other(&ask, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, AF_UNSPEC);
	/* one that has ended by itself meanwhile is as good */
	if (nl_dump(&n, &ask, on_flow, &f, &ignored) == 0 && f.del.len)
		nl_ask(&n, &f.del, NULL, &ignored);
	nft_free(&f.del);
}
