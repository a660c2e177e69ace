/* SPDX-License-Identifier: Apache-2.0
 * seccomp - see seccomp.h
 *
 * Runs in the apps' last steps: no heap.
 */
#include "stage1-init/seccomp.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

void seccomp_notify(struct seccomp_prog *p, bool notify)
{
	p->code[p->deny_at].k = notify ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | p->error;
}

/* signals do not interrupt a call whose number is known, or with many of them it would never get on (since 5.19) */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* An errno of the app's own filter, which comes first, outweighs the question. */
static int load_learning(struct seccomp_prog *p, int *listener)
{
	struct sock_fprog own = { .len = p->len, .filter = p->code };
	struct sock_fprog learn = { .len = p->learn_len, .filter = p->learn };

	if (p->code) {
		seccomp_notify(p, false);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &own) < 0)
			return -1;
	}
	*listener = (int)seccomp_call(p, SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, (long)&learn);
	if (*listener < 0 && errno == EINVAL)
		*listener = (int)seccomp_call(
			p, SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (long)&learn);
	return *listener < 0 ? -1 : 0;
}

int seccomp_load(struct seccomp_prog *p, int *listener)
{
	struct sock_fprog prog = { .len = p->len, .filter = p->code };

	if (listener && p->learn)
		return load_learning(p, listener);
	if (!p->code)
		return 0;
	if (listener) {
		seccomp_notify(p, true);
		*listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
		if (*listener >= 0)
			return 0;
		if (errno != EBUSY)
			return -1;
	}
	seccomp_notify(p, false);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

long seccomp_call(const struct seccomp_prog *p, long nr, long a, long b, long c)
{
	return syscall(nr, a, b, c, 0L, p->key[0], p->key[1]);
}

void seccomp_exit(const struct seccomp_prog *p, int status)
{
	for (;;)
		seccomp_call(p, SYS_exit_group, status, 0, 0);
}

void seccomp_wait(const struct seccomp_prog *p)
{
	if (p->learn)
		seccomp_call(p, SECCOMP_WAIT_CALL, 0, 0, 0);
}

/* the kernel's structs may be longer than ours; it wants them zeroed */
union question {
	struct seccomp_notif s;
	char                 room[512];
};
union answer {
	struct seccomp_notif_resp s;
	char                      room[512];
};

static int ask(int listener, union question *q)
{
	memset(q, 0, sizeof(*q));
	return ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_RECV, q);
}

/* @error 0: the call goes on */
static void answer(int listener, const union question *q, int error)
{
	union answer a;

	memset(&a, 0, sizeof(a));
	a.s.id = q->s.id;
	a.s.error = -error;
	a.s.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* ENOENT: the process died meanwhile */
	ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_SEND, &a);
}

bool seccomp_answer(int listener, int error, struct seccomp_asked *out)
{
	union question q;

	if (ask(listener, &q) < 0)
		return false;
	answer(listener, &q, error);
	*out = (struct seccomp_asked){ .nr = q.s.data.nr, .arch = q.s.data.arch };
	return true;
}

bool seccomp_continue(int listener, const struct seccomp_prog *p, void (*seen)(void *ctx, pid_t tid), void *ctx,
	struct seccomp_asked *out)
{
	union question q;

	if (ask(listener, &q) < 0)
		return false;
	seen(ctx, (pid_t)q.s.pid);
	answer(listener, &q, 0);
	bool keyed = q.s.data.args[4] == p->key[0] && q.s.data.args[5] == p->key[1];
	*out = (struct seccomp_asked){ .nr = q.s.data.nr, .arch = q.s.data.arch };
	return !keyed || q.s.data.nr != SECCOMP_WAIT_CALL;
}
