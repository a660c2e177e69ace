/* SPDX-License-Identifier: Apache-2.0
 * rkt list - all pods, their apps and states
 *
 * A pod that is removed while the list is made is left out; one whose manifest cannot be read is listed without
 * its apps, and the reason is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"

struct list_opts {
	struct rkt_globals g;
	bool               full, no_legend;
	const char        *format;
};

static const struct opt list_opts[] = {
	OPT_BOOL(0, "full", struct list_opts, full, "whole UUIDs, image IDs and exact times"),
	OPT_BOOL(0, "no-legend", struct list_opts, no_legend, "leave out the line of headings"),
	OPT_TEXT(0, "format", "FORMAT", struct list_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct list_opts, g),
	OPT_END
};

struct list {
	const struct list_opts *o;
	enum ui_format          format;
	struct ui_table         table;
	struct buf              json; /* instead of it: pod by pod, since thousands of them as objects are many MiB */
	size_t                  n_json;
	cJSON                  *last_json;
	/* The manifest that was read last, and of what: that of the next pod often has the same bytes. */
	cJSON                  *manifest;
	char                   *text;
	size_t                  len;
};

#define SHORT_UUID 8
#define SHORT_ID   (sizeof("sha512-") - 1 + 12)

static void add_time(struct list *l, int64_t ns)
{
	char text[64];

	if (!ns) {
		ui_table_add(&l->table, NULL);
		return;
	}
	if (l->o->full)
		ui_time_full(ns, text, sizeof(text));
	else
		ui_time_ago(ns, text, sizeof(text));
	ui_table_add(&l->table, text);
}

static void add_legend(struct list *l)
{
	static const char *const heads[] = { "UUID", "APP", "IMAGE NAME", "IMAGE ID", "STATE", "CREATED", "STARTED",
					     "NETWORKS" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		if (l->o->full || i != 3)
			ui_table_add(&l->table, heads[i]);
}

/* what is shown of an app; NULL: not known */
struct app { const char *name, *image, *version, *id; };

static void add_row(struct list *l, const struct pod *p, const struct app *app, bool first)
{
	char *image = app->name ? podref_image_name(p, app->name, app->image, app->version) : NULL;

	ui_table_add_cut(&l->table, first ? p->uuid : "", l->o->full ? UUID_LEN : SHORT_UUID);
	ui_table_add(&l->table, app->name ? app->name : "-");
	ui_table_add(&l->table, image ? image : app->name ? "--" : "-");
	if (l->o->full)
		ui_table_add_cut(&l->table, app->id ? app->id : "-", SHORT_ID);
	ui_table_add(&l->table, first ? pod_state_name(p->state) : NULL);
	add_time(l, first ? pod_created_ns(p) : 0);
	add_time(l, first ? pod_started_ns(p) : 0);
	auto_buf struct buf nets = { 0 };
	if (first)
		podref_networks(p, &nets);
	ui_table_add(&l->table, nets.len ? nets.data : NULL);
	free(image);
}

static const char *version_of(const cJSON *image)
{
	const cJSON *label;

	cJSON_ArrayForEach(label, cJSON_GetObjectItemCaseSensitive(image, "labels")) {
		const char *name = json_str(label, "name");
		if (name && !strcmp(name, "version"))
			return json_str(label, "value");
	}
	return NULL;
}

static void add_pod(struct list *l, const struct pod *p, const cJSON *manifest)
{
	const cJSON *ra;
	bool first = true;

	cJSON_ArrayForEach(ra, cJSON_GetObjectItemCaseSensitive(manifest, "apps")) {
		const cJSON *image = cJSON_GetObjectItemCaseSensitive(ra, "image");
		struct app app = {
			.name = json_str(ra, "name"), .image = json_str(image, "name"),
			.version = version_of(image), .id = json_str(image, "id"),
		};
		add_row(l, p, &app, first);
		first = false;
	}
	if (first)
		add_row(l, p, &(struct app){ .name = NULL }, true);
}

/*
 * Well-formed and of the right kind is enough for a list: to check every rule for each of thousands of pods would
 * take most of the time.
 */
static cJSON *parse_manifest(const char *text, size_t len, struct err *e)
{
	cJSON *j = json_parse_err(text, len, e);
	const char *kind = json_str(j, "acKind");

	if (!j || (kind && !strcmp(kind, "PodManifest")))
		return j;
	err_set(e, EINVAL, "not a pod manifest");
	cJSON_Delete(j);
	return NULL;
}

static void forget_manifest(struct list *l)
{
	cJSON_Delete(l->manifest);
	free(l->text);
	l->manifest = NULL;
	l->text = NULL;
}

/* borrowed until the next call */
static const cJSON *read_manifest(struct list *l, const struct pod *p, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (fd_read_file(p->dir_fd, "pod", APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return NULL;
	if (l->manifest && len == l->len && !memcmp(text, l->text, len))
		return l->manifest;
	cJSON *j = parse_manifest(text, len, e);
	if (!j)
		return NULL;
	forget_manifest(l);
	l->manifest = j;
	l->text = take_ptr(text);
	l->len = len;
	return j;
}

/* whether a pod without a manifest is nothing to talk about */
static bool half_made(const struct pod *p, const struct err *why)
{
	return why->code == ENOENT && p->state != POD_PREPARED && p->state != POD_RUNNING &&
	       p->state != POD_EXITED && p->state != POD_EXITED_GARBAGE;
}

static int visit_json(struct list *l, struct pod *p)
{
	struct err why, gone;
	cJSON *o = podref_json(p, &why);

	if (o)
		json_print_item(o, l->n_json++, l->format == UI_JSON_PRETTY, &l->json);
	else if (pod_refresh(p, &gone) == 0)
		ui_warn("%s", why.msg);
	/* only now: memory that nothing uses goes back to the kernel, to be asked for again for the next one */
	cJSON_Delete(l->last_json);
	l->last_json = o;
	return 0;
}

static int end_json(struct list *l, struct err *e)
{
	cJSON_Delete(l->last_json);
	json_print_item(NULL, l->n_json, l->format == UI_JSON_PRETTY, &l->json);
	if (l->format != UI_JSON_PRETTY)
		buf_str(&l->json, "\n");
	return ui_out(&l->json, e);
}

static int visit(void *ctx, struct pod *p, struct err *e)
{
	struct list *l = ctx;
	struct err why, gone;
	(void)e;

	if (l->format != UI_TEXT)
		return visit_json(l, p);
	const cJSON *manifest = read_manifest(l, p, &why);
	if (!manifest && pod_refresh(p, &gone) < 0)
		return 0;
	if (!manifest && !half_made(p, &why))
		ui_warn("manifest of pod %s: %s", p->uuid, why.msg);
	add_pod(l, p, manifest);
	return 0;
}

static int list_run(void *opts, int argc, char **argv, struct err *e)
{
	struct list_opts *o = opts;
	struct list l = { .o = o };
	auto_podref struct podref r = PODREF_NONE;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: list shows all pods (see --help)", argv[0]);
	if (ui_format(o->format, &l.format, e) < 0 || podref_open(&r, &o->g, e) < 0)
		return -1;
	ui_table_start(&l.table, o->full ? 8 : 7);
	if (l.format == UI_TEXT && !o->no_legend)
		add_legend(&l);
	int failed = pods_each(r.pods, visit, &l, e);
	forget_manifest(&l);
	if (failed)
		return -1;
	return l.format == UI_TEXT ? ui_table_print(&l.table, e) : end_json(&l, e);
}

const struct cmd rkt_list_cmd = {
	.name = "list", .summary = "List pods.",
	.opts = list_opts, .opts_size = sizeof(struct list_opts), .inherits = true, .run = list_run,
};
