/* SPDX-License-Identifier: Apache-2.0
 * seccomp - puts a filter (see filter.h) on a process, and answers for it
 *
 * A denied call is an error, EPERM if nothing else is asked for, so that programs fail the way they fail without
 * privileges.
 *
 * A set may deny what a process has to do between loading its filter and becoming the app: hand over the listener,
 * give up its last capabilities, execute. Such a filter lets any call through whose last two arguments, which these
 * calls do not use, are a random key. Only that process knows it, until it executes something, and PID 1, whose
 * memory no app can read that could not do worse. So the app itself gets exactly what the set says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <linux/filter.h>

struct seccomp_prog {
	struct sock_filter *code; /* NULL: no filter */
	unsigned short      len;
	unsigned short      deny_at; /* the instruction that says what happens to denied calls */
	unsigned short      error;   /* what they return */
	unsigned long       key[2];  /* 0, 0: not needed */
	struct sock_filter *learn;   /* a second filter, which asks about every call (learn.h); NULL: none */
	unsigned short      learn_len;
};

static inline bool seccomp_wanted(const struct seccomp_prog *p)
{
	return p->code || p->learn;
}

/** seccomp_notify() - denied calls wait for the listener's answer (true), or fail at once */
void seccomp_notify(struct seccomp_prog *p, bool notify);

/**
 * seccomp_load() - puts the filter on the calling process
 * @listener: receives the descriptor that is asked about denied calls, close-on-exec; -1 when the process has
 * another filter with a listener already, then calls are denied without being asked about (when learning: EBUSY).
 * NULL: no listener wanted, and nothing is learnt
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. -1/errno
 */
int seccomp_load(struct seccomp_prog *p, int *listener);

/** seccomp_call() - a system call of at most three arguments that the filter lets through; -1/errno */
long seccomp_call(const struct seccomp_prog *p, long nr, long a, long b, long c);

/** seccomp_wait() - when the app is to be learnt from: until whoever learns knows of this process */
void seccomp_wait(const struct seccomp_prog *p);
#define SECCOMP_WAIT_CALL SYS_getpid /* asks even with the key, which tells it from the app's own */

/** seccomp_exit() - _exit(), which a filter could forbid as well */
_Noreturn void seccomp_exit(const struct seccomp_prog *p, int status);

/* a call that was asked about; the architecture as AUDIT_ARCH_* */
struct seccomp_asked { int nr; uint32_t arch; };

/** seccomp_answer() - takes one denied call off the listener, and lets it fail with @error; false: there was none */
bool seccomp_answer(int listener, int error, struct seccomp_asked *out);

/**
 * seccomp_continue() - takes one call off the listener of a filter that learns, and lets it go on
 * @seen: told which process makes it, before it does
 *
 * false: there was none after all, or it was seccomp_wait()'s.
 */
bool seccomp_continue(int listener, const struct seccomp_prog *p, void (*seen)(void *ctx, pid_t tid), void *ctx,
	struct seccomp_asked *out);
