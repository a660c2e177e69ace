/* SPDX-License-Identifier: Apache-2.0
 * rkt fsck - whether store and pods are what they should be; with --repair, mends what can be mended
 *
 * Leftovers of commands that were killed are not wrong: any gc removes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/commands.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/store/fsck.h"
#include "core/store/render.h"

/* as fsck(8) has them */
enum { CLEAN = 0, ALL_REPAIRED = 1, LEFT_WRONG = 4 };

struct fsck_opts_cmd {
	struct rkt_globals g;
	bool               full, repair;
	const char        *format;
};

static const struct opt fsck_options[] = {
	OPT_BOOL(0, "full", struct fsck_opts_cmd, full, "read every image, and compare it with its ID"),
	OPT_BOOL(0, "repair", struct fsck_opts_cmd, repair, "mend what can be mended, and remove leftovers"),
	OPT_TEXT(0, "format", "FORMAT", struct fsck_opts_cmd, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct fsck_opts_cmd, g),
	OPT_END
};

struct fsck {
	const struct fsck_opts_cmd *o;
	struct store     *st;
	struct images_roots used;
	struct pods      *pods;
	struct buf        text;
	cJSON            *list; /* NULL: text */
	uint64_t          n_repaired, n_wrong, n_leftovers;
};

/* @state: "wrong", "repaired", "leftover" */
static void report(struct fsck *f, const char *state, const char *path, const char *what, const char *remedy)
{
	if (!f->list) {
		buf_fmt(&f->text, "%s: ", state);
		buf_clean(&f->text, path, strlen(path));
		buf_str(&f->text, *what ? ": " : "");
		buf_clean(&f->text, what, strlen(what));
		buf_str(&f->text, *remedy ? " (" : "");
		buf_clean(&f->text, remedy, strlen(remedy));
		buf_str(&f->text, *remedy ? ")\n" : "\n");
		return;
	}
	cJSON *j = cJSON_CreateObject();
	cJSON_AddStringToObject(j, "state", state);
	cJSON_AddStringToObject(j, "path", path);
	if (*what)
		cJSON_AddStringToObject(j, "what", what);
	if (*remedy)
		cJSON_AddStringToObject(j, "remedy", remedy);
	cJSON_AddItemToArray(f->list, j);
}

static void on_found(void *ctx, const struct fsck_finding *found)
{
	struct fsck *f = ctx;
	char *path = xasprintf("cas/%s", found->path);

	if (found->repaired)
		f->n_repaired++;
	else
		f->n_wrong++;
	report(f, found->repaired ? "repaired" : "wrong", path, found->what, found->remedy);
	free(path);
}

static void on_leftover(void *ctx, const char *what)
{
	struct fsck *f = ctx;
	char *path = xasprintf("cas/%s", what);

	f->n_leftovers++;
	report(f, "leftover", path, "", f->o->repair ? "removed" : "--repair, or any gc, removes it");
	free(path);
}

static bool render_used(void *ctx, const char *render_id)
{
	return images_root_used(&((struct fsck *)ctx)->used, render_id);
}

/* ---- pods ---- */

struct pod_check { struct fsck *f; const struct pod *p; bool ended, torn; };

/* Who runs does not wait for the disk; so what a power cut leaves of a pod may be files without content. */
static bool has_empty_manifest(const struct pod *p)
{
	struct stat st;

	return fstatat(p->dir_fd, "pod", &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno == ENOENT : !st.st_size;
}

static void report_torn(struct fsck *f, const struct pod *p)
{
	char *path = xasprintf("pods/%s", p->uuid);

	f->n_leftovers++;
	report(f, "leftover", path, "a power cut ended it before its files were on the disk",
	       "rkt rm, or a gc after its grace period, removes it");
	free(path);
}

static int check_tree(void *ctx, const char *id)
{
	struct pod_check *c = ctx;
	const char *what = NULL;

	if (c->ended && id && !*id) {
		c->torn = true;
		return 0;
	}
	struct err why;
	int possible = id && render_id_ok(id) ? render_is_possible(c->f->st, id, &why) : -1;
	if (possible < 0)
		what = "it cannot be told which image an app stands on";
	else if (!possible)
		what = "the image of an app is in the store no more";
	if (!what)
		return 0;
	char *path = xasprintf("pods/%s", c->p->uuid);
	c->f->n_wrong++;
	report(c->f, "wrong", path, what, c->p->state == POD_PREPARED ? "fetch it again, or remove the pod with rkt rm" :
	       "remove the pod with rkt rm");
	free(path);
	return 0;
}

static void check_manifest(struct fsck *f, struct pod *p)
{
	struct pod_manifest m;
	struct err why, gone;

	if (pod_manifest(p, &m, &why) == 0) {
		pod_manifest_free(&m);
	} else if (pod_refresh(p, &gone) == 0) {
		char *path = xasprintf("pods/%s", p->uuid);
		f->n_wrong++;
		report(f, "wrong", path, why.msg, "remove the pod with rkt rm");
		free(path);
	}
}

static int check_pod(void *ctx, struct pod *p, struct err *e)
{
	struct pod_check c = { .f = ctx, .p = p };

	(void)e;
	if (p->state != POD_PREPARED && p->state != POD_RUNNING && p->state != POD_EXITED && p->state != POD_EXITED_GARBAGE)
		return 0;
	c.ended = p->state == POD_EXITED || p->state == POD_EXITED_GARBAGE;
	c.torn = c.ended && has_empty_manifest(p);
	if (!c.torn)
		check_manifest(c.f, p);
	int r = pod_each_tree(p, check_tree, &c);
	if (c.torn)
		report_torn(c.f, p);
	return r;
}

/* ---- the whole ---- */

static int check(struct fsck *f, uint64_t *n_images, struct err *e)
{
	const struct fsck_opts how = { .full = f->o->full, .repair = f->o->repair, .ctx = f, .found = on_found };
	const struct store_gc_opts gc = {
		.ctx = f, .render_used = render_used, .removed = on_leftover, .dry_run = !f->o->repair,
	};

	f->used.st = f->st;
	int r = store_fsck(f->st, &how, n_images, e);
	if (r == 0)
		r = store_gc(f->st, &gc, e);
	images_roots_free(&f->used);
	return r < 0 || pods_each(f->pods, check_pod, f, e) < 0 ? -1 : 0;
}

static int print(struct fsck *f, uint64_t n_images, enum ui_format format, struct err *e)
{
	if (format == UI_TEXT)
		return ui_out(&f->text, e);
	cJSON *j = cJSON_CreateObject();
	cJSON_AddNumberToObject(j, "images", (double)n_images);
	cJSON_AddNumberToObject(j, "wrong", (double)f->n_wrong);
	cJSON_AddNumberToObject(j, "repaired", (double)f->n_repaired);
	cJSON_AddNumberToObject(j, "leftovers", (double)f->n_leftovers);
	cJSON_AddItemToObject(j, "findings", f->list);
	return ui_json(j, format, e);
}

static int fsck_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct fsck_opts_cmd *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	struct fsck f = { .o = o };
	uint64_t n_images;
	enum ui_format format;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: fsck looks at everything (see --help)", argv[0]);
	if (ui_format(o->format, &format, e) < 0 || globals_be_root(&o->g, e) < 0 || podref_open(&r, &o->g, e) < 0)
		return -1;
	f.pods = f.used.pods = r.pods;
	f.list = format == UI_TEXT ? NULL : cJSON_CreateArray();
	f.st = images_store(&o->g, false, e);
	ui_hold();
	int failed = !f.st || check(&f, &n_images, e) < 0;
	store_close(f.st);
	ui_release();
	if (failed || print(&f, n_images, format, e) < 0)
		return -1;
	ui_info("%llu image(s), %llu thing(s) wrong, %llu repaired, %llu leftover(s)", (unsigned long long)n_images,
		(unsigned long long)f.n_wrong, (unsigned long long)f.n_repaired, (unsigned long long)f.n_leftovers);
	return f.n_wrong ? LEFT_WRONG : f.n_repaired ? ALL_REPAIRED : CLEAN;
}

const struct cmd rkt_fsck_cmd = {
	.name = "fsck", .summary = "Check that store and pods are what they should be.",
	.more = "Without --full, images are only looked at from outside: sizes, modes, records.\n\n"
		"The exit status is 0 when nothing is wrong, 1 when all that was is repaired, 4 when\n"
		"something still is, and 254 when not everything could be looked at.\n",
	.opts = fsck_options, .opts_size = sizeof(struct fsck_opts_cmd), .inherits = true, .run = fsck_run,
};
