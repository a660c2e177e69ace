/* SPDX-License-Identifier: Apache-2.0
 * link - making interfaces, see link.h
 *
 * Each is born in the namespace where it is wanted, with all that it shall be, in one message.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/net/link.h"

#define MODE_ATTR 1 /* IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE, IFLA_VLAN_ID */

/* the caller adds what is special to its kind, between put_info() and info_end() */
struct info { size_t all, data; };

static void put_new(struct nl_msg *m, const struct link_new *w)
{
	nl_put_str(m, IFLA_IFNAME, w->name);
	if (w->netns_fd >= 0)
		nl_put_u32(m, IFLA_NET_NS_FD, (uint32_t)w->netns_fd);
	if (w->mtu)
		nl_put_u32(m, IFLA_MTU, (uint32_t)w->mtu);
	if (w->mac)
		nl_put(m, IFLA_ADDRESS, w->mac, LINK_MAC_LEN);
}

static struct info put_info(struct nl_msg *m, const char *kind)
{
	struct info i = { .all = nl_nest(m, IFLA_LINKINFO) };

	nl_put_str(m, IFLA_INFO_KIND, kind);
	i.data = nl_nest(m, IFLA_INFO_DATA);
	return i;
}

static void info_end(struct nl_msg *m, const struct info *i)
{
	nl_nest_end(m, i->data);
	nl_nest_end(m, i->all);
}

static struct ifinfomsg *begin(struct nl_msg *m, uint16_t flags)
{
	return nl_begin(m, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL | flags, sizeof(struct ifinfomsg));
}

/* the kernel's errors when something of @kind is made */
static int explain(const char *name, const char *kind, struct err *e)
{
	switch (e->code) {
	case EOPNOTSUPP:
		err_set(e, ENOTSUP, "the kernel has no interfaces of the kind %s", kind);
		err_point(e, "%s", kind);
		break;
	case EEXIST:
		err_set(e, EEXIST, "there is an interface of that name already");
		break;
	}
	return err_wrap(e, "interface %s: make %s", name, kind);
}

/* The kernel tells what it made to who asks for an echo (since 6.2), but only in the namespace of the socket. */
static int take_made(void *ctx, const struct nlmsghdr *h)
{
	struct link *out = ctx;
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct nlattr *a[IFLA_IFNAME + 1];

	if (h->nlmsg_type != RTM_NEWLINK || !nl_attrs(h, sizeof(*i), a, IFLA_IFNAME) || !a[IFLA_ADDRESS] ||
	    nl_len(a[IFLA_ADDRESS]) != LINK_MAC_LEN)
		return 0;
	out->index = i->ifi_index;
	memcpy(out->mac, nl_data(a[IFLA_ADDRESS]), LINK_MAC_LEN);
	return 1;
}

/* Where nobody says how many queues a veth has the kernel makes one for each processor, and takes all but one away. */
static void put_queues(struct nl_msg *m)
{
	nl_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	nl_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
}

int link_veth(struct nl *n, const char *name, const struct link_new *pod, int master_index, struct link *out,
	      struct err *e)
{
	const struct link_new here = { .name = name, .netns_fd = -1, .mtu = pod->mtu };
	NL_MSG(m, 320);
	struct ifinfomsg *i = begin(&m, NLM_F_ECHO);

	i->ifi_flags = i->ifi_change = IFF_UP;
	put_new(&m, &here);
	put_queues(&m);
	nl_put_u32(&m, IFLA_GROUP, LINK_GROUP);
	if (master_index)
		nl_put_u32(&m, IFLA_MASTER, (uint32_t)master_index);
	struct info info = put_info(&m, "veth");
	size_t peer = nl_nest(&m, VETH_INFO_PEER);
	/* the peer's own family header, then its attributes */
	static const struct ifinfomsg none;
	nl_put_raw(&m, &none, sizeof(none));
	put_new(&m, pod);
	put_queues(&m);
	nl_nest_end(&m, peer);
	info_end(&m, &info);

	*out = (struct link){ 0 };
	int told = nl_get(n, &m, take_made, out, e);
	if (told < 0)
		return explain(name, "veth", e);
	if (!told)
		return link_get(n, name, out, e);
	snprintf(out->name, sizeof(out->name), "%s", name);
	return 0;
}

/* Older kernels (6.12 is one) look for the name of what shall be new where the socket is, and the host has an eth0 as
 * well. With an index that nobody has they look for that instead. */
static int new_index(void)
{
	uint32_t random = 0;

	getrandom(&random, sizeof(random), GRND_NONBLOCK | GRND_INSECURE);
	return (int)(1u << 30 | random >> 3);
}

int link_child(struct nl *n, const char *kind, int master_index, uint32_t mode, const struct link_new *pod,
	       struct err *e)
{
	NL_MSG(m, 256);
	struct ifinfomsg *i = begin(&m, 0);

	i->ifi_index = pod->netns_fd >= 0 ? new_index() : 0;
	put_new(&m, pod);
	nl_put_u32(&m, IFLA_LINK, (uint32_t)master_index);
	struct info info = put_info(&m, kind);
	if (*kind == 'm')
		nl_put_u32(&m, MODE_ATTR, mode);
	else
		nl_put_u16(&m, MODE_ATTR, (uint16_t)mode);
	info_end(&m, &info);
	return nl_ask(n, &m, NULL, e) < 0 ? explain(pod->name, kind, e) : 0;
}

/* Without one that was set a bridge takes the lowest of its ports', so it would change while pods come and go, and
 * others would lose their gateway for a while. */
static void own_mac(uint8_t *mac)
{
	memset(mac, 0, LINK_MAC_LEN);
	getrandom(mac, LINK_MAC_LEN, GRND_NONBLOCK | GRND_INSECURE); /* a host that boots does not wait for it */
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2); /* one of the locally administered ones, not a group's */
}

int link_bridge(struct nl *n, const char *name, int mtu, bool vlans, struct link *out, struct err *e)
{
	uint8_t mac[LINK_MAC_LEN];
	struct link_new new = { .name = name, .netns_fd = -1, .mtu = mtu, .mac = mac };
	NL_MSG(m, 256);
	int r = link_find(n, name, out, e);

	if (r < 0)
		return -1;
	if (!r) {
		own_mac(mac);
		begin(&m, 0);
		put_new(&m, &new);
		nl_put_u32(&m, IFLA_GROUP, LINK_GROUP);
		struct info info = put_info(&m, "bridge");
		if (vlans)
			nl_put_u8(&m, IFLA_BR_VLAN_FILTERING, 1);
		info_end(&m, &info);
		m.fine = EEXIST; /* somebody was faster */
		if (nl_ask(n, &m, NULL, e) < 0)
			return vlans && e->code == EOPNOTSUPP ? err_set(e, ENOTSUP, "interface %s: the kernel has no bridges with "
				"vlans (CONFIG_BRIDGE_VLAN_FILTERING)", name) : explain(name, "bridge", e);
		if (link_get(n, name, out, e) < 0)
			return -1;
	}
	return strcmp(out->kind, "bridge") ? err_set(e, EEXIST, "interface %s: is there, but not a bridge", name) : 0;
}
