/* SPDX-License-Identifier: Apache-2.0
 * cgroup_find - where our own cgroups are: in which hierarchy, mounted where; for cgroup.c
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CGROUP_MEMORY = 1, CGROUP_CPU = 2, CGROUP_PIDS = 4 };

struct cgroup_controller {
	int         bit;
	const char *name;
};
#define CGROUP_CONTROLLERS 3
extern const struct cgroup_controller cgroup_controllers[CGROUP_CONTROLLERS];

/* a hierarchy that we use */
struct hierarchy {
	bool v2, found;
	int  uses;          /* controllers of ours that live here */
	char name[32];      /* directory below /sys/fs/cgroup in the app; "" for v2 */
	char own[PATH_MAX]; /* our own group */
	char pod[PATH_MAX]; /* the pod's, own/rkt-UUID; the caller fills it in */
};

struct hierarchies {
	struct hierarchy v[PLAN_CGROUPS_MAX];
	size_t           n;
};

/**
 * cgroup_find() - those that have what is in @wanted, and version 2 by itself where there is no
 * other
 *
 * A controller that is wanted and nowhere to be found is ENOTSUP, with the remedy.
 */
int cgroup_find(struct hierarchies *l, int wanted, struct err *e);

/** cgroup_has_word() - whether @word is in a list that is separated by @sep */
bool cgroup_has_word(const char *words, const char *word, char sep);
