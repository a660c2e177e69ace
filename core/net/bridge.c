/* SPDX-License-Identifier: Apache-2.0
 * bridge - pods on a switch of the host's, see join.h
 *
 * The bridge is made by the first pod that wants it, and stays: others, and the host's administrator, may have come to
 * rely on it. It is born down, and who finds it down gives it its settings before it is up.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/net/type.h"

#define DEFAULT_BRIDGE "rkt0"

/* ---- addresses of the gateway ---- */

/* what stands in the way of @want on an interface */
struct others {
	const struct ip_cidr *want;
	int                   index;
	struct nl_msg        *remove;
	bool                  there;
	struct ip_cidr        other; /* len 0: none */
};

/* Of IPv4 there is one network on a bridge, as of CNI's; of IPv6 networks do not overlap. */
static int see_address(void *ctx, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = NLMSG_DATA(h);
	const struct nlattr *a[IFA_LOCAL + 1];
	struct others *o = ctx;
	struct ip_cidr c = { .ip.len = o->want->ip.len };

	if (h->nlmsg_type != RTM_NEWADDR || !nl_attrs(h, sizeof(*i), a, IFA_LOCAL) || (int)i->ifa_index != o->index)
		return 0;
	const struct nlattr *own = a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS];
	if (!own || nl_len(own) != c.ip.len || i->ifa_scope == RT_SCOPE_LINK)
		return 0;
	memcpy(c.ip.b, nl_data(own), c.ip.len);
	c.prefix = i->ifa_prefixlen;
	if (ip_equal(&c.ip, &o->want->ip) && c.prefix == o->want->prefix) {
		o->there = true;
	} else if (c.ip.len == 4 || ip_in(&c.ip, o->want) || ip_in(&o->want->ip, &c)) {
		o->other = c;
		struct ifaddrmsg *gone = nl_begin(o->remove, RTM_DELADDR, NLM_F_ACK, sizeof(*gone));
		*gone = *i;
		nl_put(o->remove, IFA_LOCAL, c.ip.b, c.ip.len);
	}
	return 0;
}

static int give_gateway(struct nl *n, const struct link *l, const struct ip_cidr *want, bool force, struct err *e)
{
	char text[IP_CIDR_MAX], other[IP_CIDR_MAX];
	NL_MSG(m, 2048);
	NL_MSG(ask, 64);
	struct others o = { .want = want, .index = l->index, .remove = &m };
	struct ifaddrmsg *i = nl_begin(&ask, RTM_GETADDR, 0, sizeof(*i));

	i->ifa_family = (uint8_t)ip_family(&want->ip);
	i->ifa_index = (uint32_t)l->index;
	if (nl_dump(n, &ask, see_address, &o, e) < 0)
		return err_wrap(e, "interface %s: addresses", l->name);
	if (o.there)
		return 0;
	if (o.other.ip.len && !force)
		return err_set(e, EEXIST, "%s has the address %s, so it cannot have %s; use another bridge, or \"forceAddress\"",
			       l->name, ip_cidr_text(&o.other, other), ip_cidr_text(want, text));
	link_put_address(&m, l->index, want, true);
	return link_apply(n, &m, l->name, e);
}

static int be_gateway(const struct net_join *j, const struct type_conf *c, const struct link *l, struct net_result *r,
		      struct err *e)
{
	if (type_host(l->name, r, e) < 0 || type_forward(r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_ips; i++) {
		struct net_ip *ip = &r->ips[i];
		type_gateway(ip);
		const struct ip_cidr gateway = { ip->gateway, ip->address.prefix };
		if (ip->gateway.len && give_gateway(j->host, l, &gateway, c->force_address, e) < 0)
			return -1;
	}
	return 0;
}

static int default_routes(struct net_result *r, struct err *e)
{
	for (uint8_t len = 4; len <= 16; len += 12) {
		const struct net_ip *own = net_result_first(r, len);
		const struct ip_cidr all = { .ip.len = len };
		bool there = !own || !own->gateway.len;
		for (size_t i = 0; i < r->n_routes; i++)
			there |= r->routes[i].dst.ip.len == len && !r->routes[i].dst.prefix;
		if (!there && net_result_route(r, &all, &own->gateway, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the bridge ---- */

static int ready(const struct net_join *j, const struct type_conf *c, struct link *br, struct err *e)
{
	static const struct net_result none;
	NL_MSG(m, LINK_CHANGE_MAX);

	if (link_bridge(j->host, c->bridge ? c->bridge : DEFAULT_BRIDGE, (int)c->mtu, c->vlan, br, e) < 0)
		return -1;
	if (c->vlan && !br->vlans)
		return err_set(e, EINVAL, "bridge %s does not tell vlans apart; ip link set %s type bridge vlan_filtering 1 makes it",
			       br->name, br->name);
	if (!br->up && type_host(br->name, &none, e) < 0)
		return -1;
	if (!br->up || c->promisc)
		link_put_up(&m, br->index, IFF_UP | (c->promisc ? IFF_PROMISC : 0));
	return link_apply(j->host, &m, br->name, e);
}

/* The host's own place in the vlan: an interface on top of the bridge. Others may make it at the same time. */
static int vlan_iface(const struct net_join *j, const struct type_conf *c, const struct link *br, struct link *out,
		      struct err *e)
{
	char name[IFNAMSIZ + 8];
	const struct link_new new = { .name = name, .netns_fd = -1 };
	NL_MSG(m, 2 * LINK_CHANGE_MAX);

	if (snprintf(name, sizeof(name), "%s.%d", br->name, (int)c->vlan) >= IFNAMSIZ)
		return err_set(e, ENAMETOOLONG, "interface %s: the bridge's name is too long for one of a vlan beside it", name);
	int r = link_find(j->host, name, out, e);
	if (r < 0)
		return -1;
	if (!r && link_child(j->host, "vlan", br->index, (uint32_t)c->vlan, &new, e) < 0 && e->code != EEXIST)
		return -1;
	if (link_get(j->host, name, out, e) < 0)
		return -1;
	if (strcmp(out->kind, "vlan"))
		return err_set(e, EEXIST, "interface %s: is there, but not a vlan's", name);
	link_put_port(&m, br->index, false, (int)c->vlan, true);
	link_put_up(&m, out->index, IFF_UP);
	return link_apply(j->host, &m, name, e);
}

static int attach(const struct net_join *j, const struct type_conf *c, const struct link *br, struct link *host,
		  struct err *e)
{
	const struct link_new end = type_pod_end(j, c);
	char name[IFNAMSIZ];
	NL_MSG(m, 2 * LINK_CHANGE_MAX);

	net_veth_name(j->uuid, j->network, j->ifname, name);
	if (link_veth(j->host, name, &end, br->index, host, e) < 0)
		return -1;
	if (c->hairpin || c->vlan)
		link_put_port(&m, host->index, c->hairpin, (int)c->vlan, false);
	return link_apply(j->host, &m, name, e);
}

static int add(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	struct type_conf c;
	struct link br, gw, host, pod;

	if (type_conf_read(j, &c, e) < 0)
		return -1;
	if (c.hairpin && c.promisc)
		return err_set(e, EINVAL, "\"hairpinMode\" and \"promiscMode\" exclude each other");
	c.is_gateway |= c.is_default_gateway;
	if (ready(j, &c, &br, e) < 0)
		return -1;
	gw = br;
	/* the interface that routes is named first: it is what the firewall is about */
	if (c.vlan && c.is_gateway && (vlan_iface(j, &c, &br, &gw, e) < 0 || type_iface(r, &gw, false, e) < 0))
		return -1;
	if (type_iface(r, &br, false, e) < 0 || attach(j, &c, &br, &host, e) < 0 || type_iface(r, &host, false, e) < 0 ||
	    type_begin(j, r, &pod, e) < 0)
		return -1;
	if (c.is_gateway && be_gateway(j, &c, &gw, r, e) < 0)
		return -1;
	if (c.is_default_gateway && default_routes(r, e) < 0)
		return -1;
	if (type_finish(j, r, &pod, false, e) < 0)
		return -1;
	link_settle(j->host, host.index);
	if (!c.is_gateway || gw.index != br.index)
		link_settle(j->host, br.index);
	type_settle(j, r, c.is_gateway ? &gw : NULL);
	return 0;
}

const struct net_type net_bridge = { "bridge", add, type_del };
