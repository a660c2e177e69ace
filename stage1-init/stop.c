/* SPDX-License-Identifier: Apache-2.0
 * stop - see stop.h
 */
#include "stage1-init/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/pod.h"
#include "core/pod/uuid.h"
#include "stage1-init/cgroup.h"
#include "stage1-init/net.h"
#include "stage1-init/plan.h"

/* what the apps are given, and time for handlers; the same again for cleaning up */
#define STOP_WAIT_MS (3 * STOP_GRACE_MS)
#define STOP_STEP_MS 5

static int open_pod(const char *uuid, struct err *e)
{
	if (!uuid_ok(uuid))
		return err_set(e, EINVAL, "\"%s\" is not the UUID of a pod", uuid);
	int fd = openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the pod directory") : fd;
}

/* whether somebody else has the pod's lock; a lock that we got by asking is given back */
static int is_running(int pod_fd, struct err *e)
{
	int got = lock_try(pod_fd, LOCK_SHARED, e);

	if (got == 1)
		lock_drop(pod_fd);
	return got < 0 ? -1 : !got;
}

static int read_pid(int pod_fd, pid_t *pid, struct err *e)
{
	auto_free char *text = NULL;
	uint64_t v;

	if (fd_read_file(pod_fd, "pid", 32, &text, NULL, e) < 0)
		return -1;
	text[strcspn(text, "\n")] = 0;
	if (num_u64(text, INT_MAX, &v, e) < 0 || v < 2)
		return err_set(e, EINVAL, "the pod's pid file is damaged");
	*pid = (pid_t)v;
	return 0;
}

static int still_runs(const char *uuid, struct err *e)
{
	return err_set(e, ETIMEDOUT,
		"pod %s still runs %d seconds after it was asked to end (a handler may take its "
		"time; --force kills it)",
		uuid, STOP_WAIT_MS / 1000);
}

/*
 * Scripts go on with `rkt rm`, so a pod that was stopped has to be over: first its PID 1, then the host side, which
 * collects cgroups and mounts and lets the lock go with its own end.
 */
static int await_end(int pod_fd, const char *uuid, int pidfd, struct err *e)
{
	const struct timespec step = { .tv_nsec = STOP_STEP_MS * 1000000L };
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n, running = 1;

	do
		n = poll(&p, 1, STOP_WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "pod %s: wait for its end", uuid);
	if (n == 0)
		return still_runs(uuid, e);
	for (int ms = 0; ms < STOP_WAIT_MS; ms += STOP_STEP_MS) {
		running = is_running(pod_fd, e);
		if (running <= 0)
			return running;
		nanosleep(&step, NULL);
	}
	return still_runs(uuid, e);
}

int stop_pod(const char *uuid, bool force, struct err *e)
{
	pid_t pid = 0;
	auto_close int pod_fd = open_pod(uuid, e);

	if (pod_fd < 0)
		return -1;
	int running = is_running(pod_fd, e);
	if (running <= 0)
		return running;
	if (read_pid(pod_fd, &pid, e) < 0)
		return err_wrap(e, "pod %s", uuid);
	auto_close int pidfd = sys_pidfd_open(pid);
	if (pidfd < 0 && errno == ESRCH)
		return 0;
	if (pidfd < 0)
		return err_sys(e, "pod %s: open process %d", uuid, (int)pid);
	/* the process that pidfd stands for was the pod's if the pod still runs now */
	running = is_running(pod_fd, e);
	if (running <= 0)
		return running;
	/* the lock may be anybody's who can read the pod directory, long after the pod's end */
	if (!pod_is_init(pid))
		return sys_pidfd_signal(pidfd, 0) < 0 && errno == ESRCH ? 0 : pod_not_init(uuid, pid, e);
	if (sys_pidfd_signal(pidfd, force ? SIGKILL : SIGTERM) < 0 && errno != ESRCH)
		return err_sys(e, "pod %s: signal process %d", uuid, (int)pid);
	return await_end(pod_fd, uuid, pidfd, e);
}

int stop_collect(const char *uuid, const char *system, const char *local, struct err *e)
{
	struct net none = NET_NONE_YET;
	auto_close int pod_fd = open_pod(uuid, e);
	const struct net_how how = { .system = system, .local = local, .pod_fd = pod_fd, .host_mnt_fd = -1 };

	if (pod_fd < 0)
		return -1;
	none.tried = true;
	/* the cgroups first: until then somebody may still use the network */
	return cgroup_remove(pod_fd, e) < 0 || net_down(&none, &how, uuid, false, e) < 0 ? err_wrap(e, "pod %s", uuid) : 0;
}
