/* SPDX-License-Identifier: Apache-2.0
 * schema - structs of manifests described by tables: one table reads, writes, checks, frees and copies
 *
 * Internal to core/appc. A table has one line per member; a struct field of another type than the line says
 * does not compile. What tables cannot say (members that depend on each other) is a function of the table.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/appc/check.h"
#include "core/appc/manifest.h"

enum field_kind {
	FIELD_NONE,
	FIELD_TEXT,     /* char *; NULL: not there */
	FIELD_FLAG,     /* bool; false: not there */
	FIELD_TRISTATE, /* int; -1: not there */
	FIELD_INT,      /* int64_t; .absent: not there */
	FIELD_TEXTS,    /* struct appc_strings */
	FIELD_INTS,     /* struct appc_ints */
	FIELD_LIST,     /* struct { T *v; size_t n; } of .sub */
	FIELD_STRUCT,   /* T * of .sub; NULL: not there */
	FIELD_GROUP,    /* an object whose members .sub puts into the same struct */
	FIELD_ANY,      /* cJSON *: any JSON value */
	FIELD_OBJECT,   /* cJSON *: an object */
	FIELD_TEXT_MAP, /* cJSON *: an object whose members are strings */
};

struct schema;

struct field {
	const char          *name;
	enum field_kind      kind;
	size_t               at, size; /* size: of what a list or a pointer holds */
	bool                 required;
	bool                 empty_is_absent; /* "" reads as not there, as writers in Go mean it */
	int64_t              absent;
	const struct schema *sub;
	/* the rule for a value that is there; one of: */
	void (*text)(struct check *c, const char *s);
	void (*number)(struct check *c, int64_t v);
	void (*list)(struct check *c, const void *list);
};

struct schema {
	const struct field *fields;   /* in the order in which they are written; ends with FIELD_NONE */
	size_t              extra_at; /* of the cJSON * that keeps unknown members */
	void              (*check)(struct check *c, const void *s); /* rules over several members; may be NULL */
};

/* the offset of a field, refused by the compiler when the field has another type */
#define SCHEMA_AT(T, f, type) _Generic(((T *)0)->f, type: offsetof(T, f))
#define TEXT(T, n, f, ...)       { .name = n, .kind = FIELD_TEXT, .at = SCHEMA_AT(T, f, char *), __VA_ARGS__ }
#define FLAG(T, n, f, ...)       { .name = n, .kind = FIELD_FLAG, .at = SCHEMA_AT(T, f, bool), __VA_ARGS__ }
#define TRISTATE(T, n, f, ...)   { .name = n, .kind = FIELD_TRISTATE, .at = SCHEMA_AT(T, f, int), __VA_ARGS__ }
#define INT(T, n, f, none, ...) \
	{ .name = n, .kind = FIELD_INT, .at = SCHEMA_AT(T, f, int64_t), .absent = none, __VA_ARGS__ }
#define TEXTS(T, n, f, ...) \
	{ .name = n, .kind = FIELD_TEXTS, .at = SCHEMA_AT(T, f, struct appc_strings), __VA_ARGS__ }
#define INTS(T, n, f, ...)       { .name = n, .kind = FIELD_INTS, .at = SCHEMA_AT(T, f, struct appc_ints), __VA_ARGS__ }
#define LIST(T, n, f, s, ...) \
	{ .name = n, .kind = FIELD_LIST, .at = offsetof(T, f.v), .size = sizeof(*((T *)0)->f.v), .sub = s, __VA_ARGS__ }
#define STRUCT(T, n, f, s, ...) \
	{ .name = n, .kind = FIELD_STRUCT, .at = offsetof(T, f), .size = sizeof(*((T *)0)->f), .sub = s, __VA_ARGS__ }
#define GROUP(T, n, s, ...)      { .name = n, .kind = FIELD_GROUP, .sub = s, __VA_ARGS__ }
#define ANY(T, n, f, ...)        { .name = n, .kind = FIELD_ANY, .at = SCHEMA_AT(T, f, cJSON *), __VA_ARGS__ }
#define OBJECT(T, n, f, ...)     { .name = n, .kind = FIELD_OBJECT, .at = SCHEMA_AT(T, f, cJSON *), __VA_ARGS__ }
#define TEXT_MAP(T, n, f, ...)   { .name = n, .kind = FIELD_TEXT_MAP, .at = SCHEMA_AT(T, f, cJSON *), __VA_ARGS__ }
#define FIELDS_END               { .kind = FIELD_NONE }

/* how every list of the manifests looks */
struct any_list { void *v; size_t n; };
_Static_assert(sizeof(struct any_list) == sizeof(struct appc_pairs), "lists are { T *v; size_t n; }");
_Static_assert(offsetof(struct any_list, n) == offsetof(struct appc_pairs, n), "lists are { T *v; size_t n; }");

static inline void *field_at(const struct field *f, void *base)
{
	return (char *)base + f->at;
}

static inline const void *field_at_const(const struct field *f, const void *base)
{
	return (const char *)base + f->at;
}

/* lists and pointers are of many types; their bytes are moved, so that no access has the wrong one */
static inline struct any_list list_get(const void *field)
{
	struct any_list l;

	memcpy(&l, field, sizeof(l));
	return l;
}

static inline void *pointer_get(const void *field)
{
	void *p;

	memcpy(&p, field, sizeof(p));
	return p;
}

#define ID_MAX 4294967294 /* of users and groups: 4294967295 is the kernel's "no change" */
#define LIST_MAX 10000 /* objects in one list; a bound on memory, far beyond what manifests hold */

extern const struct schema app_schema, port_schema, isolator_schema;
extern const struct schema label_schema, annotation_schema;
extern const struct schema image_schema, pod_schema;

/* rules that several tables share */
void check_labels(struct check *c, const void *list);
void check_annotations(struct check *c, const void *list);
void check_version(struct check *c, const char *s);
void check_image_name(struct check *c, const char *s);
void check_image_id(struct check *c, const char *s);
void check_path_required(struct check *c, const char *s);
/** check_unique() - reports each element whose char * at @name_at was there before in the list */
void check_unique(struct check *c, const void *list, size_t size, size_t name_at, enum finding_level level,
		  enum rule rule, const char *what);

/** schema_init() - zeroes the struct and sets what stands for "not there" */
void schema_init(const struct schema *s, void *base, size_t size);
/** schema_set_absent() - the second half of that, for a struct that is zero already */
void schema_set_absent(const struct schema *s, void *base);
/** schema_read() - takes members out of @obj into *base (initialised); reports wrong types and missing numbers */
void schema_read(struct check *c, const struct schema *s, void *base, cJSON *obj);
/** schema_check() - the rules, over the struct alone */
void schema_check(struct check *c, const struct schema *s, const void *base);
/** schema_write() - as a cJSON object; NULL: out of memory */
cJSON *schema_write(const struct schema *s, const void *base);
/** schema_free() - what the struct holds, not the struct itself; leaves it zeroed as far as it was freed */
void schema_free(const struct schema *s, void *base);
/** schema_copy() - into @to, which was zeroed or holds nothing; false: out of memory, *to holds nothing */
bool schema_copy(const struct schema *s, void *to, const void *from, size_t size);

/** schema_parse() - text to checked struct, the whole job of the public *_parse(); false: *base holds nothing */
bool schema_parse(const struct schema *s, void *base, size_t size, const char *text, size_t len, struct findings *f);
bool schema_check_all(const struct schema *s, const void *base, struct findings *f);
void schema_print(const struct schema *s, const void *base, bool pretty, struct buf *b);
