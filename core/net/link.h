/* SPDX-License-Identifier: Apache-2.0
 * link - network interfaces, their addresses and routes, over rtnetlink
 *
 * Each call is about the namespace of its socket. ENODEV, EEXIST and so on are the kernel's; messages name interface
 * and cause, and the remedy where a kind of interface is missing from the kernel.
 * Source: kernel Documentation/networking/{bridge,ipvlan}.rst; rtnetlink(7); linux/if_link.h.
 */
#pragma once

#include <net/if.h>

#include "core/net/ip.h"
#include "core/net/netlink.h"

#define LINK_MAC_LEN 6
#define LINK_MAC_TEXT 18

struct link {
	char     name[IFNAMSIZ];
	int      index, mtu, master; /* master 0: none */
	uint8_t  mac[LINK_MAC_LEN];
	bool     up;
	char     kind[16]; /* "veth", "bridge"; "" hardware */
};

/** link_find() - 1; 0: there is none of that name; -1 */
int link_find(struct nl *n, const char *name, struct link *out, struct err *e);
/** link_get() - the same where it has to be there: ENODEV */
int link_get(struct nl *n, const char *name, struct link *out, struct err *e);
char *link_mac_text(const uint8_t *mac, char *out);

/**
 * link_veth() - a pair: @name here, up, and @peer in the namespace @netns_fd, down; both @mtu (0: the kernel's)
 * @group: of interfaces, IFLA_GROUP, of the host's end
 */
int link_veth(struct nl *n, const char *name, const char *peer, int netns_fd, int mtu, uint32_t group, struct err *e);
/** link_bridge() - 1: made, 0: it was there; not a bridge: EEXIST */
int link_bridge(struct nl *n, const char *name, int mtu, bool vlan_filtering, struct err *e);

enum link_macvlan { LINK_MACVLAN_PRIVATE = 1, LINK_MACVLAN_VEPA = 2, LINK_MACVLAN_BRIDGE = 4, LINK_MACVLAN_PASSTHRU = 8 };
enum link_ipvlan { LINK_IPVLAN_L2 = 0, LINK_IPVLAN_L3 = 1, LINK_IPVLAN_L3S = 2 };
/** link_macvlan(), link_ipvlan() - on @master_index, born as @name in @netns_fd; mtu 0: its master's */
int link_macvlan(struct nl *n, int master_index, const char *name, int netns_fd, int mtu, enum link_macvlan mode,
		 const uint8_t *mac /* NULL: random */, struct err *e);
int link_ipvlan(struct nl *n, int master_index, const char *name, int netns_fd, int mtu, enum link_ipvlan mode,
		struct err *e);

int link_up(struct nl *n, const char *name, struct err *e);
int link_set_master(struct nl *n, const char *name, int master_index, bool hairpin, struct err *e);
int link_set_mac(struct nl *n, const char *name, const uint8_t *mac, struct err *e);
/** link_delete() - 0 also when it is not there */
int link_delete(struct nl *n, const char *name, struct err *e);
/** link_default() - the interface of the default route, for networks that name no master; ENOENT: no such route */
int link_default(struct nl *n, struct link *out, struct err *e);

/** link_address() - adds one; EEXIST is none. IPv6 without duplicate address detection (IFA_F_NODAD). */
int link_address(struct nl *n, int index, const struct ip_cidr *a, struct err *e);
/** link_has_address() - 1, 0, -1; index 0: on any interface */
int link_has_address(struct nl *n, int index, const struct ip *a, struct err *e);
/** link_route() - @gw len 0: on link; @src len 0: the kernel chooses; EEXIST is none. metric 0: the kernel's */
int link_route(struct nl *n, int index, const struct ip_cidr *dst, const struct ip *gw, const struct ip *src,
	       uint32_t metric, struct err *e);

/**
 * link_shape() - at most @bytes_per_s through what @index sends, by a token bucket (tbf) as its queueing discipline
 * A pod's interface is shaped at both ends: what it sends, and what the host's end sends to it.
 * Source: tc-tbf(8). EINVAL ENOENT: the kernel lacks it.
 */
int link_shape(struct nl *n, int index, int mtu, int64_t bytes_per_s, struct err *e);
