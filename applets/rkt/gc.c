/* SPDX-License-Identifier: Apache-2.0
 * rkt gc - removes pods that ended, and what crashes have left; rkt-gc is the same command
 *
 * A pod is removed under its own exclusive lock, so a running one is never touched. The store is swept last: a pod
 * removed a moment ago may have been the last that used a rendered image.
 */
#include <errno.h>
#include <stdio.h>

#include "applets/commands.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/store/store.h"

#define MINUTE INT64_C(60000000000)

struct gc_opts {
	struct rkt_globals g;
	int64_t            grace_ns, expire_ns;
	bool               mark_only, dry_run;
};

static const struct opt gc_opts[] = {
	OPT_TIME(0, "grace-period", "TIME", struct gc_opts, grace_ns,
		 "keep pods for TIME after a gc first saw that they had ended (default 30m)"),
	OPT_TIME(0, "expire-prepared", "TIME", struct gc_opts, expire_ns,
		 "remove pods that were prepared longer than TIME ago and never run (default 24h)"),
	OPT_BOOL(0, "mark-only", struct gc_opts, mark_only, "only move pods that ended to the garbage"),
	OPT_BOOL('n', "dry-run", struct gc_opts, dry_run, "only say what would be done"),
	OPT_PART("Global options", rkt_globals_opts, struct gc_opts, g),
	OPT_END
};

static void gc_init(void *opts)
{
	struct gc_opts *o = opts;

	o->grace_ns = 30 * MINUTE;
	o->expire_ns = 24 * 60 * MINUTE;
}

struct gc {
	const struct gc_opts *o;
	struct pods          *pods;
	struct images_roots   used;
	size_t                n_failed;
	struct buf            swept; /* what the store's collection has to say, for when others may use the store again */
	struct err            out; /* why standard output could not be written */
};

/* whoever reads our output may be gone; the work is done all the same, and the status tells */
static void print(struct gc *g, struct buf *b)
{
	if (ui_out(b, &g->out) < 0)
		g->n_failed++;
}

static void add_line(const struct gc *g, struct buf *b, const char *what, const char *name)
{
	buf_fmt(b, "%sGarbage collecting %s%s\n", g->o->dry_run ? "Would be: " : "", what, name);
}

static void on_marked(void *ctx, const char *uuid, enum pod_state was)
{
	const struct gc *g = ctx;

	ui_info("%s %s\"%s\" to garbage", g->o->dry_run ? "would move" : "moving",
		was == POD_ABORTED_PREPARE ? "failed prepare " : was == POD_PREPARED ? "expired prepared pod " : "pod ",
		uuid);
}

static void on_removed(void *ctx, const char *uuid)
{
	struct gc *g = ctx;
	char name[UUID_LEN + 3];
	struct buf b = { 0 };

	snprintf(name, sizeof(name), "\"%s\"", uuid);
	add_line(g, &b, "pod ", name);
	print(g, &b);
}

static void on_kept(void *ctx, const char *uuid)
{
	const struct gc *g = ctx;

	ui_info("pod \"%s\" not removed: still within grace period (%llds)", uuid,
		(long long)(g->o->grace_ns / 1000000000));
}

static void on_failed(void *ctx, const char *uuid, const struct err *why)
{
	struct gc *g = ctx;
	struct err e = *why;

	err_wrap(&e, "unable to remove pod \"%s\"", uuid);
	ui_error(&e);
	g->n_failed++;
}

static bool render_used(void *ctx, const char *render_id)
{
	return images_root_used(&((struct gc *)ctx)->used, render_id);
}

static void on_swept(void *ctx, const char *what)
{
	struct gc *g = ctx;

	add_line(g, &g->swept, "", what);
}

static int sweep_store(struct gc *g, struct err *e)
{
	struct store_gc_opts o = {
		.ctx = g, .render_used = render_used, .removed = on_swept, .dry_run = g->o->dry_run,
	};
	struct store *st = images_store(&g->o->g, false, e);

	if (!st)
		return -1;
	g->used.st = st;
	ui_hold();
	int r = store_gc(st, &o, e);
	images_roots_free(&g->used);
	store_close(st);
	ui_release();
	print(g, &g->swept);
	return r;
}

static int gc_run(void *opts, int argc, char **argv, struct err *e)
{
	struct gc_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: rkt rm removes single pods (see --help)", argv[0]);
	if (globals_be_root(&o->g, e) < 0 || podref_open(&r, &o->g, e) < 0)
		return -1;
	struct gc g = { .o = o, .pods = r.pods, .used = { .pods = r.pods } };
	struct pods_gc_opts how = {
		.grace_ns = o->grace_ns, .expire_prepared_ns = o->expire_ns,
		.mark_only = o->mark_only, .dry_run = o->dry_run,
		.marked = on_marked, .removed = on_removed, .kept = on_kept, .failed = on_failed, .ctx = &g,
		.remove = { .stage1_gc = podref_stage1_gc, .ctx = &o->g },
	};
	if (pods_gc(r.pods, &how, e) < 0)
		return -1;
	if (!o->mark_only && sweep_store(&g, e) < 0)
		return -1;
	if (g.out.code) {
		*e = g.out;
		return -1;
	}
	return g.n_failed ? err_set(e, EIO, "%zu pod(s) could not be removed", g.n_failed) : 0;
}

const struct cmd rkt_gc_cmd = {
	.name = "gc", .summary = "Remove pods that ended, and what crashes have left.",
	.more = "Meant for cron and timers. A pod that ended is first moved to the garbage; a gc\n"
		"that finds it there after the grace period removes it. --grace-period=0s does\n"
		"both at once.\n",
	.opts = gc_opts, .opts_size = sizeof(struct gc_opts), .init = gc_init, .inherits = true, .run = gc_run,
};
