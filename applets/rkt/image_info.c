/* SPDX-License-Identifier: Apache-2.0
 * rkt image info - all that is known of one image in the store
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/store/render.h"
#include "core/store/usage.h"

struct info_opts {
	struct rkt_globals g;
	const char        *format;
};

static const struct opt info_opts[] = {
	OPT_TEXT(0, "format", "FORMAT", struct info_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct info_opts, g),
	OPT_END
};

struct about {
	struct image_info       i;
	uint64_t                disk_bytes;
	char                  **urls;
	size_t                  n_urls;
	struct pods_trees       trees;
	const struct pods_tree *pods;
	size_t                  n_pods;
	struct render_parts     rendered;
	struct render_backend   backend;
	struct err              no_backend; /* code 0: it is known */
};

static void about_free(struct about *a)
{
	image_info_free(&a->i);
	while (a->n_urls)
		free(a->urls[--a->n_urls]);
	free(a->urls);
	pods_trees_free(&a->trees);
}

static void add_url(void *ctx, const char *url)
{
	struct about *a = ctx;

	a->urls = xrealloc(a->urls, (a->n_urls + 1) * sizeof(*a->urls));
	a->urls[a->n_urls++] = xstrdup(url);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int look(struct about *a, struct store *st, struct pods *ps, const char *arg, struct err *e)
{
	struct image_id id;
	struct render_id rid;

	if (images_find(st, arg, &id, e) < 0 || store_info(st, &id, &a->i, e) < 0 ||
	    store_each_url(st, &id, add_url, a, e) < 0 || images_trees(st, ps, &a->trees, e) < 0)
		return -1;
	if (a->n_urls)
		qsort(a->urls, a->n_urls, sizeof(*a->urls), by_text);
	a->disk_bytes = store_image_bytes(st, &id);
	render_id_set(&rid, id.s);
	a->rendered = render_parts(st, &rid);
	if (render_backend(st, &a->backend, &a->no_backend) == 0)
		a->no_backend.code = 0;
	a->pods = pods_trees_find(&a->trees, id.s, &a->n_pods);
	return 0;
}

/* ---- text ---- */

static void row(struct ui_table *t, const char *head, const char *value)
{
	ui_table_add(t, head);
	ui_table_add(t, value);
}

static void row_size(struct ui_table *t, const char *head, uint64_t bytes)
{
	char size[32], text[80];

	ui_size(bytes, size, sizeof(size));
	snprintf(text, sizeof(text), "%s (%llu bytes)", size, (unsigned long long)bytes);
	row(t, head, text);
}

static void row_time(struct ui_table *t, const char *head, int64_t ns)
{
	char text[64];

	ui_time_full(ns, text, sizeof(text));
	row(t, head, text);
}

static int print_text(const struct about *a, struct err *e)
{
	const struct image_info *i = &a->i;
	struct ui_table t;
	char parts[40];

	ui_table_start(&t, 2);
	row(&t, "id", i->id.s);
	row(&t, "name", i->name);
	for (size_t k = 0; k < i->labels.n; k++) {
		char *label = xasprintf("%s=%s", i->labels.v[k].name, i->labels.v[k].value);
		row(&t, k ? "" : "labels", label);
		free(label);
	}
	row_size(&t, "size", i->tar_bytes);
	row_size(&t, "on disk", a->disk_bytes);
	row_time(&t, "imported", i->import_ns);
	row_time(&t, "last used", i->last_used_ns);
	row(&t, "verified by", i->verified_by);
	if (i->verified_prefix)
		row(&t, "trusted for", *i->verified_prefix ? i->verified_prefix : "all images");
	row(&t, "fs-verity", *i->seal.verity ? i->seal.verity : "no");
	row(&t, "render", a->no_backend.code ? "unknown" : render_mode_name(a->backend.mode));
	snprintf(parts, sizeof(parts), "%s%s%s", a->rendered.index ? " index" : "", a->rendered.mounted ? " mounted" : "",
		 a->rendered.tree ? " tree" : "");
	row(&t, "rendered", *parts ? parts + 1 : "no");
	row(&t, "damaged", i->damaged ? i->damaged : "no");
	row(&t, "from", i->origin ? i->origin : "unknown");
	for (size_t k = 0; k < a->n_urls; k++)
		row(&t, k ? "" : "URLs", a->urls[k]);
	for (size_t k = 0; k < a->n_pods; k++)
		row(&t, k ? "" : "pods", a->pods[k].uuid);
	return ui_table_print(&t, e);
}

/* ---- JSON, with the names of image list where that has them ---- */

static void add_integer(cJSON *j, const char *key, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	cJSON_AddRawToObject(j, key, text);
}

static int print_json(const struct about *a, enum ui_format f, struct err *e)
{
	const struct image_info *i = &a->i;
	cJSON *j = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(j, "id", i->id.s);
	cJSON_AddStringToObject(j, "name", i->name);
	list = cJSON_AddArrayToObject(j, "labels");
	for (size_t k = 0; k < i->labels.n; k++) {
		cJSON *label = cJSON_CreateObject();
		cJSON_AddStringToObject(label, "name", i->labels.v[k].name);
		cJSON_AddStringToObject(label, "value", i->labels.v[k].value);
		cJSON_AddItemToArray(list, label);
	}
	add_integer(j, "size", (int64_t)i->tar_bytes);
	add_integer(j, "disk_size", (int64_t)a->disk_bytes);
	add_integer(j, "import_time", i->import_ns);
	add_integer(j, "last_used_time", i->last_used_ns);
	cJSON_AddBoolToObject(j, "latest", i->latest);
	cJSON_AddStringToObject(j, "verified_by", i->verified_by);
	if (i->verified_prefix)
		cJSON_AddStringToObject(j, "verified_prefix", i->verified_prefix);
	if (*i->seal.verity)
		cJSON_AddStringToObject(j, "verity", i->seal.verity);
	if (!a->no_backend.code)
		cJSON_AddStringToObject(j, "render", render_mode_name(a->backend.mode));
	list = cJSON_AddObjectToObject(j, "rendered");
	cJSON_AddBoolToObject(list, "index", a->rendered.index);
	cJSON_AddBoolToObject(list, "mounted", a->rendered.mounted);
	cJSON_AddBoolToObject(list, "tree", a->rendered.tree);
	if (i->damaged)
		cJSON_AddStringToObject(j, "damaged", i->damaged);
	if (i->origin)
		cJSON_AddStringToObject(j, "origin", i->origin);
	list = cJSON_AddArrayToObject(j, "urls");
	for (size_t k = 0; k < a->n_urls; k++)
		cJSON_AddItemToArray(list, cJSON_CreateString(a->urls[k]));
	list = cJSON_AddArrayToObject(j, "pods");
	for (size_t k = 0; k < a->n_pods; k++)
		cJSON_AddItemToArray(list, cJSON_CreateString(a->pods[k].uuid));
	return ui_json(j, f, e);
}

static int info_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct info_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	struct about a = { .n_urls = 0 };
	enum ui_format f;

	if (argc != 1)
		return err_set(e, EINVAL, "must provide one image ID or name (see --help)");
	if (ui_format(o->format, &f, e) < 0 || podref_open(&r, &o->g, e) < 0)
		return -1;
	struct store *st = images_store(&o->g, false, e);
	int ret = st ? look(&a, st, r.pods, argv[0], e) : -1;
	store_close(st);
	if (ret == 0)
		ret = f == UI_TEXT ? print_text(&a, e) : print_json(&a, f, e);
	about_free(&a);
	return ret;
}

const struct cmd rkt_image_info_cmd = {
	.name = "info", .args = "IMAGE", .summary = "Tell all that is known of an image in the store.",
	.opts = info_opts, .opts_size = sizeof(struct info_opts), .inherits = true, .run = info_run,
};
