/* SPDX-License-Identifier: Apache-2.0
 * podnet - the networks of one pod: joined in order, recorded, left in the reverse order
 *
 * The record, net-info.json in the pod directory, is written before anything is made, with what will be tried, and
 * again with what came of it before the firewall hears of it. So whatever a crash leaves, podnet_leave() finds it.
 * Format: a list of objects as rkt has it (netName, netConf, pluginPath, ifName, ip, args, mask), to which we add conf
 * (the chain that was used) and result (CNI 1.0.0).
 */
#pragma once

#include "core/net/dhcp.h"
#include "core/net/firewall.h"
#include "core/net/join.h"

#define PODNET_FILE "net-info.json"

struct podnet_one {
	struct net_conf   conf;
	char              ifname[IFNAMSIZ];
	char              plugin[1024]; /* what is executed, of a chain the first; "": built in */
	struct net_result r;
	bool              joined; /* r is there */
};

struct podnet {
	struct podnet_one *v;
	size_t             n;
	struct net_held    held;
	struct dhcp_leases dhcp; /* for the worker that renews them */
};
void podnet_free(struct podnet *p); /* leaves the networks alone */

struct podnet_opts {
	const char *uuid, *net;      /* net: a list, see netconf.h */
	const char *hostname;        /* NULL: rkt-UUID */
	const char *system, *local;
	int         pod_fd, netns_fd, host_mnt_fd;
	int64_t     bandwidth;       /* bytes per second, of each interface; APPC_UNLIMITED */
	bool        debug, ends;     /* ends: as of struct net_join, for podnet_leave() */
	struct nl  *firewall;        /* for podnet_leave(): see firewall_remove() */
};

/** podnet_plan() - which networks; nothing is made yet */
int podnet_plan(const struct podnet_opts *o, struct podnet *out, struct err *e);
/** podnet_may_name() - whether joining them may bring name servers: by configuration, or by whom it has to be asked of */
bool podnet_may_name(const struct podnet *p, const char *local);
/** podnet_up() - joins; what it has made when it fails is gone again. "failed to setup network: ..." is the caller's
 * @p: what podnet_plan() gave, or empty */
int podnet_up(const struct podnet_opts *o, struct podnet *p, struct err *e);
/** podnet_port_address() - that forwarded ports lead to: of the first masqueraded network, else of the last, that has one
 * @len: 4 or 16; NULL: none has. Source: rkt Documentation/networking/overview.md, "Network used for forwarded ports" */
const struct ip *podnet_port_address(const struct podnet *p, uint8_t len);
/** podnet_firewall() - what firewall_add() has to know of the networks, an entry for each address; free(out). Plug-ins of
 * others masquerade themselves. Closed is what says "restricted", see netconf.h. */
int podnet_firewall(const struct podnet *p, struct fw_net **out, size_t *n, struct err *e);
/**
 * podnet_leave() - leaves what the record in pod_fd names, and removes the firewall's entries; 0 when there is no record
 * @o: net and bandwidth are not looked at; netns_fd -1: gone. While it is there plug-ins can take back what they moved
 * into it, as host-device does.
 * It does all it can and returns the first error; then the record stays, for the next try.
 */
int podnet_leave(const struct podnet_opts *o, struct err *e);
/** podnet_read() - the record, for who shows it; n 0: none */
int podnet_read(int pod_fd, struct podnet *out, struct err *e);
/** podnet_text() - "default:ip4=172.16.28.2, lan:ip6=fd00::2": how `rkt list` and `rkt status` show them */
int podnet_text(const struct podnet *p, struct buf *b);
