/* SPDX-License-Identifier: Apache-2.0
 * rkt image list - the images in the store
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"

struct list_opts {
	struct rkt_globals g;
	bool               full, no_legend;
	const char        *fields, *sort, *order, *format;
};

#define FIELDS "id, name, size, importtime, lastused, latest, verified"

static const struct opt list_opts[] = {
	OPT_TEXT(0, "fields", "LIST", struct list_opts, fields,
		 "columns: " FIELDS " (default: the first five)"),
	OPT_TEXT(0, "sort", "LIST", struct list_opts, sort, "fields to sort by (default importtime)"),
	OPT_TEXT(0, "order", "ORDER", struct list_opts, order, "asc or desc"),
	OPT_BOOL(0, "full", struct list_opts, full, "whole IDs, exact times, sizes in bytes"),
	OPT_BOOL(0, "no-legend", struct list_opts, no_legend, "leave out the line of headings"),
	OPT_TEXT(0, "format", "FORMAT", struct list_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct list_opts, g),
	OPT_END
};

/* ---- fields ---- */

enum field { FIELD_ID, FIELD_NAME, FIELD_SIZE, FIELD_IMPORT, FIELD_USED, FIELD_LATEST, FIELD_VERIFIED, N_FIELDS };

static const struct field_name {
	const char *name, *head;
} field_names[N_FIELDS] = {
	{ "id", "ID" }, { "name", "NAME" }, { "size", "SIZE" }, { "importtime", "IMPORT TIME" },
	{ "lastused", "LAST USED" }, { "latest", "LATEST" }, { "verified", "VERIFIED BY" },
};

struct fields {
	enum field v[N_FIELDS];
	size_t     n;
};

static int find_field(const char *s, size_t len)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (strlen(field_names[f].name) == len && !strncasecmp(field_names[f].name, s, len))
			return f;
	return -1;
}

static int parse_fields(const char *list, struct fields *out, struct err *e)
{
	*out = (struct fields){ .n = 0 };
	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");
		int f = find_field(p, len);
		if (f < 0)
			return err_set(e, EINVAL, "unknown field \"%.*s\" (" FIELDS ")", (int)len, p);
		for (size_t i = 0; i < out->n; i++)
			if (out->v[i] == (enum field)f)
				return err_set(e, EINVAL, "duplicated field \"%.*s\"", (int)len, p);
		out->v[out->n++] = (enum field)f;
		p += len;
		if (!*p)
			return 0;
	}
}

static char *full_name(const struct image_info *i)
{
	const char *version = appc_pair_find(&i->labels, "version");

	return xasprintf("%s%s%s", i->name, version ? ":" : "", version ? version : "");
}

/* ---- order ---- */

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_by(enum field f, const struct image_info *a, const struct image_info *b)
{
	switch (f) {
	case FIELD_ID:
		return strcmp(a->id.s, b->id.s);
	case FIELD_NAME:
		return strcmp(a->name, b->name);
	case FIELD_SIZE:
		return compare_numbers((int64_t)a->tar_bytes, (int64_t)b->tar_bytes);
	case FIELD_IMPORT:
		return compare_numbers(a->import_ns, b->import_ns);
	case FIELD_USED:
		return compare_numbers(a->last_used_ns, b->last_used_ns);
	case FIELD_LATEST:
		return (int)a->latest - (int)b->latest;
	case FIELD_VERIFIED:
		return strcmp(a->verified_by, b->verified_by);
	case N_FIELDS:
		break;
	}
	abort();
}

static int compare(const struct fields *by, bool desc, const struct image_info *a, const struct image_info *b)
{
	for (size_t i = 0; i < by->n; i++) {
		int c = compare_by(by->v[i], a, b);
		if (c)
			return desc ? -c : c;
	}
	return strcmp(a->id.s, b->id.s); /* what is equal comes in the same order every time */
}

static void sift(const struct image_info **v, size_t top, size_t n, const struct fields *by, bool desc)
{
	for (size_t child; (child = 2 * top + 1) < n; top = child) {
		if (child + 1 < n && compare(by, desc, v[child], v[child + 1]) < 0)
			child++;
		if (compare(by, desc, v[top], v[child]) >= 0)
			return;
		const struct image_info *t = v[top];
		v[top] = v[child];
		v[child] = t;
	}
}

/* the images in order; the caller's to free. Heap sort, because qsort() gives its comparison no place for the fields. */
static const struct image_info **sort(const struct image_infos *l, const struct fields *by, bool desc)
{
	const struct image_info **v = xmalloc((l->n + 1) * sizeof(*v));

	for (size_t i = 0; i < l->n; i++)
		v[i] = &l->v[i];
	for (size_t i = l->n / 2; i-- > 0;)
		sift(v, i, l->n, by, desc);
	for (size_t n = l->n; n > 1; n--) {
		const struct image_info *t = v[0];
		v[0] = v[n - 1];
		v[n - 1] = t;
		sift(v, 0, n - 1, by, desc);
	}
	return v;
}

/* ---- output ---- */

#define SHORT_ID (sizeof("sha512-") - 1 + 12)
#define FULL_ID  (sizeof("sha512-") - 1 + IMAGE_KEY_HEX)

static void format_time(int64_t ns, bool full, char *out, size_t size)
{
	if (full)
		ui_time_full(ns, out, size);
	else
		ui_time_ago(ns, out, size);
}

/* a fingerprint by its end, as keys are called for short */
static const char *vouched(const struct image_info *i, bool full)
{
	size_t n = strlen(i->verified_by);

	return i->verified_by + (full || n < 40 ? 0 : n - 16);
}

static char *cell(const struct image_info *i, enum field f, bool full)
{
	char text[64] = "";

	switch (f) {
	case FIELD_ID:
		return xasprintf("%.*s", (int)(full ? FULL_ID : SHORT_ID), i->id.s);
	case FIELD_NAME:
		return full_name(i);
	case FIELD_SIZE:
		if (full)
			snprintf(text, sizeof(text), "%llu", (unsigned long long)i->tar_bytes);
		else
			ui_size(i->tar_bytes, text, sizeof(text));
		break;
	case FIELD_IMPORT:
		format_time(i->import_ns, full, text, sizeof(text));
		break;
	case FIELD_USED:
		format_time(i->last_used_ns, full, text, sizeof(text));
		break;
	case FIELD_VERIFIED:
		return xstrdup(vouched(i, full));
	case FIELD_LATEST:
	case N_FIELDS:
		snprintf(text, sizeof(text), "%s", i->latest ? "true" : "false");
		break;
	}
	return xstrdup(text);
}

static int print_table(const struct image_info **v, size_t n, const struct fields *columns, const struct list_opts *o,
		       struct err *e)
{
	struct ui_table t;

	ui_table_start(&t, columns->n);
	for (size_t c = 0; c < columns->n && !o->no_legend; c++)
		ui_table_add(&t, field_names[columns->v[c]].head);
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < columns->n; c++) {
			char *text = cell(v[i], columns->v[c], o->full);
			ui_table_add(&t, text);
			free(text);
		}
	return ui_table_print(&t, e);
}

/* nanoseconds since 1970 do not fit a double */
static void add_integer(cJSON *j, const char *key, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	cJSON_AddRawToObject(j, key, text);
}

static int print_json(const struct image_info **images, size_t n, enum ui_format f, struct err *e)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++) {
		const struct image_info *v = images[i];
		cJSON *j = cJSON_CreateObject();
		char *name = full_name(v), *id = xasprintf("%.*s", (int)FULL_ID, v->id.s);
		cJSON_AddStringToObject(j, "id", id);
		cJSON_AddStringToObject(j, "name", name);
		add_integer(j, "import_time", v->import_ns);
		add_integer(j, "last_used_time", v->last_used_ns);
		add_integer(j, "size", (int64_t)v->tar_bytes);
		cJSON_AddBoolToObject(j, "latest", v->latest);
		cJSON_AddStringToObject(j, "verified_by", v->verified_by);
		if (v->verified_prefix)
			cJSON_AddStringToObject(j, "verified_prefix", v->verified_prefix);
		if (v->damaged)
			cJSON_AddStringToObject(j, "damaged", v->damaged);
		cJSON_AddItemToArray(list, j);
		free(name);
		free(id);
	}
	return ui_json(list, f, e);
}

static int parse_order(const char *s, bool *desc, struct err *e)
{
	*desc = s && !strcasecmp(s, "desc");
	return !s || *desc || !strcasecmp(s, "asc") ? 0 : err_set(e, EINVAL, "--order: want asc or desc, got \"%s\"", s);
}

static int list_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct list_opts *o = opts;
	struct fields columns, by;
	struct image_infos l = { 0 };
	enum ui_format f;
	bool desc;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: list shows all images (see --help)", argv[0]);
	if (parse_fields(o->fields ? o->fields : "id,name,size,importtime,lastused", &columns, e) < 0)
		return err_wrap(e, "--fields");
	if (parse_fields(o->sort ? o->sort : "importtime", &by, e) < 0)
		return err_wrap(e, "--sort");
	if (parse_order(o->order, &desc, e) < 0 || ui_format(o->format, &f, e) < 0)
		return -1;
	struct store *st = images_store(&o->g, false, e);
	int r = st ? store_list(st, &l, e) : -1;
	store_close(st);
	if (r < 0)
		return -1;
	const struct image_info **v = sort(&l, &by, desc);
	r = f == UI_TEXT ? print_table(v, l.n, &columns, o, e) : print_json(v, l.n, f, e);
	free(v);
	image_infos_free(&l);
	return r;
}

const struct cmd rkt_image_list_cmd = {
	.name = "list", .summary = "List the images in the store.",
	.opts = list_opts, .opts_size = sizeof(struct list_opts), .inherits = true, .run = list_run,
};
