/* SPDX-License-Identifier: Apache-2.0
 * worker - see worker.h; no heap but in the worker itself
 */
#include "stage1-init/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/sys.h"

#define AFTER_FAILURE_MS 1000

static bool rests(const struct worker *w)
{
	return w->not_before_ms && clock_ms(CLOCK_BOOTTIME) < w->not_before_ms;
}

size_t worker_polls(const struct worker *w, struct pollfd *out)
{
	if (w->pid || rests(w))
		return 0;
	for (size_t i = 0; i < w->n_wanted; i++)
		out[i] = w->wanted[i];
	return w->n_wanted;
}

int worker_timeout_ms(const struct worker *w)
{
	int64_t at = w->at_ms;

	if (w->pid)
		return -1;
	if (rests(w) && at < w->not_before_ms)
		at = w->not_before_ms;
	if (!at)
		return -1;
	int64_t left = at - clock_ms(CLOCK_BOOTTIME);
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void start(struct worker *w)
{
	pid_t parent = getpid();
	pid_t pid = sys_fork(0, NULL, -1);

	if (pid == 0) {
		/* asked after: the parent may have died before */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
			_exit(1);
		_exit(w->main(w->ctx));
	}
	w->pid = pid > 0 ? pid : 0;
	w->not_before_ms = pid > 0 ? 0 : clock_ms(CLOCK_BOOTTIME) + AFTER_FAILURE_MS;
}

void worker_handle(struct worker *w, const struct pollfd *polls, size_t n)
{
	bool wanted = w->at_ms && clock_ms(CLOCK_BOOTTIME) >= w->at_ms;

	for (size_t i = 0; i < n; i++)
		wanted |= polls[i].revents != 0;
	if (!wanted || w->pid || rests(w))
		return;
	start(w);
	if (w->pid)
		w->at_ms = 0;
}

bool worker_ended(struct worker *w, pid_t pid, int status)
{
	if (!w->pid || pid != w->pid)
		return false;
	w->pid = 0;
	if (status)
		w->not_before_ms = clock_ms(CLOCK_BOOTTIME) + AFTER_FAILURE_MS;
	return true;
}

void worker_kill(struct worker *w)
{
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	w->pid = 0;
}
