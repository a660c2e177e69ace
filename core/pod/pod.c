/* SPDX-License-Identifier: Apache-2.0
 * pod - see pod.h: making, finding and moving pods
 */
#include "core/pod/pod.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/pod/place.h"

const char *pod_state_name(enum pod_state s)
{
	static const char *const names[] = {
		[POD_EMBRYO] = "embryo",
		[POD_PREPARING] = "preparing",
		[POD_ABORTED_PREPARE] = "aborted prepare",
		[POD_PREPARED] = "prepared",
		[POD_RUNNING] = "running",
		[POD_DELETING] = "deleting",
		[POD_EXITED] = "exited",
		[POD_EXITED_GARBAGE] = "exited garbage",
		[POD_GARBAGE] = "garbage",
	};

	return names[s];
}

void pod_close(struct pod *p)
{
	/* closing, not unlocking: a stage 1 that was handed the descriptor keeps the lock */
	fd_cleanup(&p->dir_fd);
}

/* ---- making ---- */

/* On a full disk this is what stands between us and a leftover; whoever fails here has reported why. */
static void remove_empty(struct pods *ps, enum place at, const char *uuid)
{
	struct err ignored;
	int fd = place_fd(ps, at, false, &ignored);

	if (fd >= 0)
		unlinkat(fd, uuid, AT_REMOVEDIR);
}

/* 1: locked and in prepare/, 0: gc took it for a leftover before it was locked; -1 */
static int take_embryo(struct pod *p, int embryo_fd, struct err *e)
{
	p->dir_fd = openat(embryo_fd, p->uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->dir_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open pod directory");
	if (lock_wait(p->dir_fd, LOCK_EXCLUSIVE, e) < 0)
		return err_wrap(e, "pod %s", p->uuid);
	/* the group is for this directory alone: what apps write must not be of it */
	if (p->pods->shared && fchmod(p->dir_fd, 0750) < 0)
		return err_sys(e, "mode of pod %s", p->uuid);
	struct err why;
	if (place_move(p, PLACE_EMBRYO, PLACE_PREPARE, &why) == 0)
		return 1;
	if (why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

/* its time stamp is what tells when the pod was made */
static int mark_created(const struct pod *p, struct err *e)
{
	auto_close int fd = openat(p->dir_fd, "created", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? err_sys(e, "pod %s: create created", p->uuid) : 0;
}

/* 1: made, 0: taken away by gc, or the name is taken; -1: and nothing is left of it */
static int try_new(struct pods *ps, struct pod *p, struct err *e)
{
	int embryo_fd = place_fd(ps, PLACE_EMBRYO, true, e);

	if (embryo_fd < 0)
		return -1;
	uuid_new(p->uuid);
	if (mkdirat(embryo_fd, p->uuid, 0750) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "create pod directory");
	int r = take_embryo(p, embryo_fd, e);
	if (r < 0)
		remove_empty(ps, PLACE_EMBRYO, p->uuid);
	if (r <= 0 || mark_created(p, e) == 0)
		return r;
	/* before the lock goes, as gc would take it then */
	remove_empty(ps, PLACE_PREPARE, p->uuid);
	return -1;
}

int pod_new(struct pods *ps, struct pod *p, struct err *e)
{
	for (int tries = 0; tries < 100; tries++) {
		*p = (struct pod){ .state = POD_PREPARING, .dir_fd = -1, .pods = ps };
		int r = try_new(ps, p, e);
		if (r > 0)
			return 0;
		pod_close(p);
		if (r)
			return -1;
	}
	return err_set(e, EBUSY, "create pod directory: taken away a hundred times; is a gc of another version running?");
}

int pod_to_prepared(struct pod *p, struct err *e)
{
	int prepared_fd = place_fd(p->pods, PLACE_PREPARED, true, e);

	if (prepared_fd < 0)
		return -1;
	/* a power cut must not turn a pod that somebody was told of into empty files */
	if (syncfs(p->dir_fd) < 0)
		return err_sys(e, "pod %s: write to disk", p->uuid);
	if (place_move(p, PLACE_PREPARE, PLACE_PREPARED, e) < 0)
		return -1;
	p->state = POD_PREPARED;
	lock_drop(p->dir_fd);
	if (fsync(prepared_fd) < 0)
		return err_sys(e, "pod %s: write to disk", p->uuid);
	return 0;
}

static int faster(const struct pod *p, struct err *e)
{
	return err_set(e, EBUSY, "pod %s cannot be run: somebody else is running, removing or has run it", p->uuid);
}

/* Whoever only asks for the state of a pod holds its lock for a moment, which is not somebody who runs it. */
static int lock_prepared(struct pod *p, struct err *e)
{
	int r = lock_try(p->dir_fd, LOCK_EXCLUSIVE, e);

	for (int tries = 0; r == 0 && tries < PLACE_PATIENCE_MS && place_is(p, PLACE_PREPARED); tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		r = lock_try(p->dir_fd, LOCK_EXCLUSIVE, e);
	}
	return r;
}

/*
 * What was prepared once is run once: after a power cut it must not wait there to be run again, with what its apps
 * had written the first time.
 */
static int sync_run(struct pod *p, struct err *e)
{
	struct err ignored;
	int run_fd = place_fd(p->pods, PLACE_RUN, false, e);

	if (run_fd < 0)
		return -1;
	if (fsync(run_fd) == 0)
		return 0;
	err_sys(e, "pod %s: write to disk", p->uuid);
	place_move(p, PLACE_RUN, PLACE_PREPARED, &ignored);
	return -1;
}

int pod_to_run(struct pod *p, struct err *e)
{
	enum place from = p->state == POD_PREPARING ? PLACE_PREPARE : PLACE_PREPARED;

	if (p->state != POD_PREPARING && p->state != POD_PREPARED)
		return err_set(e, EINVAL, "pod %s is not prepared: it is %s", p->uuid, pod_state_name(p->state));
	if (from == PLACE_PREPARED) {
		int r = lock_prepared(p, e);
		if (r <= 0)
			return r < 0 ? err_wrap(e, "pod %s", p->uuid) : faster(p, e);
	}
	struct err why;
	if (place_move(p, from, PLACE_RUN, &why) < 0) {
		if (from == PLACE_PREPARED)
			lock_drop(p->dir_fd);
		if (why.code == ENOENT)
			return faster(p, e);
		*e = why;
		return -1;
	}
	if (from == PLACE_PREPARED && sync_run(p, e) < 0) {
		lock_drop(p->dir_fd);
		return -1;
	}
	p->state = POD_RUNNING;
	return 0;
}

/* ---- finding ---- */

/* 1, 0: none, -1 */
static int find_prefix(struct pods *ps, const char *prefix, struct pod *p, struct err *e)
{
	struct place_names l = { 0 };
	enum place at;
	int r = 0;

	if (uuid_ok(prefix))
		return place_locate(ps, prefix, PLACE_EMBRYO, p, &at, e);
	if (place_names(ps, prefix, &l, e) < 0)
		return -1;
	if (l.n == 1)
		r = place_locate(ps, l.v[0].uuid, l.v[0].at, p, &at, e);
	else if (l.n > 1)
		r = err_set(e, ENOTUNIQ, "ambiguous UUID: %zu matches found for \"%s\"", l.n, prefix);
	free(l.v);
	return r;
}

int pod_find(struct pods *ps, const char *prefix, struct pod *p, struct err *e)
{
	struct pod found = { .dir_fd = -1, .pods = ps };
	int r = *prefix || !DEFENCE("empty-uuid") ? find_prefix(ps, prefix, &found, e) : err_set(e, EINVAL, "UUID cannot be empty");

	if (!r)
		r = err_set(e, ENOENT, "no matches found for \"%s\"", prefix);
	*p = found; /* last, since @prefix may be p->uuid */
	return r < 0 ? -1 : 0;
}

int pod_refresh(struct pod *p, struct err *e)
{
	enum place at;

	return place_of(p, &at, e);
}

int pod_wait_exit(struct pod *p, struct err *e)
{
	for (;;) {
		if (pod_refresh(p, e) < 0)
			return -1;
		if (p->state != POD_RUNNING)
			return 0;
		/* a description of our own: the shared lock must not replace one that p may hold */
		auto_close int fd = openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "pod %s", p->uuid);
		if (lock_wait(fd, LOCK_SHARED, e) < 0)
			return err_wrap(e, "pod %s", p->uuid);
	}
}

int pods_each(struct pods *ps, int (*fn)(void *ctx, struct pod *p, struct err *e), void *ctx, struct err *e)
{
	struct place_names l;
	int r = 0;

	if (place_names(ps, "", &l, e) < 0)
		return -1;
	for (size_t i = 0; !r && i < l.n; i++) {
		auto_pod struct pod p = { .dir_fd = -1 };
		enum place at;
		r = place_locate(ps, l.v[i].uuid, l.v[i].at, &p, &at, e);
		if (r > 0)
			r = fn(ctx, &p, e);
	}
	free(l.v);
	return r;
}
