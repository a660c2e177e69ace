/* SPDX-License-Identifier: Apache-2.0
 * cgroup - the pod's groups, in version 2, in version 1 and in mixtures of both
 *
 * CALLER'S GROUP/rkt-UUID/APP in a pod of several apps, and where devices are told apart (devices.h); with only one,
 * CALLER'S GROUP/rkt-UUID is the app's and bears the smaller of each limit of app and pod. Always below the group of whoever
 * called us, so that limits which the host's init put there hold for the apps. PID 1 and the host
 * side stay where they are: running out of memory shall hit an app, not what looks after it.
 * Source: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

/**
 * cgroup_setup() - makes the groups, writes the limits, opens what joining takes
 *
 * @pid1: of the pod; where it is in the way it is moved, as we are
 *
 * Paths go into the file `cgroup` of the pod directory before they exist. Only controllers that
 * some limit needs are touched. A limit that cannot be enforced is an error that names the
 * controller.
 */
int cgroup_setup(struct plan *p, int pod_fd, pid_t pid1, struct err *e);

/**
 * cgroup_hand_over() - what cgroup_setup() opened for the apps, through the channel, and closes it
 * here cgroup_take_over() - in PID 1, which waits for it: into its own copy of the plan; no heap
 *
 * Groups are made while the kernel makes PID 1's namespaces: each takes a good part of a start.
 */
int cgroup_hand_over(struct plan *p, int channel_fd, struct err *e);
int cgroup_take_over(struct plan *p, struct err *e);

/** cgroup_remove() - of everything that is listed in the file `cgroup`; what is busy stays for gc: -1 and *e */
int cgroup_remove(int pod_fd, struct err *e);

/**
 * cgroup_remove_early() - the same while PID 1 still ends, which takes as long; true: nothing is left to be done
 *
 * Only for groups in which nobody can be but apps that have ended, and without a second try.
 */
bool cgroup_remove_early(int pod_fd);

/** cgroup_join() - the calling process goes where the app's are, according to the file `cgroup`;
 * @only_app: of its pod */
int cgroup_join(int pod_fd, const char *uuid, const char *app, bool only_app, struct err *e);
