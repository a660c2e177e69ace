/* SPDX-License-Identifier: Apache-2.0
 * rkt df - what images and pods take on disk, and what a gc would free
 *
 * Nothing is locked: whoever fetches or runs meanwhile is not kept waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "applets/commands.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/store/usage.h"

struct df_opts {
	struct rkt_globals g;
	bool               full, no_legend;
	const char        *format;
};

static const struct opt df_opts[] = {
	OPT_BOOL(0, "full", struct df_opts, full, "sizes in bytes"),
	OPT_BOOL(0, "no-legend", struct df_opts, no_legend, "leave out the line of headings"),
	OPT_TEXT(0, "format", "FORMAT", struct df_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct df_opts, g),
	OPT_END
};

struct df {
	struct pods_trees trees;
	struct store_use  pods, logs, dead; /* dead: pods that any gc removes at once */
	struct store_usage store;
};

static uint64_t size_below(int dir_fd, const char *name)
{
	struct err ignored;
	uint64_t bytes = 0;

	fd_dir_size(dir_fd, name, &bytes, &ignored);
	return bytes;
}

static int count_pod(void *ctx, struct pod *p, struct err *e)
{
	struct df *d = ctx;
	uint64_t all = size_below(p->dir_fd, "."), logs = size_below(p->dir_fd, "logs");
	(void)e;

	if (p->state == POD_GARBAGE || p->state == POD_ABORTED_PREPARE) {
		d->dead.n++;
		d->dead.bytes += all;
		return 0;
	}
	d->pods.n++;
	d->pods.bytes += all > logs ? all - logs : 0;
	d->logs.n += logs > 0;
	d->logs.bytes += logs;
	return 0;
}

static bool is_used(void *ctx, const char *id)
{
	return pods_trees_used(ctx, id);
}

static int count(struct df *d, struct pods *ps, struct store *st, struct err *e)
{
	if (images_trees(st, ps, &d->trees, e) < 0)
		return -1;
	int r = pods_each(ps, count_pod, d, e);
	if (r == 0)
		r = store_usage(st, is_used, &d->trees, &d->store, e);
	pods_trees_free(&d->trees);
	return r;
}

/* ---- output ---- */

struct row { const char *name, *key; struct store_use use; };
#define N_ROWS 7

static void rows(const struct df *d, struct row out[N_ROWS])
{
	struct store_use left = d->store.leftovers, total = { 0 };
	size_t n = 0;

	left.n += d->dead.n;
	left.bytes += d->dead.bytes;
	out[n++] = (struct row){ "images", "images", d->store.images };
	out[n++] = (struct row){ "rendered", "rendered", d->store.rendered };
	out[n++] = (struct row){ "records", "records", d->store.records };
	out[n++] = (struct row){ "pods", "pods", d->pods };
	out[n++] = (struct row){ "logs", "logs", d->logs };
	out[n++] = (struct row){ "leftovers", "leftovers", left };
	for (size_t i = 0; i < n; i++)
		total.bytes += out[i].use.bytes;
	out[n] = (struct row){ "total", "total", total };
}

static void add_size(struct ui_table *t, uint64_t bytes, bool full)
{
	char text[32];

	if (full)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	else
		ui_size(bytes, text, sizeof(text));
	ui_table_add(t, text);
}

static int print_table(const struct df *d, uint64_t free_bytes, const struct df_opts *o, struct err *e)
{
	struct row r[N_ROWS];
	struct ui_table t;

	rows(d, r);
	ui_table_start(&t, 3);
	for (size_t i = 0; !o->no_legend && i < 3; i++)
		ui_table_add(&t, i == 0 ? "WHAT" : i == 1 ? "NUMBER" : "SIZE");
	for (size_t i = 0; i < N_ROWS; i++) {
		char text[32] = "";
		if (i < N_ROWS - 1)
			snprintf(text, sizeof(text), "%llu", (unsigned long long)r[i].use.n);
		ui_table_add(&t, r[i].name);
		ui_table_add(&t, text);
		add_size(&t, r[i].use.bytes, o->full);
	}
	ui_table_add(&t, "free on the file system");
	ui_table_add(&t, NULL);
	add_size(&t, free_bytes, o->full);
	return ui_table_print(&t, e);
}

static void add_bytes(cJSON *j, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	cJSON_AddRawToObject(j, key, text);
}

static int print_json(const struct df *d, uint64_t free_bytes, enum ui_format f, struct err *e)
{
	struct row r[N_ROWS];
	cJSON *j = cJSON_CreateObject();

	rows(d, r);
	for (size_t i = 0; i < N_ROWS - 1; i++) {
		cJSON *one = cJSON_AddObjectToObject(j, r[i].key);
		add_bytes(one, "number", r[i].use.n);
		add_bytes(one, "size", r[i].use.bytes);
	}
	add_bytes(j, "total", r[N_ROWS - 1].use.bytes);
	add_bytes(j, "free", free_bytes);
	return ui_json(j, f, e);
}

static int df_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct df_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	struct df d = { .pods.n = 0 };
	struct statvfs fs;
	enum ui_format f;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much (see --help)", argv[0]);
	if (ui_format(o->format, &f, e) < 0 || podref_open(&r, &o->g, e) < 0)
		return -1;
	struct store *st = images_open(NULL, NULL, r.dir, false, e);
	int failed = !st || count(&d, r.pods, st, e) < 0;
	store_close(st);
	if (failed)
		return -1;
	/* a data directory that nobody has made yet will be where its parent is, wherever that is */
	uint64_t free_bytes = statvfs(r.dir, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
	return f == UI_TEXT ? print_table(&d, free_bytes, o, e) : print_json(&d, free_bytes, f, e);
}

const struct cmd rkt_df_cmd = {
	.name = "df", .summary = "Tell what images and pods take on disk.",
	.opts = df_opts, .opts_size = sizeof(struct df_opts), .inherits = true, .run = df_run,
};
