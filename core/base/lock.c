/* SPDX-License-Identifier: Apache-2.0
 * lock - see lock.h
 */
#include "core/base/lock.h"

#include <errno.h>
#include <sys/file.h>

static int op(enum lock_mode mode)
{
	return mode == LOCK_SHARED ? LOCK_SH : LOCK_EX;
}

int lock_wait(int fd, enum lock_mode mode, struct err *e)
{
	while (flock(fd, op(mode)) < 0)
		if (errno != EINTR)
			return err_sys(e, "lock");
	return 0;
}

int lock_try(int fd, enum lock_mode mode, struct err *e)
{
	while (flock(fd, op(mode) | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		if (errno != EINTR)
			return err_sys(e, "lock");
	}
	return 1;
}

void lock_drop(int fd)
{
	flock(fd, LOCK_UN);
}
