/* SPDX-License-Identifier: Apache-2.0
 * worker_rights - what a worker gives up that has to do with strangers: apps, or whoever reaches a forwarded port
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/defence.h"
#include "core/base/sys.h"
#include "stage1-init/confine.h"
#include "stage1-init/worker.h"

#define NOBODY 65534

void worker_close_others(const int *kept, size_t n)
{
	for (unsigned from = 3, next; DEFENCE("worker-rights") && from; from = next + 1) {
		next = ~0u;
		for (size_t i = 0; i < n; i++)
			if ((unsigned)kept[i] >= from && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		if (next > from)
			sys_close_range(from, next - (next != ~0u));
	}
}

int worker_give_up_rights(bool rootless, struct err *e)
{
	struct seccomp_prog none = { .code = NULL };
	const struct confinement c = {
		.no_new_privs = true,
		.uid = rootless ? 0 : NOBODY, /* who may not be there, and root of a namespace is no root */
		.gid = rootless ? 0 : NOBODY,
		.keep_groups = rootless,
		.filter = &none,
	};
	pid_t parent = getppid();

	if (DEFENCE("worker-rights") && confine(&c, NULL, e) < 0)
		return -1;
	/* what is in our memory is nobody's business, and what kills us with the host side goes with each change of user */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		return err_sys(e, "die with the pod");
	return 0;
}
