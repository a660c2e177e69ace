/* SPDX-License-Identifier: Apache-2.0
 * rlimits - see rlimits.h
 */
#include "stage1-init/rlimits.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/appc/rlimit.h"

/* as prlimit64() has it, on all architectures */
struct pair { uint64_t soft, hard; };

static const struct seccomp_prog no_filter;

static int set(const struct seccomp_prog *filter, int number, const struct pair *p)
{
	return (int)seccomp_call(filter, SYS_prlimit64, 0, number, (long)p);
}

static int get(int number, struct pair *p)
{
	return (int)syscall(SYS_prlimit64, 0, number, NULL, p);
}

int rlimits_raise(const struct appc_rlimit *l, struct err *e)
{
	struct pair now;

	for (int i = 0; i < APPC_RLIMITS; i++) {
		if (!l[i].set)
			continue;
		if (get(i, &now) < 0)
			return err_needs(e, "caps-limits", "isolator os/unix/rlimits: %s", appc_rlimit_name(i));
		if (now.hard >= l[i].hard)
			continue;
		now.hard = l[i].hard;
		if (set(&no_filter, i, &now) < 0)
			return err_needs(e, "caps-limits", "isolator os/unix/rlimits: raise %s", appc_rlimit_name(i));
	}
	return 0;
}

int rlimits_set(const struct appc_rlimit *l, const struct seccomp_prog *filter, struct err *e)
{
	for (int i = 0; i < APPC_RLIMITS; i++) {
		const struct pair p = { l[i].soft, l[i].hard };
		if (l[i].set && set(filter, i, &p) < 0)
			return err_needs(e, "caps-limits", "isolator os/unix/rlimits: %s", appc_rlimit_name(i));
	}
	return 0;
}
