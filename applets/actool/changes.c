/* SPDX-License-Identifier: Apache-2.0
 * changes - see changes.h
 */
#include "applets/actool/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/json.h"

#define FLUSH_AT (64u << 10)
#define VALUE_MAX 200u /* of a value on a line for people */

/* ---- output ---- */

static void flush(struct changes *c)
{
	if (!c->failed && ui_out(&c->out, &c->error) < 0)
		c->failed = true;
	buf_free(&c->out);
}

static void counted(struct changes *c)
{
	c->n++;
	if (c->out.len > FLUSH_AT)
		flush(c);
}

static void add_clean(struct buf *out, const char *s)
{
	buf_clean(out, s, strlen(s));
}

static void add_value(struct buf *out, const cJSON *j)
{
	struct buf text = { 0 };

	if (j)
		json_print(j, false, &text);
	else
		buf_str(&text, "nothing");
	if (text.failed)
		out->failed = true;
	else
		buf_clean(out, text.data, text.len < VALUE_MAX ? text.len : VALUE_MAX);
	if (text.len > VALUE_MAX)
		buf_str(out, "...");
	buf_free(&text);
}

static void print_item(struct changes *c, cJSON *o)
{
	json_print_item(o, c->n, c->format == UI_JSON_PRETTY, &c->out);
	cJSON_Delete(o);
	counted(c);
}

static cJSON *item(const char *path)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "where", path ? "entry" : "manifest");
	if (path)
		cJSON_AddStringToObject(o, "path", path);
	return o;
}

void changes_value(struct changes *c, const char *path, const char *field, cJSON *a, cJSON *b)
{
	if (c->format != UI_TEXT) {
		cJSON *o = item(path);
		cJSON_AddStringToObject(o, path ? "field" : "pointer", field);
		if (a)
			cJSON_AddItemToObject(o, "a", a);
		if (b)
			cJSON_AddItemToObject(o, "b", b);
		print_item(c, o);
		return;
	}
	add_clean(&c->out, path ? path : "manifest");
	buf_str(&c->out, ": ");
	add_clean(&c->out, field);
	if (!a && !b) {
		buf_str(&c->out, " differs");
	} else {
		buf_str(&c->out, ": ");
		add_value(&c->out, a);
		buf_str(&c->out, " -> ");
		add_value(&c->out, b);
	}
	buf_str(&c->out, "\n");
	cJSON_Delete(a);
	cJSON_Delete(b);
	counted(c);
}

void changes_only(struct changes *c, const char *path, bool in_a, const char *type)
{
	if (c->format != UI_TEXT) {
		cJSON *o = item(path);
		cJSON_AddStringToObject(o, "only", in_a ? "a" : "b");
		cJSON_AddStringToObject(o, "type", type);
		print_item(c, o);
		return;
	}
	add_clean(&c->out, path);
	buf_str(&c->out, ": only in ");
	add_clean(&c->out, in_a ? c->a : c->b);
	buf_fmt(&c->out, " (%s)\n", type);
	counted(c);
}

int changes_end(struct changes *c, struct err *e)
{
	if (c->format != UI_TEXT) {
		json_print_item(NULL, c->n, c->format == UI_JSON_PRETTY, &c->out);
		if (c->format == UI_JSON)
			buf_str(&c->out, "\n");
	}
	flush(c);
	if (!c->failed)
		return 0;
	*e = c->error;
	return -1;
}

/* ---- manifests ---- */

/* the members of an object, or of an array whose elements are objects with names of their own */
struct members {
	struct member { const char *key; const cJSON *value; size_t index; } *v;
	size_t n;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* false: an array without names, or with one name twice */
static bool list_members(const cJSON *j, struct members *m)
{
	size_t i = 0;

	*m = (struct members){ 0 };
	m->v = xmalloc(((size_t)cJSON_GetArraySize(j) + 1) * sizeof(*m->v));
	for (const cJSON *x = j->child; x; x = x->next, i++) {
		const char *key = cJSON_IsObject(j) ? x->string : json_str(x, "name");
		if (!key)
			return false;
		m->v[m->n++] = (struct member){ key, x, i };
	}
	qsort(m->v, m->n, sizeof(*m->v), by_key);
	for (i = 1; i < m->n; i++)
		if (!strcmp(m->v[i - 1].key, m->v[i].key))
			return false;
	return true;
}

static void compare(struct changes *c, const cJSON *a, const cJSON *b, struct buf *at);

/* one step further down: the pointer into a, or into b for what is only there */
static void compare_member(struct changes *c, const struct member *a, const struct member *b, bool object, struct buf *at)
{
	const struct member *m = a ? a : b;
	size_t len = at->len;

	if (object)
		json_pointer_add(at, m->key);
	else
		buf_fmt(at, "/%zu", m->index);
	compare(c, a ? a->value : NULL, b ? b->value : NULL, at);
	at->len = len;
	if (at->data)
		at->data[len] = 0;
}

static void compare_members(struct changes *c, const struct members *a, const struct members *b, bool object,
			    struct buf *at)
{
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->v[i].key, b->v[k].key);
		compare_member(c, order <= 0 ? &a->v[i] : NULL, order >= 0 ? &b->v[k] : NULL, object, at);
		i += order <= 0;
		k += order >= 0;
	}
}

static void compare_elements(struct changes *c, const cJSON *a, const cJSON *b, struct buf *at)
{
	const cJSON *x = a->child, *y = b->child;

	for (size_t i = 0; x || y; i++) {
		const struct member m = { "", x, i }, n = { "", y, i };
		compare_member(c, x ? &m : NULL, y ? &n : NULL, false, at);
		x = x ? x->next : NULL;
		y = y ? y->next : NULL;
	}
}

static void compare_nested(struct changes *c, const cJSON *a, const cJSON *b, struct buf *at)
{
	struct members m, n = { 0 };
	bool object = cJSON_IsObject(a);

	/* both, and one after the other: either may have no names */
	bool named = list_members(a, &m) && list_members(b, &n);
	if (named)
		compare_members(c, &m, &n, object, at);
	else
		compare_elements(c, a, b, at);
	free(m.v);
	free(n.v);
}

/* JSON that was read by json_parse() is no deeper than JSON_DEPTH */
static void compare(struct changes *c, const cJSON *a, const cJSON *b, struct buf *at)
{
	bool objects = cJSON_IsObject(a) && cJSON_IsObject(b), arrays = cJSON_IsArray(a) && cJSON_IsArray(b);

	if (objects || arrays)
		compare_nested(c, a, b, at);
	else if (!a || !b || !cJSON_Compare(a, b, true))
		changes_value(c, NULL, at->len ? at->data : "", a ? cJSON_Duplicate(a, true) : NULL,
			      b ? cJSON_Duplicate(b, true) : NULL);
}

void changes_manifest(struct changes *c, const cJSON *a, const cJSON *b)
{
	struct buf at = { 0 };

	compare(c, a, b, &at);
	if (at.failed) {
		c->failed = true;
		err_set(&c->error, ENOMEM, "out of memory");
	}
	buf_free(&at);
}
