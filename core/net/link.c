/* SPDX-License-Identifier: Apache-2.0
 * link - finding interfaces, and changes of their addresses and routes; see link.h
 */
#include "core/net/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define SETTLE_TRIES 100

char *link_mac_text(const uint8_t *mac, char *out)
{
	for (int i = 0; i < LINK_MAC_LEN; i++)
		snprintf(out + (size_t)3 * i, 4, i < LINK_MAC_LEN - 1 ? "%02x:" : "%02x", mac[i]);
	return out;
}

bool link_mac_parse(const char *text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	for (int i = 0; i < 2 * LINK_MAC_LEN; i++) {
		const char *d = *text ? strchr(digits, *text) : NULL;
		if (!d)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | ((d - digits) & 15));
		text++;
		if (i % 2 && *text++ != (i < 2 * LINK_MAC_LEN - 1 ? ':' : '\0'))
			return false;
	}
	return !(out[0] & 1); /* a group's address is nobody's */
}

/* ---- finding ---- */

static void copy_str(char *out, size_t size, const struct nlattr *a)
{
	if (a && nl_len(a) && nl_len(a) <= size)
		memcpy(out, nl_data(a), nl_len(a) - 1);
}

static int take_link(void *ctx, const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct nlattr *a[IFLA_LINKINFO + 1], *info[IFLA_INFO_DATA + 1], *data[IFLA_BR_VLAN_FILTERING + 1];
	struct link *out = ctx;

	if (h->nlmsg_type != RTM_NEWLINK || !nl_attrs(h, sizeof(*i), a, IFLA_LINKINFO))
		return 0;
	*out = (struct link){ .index = i->ifi_index, .up = i->ifi_flags & IFF_UP };
	copy_str(out->name, sizeof(out->name), a[IFLA_IFNAME]);
	if (a[IFLA_MTU])
		out->mtu = (int)nl_u32(a[IFLA_MTU]);
	if (a[IFLA_MASTER])
		out->master = (int)nl_u32(a[IFLA_MASTER]);
	if (a[IFLA_ADDRESS] && nl_len(a[IFLA_ADDRESS]) == LINK_MAC_LEN)
		memcpy(out->mac, nl_data(a[IFLA_ADDRESS]), LINK_MAC_LEN);
	if (!a[IFLA_LINKINFO] || !nl_nested(a[IFLA_LINKINFO], info, IFLA_INFO_DATA))
		return 1;
	copy_str(out->kind, sizeof(out->kind), info[IFLA_INFO_KIND]);
	if (!strcmp(out->kind, "bridge") && info[IFLA_INFO_DATA] && nl_nested(info[IFLA_INFO_DATA], data, IFLA_BR_VLAN_FILTERING) &&
	    data[IFLA_BR_VLAN_FILTERING] && nl_len(data[IFLA_BR_VLAN_FILTERING]))
		out->vlans = *(const uint8_t *)nl_data(data[IFLA_BR_VLAN_FILTERING]);
	return 1;
}

/* by name, or where that is NULL by index */
static int find(struct nl *n, const char *name, int index, struct link *out, struct err *e)
{
	NL_MSG(m, 128);
	struct ifinfomsg *i = nl_begin(&m, RTM_GETLINK, 0, sizeof(*i));

	i->ifi_index = index;
	if (name)
		nl_put_str(&m, IFLA_IFNAME, name);
	nl_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_get(n, &m, take_link, out, e);
}

int link_find(struct nl *n, const char *name, struct link *out, struct err *e)
{
	struct err why;

	if (find(n, name, 0, out, &why) >= 0)
		return 1;
	if (why.code == ENODEV)
		return 0;
	*e = why;
	return err_wrap(e, "interface %s", name);
}

int link_get(struct nl *n, const char *name, struct link *out, struct err *e)
{
	return find(n, name, 0, out, e) < 0 ? err_wrap(e, "interface %s", name) : 0;
}

/* Who asks for the state of an interface gets the one that is in force. */
void link_settle(struct nl *n, int index)
{
	struct link l;
	struct err ignored;

	find(n, NULL, index, &l, &ignored);
}

static int take_type(void *ctx, const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);

	return h->nlmsg_type == RTM_NEWROUTE && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*r)) ? r->rtm_type : 0;
}

void link_settle_address(struct nl *n, const struct ip *a)
{
	static const struct timespec pause = { .tv_nsec = 200000 };
	struct err ignored;

	for (int i = 0; a->len == 16 && i < SETTLE_TRIES; i++) {
		NL_MSG(m, 64);
		struct rtmsg *r = nl_begin(&m, RTM_GETROUTE, 0, sizeof(*r));
		r->rtm_family = AF_INET6;
		r->rtm_dst_len = 128;
		nl_put(&m, RTA_DST, a->b, a->len);
		if (nl_get(n, &m, take_type, NULL, &ignored) == RTN_LOCAL)
			return;
		nanosleep(&pause, NULL);
	}
}

/* the best one so far */
struct way { int index; uint32_t metric; };

static int take_default(void *ctx, const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct nlattr *a[RTA_MULTIPATH + 1];
	struct way *w = ctx;
	uint32_t metric;
	int index = 0;

	if (h->nlmsg_type != RTM_NEWROUTE || !nl_attrs(h, sizeof(*r), a, RTA_MULTIPATH) || r->rtm_dst_len ||
	    r->rtm_table != RT_TABLE_MAIN || r->rtm_type != RTN_UNICAST)
		return 0;
	metric = a[RTA_PRIORITY] ? nl_u32(a[RTA_PRIORITY]) : 0;
	if (a[RTA_OIF])
		index = (int)nl_u32(a[RTA_OIF]);
	else if (a[RTA_MULTIPATH] && nl_len(a[RTA_MULTIPATH]) >= sizeof(struct rtnexthop))
		index = ((const struct rtnexthop *)nl_data(a[RTA_MULTIPATH]))->rtnh_ifindex;
	if (index && (!w->index || metric < w->metric))
		*w = (struct way){ index, metric };
	return 0;
}

int link_default(struct nl *n, struct link *out, struct err *e)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < sizeof(families); i++) {
		NL_MSG(m, 64);
		struct rtmsg *r = nl_begin(&m, RTM_GETROUTE, 0, sizeof(*r));
		struct way w = { 0 };
		r->rtm_family = families[i];
		r->rtm_table = RT_TABLE_MAIN;
		if (nl_dump(n, &m, take_default, &w, e) < 0)
			return err_wrap(e, "find the default route");
		if (w.index)
			return find(n, NULL, w.index, out, e) < 0 ? err_wrap(e, "interface of the default route") : 0;
	}
	return err_set(e, ENOENT, "there is no default route whose interface could be taken");
}

/* ---- changes ---- */

void link_put_up(struct nl_msg *m, int index, unsigned flags)
{
	struct ifinfomsg *i = nl_begin(m, RTM_NEWLINK, NLM_F_ACK, sizeof(*i));

	i->ifi_index = index;
	i->ifi_flags = i->ifi_change = flags;
}

void link_put_address(struct nl_msg *m, int index, const struct ip_cidr *a, bool with_route)
{
	struct ifaddrmsg *i = nl_begin(m, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));

	i->ifa_family = (uint8_t)ip_family(&a->ip);
	i->ifa_prefixlen = a->prefix;
	i->ifa_index = (uint32_t)index;
	nl_put(m, IFA_LOCAL, a->ip.b, a->ip.len);
	nl_put(m, IFA_ADDRESS, a->ip.b, a->ip.len);
	nl_put_u32(m, IFA_FLAGS, (a->ip.len == 16 ? IFA_F_NODAD : 0) | (with_route ? 0 : IFA_F_NOPREFIXROUTE));
	if (a->ip.len == 4 && with_route && a->prefix < 31) {
		struct ip last = ip_last(a);
		nl_put(m, IFA_BROADCAST, last.b, last.len);
	}
}

void link_put_route(struct nl_msg *m, int index, const struct ip_cidr *dst, const struct ip *gw, const struct ip *src,
		    bool replace)
{
	struct rtmsg *r = nl_begin(m, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
				   sizeof(*r));

	r->rtm_family = (uint8_t)ip_family(&dst->ip);
	r->rtm_dst_len = dst->prefix;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_type = RTN_UNICAST;
	r->rtm_scope = gw && gw->len ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	nl_put(m, RTA_DST, dst->ip.b, dst->ip.len);
	if (gw && gw->len)
		nl_put(m, RTA_GATEWAY, gw->b, gw->len);
	if (src && src->len)
		nl_put(m, RTA_PREFSRC, src->b, src->len);
	nl_put_u32(m, RTA_OIF, (uint32_t)index);
}

void link_put_port(struct nl_msg *m, int index, bool hairpin, int vlan, bool self)
{
	static const struct bridge_vlan_info born_with = { .vid = 1 };
	struct bridge_vlan_info v = { .vid = (uint16_t)vlan };
	struct ifinfomsg *i;
	size_t nest;

	/* else it would get what is sent to everybody in the vlan that bridges are born with */
	if (vlan > 1 && !self) {
		i = nl_begin(m, RTM_DELLINK, NLM_F_ACK, sizeof(*i));
		i->ifi_family = AF_BRIDGE;
		i->ifi_index = index;
		nest = nl_nest(m, IFLA_AF_SPEC);
		nl_put(m, IFLA_BRIDGE_VLAN_INFO, &born_with, sizeof(born_with));
		nl_nest_end(m, nest);
	}
	i = nl_begin(m, RTM_SETLINK, NLM_F_ACK, sizeof(*i));
	i->ifi_family = AF_BRIDGE;
	i->ifi_index = index;
	if (hairpin) {
		nest = nl_nest(m, IFLA_PROTINFO);
		nl_put_u8(m, IFLA_BRPORT_MODE, 1);
		nl_nest_end(m, nest);
	}
	if (vlan) {
		nest = nl_nest(m, IFLA_AF_SPEC);
		if (self)
			nl_put_u16(m, IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF);
		else
			v.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
		nl_put(m, IFLA_BRIDGE_VLAN_INFO, &v, sizeof(v));
		nl_nest_end(m, nest);
	}
}

/* "add address 10.0.0.1/24": what the message @h wanted */
static void describe(const struct nlmsghdr *h, char *out, size_t size)
{
	const struct nlattr *a[IFA_LOCAL + 1];
	const bool route = h->nlmsg_type == RTM_NEWROUTE;
	struct ip_cidr c = { 0 };
	char text[IP_CIDR_MAX];

	if (!route && h->nlmsg_type != RTM_NEWADDR) {
		snprintf(out, size, h->nlmsg_type == RTM_NEWLINK ? "bring up" : "set up the bridge's port");
		return;
	}
	/* both have the length of the prefix in their second byte, and the address in attribute 1 */
	_Static_assert(sizeof(struct rtmsg) == 12 && (int)RTA_DST == (int)IFA_ADDRESS, "as the kernel has it");
	if (nl_attrs(h, route ? sizeof(struct rtmsg) : sizeof(struct ifaddrmsg), a, IFA_LOCAL) && a[RTA_DST] &&
	    nl_len(a[RTA_DST]) <= sizeof(c.ip.b)) {
		c.ip.len = (uint8_t)nl_len(a[RTA_DST]);
		c.prefix = ((const uint8_t *)NLMSG_DATA(h))[1];
		memcpy(c.ip.b, nl_data(a[RTA_DST]), c.ip.len);
	}
	snprintf(out, size, "add %s %s", route ? "route" : "address", ip_cidr_text(&c, text));
}

int link_apply(struct nl *n, struct nl_msg *m, const char *name, struct err *e)
{
	size_t failed = SIZE_MAX;
	char what[24 + IP_CIDR_MAX] = "set up";

	m->fine = EEXIST;
	if (!m->len || nl_ask(n, m, &failed, e) == 0)
		return 0;
	for (size_t at = 0; !m->overflow && at < m->len;) {
		const struct nlmsghdr *h = (const void *)(m->data + at);
		if (!failed--) {
			describe(h, what, sizeof(what));
			break;
		}
		at += h->nlmsg_len;
	}
	return err_wrap(e, "interface %s: %s", name, what);
}

int link_up(struct nl *n, const char *name, struct err *e)
{
	NL_MSG(m, 64);
	struct ifinfomsg *i = nl_begin(&m, RTM_NEWLINK, 0, sizeof(*i));

	i->ifi_flags = i->ifi_change = IFF_UP;
	nl_put_str(&m, IFLA_IFNAME, name);
	return nl_ask(n, &m, NULL, e) < 0 ? err_wrap(e, "interface %s: bring up", name) : 0;
}

int link_delete(struct nl *n, const char *name, struct err *e)
{
	NL_MSG(m, 64);

	nl_begin(&m, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	nl_put_str(&m, IFLA_IFNAME, name);
	m.fine = ENODEV;
	return nl_ask(n, &m, NULL, e) < 0 ? err_wrap(e, "interface %s: delete", name) : 0;
}
