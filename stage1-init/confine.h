/* SPDX-License-Identifier: Apache-2.0
 * confine - what a process gives up before it becomes an app; the same for the app, its handlers
 * and `enter`
 *
 * In this order: no_new_privs, bounding set, groups and user, seccomp, capabilities. The filter
 * comes before the last capabilities go because without no_new_privs loading it needs
 * CAP_SYS_ADMIN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "stage1-init/seccomp.h"

struct confinement {
	uint64_t caps; /* bounding set; root also gets it as permitted and effective, others get
			  nothing */
	bool                 no_new_privs;
	uid_t                uid;
	gid_t                gid;
	const gid_t         *gids; /* supplementary groups: exactly these */
	size_t               n_gids;
	bool                 keep_groups; /* a user namespace that lets nobody change them: then n_gids is 0 */
	struct seccomp_prog *filter;
};

/** confine() - @listener as in seccomp_load(); after this the caller may only exec or exit, and make calls with
 * seccomp_call() */
int confine(const struct confinement *c, int *listener, struct err *e);
