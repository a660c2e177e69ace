/* SPDX-License-Identifier: Apache-2.0
 * net - the pod's networks, seen from its host side: joined before the pod is cloned, left when it has ended
 *
 * All of it is done in the network namespace of whoever called us, which is what the pod's host is. What is left to do
 * while the pod runs are workers: ports that are forwarded in user space, leases that are renewed.
 */
#pragma once

#include <stdbool.h>

#include "core/net/podnet.h"
#include "core/net/proxy.h"
#include "stage1-init/plan.h"
#include "stage1-init/worker.h"

#define NET_WORKERS 2

struct net_how {
	const char *net;           /* "none", "host", or a list */
	const char *system, *local; /* configuration directories */
	int         pod_fd, host_mnt_fd;
	bool        debug, port_proxy;
	bool        no_dns;        /* what networks say of it is not wanted */
};

#define NET_NONE_YET { .firewall = NL_NONE, .netns_fd = -1 }
struct net {
	struct podnet  nets;
	struct proxy  *proxy;
	struct pollfd *wanted;     /* the proxy's */
	size_t         n_wanted;
	bool           joins;      /* networks, others than none and the host's */
	bool           early;      /* before the pod is cloned: they may have a say in what its apps find there */
	bool           tried;      /* to join: there is something to leave */
	bool           has_dns;    /* the file that etc_open() may mount was written */
	struct nl      firewall;   /* what it was told through */
	int            netns_fd;   /* the pod's, kept for those who give something back from in there */
};

/** net_mode() - of what --net says; NULL is none. "failed to setup network: ..." */
int net_mode(const char *net, enum net_mode *out, struct err *e);

/**
 * net_plan() - which networks; says in n->early when net_up() is called: where that does not matter the kernel makes them
 * while PID 1 makes everything else
 */
int net_plan(struct net *n, const struct net_how *how, const struct plan *p, struct err *e);

/**
 * net_up() - joins @how->net, forwards the ports of the manifest, writes resolv.conf; @p has its namespace by now
 *
 * What fails leaves things as they are; net_down() either way. Messages: "failed to setup network: ...".
 */
int net_up(struct net *n, const struct net_how *how, struct plan *p, struct err *e);

/** net_workers() - those that there is work for, at most NET_WORKERS; how many. They use @n. */
size_t net_workers(struct net *n, struct worker *out);

/** net_child() - in PID 1: closes what listens on the host. No heap. What holds the pod's addresses stays open. */
void net_child(const struct net *n);

/** net_mark() - the link `netns` in the pod directory, once @pid1 is in the namespace */
int net_mark(const struct net *n, int pod_fd, pid_t pid1, struct err *e);

/**
 * net_down() - leaves them, of the pod @uuid in @how; workers have been killed. What cannot be done is left for gc.
 * @ended: the pod has, in good order: its interfaces are gone a moment later, and nobody waits for that
 */
int net_down(struct net *n, const struct net_how *how, const char *uuid, bool ended, struct err *e);
