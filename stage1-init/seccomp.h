/* SPDX-License-Identifier: Apache-2.0
 * seccomp - the default filter: what an app in a pod has no business with gets an errno
 *
 * Denied is what lets a process reach past its namespaces or into the kernel's rarely walked
 * corners, unless the app keeps the capability that the call asks for anyway. A denied call is
 * EPERM, so that programs fail the way they fail without privileges; calls newer than the table are
 * ENOSYS, so that they fall back to older ones; so is anything that enters the kernel by another
 * architecture's door.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#define SECCOMP_PROG_MAX 256 /* also what 8-bit jumps can span */

struct seccomp_prog {
	struct sock_filter code[SECCOMP_PROG_MAX];
	unsigned short     len;
	unsigned short     deny_at; /* the instruction that says what happens to denied calls */
};

/** seccomp_build() - for an app that keeps @caps; false only if the table outgrew the program (a
 * unit test looks) */
bool seccomp_build(uint64_t caps, struct seccomp_prog *p);

/** seccomp_notify() - denied calls wait for the listener's answer (true), or are EPERM at once */
void seccomp_notify(struct seccomp_prog *p, bool notify);

/**
 * seccomp_load() - puts the filter on the calling process
 * @listener: receives the descriptor that is asked about denied calls; -1 when the process has
 * another filter with a listener already, then calls are denied without being asked about. NULL: no
 * listener wanted
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. -1/errno
 */
int seccomp_load(struct seccomp_prog *p, int *listener);

/**
 * seccomp_answer() - takes one denied call off the listener, and denies it
 *
 * Returns the call's number, -1 when there was none after all.
 */
int seccomp_answer(int listener);

/** seccomp_name() - of a call that the filter may deny, "mount"; NULL for others */
const char *seccomp_name(int nr);
