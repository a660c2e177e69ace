/* SPDX-License-Identifier: Apache-2.0
 * rootless - a pod whose stage 1 is root of a user namespace only, where some things are had otherwise or not at all
 *
 * Device nodes cannot be made, so the host's are bound; /sys of the host's network is the host's, read-only; cgroups are
 * to be had only where they were delegated to the user. Nothing here is asked of a pod of root's.
 * Source: user_namespaces(7); kernel Documentation/admin-guide/cgroup-v2.rst, "Delegation".
 */
#pragma once

#include "stage1-init/plan.h"
#include "stage1-init/user.h"

typedef void rootless_say(const struct err *note);

/** rootless_settle() - on the host side, and by who enters: what our user namespace has, into the plan */
int rootless_settle(struct plan *p, struct err *e);

/** rootless_drop() - takes what the pod's manifest asks for and only root could grant out of the plan */
void rootless_drop(struct plan *p, rootless_say *say);

/* ---- in the pod: no heap ---- */

/** rootless_check_user() - whether the namespace has these ids */
int rootless_check_user(const struct plan *p, const struct user *u, struct err *e);

/** rootless_shares_net() - whether process @pid has our network namespace, which is the host's and cannot be entered */
bool rootless_shares_net(const struct plan *p, pid_t pid);

/** rootless_node() - a detached mount of a device node; -1/errno */
int rootless_node(const char *name);
/** rootless_sys() - the host's /sys, read-only and detached */
int rootless_sys(const struct plan *p, struct err *e);

#define ROOTLESS_NODES 6
struct rootless_dev { int nodes_fd[ROOTLESS_NODES], sys_fd, proc_fd; };
/** rootless_dev_take() - before PID 1 leaves the host's root; rootless_dev_keep() - into the current directory, its new /dev */
int rootless_dev_take(struct rootless_dev *d, const struct plan *p, struct err *e);
int rootless_dev_keep(struct rootless_dev *d, struct err *e);
