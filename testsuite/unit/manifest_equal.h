/* SPDX-License-Identifier: Apache-2.0
 * manifest_equal - whether two structs that a schema describes hold the same
 *
 * Walks the structs themselves, so that a member which writing or copying forgets is found.
 */
#pragma once

#include <string.h>

#include "core/appc/schema.h"

static inline bool schema_equal(const struct schema *s, const void *a, const void *b);

static inline bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static inline bool json_equal(const cJSON *a, const cJSON *b)
{
	return a && b ? cJSON_Compare(a, b, true) : a == b;
}

static inline bool list_equal(const struct field *f, const void *a, const void *b)
{
	struct any_list x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x.n != y.n)
		return false;
	for (size_t i = 0; i < x.n; i++) {
		bool same = f->kind == FIELD_TEXTS ? text_equal(((char **)x.v)[i], ((char **)y.v)[i])
			  : f->kind == FIELD_INTS ? ((int64_t *)x.v)[i] == ((int64_t *)y.v)[i]
			  : schema_equal(f->sub, (char *)x.v + i * f->size, (char *)y.v + i * f->size);
		if (!same)
			return false;
	}
	return true;
}

static inline bool field_equal(const struct field *f, const void *sa, const void *sb)
{
	const void *a = (const char *)sa + f->at, *b = (const char *)sb + f->at;
	void *x, *y;

	switch (f->kind) {
	case FIELD_TEXT:
		return text_equal(*(char *const *)a, *(char *const *)b);
	case FIELD_FLAG:
		return *(const bool *)a == *(const bool *)b;
	case FIELD_TRISTATE:
		return *(const int *)a == *(const int *)b;
	case FIELD_INT:
		return *(const int64_t *)a == *(const int64_t *)b;
	case FIELD_TEXTS:
	case FIELD_INTS:
	case FIELD_LIST:
		return list_equal(f, a, b);
	case FIELD_STRUCT:
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		return x && y ? schema_equal(f->sub, x, y) : x == y;
	case FIELD_GROUP:
		return schema_equal(f->sub, sa, sb);
	default:
		return json_equal(*(cJSON *const *)a, *(cJSON *const *)b);
	}
}

static inline bool schema_equal(const struct schema *s, const void *a, const void *b)
{
	for (const struct field *f = s->fields; f->kind; f++)
		if (!field_equal(f, a, b))
			return false;
	const cJSON *x = *(cJSON *const *)(const void *)((const char *)a + s->extra_at);
	const cJSON *y = *(cJSON *const *)(const void *)((const char *)b + s->extra_at);
	return json_equal(x, y);
}
