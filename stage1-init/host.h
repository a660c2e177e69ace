/* SPDX-License-Identifier: Apache-2.0
 * host - the host side of a pod: prepares everything, clones PID 1, and stays until the pod has
 * ended
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

enum host_prefix { PREFIX_AUTO, PREFIX_ALWAYS, PREFIX_NEVER };

struct host_opts {
	const char      *uuid, *hostname, *mds_token, *net, *dns, *private_users, *learn;
	const char      *system_config, *local_config;
	bool             interactive, debug, no_seccomp, no_caps, no_paths, rootless, port_proxy;
	enum host_prefix prefix;
};

/**
 * host_run() - in the pod directory, whose lock RKT_LOCK_FD holds; returns the exit status
 *
 * Prints its own messages, "stage1: ...". Signals TERM, INT, HUP and QUIT stop the pod; a second
 * INT or QUIT kills it.
 */
int host_run(const struct host_opts *o);
