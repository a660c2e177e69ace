/* SPDX-License-Identifier: Apache-2.0
 * firewall - masquerading, forwarded ports and closed networks, by nftables in tables of our own, for each family one
 *
 * What a pod has comes in one transaction and goes in one; the kernel takes it whole or not at all. Each entry carries
 * the pod's UUID, so it can be found after a crash without knowing anything else of the pod. A table appears with the first
 * pod of its family and goes with the last one. That there are two keeps IPv6 out of the way of hosts whose pods have none:
 * the hooks of both are half of what the first pod would pay.
 *
 * In the kernel every chain at a hook has to agree: a host firewall whose forward chain drops would drop what our own
 * tables accept. So as long as pods are there, such chains have one rule of ours at their head, which accepts what our
 * tables have marked: what comes from interfaces of pods (not of closed networks), and what goes to them as an answer or
 * through a forwarded port. It is put there and taken away in the same transactions. Such a chain is one of nftables at
 * the hook forward, of type filter, that drops by policy or by its last rule, and iptables-nft's filter FORWARD whatever
 * its policy. What an administrator flushes comes back with the next pod.
 * Not seen are iptables-legacy, chains that drop in the middle, and not touched those that belong to
 * a program alone (flag owner). There the administrator accepts what has mark 0x72000000/0xff000000 in chain forward.
 * Packets are marked when the host has any chain of type filter at that hook, or a table of iptables-legacy, as a pod starts.
 *
 * Who adds and removes at the same time is told apart by the generation of the rule set: what was decided on one that is
 * not any more is decided again.
 * Source: kernel include/uapi/linux/netfilter/nf_tables.h; nft(8).
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/net/ip.h"
#include "core/net/netlink.h"

struct fw_net {
	char           iface[IFNAMSIZ]; /* on the host: the pod's veth or its bridge; "": none (macvlan) */
	struct ip_cidr address;         /* of the pod; its network is not masqueraded */
	bool           masquerade, closed; /* closed: nothing that comes from it is forwarded anywhere */
};

struct fw_port {
	int       protocol;  /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	uint16_t  host_port, pod_port, count;
	struct ip host_ip;   /* len 0: any address of the host */
	struct ip pod_ip;
};

struct fw_pod {
	const char           *uuid;
	const struct fw_net  *nets;
	const struct fw_port *ports;
	size_t                n_nets, n_ports;
	/* Whose entries are in the way: false: that pod is dead, and they are removed. @port: what is in the way; who has one
	 * may be alive, who had an address that has been given out again is not. That also is the answer where this is NULL. */
	bool                (*alive)(void *ctx, const char *uuid, bool port);
	void                 *ctx;
	struct nl            *keep; /* or NULL; for firewall_remove(), see there */
};

/** firewall_available() - 0, or -1 and why not: the kernel lacks nftables (ENOTSUP, with the remedy), no permission */
int firewall_available(struct err *e);
/** firewall_add() - EADDRINUSE: another pod has one of the ports (any address is in the way of each); says which pod and
 * port. Ports of loopback addresses are left to the proxy. Who sends datagrams to a port already gets to this pod. */
int firewall_add(const struct fw_pod *p, struct err *e);
/**
 * firewall_remove() - all of that pod; 0 also when there is nothing, or no nftables at all
 * @kept: what firewall_add() left in @keep, or NULL; it may be NL_NONE
 *
 * Who closes a socket to nftables waits until what anybody deleted before is gone for good, 5 to 20 ms. So the one that
 * adds is best kept open as long as the pod lives; behind the removal the caller closes it, or ends, without waiting.
 */
int firewall_remove(const char *uuid, struct nl *kept, struct err *e);
