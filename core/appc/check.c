/* SPDX-License-Identifier: Apache-2.0
 * check - see check.h
 */
#include "core/appc/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/manifest.h"
#include "core/appc/types.h"
#include "core/base/json.h"

#define RULE_ENTRY_(rule, ...) [rule] = { __VA_ARGS__ },
static const struct appc_rule rules[RULE_COUNT + 1] = { APPC_RULES(RULE_ENTRY_) };

const struct appc_rule *appc_rules(void)
{
	return rules;
}

void check_begin(struct check *c, struct findings *f)
{
	*c = (struct check){ .f = f, .parse_first = f->n, .parse_end = f->n };
	buf_add(&c->where, "", 0);
}

bool check_end(struct check *c, size_t errors_before)
{
	if (c->where.failed)
		check_no_memory(c);
	buf_free(&c->where);
	return !c->no_memory && c->f->errors == errors_before;
}

size_t check_enter(struct check *c, const char *member)
{
	size_t mark = c->where.len;

	json_pointer_add(&c->where, member);
	return mark;
}

size_t check_enter_index(struct check *c, size_t i)
{
	size_t mark = c->where.len;

	buf_fmt(&c->where, "/%zu", i);
	return mark;
}

void check_leave(struct check *c, size_t mark)
{
	c->where.len = mark;
	if (c->where.data)
		c->where.data[mark] = 0;
}

static const char *where(const struct check *c)
{
	return c->where.data ? c->where.data : "";
}

/* A value of the wrong type was left out of the struct; that it, or what it holds, is missing there
 * is no news. */
static bool reported_while_parsing(const struct check *c)
{
	const char *here = where(c);

	for (size_t i = c->parse_first; i < c->parse_end; i++) {
		const char *w = c->f->v[i].where;
		size_t n = strlen(w);
		if (!strncmp(here, w, n) && (!here[n] || here[n] == '/'))
			return true;
	}
	return false;
}

__attribute__((format(printf, 4, 0))) static void report(
	struct check *c, enum finding_level level, enum rule rule, const char *fmt, va_list ap)
{
	char text[512];

	/* where nothing more is kept, the look is not worth its time: a hostile manifest can ask
	 * for it often */
	if (c->parse_end > c->parse_first && c->f->kept[level] < FINDINGS_MAX && reported_while_parsing(c))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	findings_add(c->f, level, rules[rule].id, rules[rule].section, where(c), FINDING_NO_OFFSET,
		"%s", text);
}

void check_error(struct check *c, enum rule rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, FINDING_ERROR, rule, fmt, ap);
	va_end(ap);
}

void check_warn(struct check *c, enum rule rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, FINDING_WARNING, rule, fmt, ap);
	va_end(ap);
}

void check_no_memory(struct check *c)
{
	if (!c->no_memory)
		findings_add(c->f, FINDING_ERROR, rules[RULE_SIZE].id, rules[RULE_SIZE].section, "",
			     FINDING_NO_OFFSET, "out of memory");
	c->no_memory = true;
}

/* ---- names ---- */

void names_add(struct check *c, struct names *l, const char *name, size_t i, size_t j)
{
	if (!name)
		return;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4;
		struct named *v = realloc(l->v, cap * sizeof(*v));
		if (!v) {
			check_no_memory(c);
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct named){ name, i, j };
}

static int compare_named(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	if (r)
		return r;
	return a->i != b->i ? (a->i > b->i) - (a->i < b->i) : (a->j > b->j) - (a->j < b->j);
}

void names_sort(struct names *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_named);
}

size_t names_find(const struct names *l, const char *name)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(l->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n && !strcmp(l->v[low].name, name) ? low : l->n;
}

ptrdiff_t names_next_duplicate(const struct names *l, ptrdiff_t at)
{
	for (size_t i = (size_t)(at + 1) ? (size_t)(at + 1) : 1; i < l->n; i++)
		if (!strcmp(l->v[i - 1].name, l->v[i].name))
			return (ptrdiff_t)i;
	return -1;
}

void names_free(struct names *l)
{
	free(l->v);
	*l = (struct names){ 0 };
}

/* ---- rules about one string ---- */

void check_identifier(struct check *c, enum rule rule, const char *what, const char *s)
{
	if (!ac_identifier_ok(s))
		check_error(c, rule,
			"%s \"%.200s\" is not an AC Identifier (lower-case letters and digits, "
			"with one of "
			"- . _ ~ / between them)",
			what, s);
}

void check_name(struct check *c, enum rule rule, const char *what, const char *s)
{
	if (!ac_name_ok(s))
		check_error(c, rule,
			"%s \"%.200s\" is not an AC Name (lower-case letters and digits, with one "
			"- between "
			"them)",
			what, s);
}

static bool has_dot_dot(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.')
			return true;
		s += n + (s[n] == '/');
	}
	return false;
}

bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/*
 * The spec says little about these, and none of them can leave the app's root, where paths are
 * resolved with the root as their end. They are worth a word all the same: they seldom are what was
 * meant.
 */
void check_path(struct check *c, const char *s)
{
	if (*s != '/')
		check_warn(c, RULE_PATH,
			"path \"%.200s\" is not absolute: taken from the app's root", s);
	if (has_dot_dot(s))
		check_warn(c, RULE_PATH, "path \"%.200s\" contains \"..\"", s);
	if (has_control(s))
		check_warn(c, RULE_PATH, "path \"%.200s\" contains control characters", s);
}
