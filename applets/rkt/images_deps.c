/* SPDX-License-Identifier: Apache-2.0
 * images_deps - see images_deps.h
 *
 * Level by level: what an image needs is known when it is there. Each download is a process of its own, with a store
 * handle of its own: imports have threads and megabytes, which are gone when it ends, and one that is killed leaves
 * what any killed fetch leaves. Whether all of it fits together, and is no circle, says deps_resolve() in the end.
 */
#include "applets/rkt/images_deps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/images_fetch.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/images_trust.h"
#include "applets/ui.h"
#include "core/appc/image_name.h"
#include "core/base/fd.h"
#include "core/store/deps.h"

#define JOBS_MAX  3
#define CHAIN_MAX 6 /* names in a message: the last ones */

struct node {
	struct image_id       id;
	struct image_manifest m;
	size_t                parent; /* by which it was reached first; of the first one itself */
	unsigned              depth;
};

/* what a process tells; fits into one write */
struct outcome { int r; struct image_id id; struct err e; };

struct job {
	pid_t                         pid; /* 0: none */
	int                           fd;
	size_t                        node;
	const struct appc_dependency *d;
};

struct work {
	struct store               *st;
	const struct rkt_globals   *g;
	const struct images_policy *p;
	struct node                 nodes[RECIPE_IMAGES_MAX];
	size_t                      n_nodes, at, dep; /* the dependency that is looked at next */
	struct job                  jobs[JOBS_MAX];
	unsigned                    n_jobs;
};

/* ---- what is known ---- */

static int fail(const struct work *w, size_t node, const struct appc_dependency *d, const struct err *why, struct err *e)
{
	auto_buf struct buf b = { 0 }, chain = { 0 };
	size_t way[CHAIN_MAX], n = 0;

	for (size_t i = node; n < CHAIN_MAX; i = w->nodes[i].parent) {
		way[n++] = i;
		if (!w->nodes[i].depth)
			break;
	}
	if (w->nodes[way[n - 1]].depth)
		buf_str(&chain, "... -> ");
	while (n--)
		buf_fmt(&chain, "%s%s", w->nodes[way[n]].m.name, n ? " -> " : "");
	deps_print(d, &b);
	return err_set(e, why->code, "dependency %s of %s: %s", b.failed ? "" : b.data, chain.failed ? "" : chain.data, why->msg);
}

static int add_node(struct work *w, const struct image_id *id, size_t parent, struct err *e)
{
	for (size_t i = 0; i < w->n_nodes; i++)
		if (!strcmp(w->nodes[i].id.s, id->s))
			return 0;
	if (w->n_nodes == RECIPE_IMAGES_MAX)
		return err_set(e, E2BIG, "more than %d images", RECIPE_IMAGES_MAX);
	struct node *n = &w->nodes[w->n_nodes];
	n->id = *id;
	n->parent = parent;
	n->depth = w->n_nodes ? w->nodes[parent].depth + 1 : 0;
	if (n->depth > DEPS_DEPTH_MAX)
		return err_set(e, ELOOP, "more than %d levels of dependencies", DEPS_DEPTH_MAX);
	if (store_manifest(w->st, id, &n->m, e) < 0)
		return -1;
	w->n_nodes++;
	return 0;
}

static bool same_wish(const struct appc_dependency *a, const struct appc_dependency *b)
{
	const char *x = a->image_id ? a->image_id : "", *y = b->image_id ? b->image_id : "";

	return !strcmp(a->image_name, b->image_name) && !strcmp(x, y) && a->size == b->size && a->labels.n == b->labels.n &&
	       !appc_pairs_lacking(&a->labels, &b->labels);
}

/* by an image that was looked at before, or by this one */
static bool was_seen(const struct work *w)
{
	const struct appc_dependency *d = &w->nodes[w->at].m.dependencies.v[w->dep];

	for (size_t i = 0; i <= w->at; i++)
		for (size_t k = 0; k < (i < w->at ? w->nodes[i].m.dependencies.n : w->dep); k++)
			if (same_wish(&w->nodes[i].m.dependencies.v[k], d))
				return true;
	return false;
}

/* ---- processes ---- */

static int fetch(const struct work *w, const struct appc_dependency *d, struct image_id *id, struct err *e)
{
	struct image_name n = { .name = d->image_name, .labels = { NULL, 0 }, .n_asked = d->labels.n };
	struct images_fetch f = { .g = w->g, .passphrase = w->p->passphrase, .name = &n, .dependency = d };
	struct conf c;

	for (size_t i = 0; i < d->labels.n; i++)
		if (appc_pairs_set(&n.labels, d->labels.v[i].name, d->labels.v[i].value, e) < 0)
			return -1;
	if (image_name_here(&n, e) < 0 || globals_conf(w->g, &c, e) < 0)
		return -1;
	f.st = images_open(w->g, &c, globals_dir(w->g, &c), true, e);
	return f.st ? images_fetch_name(&f, id, e) : -1;
}

/* The parent's store is locked by its descriptors, which are ours as well. */
static _Noreturn void be_job(const struct work *w, const struct appc_dependency *d, int fd, pid_t parent)
{
	struct outcome o = { .r = -1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		store_close(w->st);
		ui_progress_beside();
		o.r = fetch(w, d, &o.id, &o.e);
		fd_write_all(fd, &o, sizeof(o));
	}
	_exit(0);
}

static int start(struct work *w, size_t node, const struct appc_dependency *d, struct err *e)
{
	int ends[2];
	pid_t us = getpid();
	struct job *j = w->jobs;

	while (j->pid)
		j++;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*j = (struct job){ fork(), ends[0], node, d };
	if (j->pid == 0)
		be_job(w, d, ends[1], us);
	fd_cleanup(&ends[1]);
	if (j->pid < 0) {
		j->pid = 0;
		fd_cleanup(&j->fd);
		return err_sys(e, "fork");
	}
	w->n_jobs++;
	return 0;
}

static void reap(struct work *w, struct job *j)
{
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd_cleanup(&j->fd);
	j->pid = 0;
	w->n_jobs--;
}

static struct job *wait_for_one(struct work *w, struct err *e)
{
	struct pollfd fds[JOBS_MAX];
	struct err why;
	int n;

	for (size_t i = 0; i < JOBS_MAX; i++)
		fds[i] = (struct pollfd){ w->jobs[i].pid ? w->jobs[i].fd : -1, POLLIN, 0 };
	store_pause(w->st);
	while ((n = poll(fds, JOBS_MAX, -1)) < 0 && errno == EINTR)
		;
	if (n < 0)
		err_sys(e, "wait for downloads");
	if (store_resume(w->st, &why) < 0) {
		*e = why;
		return NULL;
	}
	for (size_t i = 0; n > 0 && i < JOBS_MAX; i++)
		if (fds[i].revents)
			return &w->jobs[i];
	return NULL;
}

static int finish_one(struct work *w, struct err *e)
{
	struct outcome o;
	struct job *j = wait_for_one(w, e);

	if (!j)
		return -1;
	const struct job was = *j;
	if (fd_read_full(j->fd, &o, sizeof(o)) != (ssize_t)sizeof(o)) {
		o.r = -1;
		err_set(&o.e, ECHILD, "the process that fetched it has died");
	}
	reap(w, j);
	if (o.r < 0 || images_trust(w->st, w->g, &o.id, &o.e) < 0 || add_node(w, &o.id, was.node, &o.e) < 0)
		return fail(w, was.node, was.d, &o.e, e);
	return 0;
}

static void stop_all(struct work *w)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (w->jobs[i].pid) {
			kill(w->jobs[i].pid, SIGTERM);
			reap(w, &w->jobs[i]);
		}
}

/* ---- the work ---- */

/* 1: the store has it; 0: it has to be fetched */
static int look_up(struct work *w, const struct appc_dependency *d, struct image_id *id, struct err *e)
{
	if (w->p->pull == IMAGES_PULL_UPDATE && !d->image_id)
		return 0;
	int r = deps_find(w->st, d, id, e);
	return r > 0 && images_trust(w->st, w->g, id, e) < 0 ? -1 : r;
}

/* 1: more to do; 0: all images that are known by now were looked at */
static int do_next(struct work *w, struct err *e)
{
	struct image_id id;
	struct err why;

	if (w->at == w->n_nodes)
		return 0;
	if (w->dep == w->nodes[w->at].m.dependencies.n) {
		w->at++;
		w->dep = 0;
		return 1;
	}
	const struct appc_dependency *d = &w->nodes[w->at].m.dependencies.v[w->dep];
	bool seen = was_seen(w);
	w->dep++;
	if (seen)
		return 1;
	int r = look_up(w, d, &id, &why);
	if (r > 0)
		r = add_node(w, &id, w->at, &why) < 0 ? -1 : 1;
	else if (r == 0)
		r = start(w, w->at, d, &why);
	return r < 0 ? fail(w, w->at, d, &why, e) : 1;
}

static int do_all(struct work *w, struct err *e)
{
	for (;;) {
		int r = w->n_jobs < JOBS_MAX ? do_next(w, e) : 0;
		if (r < 0)
			return -1;
		if (r == 0 && !w->n_jobs)
			return 0;
		if (r == 0 && finish_one(w, e) < 0)
			return -1;
	}
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

/* The image is good, only not yet to be run. */
static int check(struct work *w, const struct image_id *id, struct err *e)
{
	struct err why;

	int r = render_missing(w->st, id, warn, NULL, &why);
	if (r < 0 && w->p->pull == IMAGES_PULL_NEVER) {
		ui_warn("%s", why.msg);
		r = 0;
	}
	if (r < 0)
		*e = why;
	return r;
}

int images_deps(struct store *st, const struct rkt_globals *g, const struct image_id *id, const struct images_policy *p,
		struct err *e)
{
	struct work *w = xmalloc(sizeof(*w));

	*w = (struct work){ .st = st, .g = g, .p = p };
	int r = add_node(w, id, 0, e);
	if (r == 0 && w->nodes[0].m.dependencies.n)
		r = (p->pull != IMAGES_PULL_NEVER && do_all(w, e) < 0) || check(w, id, e) < 0 ? -1 : 0;
	stop_all(w);
	for (size_t i = 0; i < w->n_nodes; i++)
		image_manifest_free(&w->nodes[i].m);
	free(w);
	return r;
}
