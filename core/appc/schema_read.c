/* SPDX-License-Identifier: Apache-2.0
 * schema_read - JSON into structs; see schema.h
 *
 * Reading moves strings and values out of the document, so a manifest is in memory once. Nothing
 * here trusts the document beyond what json_parse() promises: a wrong type is reported and its
 * place filled with an empty value, so that the pointers of what follows in a list stay right.
 */
#include <stdlib.h>
#include <string.h>

#include "core/appc/schema.h"
#include "core/base/json.h"

static const struct field *find_field(const struct schema *s, const char *name)
{
	for (const struct field *f = s->fields; f->kind; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static void wrong_type(struct check *c, const cJSON *j, const char *want)
{
	const char *is = cJSON_IsString(j)   ? "a string"
			 : cJSON_IsNumber(j) ? "a number"
			 : cJSON_IsBool(j)   ? "a boolean"
			 : cJSON_IsObject(j) ? "an object"
			 : cJSON_IsArray(j)  ? "a list"
					     : "null";

	check_error(c, RULE_TYPE, "want %s, got %s", want, is);
}

static char *take_string(cJSON *j)
{
	char *s = j->valuestring;

	j->valuestring = NULL;
	return s;
}

static void read_text(struct check *c, char **field, const struct field *f, cJSON *j)
{
	if (!cJSON_IsString(j))
		wrong_type(c, j, "a string");
	else if (*j->valuestring || !f->empty_is_absent)
		*field = take_string(j);
}

static void read_bool(struct check *c, const struct field *f, void *base, const cJSON *j)
{
	if (!cJSON_IsBool(j))
		wrong_type(c, j, "true or false");
	else if (f->kind == FIELD_FLAG)
		*(bool *)field_at(f, base) = cJSON_IsTrue(j);
	else
		*(int *)field_at(f, base) = cJSON_IsTrue(j);
}

static void read_whole(struct check *c, int64_t *out, const cJSON *j)
{
	if (json_int(j, out))
		return;
	if (cJSON_IsNumber(j))
		check_error(c, RULE_TYPE, "want a whole number between -2^53 and 2^53, got %g",
			j->valuedouble);
	else
		wrong_type(c, j, "a number");
}

static void read_int(struct check *c, const struct field *f, int64_t *out, const cJSON *j)
{
	int64_t v;

	if (!json_int(j, &v)) {
		read_whole(c, out, j);
		return;
	}
	*out = v;
	/* somebody wrote what stands for "not there": the checks will not see it, and it may be
	 * wrong */
	if (v == f->absent && !f->required && f->number)
		f->number(c, v);
}

/* room for every element of the array @j, all zero; false: nothing to read, or reported why not */
static bool new_list(struct check *c, void *field, cJSON *j, size_t size, size_t max)
{
	struct any_list l = { 0 };

	if (!cJSON_IsArray(j)) {
		wrong_type(c, j, "a list");
		return false;
	}
	l.n = (size_t)cJSON_GetArraySize(j);
	if (l.n > max) {
		check_error(
			c, RULE_SIZE, "list of %zu objects, more than the %zu allowed", l.n, max);
		return false;
	}
	if (!l.n)
		return false;
	l.v = calloc(l.n, size);
	if (!l.v) {
		check_no_memory(c);
		return false;
	}
	memcpy(field, &l, sizeof(l));
	return true;
}

static void read_texts(struct check *c, struct appc_strings *l, cJSON *j)
{
	size_t i = 0;

	if (!new_list(c, l, j, sizeof(*l->v), SIZE_MAX))
		return;
	for (cJSON *e = j->child; e; e = e->next, i++) {
		size_t mark = check_enter_index(c, i);
		if (cJSON_IsString(e))
			l->v[i] = take_string(e);
		else
			wrong_type(c, e, "a string");
		if (!l->v[i] && !(l->v[i] = strdup("")))
			check_no_memory(c);
		check_leave(c, mark);
	}
}

static void read_ints(struct check *c, struct appc_ints *l, cJSON *j)
{
	size_t i = 0;

	if (!new_list(c, l, j, sizeof(*l->v), SIZE_MAX))
		return;
	for (cJSON *e = j->child; e; e = e->next, i++) {
		size_t mark = check_enter_index(c, i);
		read_whole(c, &l->v[i], e);
		check_leave(c, mark);
	}
}

static void read_object(struct check *c, const struct schema *s, void *base, cJSON *j)
{
	if (cJSON_IsObject(j))
		schema_read(c, s, base, j);
	else
		wrong_type(c, j, "an object");
}

static void read_list(struct check *c, const struct field *f, void *field, cJSON *j)
{
	size_t i = 0;

	if (!new_list(c, field, j, f->size, LIST_MAX))
		return;
	char *v = list_get(field).v;
	for (cJSON *e = j->child; e; e = e->next, i++) {
		size_t mark = check_enter_index(c, i);
		schema_set_absent(f->sub, v + i * f->size);
		read_object(c, f->sub, v + i * f->size, e);
		check_leave(c, mark);
	}
}

static void read_struct(struct check *c, const struct field *f, void *field, cJSON *j)
{
	if (!cJSON_IsObject(j)) {
		wrong_type(c, j, "an object");
		return;
	}
	void *p = calloc(1, f->size);
	if (!p) {
		check_no_memory(c);
		return;
	}
	memcpy(field, &p, sizeof(p));
	schema_set_absent(f->sub, p);
	schema_read(c, f->sub, p, j);
}

static bool texts_only(struct check *c, const cJSON *obj)
{
	bool good = true;

	for (const cJSON *j = obj->child; j; j = j->next) {
		if (cJSON_IsString(j))
			continue;
		size_t mark = check_enter(c, j->string);
		wrong_type(c, j, "a string");
		check_leave(c, mark);
		good = false;
	}
	return good;
}

static void read_json(struct check *c, const struct field *f, cJSON **field, cJSON *obj, cJSON *j)
{
	if (f->kind != FIELD_ANY && !cJSON_IsObject(j))
		wrong_type(c, j, "an object");
	else if (f->kind != FIELD_TEXT_MAP || texts_only(c, j))
		*field = cJSON_DetachItemViaPointer(obj, j);
}

static void read_field(struct check *c, const struct field *f, void *base, cJSON *obj, cJSON *j)
{
	void *field = field_at(f, base);

	switch (f->kind) {
	case FIELD_TEXT:
		read_text(c, field, f, j);
		break;
	case FIELD_FLAG:
	case FIELD_TRISTATE:
		read_bool(c, f, base, j);
		break;
	case FIELD_INT:
		read_int(c, f, field, j);
		break;
	case FIELD_TEXTS:
		read_texts(c, field, j);
		break;
	case FIELD_INTS:
		read_ints(c, field, j);
		break;
	case FIELD_LIST:
		read_list(c, f, field, j);
		break;
	case FIELD_STRUCT:
		read_struct(c, f, field, j);
		break;
	case FIELD_GROUP:
		read_object(c, f->sub, base, j);
		break;
	case FIELD_ANY:
	case FIELD_OBJECT:
	case FIELD_TEXT_MAP:
		read_json(c, f, field, obj, j);
		break;
	case FIELD_NONE:
		abort();
	}
}

static void keep_unknown(struct check *c, cJSON **extra, cJSON *obj, cJSON *j)
{
	if (!*extra && !(*extra = cJSON_CreateObject())) {
		check_no_memory(c);
		return;
	}
	/* as to an array: the item has its key already, and appending is all that is wanted */
	cJSON_AddItemToArray(*extra, cJSON_DetachItemViaPointer(obj, j));
}

/* Whether a number was there cannot be seen from the struct, so this one check is done while
 * reading. */
static void require_numbers(struct check *c, const struct schema *s, const cJSON *obj)
{
	for (const struct field *f = s->fields; f->kind; f++) {
		if (f->kind != FIELD_INT || !f->required)
			continue;
		const cJSON *j = cJSON_GetObjectItemCaseSensitive(obj, f->name);
		if (j && !cJSON_IsNull(j))
			continue;
		size_t mark = check_enter(c, f->name);
		check_error(c, RULE_REQUIRED, "%s is missing", f->name);
		check_leave(c, mark);
	}
}

void schema_read(struct check *c, const struct schema *s, void *base, cJSON *obj)
{
	cJSON **extra = (cJSON **)(void *)((char *)base + s->extra_at);
	cJSON *next;

	for (cJSON *j = obj->child; j; j = next) {
		next = j->next;
		const struct field *f = find_field(s, j->string);
		if (!f) {
			keep_unknown(c, extra, obj, j);
			continue;
		}
		/* null is how writers in Go spell "not there" */
		if (cJSON_IsNull(j) && f->kind != FIELD_ANY)
			continue;
		size_t mark = check_enter(c, f->name);
		read_field(c, f, base, obj, j);
		check_leave(c, mark);
	}
	/* unknown members are gone from obj by now, so this is short */
	require_numbers(c, s, obj);
}
