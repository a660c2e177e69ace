/* SPDX-License-Identifier: Apache-2.0
 * gc - removing dead pods: one, or all whose time has come
 *
 * Everything happens under the pod's exclusive lock, so a pod that runs, is made or is removed by somebody else
 * is never touched. A removal that is cut off leaves the rest in garbage/, where the next one finishes it.
 */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/pod/ids.h"
#include "core/pod/place.h"

/* ---- one pod ---- */

static int busy(const struct pod *p, struct err *e)
{
	switch (p->state) {
	case POD_RUNNING:
		return err_set(e, EBUSY, "pod \"%s\" is currently running", p->uuid);
	case POD_EMBRYO:
	case POD_PREPARING:
		return err_set(e, EBUSY, "pod \"%s\" is currently being prepared", p->uuid);
	case POD_DELETING:
		return err_set(e, EBUSY, "pod \"%s\" is currently being deleted", p->uuid);
	default:
		return err_set(e, EBUSY, "pod \"%s\" is locked by another process", p->uuid);
	}
}

/*
 * 1: moved; 0: locked, or moved by somebody else; -1
 * A pod that ended is moved before it is locked for good: locked at its old place it would look alive again. Its
 * lock is shared with whoever else looks; that of a prepared pod, which tells nothing, is taken as run-prepared does.
 */
static int move_dead(struct pod *p, enum place from, enum place to, struct err *e)
{
	struct err why;
	bool alone = from == PLACE_PREPARED || from == PLACE_EMBRYO;
	int r = lock_try(p->dir_fd, alone ? LOCK_EXCLUSIVE : LOCK_SHARED, &why);

	if (r > 0 && place_move(p, from, to, &why) < 0)
		r = why.code == ENOENT ? 0 : -1;
	if (r < 0)
		*e = why;
	lock_drop(p->dir_fd);
	return r;
}

/* 1: locked exclusively, for us alone; 0: not now; -1 */
static int lock_dead(struct pod *p, struct err *e)
{
	int r = 1;

	if (p->state == POD_EXITED)
		r = move_dead(p, PLACE_RUN, PLACE_EXITED_GARBAGE, e);
	else if (p->state == POD_ABORTED_PREPARE)
		r = move_dead(p, PLACE_PREPARE, PLACE_GARBAGE, e);
	if (r > 0)
		r = lock_try(p->dir_fd, LOCK_EXCLUSIVE, e);
	/* its maker was faster: since we looked it may even have been prepared, which gives the lock back */
	if (r > 0 && p->state == POD_EMBRYO && !place_is(p, PLACE_EMBRYO)) {
		lock_drop(p->dir_fd);
		return 0;
	}
	return r;
}

/*
 * Whoever only asks for a pod's state holds its lock for a moment (list, status), which must not make us
 * give up; whoever holds it for good shows in the state. A lock that the caller has is as good as ours.
 */
static int take_dead(struct pod *p, struct err *e)
{
	for (int tries = 0; tries < PLACE_PATIENCE_MS; tries++) {
		if (pod_refresh(p, e) < 0)
			return -1;
		int r = lock_dead(p, e);
		if (r)
			return r < 0 ? err_wrap(e, "pod %s", p->uuid) : 0;
		if (p->state == POD_RUNNING || p->state == POD_PREPARING || p->state == POD_DELETING)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = tries ? 1000000 : 0 }, NULL);
	}
	return busy(p, e);
}

/* with the lock held: *at is where the pod lies dead, one of the two garbage places */
static int move_to_garbage(struct pod *p, enum place *at, struct err *e)
{
	if (place_of(p, at, e) < 0)
		return -1;
	if (*at == PLACE_EXITED_GARBAGE || *at == PLACE_GARBAGE)
		return 0;
	/* what never ran needs no clean-up by a stage 1 */
	enum place to = *at == PLACE_RUN ? PLACE_EXITED_GARBAGE : PLACE_GARBAGE;
	if (place_move(p, *at, to, e) < 0)
		return -1;
	*at = to;
	return 0;
}

int pod_remove(struct pod *p, const struct pod_remove_opts *o, struct err *e)
{
	enum place at;

	if (take_dead(p, e) < 0 || move_to_garbage(p, &at, e) < 0)
		return -1;
	if (at == PLACE_EXITED_GARBAGE && o && o->stage1_gc && o->stage1_gc(o->ctx, p, e) < 0)
		return -1;
	if (pod_cgroups_remove(p, e) < 0)
		return err_wrap(e, "pod %s", p->uuid);
	/* from here on nothing needs stage 1 any more, and half of a pod would only confuse it */
	if (at == PLACE_EXITED_GARBAGE && place_move(p, at, PLACE_GARBAGE, e) < 0)
		return -1;
	int fd = place_fd(p->pods, PLACE_GARBAGE, false, e);
	if (fd < 0 || fd_remove_tree(fd, p->uuid, e) < 0)
		return err_wrap(e, "pod");
	p->state = POD_GARBAGE;
	return 0;
}

/* ---- all pods ---- */

struct gc {
	const struct pods_gc_opts *o;
	int64_t    now_ns;
	int        result; /* -1 once a removal failed that nobody was told of */
	struct err first;
};

static int64_t age_ns(const struct gc *g, const struct pod *p)
{
	struct stat st;

	if (fstat(p->dir_fd, &st) < 0)
		return 0;
	/* a rename sets the change time: it tells since when the pod is where it is */
	return g->now_ns - (st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec);
}

static void failed(struct gc *g, const struct pod *p, const struct err *why)
{
	if (g->o->failed) {
		g->o->failed(g->o->ctx, p->uuid, why);
		return;
	}
	if (!g->result)
		g->first = *why;
	g->result = -1;
}

/* whether somebody else has it in hand, or it is alive after all */
static bool taken(struct pod *p)
{
	struct err none;

	return pod_refresh(p, &none) < 0 || p->state == POD_RUNNING || p->state == POD_PREPARING ||
	       p->state == POD_DELETING;
}

static void sweep(struct gc *g, struct pod *p)
{
	struct err why;

	if (!g->o->dry_run && pod_remove(p, &g->o->remove, &why) < 0) {
		lock_drop(p->dir_fd); /* or we would take ourselves for somebody else */
		if (!taken(p))
			failed(g, p, &why);
	} else if (g->o->removed) {
		g->o->removed(g->o->ctx, p->uuid);
	}
}

/* false: not now */
static bool mark(struct gc *g, struct pod *p, enum place from, enum place to)
{
	struct err why;
	int r = 1;

	if (!g->o->dry_run)
		r = move_dead(p, from, to, &why);
	if (r < 0)
		failed(g, p, &why);
	if (r > 0 && g->o->marked)
		g->o->marked(g->o->ctx, p->uuid, p->state);
	return r > 0;
}

/* its maker, if alive, holds the lock or makes another one */
static bool take_embryo(struct gc *g, struct pod *p)
{
	struct err why;
	int r = g->o->dry_run ? 1 : move_dead(p, PLACE_EMBRYO, PLACE_GARBAGE, &why);

	if (r < 0)
		failed(g, p, &why);
	return r > 0;
}

static int visit(void *ctx, struct pod *p, struct err *e)
{
	struct gc *g = ctx;
	const struct pods_gc_opts *o = g->o;
	bool go = false;
	(void)e;

	switch (p->state) {
	case POD_RUNNING:
	case POD_PREPARING:
	case POD_DELETING:
		break;
	case POD_EMBRYO:
		go = !o->mark_only && take_embryo(g, p);
		break;
	case POD_ABORTED_PREPARE:
		go = mark(g, p, PLACE_PREPARE, PLACE_GARBAGE);
		break;
	case POD_PREPARED:
		go = !o->mark_only && age_ns(g, p) >= o->expire_prepared_ns &&
		     mark(g, p, PLACE_PREPARED, PLACE_GARBAGE);
		break;
	case POD_EXITED:
		go = mark(g, p, PLACE_RUN, PLACE_EXITED_GARBAGE) && !o->grace_ns;
		break;
	case POD_EXITED_GARBAGE:
		go = age_ns(g, p) >= o->grace_ns;
		if (!go && !o->mark_only && o->kept)
			o->kept(o->ctx, p->uuid);
		break;
	case POD_GARBAGE:
		go = true;
		break;
	}
	if (go && !o->mark_only)
		sweep(g, p);
	return 0;
}

int pods_gc(struct pods *ps, const struct pods_gc_opts *o, struct err *e)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	struct gc g = { .o = o, .now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec };
	if (pods_each(ps, visit, &g, e) < 0 || (!o->dry_run && pod_ids_sweep(ps, e) < 0))
		return -1;
	if (g.result < 0)
		*e = g.first;
	return g.result;
}
