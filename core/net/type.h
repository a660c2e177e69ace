/* SPDX-License-Identifier: Apache-2.0
 * type - what the built-in network types have in common
 *
 * Source: CNI plug-ins' documentation, main/{ptp,bridge,macvlan,ipvlan}; rkt Documentation/networking/overview.md.
 */
#pragma once

#include "core/net/join.h"
#include "core/net/link.h"

/* What a configuration says; of each type there is what it knows. */
struct type_conf {
	const char *bridge, *master, *mode; /* NULL: not said */
	int64_t     mtu, vlan;
	bool        is_gateway, is_default_gateway, hairpin, promisc, force_address;
	uint8_t     mac[LINK_MAC_LEN];
	bool        has_mac;
};
/** type_conf_read() - EINVAL: a member of the wrong type; ENOTSUP: one whose neglect would be dangerous */
int type_conf_read(const struct net_join *j, struct type_conf *out, struct err *e);

static inline struct link_new type_pod_end(const struct net_join *j, const struct type_conf *c)
{
	return (struct link_new){ j->ifname, j->netns_fd, (int)c->mtu, c->has_mac ? c->mac : NULL };
}

/**
 * type_begin() - the pod's interface, which is there, joins the result; then addresses are given out, which are its
 * @pod: receives what it is
 */
int type_begin(const struct net_join *j, struct net_result *r, struct link *pod, struct err *e);
int type_iface(struct net_result *r, const struct link *l, bool in_pod, struct err *e);

/** type_gateway() - where @ip names none it gets the first address of its network, if that is another one */
void type_gateway(struct net_ip *ip);

/**
 * type_finish() - gives the interface its addresses and routes, and brings it up
 * @through_gateway: everybody else on the network is reached through the gateway, not on the link
 */
int type_finish(const struct net_join *j, const struct net_result *r, const struct link *pod, bool through_gateway,
		struct err *e);

/** type_host() - settings of an interface of the host's that pods can talk to, before they can */
int type_host(const char *name, const struct net_result *r, struct err *e);
/** type_forward() - the host forwards packets of the families of @r */
int type_forward(const struct net_result *r, struct err *e);

/** type_settle() - @host, which may be NULL, and the pod reach each other from now on, its interface being up */
void type_settle(const struct net_join *j, const struct net_result *r, const struct link *host);

/** type_room() - sends what is in @m when there is no room for another change */
int type_room(struct nl *n, struct nl_msg *m, const char *name, struct err *e);

/** type_del() - of a pair of interfaces; the addresses are free again */
int type_del(const struct net_join *j, const struct net_result *r, struct err *e);
