/* SPDX-License-Identifier: Apache-2.0
 * pod_dir - for the unit tests about pods: a data directory of one's own, pods in every state, processes that hold them
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/pod/pod.h"
#include "testsuite/unit/unit.h"

struct dir {
	char         path[64];
	struct pods *ps;
	struct err   e; /* of the call at hand */
};

static inline bool dir_make(struct dir *d)
{
	const char *tmp = getenv("TMPDIR");

	*d = (struct dir){ .ps = NULL };
	snprintf(d->path, sizeof(d->path), "%.40s/pod-unit.XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(d->path) && (d->ps = pods_open(d->path, true, &d->e));
}

static inline void dir_drop(struct dir *d)
{
	struct err e;

	pods_close(d->ps);
	CHECK_INT(fd_remove_tree(AT_FDCWD, d->path, &e), 0);
}

static inline void nap_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* a pod that has come as far as @s and is left there, unlocked (so RUNNING is EXITED) */
static inline bool pod_at(struct dir *d, enum pod_state s, char uuid[UUID_LEN + 1])
{
	auto_pod struct pod p = { .dir_fd = -1 };

	if (pod_new(d->ps, &p, &d->e) < 0)
		return false;
	memcpy(uuid, p.uuid, sizeof(p.uuid));
	if (s == POD_ABORTED_PREPARE)
		return true;
	if (s == POD_PREPARED)
		return pod_to_prepared(&p, &d->e) == 0;
	return pod_to_run(&p, &d->e) == 0;
}

static inline enum pod_state state_of_uuid(struct dir *d, const char *uuid)
{
	auto_pod struct pod p = { .dir_fd = -1 };

	return pod_find(d->ps, uuid, &p, &d->e) < 0 ? (enum pod_state)-1 : p.state;
}

static inline bool put_file(int dir_fd, const char *path, const void *data, size_t len)
{
	auto_close int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd >= 0 && fd_write_all(fd, data, len) == 0;
}

static inline bool put_text(int dir_fd, const char *path, const char *text)
{
	return put_file(dir_fd, path, text, strlen(text));
}

/* in a child: end with the test, however it ends */
static inline void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* a child that has said over a pipe that it is where it should be, and then waits to be killed */
struct holder {
	pid_t pid;
	char  uuid[UUID_LEN + 1];
};

static inline bool holder_start(struct holder *h, struct dir *d, enum pod_state s)
{
	int said[2];

	if (pipe(said) < 0)
		return false;
	pid_t self = getpid();
	h->pid = fork();
	if (h->pid == 0) {
		struct pod p;
		die_with(self);
		struct err e;
		int r = pod_new(d->ps, &p, &e);
		if (r == 0 && s == POD_RUNNING)
			r = pod_to_run(&p, &e);
		if (r < 0 || write(said[1], p.uuid, sizeof(p.uuid)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	bool good = h->pid > 0 && fd_read_full(said[0], h->uuid, sizeof(h->uuid)) == sizeof(h->uuid);
	close(said[0]);
	return good;
}

static inline void holder_kill(struct holder *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

/* a child that has the pod's lock as who looks at it does, and is kept from going on for @ms */
static inline pid_t looker_start(struct dir *d, const char *uuid, int ms)
{
	int said[2];
	char c;

	if (pipe(said) < 0)
		return -1;
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		struct pod p;
		die_with(self);
		if (pod_find(d->ps, uuid, &p, &d->e) < 0 || lock_try(p.dir_fd, LOCK_SHARED, &d->e) <= 0 ||
		    write(said[1], "", 1) < 0)
			_exit(1);
		nap_ms(ms);
		_exit(0);
	}
	close(said[1]);
	bool good = read(said[0], &c, 1) == 1;
	close(said[0]);
	return good ? pid : -1;
}

/* the exit status of a child; -1 unless it exited */
static inline int child_status(pid_t pid)
{
	int st;

	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}
