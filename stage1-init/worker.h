/* SPDX-License-Identifier: Apache-2.0
 * worker - what the pod's host side does beside watching over it: nothing, until somebody wants it; then it is a
 * process of its own, a child of the host side, which may use the heap and dies with it
 *
 * The metadata service, forwarded ports in user space and the renewal of leases are workers. So a pod that nobody asks
 * anything pays a descriptor in the host side's poll().
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

struct worker {
	const char          *what;    /* for messages */
	const struct pollfd *wanted;  /* one of these becoming ready starts it; borrowed */
	size_t               n_wanted;
	int64_t              at_ms;   /* or this time of CLOCK_BOOTTIME; 0: never */
	int                (*main)(void *ctx); /* in the process, with all signals blocked; returns its exit status */
	void                *ctx;
	pid_t                pid;     /* 0: does not run */
	int64_t              not_before_ms; /* after it failed: no busy loop */
};

/** worker_polls() - appends what has to be watched; nothing while it runs. Returns how many. */
size_t worker_polls(const struct worker *w, struct pollfd *out);
/** worker_timeout_ms() - until it has to be looked at; -1: no time is set */
int worker_timeout_ms(const struct worker *w);
/** worker_handle() - starts it when one of @polls (as worker_polls() gave them) is ready, or its time has come, which
 * at_ms then forgets */
void worker_handle(struct worker *w, const struct pollfd *polls, size_t n);
/** worker_ended() - true: the process was its own; it starts again when it is wanted again, after a while if @status (of
 * waitpid) is a failure */
bool worker_ended(struct worker *w, pid_t pid, int status);
/** worker_kill() - and waits for it */
void worker_kill(struct worker *w);

/* ---- in the process; worker_rights.c ---- */

/** worker_close_others() - descriptors from 3 on but those: the pod's lock, its output and what else the host side has */
void worker_close_others(const int *kept, size_t n);
/** worker_give_up_rights() - to be nobody, and nothing else, from here on; what ends us with the host side stays */
int worker_give_up_rights(bool rootless, struct err *e);
