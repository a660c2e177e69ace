/* SPDX-License-Identifier: Apache-2.0
 * cgroup_find - where our own cgroups are: in which hierarchy, mounted where
 *
 * Source: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/; proc(5), /proc/PID/mountinfo.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CGROUP_MEMORY = 1, CGROUP_CPU = 2, CGROUP_PIDS = 4, CGROUP_IO = 8, CGROUP_DEVICES = 16 };

struct cgroup_controller {
	int         bit;
	const char *name, *v1_name;
};
#define CGROUP_CONTROLLERS 5
extern const struct cgroup_controller cgroup_controllers[CGROUP_CONTROLLERS];

/* a hierarchy that we use */
struct hierarchy {
	bool v2, found;
	bool devices;       /* it is the one that tells which devices may be used; no controller does so in v2 */
	int  uses;          /* controllers of ours that live here */
	char name[32];      /* directory below /sys/fs/cgroup in the app; "" for v2 */
	char own[PATH_MAX]; /* our own group */
};

#define CGROUP_HIERARCHIES_MAX 6 /* of each controller one at most, and of version 2 */
struct hierarchies {
	struct hierarchy v[CGROUP_HIERARCHIES_MAX];
	size_t           n;
};

/**
 * cgroup_find() - those that have what is in @wanted, and version 2 by itself where there is no other
 *
 * A controller that is wanted and nowhere to be found is ENOTSUP, with the remedy.
 */
int cgroup_find(struct hierarchies *l, int wanted, struct err *e);

/**
 * cgroup_check_offered() - of version 2: whether groups below our own can be given what we use
 *
 * ENOTSUP names what is lacking and why.
 */
int cgroup_check_offered(const struct hierarchy *h, struct err *e);
