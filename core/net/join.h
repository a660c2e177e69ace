/* SPDX-License-Identifier: Apache-2.0
 * join - one pod joins one network: what a network type and an address management get to know, and do
 *
 * add() makes interfaces and fills the result; what it has made when it fails, del() of the same join takes away. del()
 * is also for what a crash has left: it succeeds where nothing is there any more, and then netns_fd is -1.
 */
#pragma once

#include <cjson/cJSON.h>

#include "core/net/netconf.h"
#include "core/net/netlink.h"
#include "core/net/result.h"

/* Descriptors that hold locks as long as the pod lives: whoever has them open keeps the pod's addresses. */
struct net_held { int *fds; size_t n; };
int net_held_add(struct net_held *h, int fd, struct err *e); /* takes fd, also when it fails */
void net_held_close(struct net_held *h);

struct dhcp_leases;

struct net_join {
	const char      *uuid, *network, *ifname; /* the pod; name of the network; "eth0" */
	const char      *hostname;  /* the pod's, for servers that keep names; NULL: rkt-UUID */
	const cJSON     *conf;      /* of this plug-in, with its "name" and "cniVersion" */
	const char      *args;
	int              netns_fd;  /* the pod's; -1: gone */
	struct nl       *host, *pod; /* rtnetlink of both namespaces; pod NULL: gone */
	struct net_held *held;
	struct dhcp_leases *dhcp;   /* what is lent is added here, see dhcp.h; NULL: nobody will renew it */
	const char      *system, *local; /* configuration directories, for plug-ins */
	int              host_mnt_fd; /* mount namespace for plug-ins; -1: the caller's */
	bool             debug;
	bool             ends;      /* the pod ended in good order: its namespace goes, and takes its interfaces along */
};

struct net_type {
	const char *name;
	/* @prev: of the plug-in before in a chain, or NULL; @r: empty, receives the whole */
	int (*add)(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e);
	/* @r: what add() gave, as far as it was recorded, or NULL */
	int (*del)(const struct net_join *j, const struct net_result *r, struct err *e);
};

/** net_type_find() - a built-in one, or NULL: then plugin_type is asked, which executes one. flannel is none: flannel.h */
const struct net_type *net_type_find(const char *name);
extern const struct net_type net_ptp, net_bridge, net_macvlan, net_ipvlan, net_loopback, plugin_type;

/**
 * ipam_add() - by the member "ipam" of the configuration: host-local and dhcp built in, others are executed
 * Adds addresses (iface -1), routes and DNS to @r. dhcp wants the interface to be there and up.
 * No member, or an empty one: nothing is added. What is executed: plugin.h, plugin_overrides(), plugin_run().
 * COMPAT: `requested IP address "X" is not available in network: N`.
 */
int ipam_add(const struct net_join *j, struct net_result *r, struct err *e);
int ipam_del(const struct net_join *j, const struct net_result *r, struct err *e);

/** net_prepare_pod() - settings of a pod's namespace, once, before anything joins it: it believes no router that it was
 * not told of (THREATS H) */
int net_prepare_pod(int netns_fd, struct err *e);

/** net_veth_name() - the host's end of the pod's interface: "veth" and 8 hex digits, always the same for a join */
void net_veth_name(const char *uuid, const char *network, const char *ifname, char *out);
