/* SPDX-License-Identifier: Apache-2.0
 * finding - see finding.h
 */
#include "core/appc/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

/* A manifest may hold texts of megabytes; a message shows this much of one. */
#define TEXT_MAX 400

void findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].where);
		free(f->v[i].text);
	}
	free(f->v);
	*f = (struct findings){ 0 };
}

static bool grow(struct findings *f)
{
	if (f->n < f->cap)
		return true;
	size_t cap = f->cap ? f->cap * 2 : 16;
	struct finding *v = realloc(f->v, cap * sizeof(*v));
	if (!v)
		return false;
	f->v = v;
	f->cap = cap;
	return true;
}

/* a copy free of control characters; NULL: out of memory */
static char *clean(const char *s)
{
	struct buf b = { 0 };

	buf_clean(&b, s, strlen(s));
	buf_add(&b, "", 0);
	if (b.failed) {
		buf_free(&b);
		return NULL;
	}
	return b.data;
}

void findings_add(struct findings *f, enum finding_level level, const char *rule,
	const char *section, const char *where, uint64_t offset, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (f->policy)
		level = f->policy->level(f->policy, rule, level);
	if (level == FINDING_IGNORED)
		return;
	if (level == FINDING_ERROR)
		f->errors++;
	else
		f->warnings++;
	if (f->kept[level] >= FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct finding new = { .level = level,
		.rule = rule,
		.section = section,
		.where = clean(where),
		.text = clean(text),
		.offset = offset };
	if (new.where && new.text && grow(f)) {
		f->v[f->n++] = new;
		f->kept[level]++;
		return;
	}
	free(new.where);
	free(new.text);
	/* a lost warning must not pass for "nothing found" either */
	if (level != FINDING_ERROR)
		f->errors++;
}

int findings_err(const struct findings *f, struct err *e)
{
	char more[40] = "";

	if (!f->errors)
		return 0;
	if (f->errors > 1)
		snprintf(more, sizeof(more), " (and %zu more error%s)", f->errors - 1,
			f->errors > 2 ? "s" : "");
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *v = &f->v[i];
		if (v->level == FINDING_ERROR)
			return err_set(e, EINVAL, "%s%s%s%s", v->where, *v->where ? ": " : "", v->text,
				more);
	}
	return err_set(e, ENOMEM, "out of memory"); /* that is why it was not kept */
}
