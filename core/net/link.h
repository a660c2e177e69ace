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
#define LINK_GROUP 0x726b74 /* IFLA_GROUP of what pods have on the host: veths, and bridges that we made */

struct link {
	char     name[IFNAMSIZ];
	int      index, mtu, master; /* master 0: none */
	uint8_t  mac[LINK_MAC_LEN];
	bool     up, vlans; /* vlans: a bridge that tells them apart */
	char     kind[16]; /* "veth", "bridge"; "" hardware */
};

/** link_find() - 1; 0: there is none of that name; -1 */
int link_find(struct nl *n, const char *name, struct link *out, struct err *e);
/** link_get() - the same where it has to be there: ENODEV */
int link_get(struct nl *n, const char *name, struct link *out, struct err *e);
/** link_mac_text() - returns @out, which has LINK_MAC_TEXT bytes; link_mac_parse() - false: not "02:00:00:00:00:01" */
char *link_mac_text(const uint8_t *mac, char *out);
bool link_mac_parse(const char *text, uint8_t *out);

/* An interface as it is born in a pod: down. */
struct link_new {
	const char    *name;
	int            netns_fd; /* -1: the namespace of the socket */
	int            mtu;      /* 0: the kernel's, or its master's */
	const uint8_t *mac;      /* NULL: random, or its master's */
};

/**
 * link_veth() - a pair: @name here, up, in the group LINK_GROUP, with the mtu of @pod, and @pod
 * @master_index: of the bridge that @name becomes a port of; 0: none
 * @out: receives what @name is
 */
int link_veth(struct nl *n, const char *name, const struct link_new *pod, int master_index, struct link *out,
	      struct err *e);
/** link_bridge() - the bridge @name, which is made, down, where there is none, with an address of its own that it keeps
 * whatever ports it gets. Not a bridge: EEXIST. Others may do the same at the same time. @vlans: it tells them apart. */
int link_bridge(struct nl *n, const char *name, int mtu, bool vlans, struct link *out, struct err *e);

/**
 * link_child() - @pod on top of @master_index
 * @kind, @mode: "macvlan" and a MACVLAN_MODE_*, "ipvlan" and an IPVLAN_MODE_* (linux/if_link.h), "vlan" and its id
 */
int link_child(struct nl *n, const char *kind, int master_index, uint32_t mode, const struct link_new *pod,
	       struct err *e);

int link_up(struct nl *n, const char *name, struct err *e);
/**
 * link_settle() - @index passes on what comes from now on, as its other end is up
 *
 * Otherwise that is done by a worker of the kernel's, some time. What is sent until then is lost, and a question for an
 * address is repeated after a second only. Older kernels than 6.8 cannot be asked for it.
 */
void link_settle(struct nl *n, int index);
/**
 * link_settle_address() - @a is the namespace's own from now on
 *
 * An address of IPv6 is so only once a worker of the kernel's has come to it, even where nobody looks for duplicates. It
 * is waited for, which is a matter of microseconds, but not for long: what comes earlier is lost, no more.
 */
void link_settle_address(struct nl *n, const struct ip *a);
/** link_delete() - 0 also when it is not there */
int link_delete(struct nl *n, const char *name, struct err *e);
/** link_default() - the interface of the default route, for networks that name no master; ENOENT: no such route */
int link_default(struct nl *n, struct link *out, struct err *e);


/*
 * Several changes go to the kernel in one message buffer: each function appends one, link_apply() sends them. That a
 * change is there already (EEXIST) is no error.
 */
#define LINK_CHANGE_MAX 192 /* bytes that one takes at most */

void link_put_up(struct nl_msg *m, int index, unsigned flags /* IFF_UP, IFF_PROMISC */);
/** link_put_address() - IPv6 is usable at once (IFA_F_NODAD); @with_route: its network is reached through @index */
void link_put_address(struct nl_msg *m, int index, const struct ip_cidr *a, bool with_route);
/** link_put_route() - @gw, @src NULL or len 0: on link; the kernel chooses. @replace: whatever leads there now */
void link_put_route(struct nl_msg *m, int index, const struct ip_cidr *dst, const struct ip *gw, const struct ip *src,
		    bool replace);
void link_put_port(struct nl_msg *m, int index, bool hairpin, int vlan /* 0: none */, bool self);
int link_apply(struct nl *n, struct nl_msg *m, const char *name, struct err *e);

/**
 * link_shape() - at most @bytes_per_s through what @index sends, by a token bucket (tbf) as its queueing discipline
 * A pod's interface is shaped at both ends: what it sends, and what the host's end sends to it. Bytes are those of
 * frames, with their headers.
 * Source: tc-tbf(8). ENOENT: the kernel lacks it.
 */
int link_shape(struct nl *n, int index, int mtu, int64_t bytes_per_s, struct err *e);
