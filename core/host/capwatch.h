/* SPDX-License-Identifier: Apache-2.0
 * capwatch - which capabilities processes make use of, watched in the kernel
 *
 * A BPF program stands where the kernel checks capabilities, cap_capable(): on a kprobe, or, where the kernel has none,
 * on the tracepoint of Linux 6.14. It counts a check when
 * - the process asks for itself. Overlayfs, for one, asks for whoever mounted it, in the middle of a process's call;
 * - its effective set has the capability. Checks that fail are no use of anything;
 * - its user namespace is the one watched, and the check is about that or one below it. In a namespace that it has
 *   made itself a process has all capabilities whatever it had before;
 * - it is a process of the PID namespace watched that was announced.
 * The kernel marks checks that deny nothing, only prefer (such as those for the last pages of memory, at each mmap());
 * the kprobe sees the mark and leaves them out, the tracepoint does not, and counts them.
 *
 * What is counted goes into a mask of its group, so nothing is ever lost, however many checks there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

struct capwatch {
	int      tasks_fd, masks_fd, event_fd; /* -1: none */
	bool     tracepoint;
	uint32_t args[4];    /* where the program finds: credentials, namespace, capability, mark or result */
	uint32_t members[5]; /* of the kernel's structs: see capwatch.c */
};
#define CAPWATCH_NONE { .tasks_fd = -1, .masks_fd = -1, .event_fd = -1 }

/** capwatch_open() - all that can be done before there is anybody to watch; @n_groups: from 0 on */
int capwatch_open(struct capwatch *w, size_t n_groups, struct err *e);
/** capwatch_start() - @pid_ns, @user_ns: paths such as /proc/1/ns/pid */
int capwatch_start(struct capwatch *w, const char *pid_ns, const char *user_ns, struct err *e);
/**
 * capwatch_add() - from now on the process is watched; -1/errno
 * @tgid: as that PID namespace has it
 *
 * Again for one that is known does no harm. No heap.
 */
int capwatch_add(const struct capwatch *w, uint32_t tgid, uint32_t group);
/** capwatch_used() - bit N: capability N */
uint64_t capwatch_used(const struct capwatch *w, uint32_t group);
void capwatch_close(struct capwatch *w);
