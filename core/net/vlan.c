/* SPDX-License-Identifier: Apache-2.0
 * vlan - macvlan and ipvlan: pods on the network that an interface of the host's is on, see join.h
 *
 * The host has no part in it and no interface of it. What is left of a pod that has crashed goes with its namespace.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "core/net/type.h"

struct mode { const char *name; uint32_t value; };

/* the first one is meant where none is said */
static const struct mode macvlan_modes[] = {
	{ "bridge", MACVLAN_MODE_BRIDGE }, { "private", MACVLAN_MODE_PRIVATE }, { "vepa", MACVLAN_MODE_VEPA },
	{ "passthru", MACVLAN_MODE_PASSTHRU }, { NULL, 0 },
};
static const struct mode ipvlan_modes[] = {
	{ "l2", IPVLAN_MODE_L2 }, { "l3", IPVLAN_MODE_L3 }, { "l3s", IPVLAN_MODE_L3S }, { NULL, 0 },
};

static int add(const struct net_join *j, const char *kind, const struct mode *m, struct net_result *r, struct err *e)
{
	struct type_conf c;
	struct link master, pod;

	if (type_conf_read(j, &c, e) < 0)
		return -1;
	while (c.mode && m->name && strcmp(m->name, c.mode))
		m++;
	if (!m->name)
		return err_set(e, EINVAL, "%s has no mode \"%s\"", kind, c.mode);
	if ((c.master ? link_get(j->host, c.master, &master, e) : link_default(j->host, &master, e)) < 0)
		return err_wrap(e, "master");
	if (master.mtu && c.mtu > master.mtu)
		return err_set(e, EINVAL, "\"mtu\" is more than that of %s, %d", master.name, master.mtu);
	const struct link_new end = type_pod_end(j, &c);
	if (link_child(j->host, kind, master.index, m->value, &end, e) < 0)
		return err_wrap(e, "on %s", master.name);
	if (type_begin(j, r, &pod, e) < 0 || type_finish(j, r, &pod, false, e) < 0)
		return -1;
	type_settle(j, r, NULL);
	return 0;
}

static int add_macvlan(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	return add(j, "macvlan", macvlan_modes, r, e);
}

static int add_ipvlan(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	return add(j, "ipvlan", ipvlan_modes, r, e);
}

/* The namespace may be there for a while, and what it has in passthru mode nobody else could have meanwhile. */
static int del(const struct net_join *j, const struct net_result *r, struct err *e)
{
	struct err second;
	int ret = ipam_del(j, r, e);

	if (j->pod && link_delete(j->pod, j->ifname, ret < 0 ? &second : e) < 0)
		ret = -1;
	return ret;
}

const struct net_type net_macvlan = { "macvlan", add_macvlan, del }, net_ipvlan = { "ipvlan", add_ipvlan, del };
