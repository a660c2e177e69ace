/* SPDX-License-Identifier: Apache-2.0
 * isolation - isolators that are neither cgroups, nor capabilities, nor the seccomp filter: resource limits, Landlock,
 * the label of a security module, and the pod's sysctls
 *
 * Without such an isolator none of this makes a system call. The host side makes it ready with the heap; the rest runs
 * in PID 1 and in the apps' last steps, and in a visitor's, without.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/appc/isolator.h"
#include "core/base/err.h"
#include "stage1-init/landlock.h"
#include "stage1-init/seccomp.h"

/* an app's */
struct isolation {
	const char           *label;    /* what goes into /proc/self/attr/exec; NULL: nothing */
	const char           *lsm;      /* whose label that is, for messages */
	bool                  selinux;  /* it is SELinux's */
	uint64_t              handled;  /* by Landlock; 0: no Landlock */
	struct landlock_rule *rules;
	size_t                n_rules;
	bool                  rlimits;  /* there are some */
	bool                  other_arch; /* the image is not for this machine's own */
};

/* the pod's; path: below /proc/sys */
struct isolation_sysctl { char *path; const char *value; };
struct isolation_sysctls { struct isolation_sysctl *v; size_t n; };

/**
 * isolation_plan() - for an app whose limits the pod's have bound already
 * isolation_plan_pod() - for the pod's own
 *
 * The limits lose what this host cannot do, as core/host/verdict.h tells the user.
 */
int isolation_plan(struct appc_limits *l, struct isolation *out, struct err *e);
int isolation_plan_pod(struct appc_limits *pod, struct isolation_sysctls *out, struct err *e);

/** isolation_sysctls() - in PID 1, in the pod's namespaces; @proc_fd, @root: as for sysctl_write() */
int isolation_sysctls(const struct isolation_sysctls *l, int proc_fd, uid_t root, struct err *e);

/**
 * isolation_begin() - in a process of the app, before it gives up privileges, when all files are in their places
 * @proc_fd: a proc file system in which "self" is this process
 *
 * Hardly any file can be opened after that.
 */
int isolation_begin(const struct isolation *o, const struct appc_rlimit *rlimits, int proc_fd, int root_fd, struct err *e);

/** isolation_end() - right before exec */
int isolation_end(const struct isolation *o, const struct appc_rlimit *rlimits, const struct seccomp_prog *filter,
	struct err *e);

/** isolation_exec_failed() - adds to an error of exec that the app's label can be the cause, or the image's architecture */
void isolation_exec_failed(const struct isolation *o, struct err *e);

/** isolation_label() - the one step of isolation_begin() that needs /proc, for a visitor, who has the host's */
int isolation_label(const struct isolation *o, int proc_fd, struct err *e);
/** isolation_confine() - the others */
int isolation_confine(const struct isolation *o, const struct appc_rlimit *rlimits, int root_fd, struct err *e);
