/* SPDX-License-Identifier: Apache-2.0
 * archive_tar_kit - for the unit tests of core/archive/tar.h: an archive read whole, refused, or to its first entry
 */
#pragma once

#include "testsuite/unit/archive_kit.h"
#include "testsuite/unit/unit.h"

/* reads all of it: the number of entries, or -1 and *e; the first entry's path, size ... go to *first */
static inline int read_all(const struct buf *b, size_t piece, struct err *e)
{
	auto_source struct source *s = kit_source(b->data, b->len, piece);
	struct tar *t = tar_open(s, e);
	const struct tar_entry *en;
	int n = 0, r;

	e->msg[0] = 0;
	while ((r = tar_next(t, &en, e)) > 0)
		n++;
	if (r < 0) { /* and it stays that way */
		struct err again;
		CHECK(tar_next(t, &en, &again) < 0);
		CHECK_STR(again.msg, e->msg);
	} else {
		CHECK_INT(tar_offset(t), b->len);
	}
	tar_free(t);
	return r < 0 ? -1 : n;
}

/* the whole must be refused, with these words; frees @b */
static inline void refused(struct buf *b, const char *words)
{
	struct err e;

	CHECK_INT(read_all(b, 700, &e), -1);
	CHECK_HAS(e.msg, words);
	CHECK_HAS(e.msg, "at byte ");
	buf_free(b);
}

static inline void refused_ended(struct buf *b, const char *words)
{
	kit_end(b);
	refused(b, words);
}

/* the first entry of an archive that is fine to its end; what it points to lives as long as *t */
static inline const struct tar_entry *open_first(struct buf *b, struct source **s, struct tar **t)
{
	const struct tar_entry *en = NULL;
	struct err e;

	kit_end(b);
	*s = kit_source(b->data, b->len, 1000);
	*t = tar_open(*s, &e);
	if (!unit_check(tar_next(*t, &en, &e) == 1, __FILE__, __LINE__, "an entry")) {
		printf("# %s\n", e.msg);
		exit(1);
	}
	return en;
}

static inline void close_first(struct buf *b, struct source *s, struct tar *t)
{
	const struct tar_entry *en;
	struct err e;

	CHECK_INT(tar_next(t, &en, &e), 0);
	tar_free(t);
	s->close(s);
	buf_free(b);
}

#define FIRST(b) \
	struct source *s_; \
	struct tar *t_; \
	const struct tar_entry *en = open_first(&(b), &s_, &t_)
#define FIRST_END(b) close_first(&(b), s_, t_)
