/* SPDX-License-Identifier: Apache-2.0
 * archive_paths - unit tests of core/archive/paths.h: the same faults whether the paths fit into memory or not
 */
#include "testsuite/unit/unit.h"

#include "core/archive/paths.h"
#include "core/archive/siphash.h"

#define MANY 100000 /* more than fit: the table is written out several times */

struct told {
	struct told_fault {
		enum paths_fault what;
		char             path[64];
		uint64_t         offset, other;
	} v[64];
	size_t n;
};

static void on_fault(void *ctx, enum paths_fault what, const char *path, uint64_t offset, uint64_t other)
{
	struct told *t = ctx;

	if (t->n < 64) {
		t->v[t->n].what = what;
		snprintf(t->v[t->n].path, sizeof(t->v[t->n].path), "%s", path);
		t->v[t->n].offset = offset;
		t->v[t->n].other = other;
	}
	t->n++;
}

static bool no_files;

static struct paths *start(struct told *t)
{
	const struct paths_handler h = { t, on_fault };
	struct err e;
	struct paths *p = paths_new(&h, no_files, &e);

	if (!p)
		abort();
	return p;
}

/* entries number themselves; the offset is 512 times that */
static void add(struct paths *p, uint64_t *n, enum tar_type type, const char *path, const char *link)
{
	const struct tar_entry en = { .type = type, .path = path, .link = link, .header_offset = 512 * (*n)++ };
	struct err e;

	if (paths_add(p, &en, &e) < 0) {
		printf("# %s\n", e.msg);
		abort();
	}
}

static void fill(struct paths *p, uint64_t *n, size_t many, const char *top)
{
	char path[64];

	for (size_t i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "%s%zu/f%zu", top, i / 50, i);
		add(p, n, TAR_FILE, path, NULL);
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct told_fault *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* some are told at once and some at the end: which ones is left open */
static void finish(struct paths *p, struct told *t)
{
	struct err e;

	CHECK_INT(paths_finish(p, &e), 0);
	paths_free(p);
	qsort(t->v, t->n < 64 ? t->n : 64, sizeof(*t->v), by_offset);
}

static void check(const struct told *t, size_t i, enum paths_fault what, const char *path, uint64_t offset, uint64_t other)
{
	REQUIRE(i < t->n);
	CHECK_INT(t->v[i].what, what);
	CHECK_STR(t->v[i].path, path);
	CHECK_INT(t->v[i].offset, offset * 512);
	if (other == UINT64_MAX)
		CHECK(t->v[i].other == UINT64_MAX);
	else
		CHECK_INT(t->v[i].other, other * 512);
}

/* every fault, its two halves @apart entries from each other */
static void all_faults(size_t apart)
{
	struct told t = { 0 };
	struct paths *p = start(&t);
	uint64_t n = 0, second;

	add(p, &n, TAR_DIR, "", NULL);
	add(p, &n, TAR_FILE, "twice", NULL);       /* 1 */
	add(p, &n, TAR_SYMLINK, "sym", NULL);      /* 2 */
	add(p, &n, TAR_FILE, "implied/x/y", NULL); /* 3 */
	add(p, &n, TAR_FILE, "file", NULL);        /* 4 */
	add(p, &n, TAR_DIR, "dir", NULL);          /* 5 */
	add(p, &n, TAR_SYMLINK, "sym2", NULL);     /* 6 */
	fill(p, &n, apart, "a");
	second = n;
	add(p, &n, TAR_FILE, "twice", NULL);
	add(p, &n, TAR_FILE, "sym/deep/er", NULL);
	add(p, &n, TAR_SYMLINK, "implied", NULL);
	add(p, &n, TAR_HARDLINK, "nowhere", "none");
	add(p, &n, TAR_HARDLINK, "later", "behind");
	add(p, &n, TAR_HARDLINK, "to-dir", "dir");
	add(p, &n, TAR_HARDLINK, "to-sym", "sym2");
	add(p, &n, TAR_HARDLINK, "self", "self");
	add(p, &n, TAR_HARDLINK, "good", "file");
	add(p, &n, TAR_HARDLINK, "good2", "good");
	add(p, &n, TAR_DIR, "implied/x", NULL);
	fill(p, &n, apart, "b");
	add(p, &n, TAR_FILE, "behind", NULL);
	finish(p, &t);
	CHECK_INT(t.n, 9);
	check(&t, 0, PATHS_TWICE, "twice", second, 1);
	check(&t, 1, PATHS_BELOW_OTHER, "sym/deep/er", second + 1, 2);
	check(&t, 2, PATHS_ABOVE_OTHER, "implied", second + 2, 3);
	check(&t, 3, PATHS_LINK_NOWHERE, "nowhere", second + 3, UINT64_MAX);
	check(&t, 4, PATHS_LINK_NOWHERE, "later", second + 4, UINT64_MAX);
	check(&t, 5, PATHS_LINK_OTHER, "to-dir", second + 5, 5);
	check(&t, 6, PATHS_LINK_OTHER, "to-sym", second + 6, 6);
	check(&t, 7, PATHS_LINK_NOWHERE, "self", second + 7, UINT64_MAX);
	check(&t, 8, PATHS_BELOW_OTHER, "implied/x", second + 10, second + 2);
}

TEST(in_memory, "paths: all faults, in memory")
{
	all_faults(0);
	all_faults(100);
}

TEST(spilled, "paths: the same faults when they do not fit into memory")
{
	all_faults(MANY);
	no_files = true;
	all_faults(MANY);
	no_files = false;
}

TEST(at_the_edge, "paths: whichever entry fills the table")
{
	/* the table holds 7/8 of 2^15; every entry around there is once the one that fills it */
	for (size_t many = 28060; many < 28180; many++) {
		struct told t = { 0 };
		struct paths *p = start(&t);
		uint64_t n = 0;
		char path[64];
		fill(p, &n, many, "a");
		uint64_t second = n;
		add(p, &n, TAR_FILE, "a0/f0", NULL);
		add(p, &n, TAR_HARDLINK, "l", "a0/f1");
		add(p, &n, TAR_HARDLINK, "l2", "a0/none");
		snprintf(path, sizeof(path), "a%zu/f%zu/below", (many - 1) / 50, many - 1);
		add(p, &n, TAR_FILE, path, NULL);
		finish(p, &t);
		CHECK_INT(t.n, 3);
		check(&t, 0, PATHS_TWICE, "a0/f0", second, 0);
		check(&t, 1, PATHS_LINK_NOWHERE, "l2", second + 2, UINT64_MAX);
		check(&t, 2, PATHS_BELOW_OTHER, path, second + 3, many - 1);
	}
}

TEST(no_false_alarm, "paths: none where there is no fault")
{
	struct told t = { 0 };
	struct paths *p = start(&t);
	uint64_t n = 0;
	char path[64];

	for (size_t i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "d%zu", i);
		add(p, &n, TAR_DIR, path, NULL);
		snprintf(path, sizeof(path), "d%zu/f", i);
		add(p, &n, TAR_FILE, path, NULL);
		snprintf(path, sizeof(path), "l%zu", i);
		char link[64];
		snprintf(link, sizeof(link), "d%zu/f", i / 2);
		add(p, &n, TAR_HARDLINK, path, link);
	}
	/* names that only concatenation would take for the same */
	add(p, &n, TAR_FILE, "ab/c", NULL);
	add(p, &n, TAR_FILE, "a/bc", NULL);
	add(p, &n, TAR_FILE, "abc", NULL);
	finish(p, &t);
	CHECK_INT(t.n, 0);
}

TEST(many_faults, "paths: of very many faults the first thousand are told, in order")
{
	struct told t = { 0 };
	struct paths *p = start(&t);
	uint64_t n = 0;

	fill(p, &n, MANY, "a");
	fill(p, &n, MANY, "a");
	struct err e;
	CHECK_INT(paths_finish(p, &e), 0);
	paths_free(p);
	CHECK(t.n >= 1000 && t.n <= MANY);
	for (size_t i = 1; i < 64; i++)
		CHECK(t.v[i].offset > t.v[i - 1].offset);
}

TEST(deep, "paths: as deep as a path can be")
{
	struct told t = { 0 };
	struct paths *p = start(&t);
	uint64_t n = 0;
	char path[TAR_PATH_MAX + 1];

	for (size_t i = 0; i < TAR_PATH_MAX; i++)
		path[i] = i % 2 ? '/' : 'a';
	path[TAR_PATH_MAX] = 0;
	add(p, &n, TAR_FILE, path, NULL);
	path[TAR_PATH_MAX - 2] = 0;
	add(p, &n, TAR_FILE, path, NULL); /* a file where a directory must be */
	add(p, &n, TAR_FILE, "a", NULL);
	finish(p, &t);
	CHECK_INT(t.n, 2);
	CHECK_INT(t.v[0].what, PATHS_ABOVE_OTHER);
	CHECK_INT(t.v[1].what, PATHS_ABOVE_OTHER);
}

TEST(vectors, "siphash: the vectors of its authors")
{
	/* of the bytes 00 01 02 ..., 16 and 63 of them, with the key 00 01 .. 0f */
	const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	const struct siphash prefix = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	uint8_t more[64];

	for (uint8_t i = 0; i < sizeof(more); i++)
		more[i] = (uint8_t)(16 + i);
	struct siphash h = siphash(&key, prefix, more, 0);
	CHECK(h.h[0] == 0xbb54b067caa4e26e && h.h[1] == 0x77052385bf1533fd);
	h = siphash(&key, prefix, more, 47);
	CHECK(h.h[0] == 0x4a83502f77d15051 && h.h[1] == 0x7cbd3f979a063e50);
}

UNIT_MAIN(in_memory, spilled, at_the_edge, no_false_alarm, many_faults, deep, vectors)
