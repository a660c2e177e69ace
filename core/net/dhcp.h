/* SPDX-License-Identifier: Apache-2.0
 * dhcp - addresses that a server on the pod's network lends (IPv4): asked for when the pod joins, kept while it lives,
 * given back when it ends
 *
 * There is no daemon. The pod's host side asks once, collects the leases, and has a worker (stage1-init/worker.h) from
 * the time when the first of them wants to be renewed. What is needed to give a lease back stands in a file beside the
 * leases of host-local, so whoever removes the pod can do that.
 * Source: RFC 2131, RFC 2132, RFC 3396 (long options), RFC 3442 (classless routes).
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/net/ip.h"
#include "core/net/netconf.h"

#define DHCP_MAC_LEN 6

struct dhcp_lease {
	char           uuid[37], ifname[IFNAMSIZ], hostname[64], network[NET_NAME_MAX + 1];
	struct ip_cidr address;
	struct ip      server;
	uint8_t        server_mac[DHCP_MAC_LEN]; /* or that of the router before it */
	int64_t        t1_ms, t2_ms, end_ms;     /* CLOCK_BOOTTIME; INT64_MAX: never */
	int64_t        next_ms;                  /* when there is something to do */
};

struct dhcp_leases {
	struct dhcp_lease *v;
	size_t             n;
	int                netns_fd; /* the pod's, a descriptor of our own, once n is not 0 */
};
void dhcp_leases_free(struct dhcp_leases *l); /* gives nothing back */

/** dhcp_next_ms() - when dhcp_work() has to begin, a time of CLOCK_BOOTTIME; 0: never, nothing is lent for a time only */
int64_t dhcp_next_ms(const struct dhcp_leases *l);

/**
 * dhcp_work() - in a process of its own, which it moves into the pod's network namespace: keeps the leases
 *
 * Renews, asks any server when the first one is silent, takes an address away when its time is over or the server wants
 * it back, and looks for another one. Ends when it is killed; returns -1 when it cannot go on, 0 when nothing is left.
 */
int dhcp_work(struct dhcp_leases *l, struct err *e);
