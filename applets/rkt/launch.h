/* SPDX-License-Identifier: Apache-2.0
 * launch - the last steps of stage 0: the apps' root file systems are mounted, and this process becomes stage 1
 */
#pragma once

#include "applets/rkt/stage1.h"
#include "core/base/opt.h"
#include "core/pod/ids.h"
#include "core/pod/netns.h"
#include "core/pod/userns.h"
#include "core/pod/pod.h"

/* what rkt run and rkt run-prepared both can be told about the start of a pod */
struct launch_opts {
	const char *net; /* as given, several joined by commas; NULL: ask launch_net() */
	const char *hostname, *prefix, *learn;
	bool        interactive, strict, port_proxy, mds_register;
};
extern const struct opt launch_opts_table[];

struct launch_app {
	const char *name;
	int         lower_fd; /* rendered root of the image; -1: the app has a copy */
};

/** launch_net() - the networks that the pod gets: what was asked for, else rkt's default network; without root none */
const char *launch_net(const struct launch_opts *o);
bool launch_own_net(const struct launch_opts *o); /* not the host's */

/** launch_check() - whether this version can do what @o asks for, for a pod of @n_apps */
int launch_check(const struct launch_opts *o, size_t n_apps, struct err *e);
/** launch_check_ports() - whether a pod with that many forwarded ports can have them */
int launch_check_ports(const struct launch_opts *o, size_t n_ports, struct err *e);
/** launch_check_stage1() - the same for the stage 1, while the pod can still stay what it is */
int launch_check_stage1(const struct launch_opts *o, const struct stage1 *s, struct err *e);

/** launch_begin() - what can be made before anything is known of the pod; launch() takes it, else netns_drop() */
void launch_begin(const struct launch_opts *o, struct netns *n);

/** launch_begin_users() - the same for a pod with users of its own; userns_drop() */
int launch_begin_users(const struct launch_opts *o, struct userns *u, struct err *e);

/** launch_no_source() - says that the source of a volume is missing as stage 1 would; returns the exit status for it */
int launch_no_source(const struct err *e);

/* all of it borrowed */
struct launch {
	struct pod              *pod; /* in run/ and locked */
	const struct stage1     *stage1;
	int                      stage1_fd; /* rendered root of a foreign stage 1, or -1 */
	const struct launch_app *apps;
	size_t                   n_apps;
	struct netns            *netns;
	const struct appc_pairs *annotations; /* of the pod */
	struct userns           *userns; /* for a pod with users of its own, if it was begun */
	struct pod_ids           ids; /* count 0: the host's */
};

/**
 * launch() - this process becomes the pod's stage 1
 * Returns only on failure: -1. By then it may be in a mount namespace of its own.
 */
int launch(const struct rkt_globals *g, const struct launch *l, const struct launch_opts *o, struct err *e);
