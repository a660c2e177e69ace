/* SPDX-License-Identifier: Apache-2.0
 * schema - see schema.h; reading stands in schema_read.c
 */
#include "core/appc/schema.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

void schema_set_absent(const struct schema *s, void *base)
{
	for (const struct field *f = s->fields; f->kind; f++) {
		if (f->kind == FIELD_INT)
			*(int64_t *)field_at(f, base) = f->absent;
		else if (f->kind == FIELD_TRISTATE)
			*(int *)field_at(f, base) = -1;
		else if (f->kind == FIELD_GROUP)
			schema_set_absent(f->sub, base);
	}
}

void schema_init(const struct schema *s, void *base, size_t size)
{
	memset(base, 0, size);
	schema_set_absent(s, base);
}

/* ---- checking ---- */

static void check_elements(struct check *c, const struct field *f, const void *field)
{
	struct any_list l = list_get(field);

	for (size_t i = 0; i < l.n; i++) {
		size_t mark = check_enter_index(c, i);
		schema_check(c, f->sub, (const char *)l.v + i * f->size);
		check_leave(c, mark);
	}
}

static void check_present(struct check *c, const struct field *f, bool present)
{
	if (f->required && !present)
		check_error(c, RULE_REQUIRED, "%s is missing", f->name);
}

static void check_text(struct check *c, const struct field *f, const char *s)
{
	check_present(c, f, s != NULL);
	if (s && f->text)
		f->text(c, s);
}

static void check_field(struct check *c, const struct field *f, const void *base)
{
	const void *field = field_at_const(f, base);

	switch (f->kind) {
	case FIELD_TEXT:
		check_text(c, f, *(char *const *)field);
		break;
	case FIELD_INT:
		if (f->number && (f->required || *(const int64_t *)field != f->absent))
			f->number(c, *(const int64_t *)field);
		break;
	case FIELD_LIST:
		check_elements(c, f, field);
		break;
	case FIELD_STRUCT:
		check_present(c, f, pointer_get(field) != NULL);
		if (pointer_get(field))
			schema_check(c, f->sub, pointer_get(field));
		break;
	case FIELD_GROUP:
		schema_check(c, f->sub, base);
		break;
	case FIELD_ANY:
		check_present(c, f, *(cJSON *const *)field != NULL);
		break;
	default:
		break;
	}
	if (f->list)
		f->list(c, field);
}

void schema_check(struct check *c, const struct schema *s, const void *base)
{
	for (const struct field *f = s->fields; f->kind; f++) {
		size_t mark = check_enter(c, f->name);
		check_field(c, f, base);
		check_leave(c, mark);
	}
	if (s->check)
		s->check(c, base);
}

/* ---- writing ---- */

static cJSON *write_texts(const struct appc_strings *l)
{
	return cJSON_CreateStringArray((const char *const *)l->v, (int)l->n);
}

/* appends to an array or, with a key that outlives it, to an object; false: out of memory, @item is
 * gone */
static bool append(cJSON *to, const char *key, cJSON *item)
{
	if (item && (key ? cJSON_AddItemToObjectCS(to, key, item) : cJSON_AddItemToArray(to, item)))
		return true;
	cJSON_Delete(item);
	return false;
}

static cJSON *write_ints(const struct appc_ints *l)
{
	cJSON *a = cJSON_CreateArray();

	for (size_t i = 0; a && i < l->n; i++)
		if (!append(a, NULL, cJSON_CreateNumber((double)l->v[i]))) {
			cJSON_Delete(a);
			return NULL;
		}
	return a;
}

static cJSON *write_list(const struct field *f, const void *field)
{
	struct any_list l = list_get(field);
	cJSON *a = cJSON_CreateArray();

	for (size_t i = 0; a && i < l.n; i++)
		if (!append(a, NULL, schema_write(f->sub, (const char *)l.v + i * f->size))) {
			cJSON_Delete(a);
			return NULL;
		}
	return a;
}

static bool is_there(const struct field *f, const void *base)
{
	const void *field = field_at_const(f, base);

	switch (f->kind) {
	case FIELD_FLAG:
		return *(const bool *)field;
	case FIELD_TRISTATE:
		return *(const int *)field >= 0;
	case FIELD_INT:
		return f->required || *(const int64_t *)field != f->absent;
	case FIELD_TEXTS:
	case FIELD_INTS:
	case FIELD_LIST:
		return f->required || list_get(field).n;
	case FIELD_GROUP:
		return true;
	default:
		return pointer_get(field) != NULL;
	}
}

static cJSON *write_field(const struct field *f, const void *base)
{
	const void *field = field_at_const(f, base);

	switch (f->kind) {
	case FIELD_TEXT:
		return cJSON_CreateString(*(char *const *)field);
	case FIELD_FLAG:
		return cJSON_CreateTrue();
	case FIELD_TRISTATE:
		return cJSON_CreateBool(*(const int *)field);
	case FIELD_INT:
		return cJSON_CreateNumber((double)*(const int64_t *)field);
	case FIELD_TEXTS:
		return write_texts(field);
	case FIELD_INTS:
		return write_ints(field);
	case FIELD_LIST:
		return write_list(f, field);
	case FIELD_STRUCT:
		return schema_write(f->sub, pointer_get(field));
	case FIELD_GROUP:
		return schema_write(f->sub, base);
	default:
		return cJSON_Duplicate(*(cJSON *const *)field, true);
	}
}

static bool write_extra(cJSON *obj, const cJSON *extra)
{
	for (const cJSON *j = extra ? extra->child : NULL; j; j = j->next) {
		cJSON *dup = cJSON_Duplicate(j, true);
		if (!dup || !cJSON_AddItemToArray(obj, dup)) { /* its key was duplicated with it */
			cJSON_Delete(dup);
			return false;
		}
	}
	return true;
}

cJSON *schema_write(const struct schema *s, const void *base)
{
	auto_json cJSON *obj = cJSON_CreateObject();
	const cJSON *extra = *(cJSON *const *)(const void *)((const char *)base + s->extra_at);

	if (!obj)
		return NULL;
	for (const struct field *f = s->fields; f->kind; f++)
		if (is_there(f, base) && !append(obj, f->name, write_field(f, base)))
			return NULL;
	if (!write_extra(obj, extra))
		return NULL;
	cJSON *done = obj;
	obj = NULL;
	return done;
}

/* ---- freeing and copying ---- */

static void free_list(const struct field *f, void *field)
{
	struct any_list l = list_get(field);

	for (size_t i = 0; f->kind == FIELD_LIST && i < l.n; i++)
		schema_free(f->sub, (char *)l.v + i * f->size);
	for (size_t i = 0; f->kind == FIELD_TEXTS && i < l.n; i++)
		free(((struct appc_strings *)field)->v[i]);
	free(l.v);
	memset(field, 0, sizeof(l));
}

static void free_field(const struct field *f, void *base)
{
	void *field = field_at(f, base);

	switch (f->kind) {
	case FIELD_TEXT:
		free(*(char **)field);
		*(char **)field = NULL;
		break;
	case FIELD_TEXTS:
	case FIELD_INTS:
	case FIELD_LIST:
		free_list(f, field);
		break;
	case FIELD_STRUCT:
		if (pointer_get(field))
			schema_free(f->sub, pointer_get(field));
		free(pointer_get(field));
		memset(field, 0, sizeof(void *));
		break;
	case FIELD_GROUP:
		schema_free(f->sub, base);
		break;
	case FIELD_ANY:
	case FIELD_OBJECT:
	case FIELD_TEXT_MAP:
		json_cleanup(field);
		break;
	default:
		break;
	}
}

void schema_free(const struct schema *s, void *base)
{
	for (const struct field *f = s->fields; f->kind; f++)
		free_field(f, base);
	json_cleanup((cJSON **)(void *)((char *)base + s->extra_at));
}

bool schema_copy(const struct schema *s, void *to, const void *from, size_t size)
{
	struct findings f = { 0 };
	struct check c;
	auto_json cJSON *j = schema_write(s, from);

	schema_init(s, to, size);
	if (!j)
		return false;
	check_begin(&c, &f);
	schema_read(&c, s, to, j);
	bool good = check_end(&c, 0);
	findings_free(&f);
	if (!good)
		schema_free(s, to);
	return good;
}

/* ---- whole manifests ---- */

static cJSON *parse_text(const char *text, size_t len, struct findings *f)
{
	const struct appc_rule *rules = appc_rules(), *r = &rules[RULE_JSON];
	struct json_error je;

	if (len > APPC_MANIFEST_MAX) {
		r = &rules[RULE_SIZE];
		findings_add(f, FINDING_ERROR, r->id, r->section, "", FINDING_NO_OFFSET,
			"manifest of %zu bytes, more than the %u allowed", len, APPC_MANIFEST_MAX);
		return NULL;
	}
	auto_json cJSON *j = json_parse(text, len, &je);
	if (!j)
		findings_add(f, FINDING_ERROR, r->id, r->section, je.pointer, je.offset,
			"at byte %zu: %s", je.offset, je.text);
	else if (!cJSON_IsObject(j))
		findings_add(
			f, FINDING_ERROR, r->id, r->section, "", 0, "a manifest is a JSON object");
	if (!cJSON_IsObject(j))
		return NULL;
	cJSON *done = j;
	j = NULL;
	return done;
}

bool schema_parse(const struct schema *s, void *base, size_t size, const char *text, size_t len,
	struct findings *f)
{
	size_t before = f->errors;
	struct check c;
	auto_json cJSON *j = parse_text(text, len, f);

	memset(base, 0, size);
	if (!j)
		return false;
	schema_set_absent(s, base);
	check_begin(&c, f);
	schema_read(&c, s, base, j);
	c.parse_end = f->n;
	if (!c.no_memory)
		schema_check(&c, s, base);
	if (check_end(&c, before))
		return true;
	schema_free(s, base);
	memset(base, 0, size);
	return false;
}

bool schema_check_all(const struct schema *s, const void *base, struct findings *f)
{
	size_t before = f->errors;
	struct check c;

	check_begin(&c, f);
	schema_check(&c, s, base);
	return check_end(&c, before);
}

void schema_print(const struct schema *s, const void *base, bool pretty, struct buf *b)
{
	auto_json cJSON *j = schema_write(s, base);

	if (j)
		json_print(j, pretty, b);
	else
		b->failed = true;
}
