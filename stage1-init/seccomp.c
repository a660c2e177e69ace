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

int seccomp_load(struct seccomp_prog *p, int *listener)
{
	struct sock_fprog prog = { .len = p->len, .filter = p->code };

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

int seccomp_answer(int listener, int error)
{
	/* the kernel's structs may be longer than ours; it wants them zeroed */
	union {
		struct seccomp_notif s;
		char                 room[512];
	} call;
	union {
		struct seccomp_notif_resp s;
		char                      room[512];
	} answer;

	memset(&call, 0, sizeof(call));
	if (ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return -1;
	memset(&answer, 0, sizeof(answer));
	answer.s.id = call.s.id;
	answer.s.error = -error;
	/* ENOENT: the process died meanwhile */
	ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return call.s.data.nr;
}
