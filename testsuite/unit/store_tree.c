/* SPDX-License-Identifier: Apache-2.0
 * store_tree - the model of a root file system: overriding, whitelists, layers, bounds
 *
 * What goes in is written as lines "TYPE PATH[ -> LINK]", one pass after the other; what comes out as
 * "PATH=TYPE SOURCE" with nlink where it is more than usual. Types: d f l h c p.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/store/tree.h"
#include "testsuite/unit/unit.h"

/* ---- in ---- */

static enum tar_type type_of(char c)
{
	return c == 'd' ? TAR_DIR : c == 'f' ? TAR_FILE : c == 'l' ? TAR_SYMLINK : c == 'h' ? TAR_HARDLINK :
	       c == 'c' ? TAR_CHAR : TAR_FIFO;
}

static int add_line(struct tree *t, char *line, struct err *e)
{
	char *arrow = strstr(line, " -> ");
	struct tar_entry en = { .type = type_of(line[0]), .path = line + 2, .mode = 0700, .mtime_s = 5 };

	if (arrow) {
		*arrow = 0;
		en.link = arrow + 4;
	}
	if (en.type == TAR_FILE)
		en.size = en.data_size = strlen(en.path);
	return tree_add(t, &en, e);
}

static int add_lines(struct tree *t, const char *lines, struct err *e)
{
	auto_free char *text = strdup(lines);
	int r = 0;

	for (char *line = text, *next; r == 0 && line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		r = add_line(t, line, e);
	}
	return r;
}

/* a whole pass; @whitelists: paths separated by blanks, each list a string; NULL-terminated */
static int pass(struct tree *t, unsigned source, const char *lines, struct err *e, ...)
{
	struct appc_strings lists[8] = { 0 };
	const struct appc_strings *of[8];
	char *words[64], *texts[8];
	size_t n = 0, n_words = 0;
	const char *s;
	va_list ap;

	va_start(ap, e);
	while ((s = va_arg(ap, const char *)) && n < 8) {
		of[n] = &lists[n];
		lists[n].v = words + n_words;
		texts[n] = strdup(s);
		for (char *save, *w = strtok_r(texts[n], " ", &save); w; w = strtok_r(NULL, " ", &save), lists[n].n++)
			words[n_words++] = w;
		n++;
	}
	va_end(ap);
	int r = tree_pass(t, (uint16_t)source, of, n, e);
	if (r == 0)
		r = add_lines(t, lines, e);
	if (r == 0)
		r = tree_pass_end(t, e);
	while (n)
		free(texts[--n]);
	return r;
}

/* ---- out ---- */

static char letter(const struct tree_node *n)
{
	return S_ISDIR(n->mode) ? n->implicit ? 'i' : 'd' : S_ISREG(n->mode) ? 'f' : S_ISLNK(n->mode) ? 'l' :
	       S_ISCHR(n->mode) ? 'c' : 'p';
}

/* lent until the next call */
static const char *shown(struct tree *t)
{
	static char out[4096];
	char path[TAR_PATH_MAX + 1];
	size_t at = 0;

	tree_finish(t);
	for (const struct tree_node *d = tree_root(t); d; d = tree_next_dir(t, d))
		for (const struct tree_name *n = tree_names(d); n && at < sizeof(out) - 300; n = n->next) {
			tree_path(n, path);
			at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%.200s=%c", at ? " " : "", path,
					       letter(n->node));
			if (letter(n->node) != 'i')
				at += (size_t)snprintf(out + at, 8, "%u", n->node->source);
			if (!S_ISDIR(n->node->mode) && n->node->nlink > 1)
				at += (size_t)snprintf(out + at, 8, "*%u", n->node->nlink);
		}
	out[at] = 0;
	return out;
}

static void drop(struct tree **t)
{
	tree_free(*t);
}
#define auto_tree __attribute__((cleanup(drop)))

static struct tree *plain(void)
{
	const struct tree_opts o = { .spill_dir_fd = -1 };
	struct err e;

	return tree_new(&o, &e);
}

static struct tree *layered(void)
{
	const struct tree_opts o = { .layers = true, .spill_dir_fd = -1 };
	struct err e;

	return tree_new(&o, &e);
}

/* what one pass leaves, or the error */
static const char *after(const char *lines, bool layers)
{
	static struct err e;
	auto_tree struct tree *t = layers ? layered() : plain();

	return pass(t, 0, lines, &e, NULL) < 0 ? e.msg : shown(t);
}

/* ---- one archive ---- */

TEST(sorts, "tree: names come in order of bytes, parents before what is in them")
{
	auto_tree struct tree *t = plain();
	struct err e;

	REQUIRE(pass(t, 0, "d b\nf b/z\nf a-b\nd a\nf a/\xff\nf a/y\nf a/Y\nd b/d\nf b/d/x\nf !", &e, NULL) == 0);
	CHECK_STR(shown(t), "!=f0 a=d0 a-b=f0 b=d0 a/Y=f0 a/y=f0 a/\xff=f0 b/d=d0 b/z=f0 b/d/x=f0");
	CHECK_INT(tree_root(t)->nlink, 4);
	CHECK_INT(tree_totals(t).names, 10);
	CHECK_INT(tree_totals(t).nodes, 11);
}

TEST(implicit, "tree: a directory may come after what is in it, or never")
{
	CHECK_STR(after("f a/b/c\nd a/b\nf a/b/d", false), "a=i a/b=d0 a/b/c=f0 a/b/d=f0");
	CHECK_STR(after("d \nf x", false), "x=f0");

	auto_tree struct tree *t = plain();
	struct err e;
	REQUIRE(pass(t, 0, "f a/b", &e, NULL) == 0);
	tree_finish(t);
	const struct tree_node *a = tree_names(tree_root(t))->node;
	CHECK_INT(a->mode, S_IFDIR | 0755);
	CHECK(a->uid == 0 && a->gid == 0 && a->mtime_s == 0 && a->mtime_ns == 0);
}

TEST(links, "tree: hard links share one node and count its names")
{
	CHECK_STR(after("f a\nh b -> a\nd d\nh d/c -> b\nf e", false), "a=f0*3 b=f0*3 d=d0 e=f0 d/c=f0*3");
}

TEST(refuses, "tree: what no unpacking could make is refused")
{
	CHECK_HAS(after("f a\nf a", false), "rootfs/a: is in the image twice");
	CHECK_HAS(after("d a\nd a", false), "twice");
	CHECK_HAS(after("f a/b\nf a", false), "twice");
	CHECK_HAS(after("l a -> /x\nf a/b", false), "rootfs/a: has entries below it, but is not a directory");
	CHECK_HAS(after("f a\nf a/b/c", false), "rootfs/a: has entries below it");
	CHECK_HAS(after("h a -> b", false), "hard link to rootfs/b, which is not there");
	CHECK_HAS(after("h a -> a", false), "not there");
	CHECK_HAS(after("h a -> x/y\nf x/y", false), "not there");
	CHECK_HAS(after("d d\nh a -> d", false), "no regular file");
	CHECK_HAS(after("l l -> x\nh a -> l", false), "no regular file");
	CHECK_HAS(after("f f\nh a -> f/x", false), "hard link: rootfs/f: has entries below it");
	CHECK_HAS(after("f ", false), "rootfs: is not a directory");
	CHECK_HAS(after("d \nd ", false), "twice");
}

/* ---- several ---- */

TEST(overrides, "tree: the order of the spec, B D C A: later ones win")
{
	auto_tree struct tree *t = plain();
	struct err e;

	REQUIRE(pass(t, 1, "f all\nf bd\nf bc\nf ba\nf b", &e, NULL) == 0);
	REQUIRE(pass(t, 2, "f all\nf bd\nf dc\nf da\nf d", &e, NULL) == 0);
	REQUIRE(pass(t, 3, "f all\nf bc\nf dc\nf ca\nf c", &e, NULL) == 0);
	REQUIRE(pass(t, 0, "f all\nf ba\nf da\nf ca\nf a", &e, NULL) == 0);
	CHECK_STR(shown(t), "a=f0 all=f0 b=f1 ba=f0 bc=f3 bd=f2 c=f3 ca=f0 d=f2 da=f0 dc=f3");
}

TEST(diamond, "tree: D B D C A: an image is read once for each way to it, each with its own whitelists")
{
	auto_tree struct tree *t = plain();
	const char *d = "f d\nf x\nf y\nf only-b\nf only-c";
	struct err e;

	REQUIRE(pass(t, 1, d, &e, "/d /only-b /x", NULL) == 0);
	REQUIRE(pass(t, 2, "f x\nf y", &e, "/x /y", NULL) == 0);
	REQUIRE(pass(t, 1, d, &e, "/d /only-c /y", NULL) == 0);
	REQUIRE(pass(t, 3, "f c", &e, NULL) == 0);
	REQUIRE(pass(t, 0, "f a", &e, NULL) == 0);
	CHECK_STR(shown(t), "a=f0 c=f3 d=f1 only-b=f1 only-c=f1 x=f2 y=f1");
}

TEST(kinds, "tree: a later entry replaces another kind, a directory only a directory's attributes")
{
	static const struct { const char *first, *second, *want; } cases[] = {
		{ "f a", "d a", "a=d1" },
		{ "f a", "d a\nf a/b", "a=d1 a/b=f1" },
		{ "f a", "f a/b", "a=i a/b=f1" },
		{ "l a -> /b\nd b\nf b/x", "d a\nf a/y", "a=d1 b=d0 a/y=f1 b/x=f0" },
		{ "l a -> b\nd b", "f a/x", "a=i b=d0 a/x=f1" },
		{ "d a\nf a/b", "f a", "a=f1" },
		{ "d a\nf a/b", "l a -> c", "a=l1" },
		{ "d a\nf a/b", "f a/c", "a=d0 a/b=f0 a/c=f1" },
		{ "d a\nf a/b", "d a\nf a/c", "a=d1 a/b=f0 a/c=f1" },
		{ "f a/b/c", "d a/b\nf a/b/d", "a=i a/b=d1 a/b/c=f0 a/b/d=f1" },
		{ "c a", "p a", "a=p1" },
		{ "l a -> x", "l a -> y", "a=l1" },
		{ "f a\nh b -> a", "f a", "a=f1 b=f0" },
		{ "f a", "f b\nh a -> b", "a=f1*2 b=f1*2" },
		{ "d a\nd a/b\nf a/b/c\nf a/z", "d a\nf a/b\nd a/c\nf a/c/d", "a=d1 a/b=f1 a/c=d1 a/z=f0 a/c/d=f1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_tree struct tree *t = plain();
		struct err e;
		REQUIRE(pass(t, 0, cases[i].first, &e, NULL) == 0);
		REQUIRE(pass(t, 1, cases[i].second, &e, NULL) == 0);
		CHECK_STR(shown(t), cases[i].want);
	}
}

TEST(attributes, "tree: a directory keeps its attributes unless a later archive has an entry for it")
{
	const struct tar_entry first = { .type = TAR_DIR, .path = "d", .mode = 01777, .uid = 7, .mtime_s = -3 };
	const struct tar_entry again = { .type = TAR_DIR, .path = "d", .mode = 0500, .gid = 8, .mtime_ns = 9 };
	auto_tree struct tree *t = plain(), *t2 = plain();
	struct err e;

	CHECK(tree_pass(t, 0, NULL, 0, &e) == 0 && tree_add(t, &first, &e) == 0 && tree_pass_end(t, &e) == 0);
	CHECK(pass(t, 1, "f d/x", &e, NULL) == 0);
	tree_finish(t);
	const struct tree_node *d = tree_names(tree_root(t))->node;
	CHECK(d->mode == (S_IFDIR | 01777) && d->uid == 7 && d->mtime_s == -3);

	CHECK(tree_pass(t2, 0, NULL, 0, &e) == 0 && tree_add(t2, &first, &e) == 0 && tree_pass_end(t2, &e) == 0);
	CHECK(tree_pass(t2, 0, NULL, 0, &e) == 0 && tree_add(t2, &again, &e) == 0 && tree_pass_end(t2, &e) == 0);
	tree_finish(t2);
	d = tree_names(tree_root(t2))->node;
	CHECK(d->mode == (S_IFDIR | 0500) && d->uid == 0 && d->gid == 8 && d->mtime_s == 0 && d->mtime_ns == 9);
}

TEST(links_over_links, "tree: names of one file that an override replaces leave it, the others stay together")
{
	static const struct { const char *first, *second, *want; } cases[] = {
		{ "f a\nh b -> a\nh c -> a", "f b", "a=f0*2 b=f1 c=f0*2" },
		{ "f a\nh b -> a\nh c -> a", "f a", "a=f1 b=f0*2 c=f0*2" },
		{ "f a\nh b -> a\nh c -> a", "f c\nh a -> c", "a=f1*2 b=f0 c=f1*2" },
		{ "f a\nh b -> a", "f x\nh b -> x\nh c -> b", "a=f0 b=f1*3 c=f1*3 x=f1*3" },
		{ "d d\nf d/a\nh b -> d/a\nh c -> d/a", "f d", "b=f0*2 c=f0*2 d=f1" },
		{ "f a\nh b -> a", "d a\nf a/x\nh a/b -> a/x", "a=d1 b=f0 a/b=f1*2 a/x=f1*2" },
		{ "f a\nh b -> a", "l b -> a", "a=f0 b=l1" },
		/* one that leads to what only other images have is no archive that could be unpacked */
		{ "f a\nh b -> a", "h c -> a", "rootfs/c: hard link to rootfs/a, which is not there" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_tree struct tree *t = plain();
		struct err e;
		REQUIRE(pass(t, 0, cases[i].first, &e, NULL) == 0);
		bool good = pass(t, 1, cases[i].second, &e, NULL) == 0;
		CHECK_STR(good ? shown(t) : e.msg, cases[i].want);
	}
}

TEST(links_in_a_diamond, "tree: an image that is read twice gives two files, whose names do not mix")
{
	auto_tree struct tree *t = plain();
	const char *d = "f a\nh b -> a\nh c -> a\nh d -> a";
	struct err e;

	REQUIRE(pass(t, 1, d, &e, "/a /b", NULL) == 0);
	REQUIRE(pass(t, 2, "f b", &e, NULL) == 0);
	REQUIRE(pass(t, 1, d, &e, "/c /d", NULL) == 0);
	CHECK_STR(shown(t), "a=f1 b=f2 c=f1*2 d=f1*2");
}

/* ---- whitelists ---- */

TEST(whitelists, "tree: a whitelist keeps what it lists and what leads there, several keep what all of them do")
{
	static const struct { const char *in, *one, *two, *want; } cases[] = {
		{ "d a\nf a/b\nf a/c\nf d", "/a/b", "", "a=d0 a/b=f0" },
		{ "d a\nf a/b\nf a/c\nf d", "/a", "", "a=d0" },
		{ "d a\nf a/b\nf a/c\nf d", "/a/b /a/c /d", "/a/c /d /x", "a=d0 d=f0 a/c=f0" },
		{ "d a\nf a/b\nf a/c\nf d", "/d /a/c", "/a/b", "a=d0" },
		{ "d a\nf a/b\nf d", "//a/./b/ nothing /d/x", "", "a=d0 d=f0 a/b=f0" },
		{ "f a-b\nf a/b\nf a/c", "/a/b", "", "a=i a/b=f0" },
		{ "f a\nh b -> a\nh c -> b", "/c", "", "c=f0" },
		{ "f a\nh b -> a\nh c -> b", "/c /a", "", "a=f0*2 c=f0*2" },
		{ "l a -> b\nd b\nf b/x", "/a/x", "", "a=l0" },
		{ "d a\nf a/b", "/../a/b", "", "" },
		{ "d a\nf a/b", "/nothing", "", "" },
		{ "d a\nf a/b", "", "", "a=d0 a/b=f0" },
		{ "d a\nf a/b\nf c", "", "/c", "c=f0" },
		{ "d a\nd a/b\nd a/b/c\nf a/b/c/d\nd e\nf e/f", "/a/b/c/d", "", "a=d0 a/b=d0 a/b/c=d0 a/b/c/d=f0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_tree struct tree *t = plain();
		struct err e;
		REQUIRE(pass(t, 0, cases[i].in, &e, cases[i].one, cases[i].two, NULL) == 0);
		CHECK_STR(shown(t), cases[i].want);
	}
}

TEST(filtered_below, "tree: what a whitelist takes from one image lets that of an earlier one through")
{
	auto_tree struct tree *t = plain();
	struct err e;

	REQUIRE(pass(t, 0, "d a\nf a/b\nl l -> a", &e, NULL) == 0);
	REQUIRE(pass(t, 1, "f a\nf x\nd l\nf l/y", &e, "/x /l/y", NULL) == 0);
	CHECK_STR(shown(t), "a=d0 l=d1 x=f1 a/b=f0 l/y=f1");
}

/* ---- layers ---- */

TEST(whiteouts, "layers: whiteouts and opaque directories hide what earlier layers have, and only that")
{
	static const struct { const char *first, *second, *want; } cases[] = {
		{ "f a\nf b", "f .wh.a", "b=f0" },
		{ "d d\nf d/x\nf d/y", "f d/.wh.x", "d=d0 d/y=f0" },
		{ "d d\nf d/x", "f .wh.d", "" },
		{ "d d\nf d/x", "f .wh.d\nd d\nf d/y", "d=d1 d/y=f1" },
		{ "d d\nf d/x", "d d\nf d/y\nf .wh.d", "d=d1 d/y=f1" },
		{ "d d\nf d/x", "f d/y\nf .wh.d", "d=i d/y=f1" },
		{ "d d\nf d/x\nd d/s\nf d/s/x", "d d\nf d/y\nf d/.wh..wh..opq", "d=d1 d/y=f1" },
		{ "d d\nf d/x\nd d/s\nf d/s/x", "d d\nf d/.wh..wh..opq\nf d/y", "d=d1 d/y=f1" },
		{ "d d\nf d/x\nd d/s\nf d/s/x", "f d/s/y\nf d/.wh..wh..opq", "d=d0 d/s=i d/s/y=f1" },
		{ "f a", "f a\nf .wh.a", "a=f1" },
		{ "f a", "f .wh.a\nf a", "a=f1" },
		{ "f a", "f .wh.b\nf .wh..\nf .wh...\nf .wh.", ".wh.=f1 a=f0" },
		{ "f a", "f .wh..wh.aufs\nf .wh..wh.plnk", "a=f0" },
		{ "f a\nh b -> a", "f .wh.a", "b=f0" },
		{ "d d\nd d/e\nd d/e/f\nf d/e/f/g\nf d/h", "f .wh.d", "" },
		{ "d d\nl s -> d\nf d/x", "f s/.wh.x", "d=d0 s=l0" },
		{ "d d\nf d/x", "f .wh.d\nf d/y", "d=i d/y=f1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_tree struct tree *t = layered();
		struct err e;
		REQUIRE(pass(t, 0, cases[i].first, &e, NULL) == 0);
		REQUIRE(pass(t, 1, cases[i].second, &e, NULL) == 0);
		CHECK_STR(shown(t), cases[i].want);
	}
}

TEST(followed, "layers: parents that are links are followed inside the root")
{
	static const struct { const char *first, *second, *want; } cases[] = {
		{ "d usr\nd usr/bin\nl bin -> usr/bin", "f bin/x", "bin=l0 usr=d0 usr/bin=d0 usr/bin/x=f1" },
		{ "d usr\nl a -> /usr", "f a/x", "a=l0 usr=d0 usr/x=f1" },
		{ "d d\nl a -> ../../../../d", "f a/x", "a=l0 d=d0 d/x=f1" },
		{ "l a -> /..", "f a/../../x", "a=l0 x=f1" },
		{ "l a -> b\nl b -> c\nd c", "f a/x\nf b/y", "a=l0 b=l0 c=d0 c/x=f1 c/y=f1" },
		{ "l a -> new/dir", "f a/x", "a=l0 new=i new/dir=i new/dir/x=f1" },
		{ "d d\nd d/e\nl d/e/up -> ..\nf d/y", "f d/e/up/x", "d=d0 d/e=d0 d/x=f1 d/y=f0 d/e/up=l0" },
		{ "d d\nl a -> d", "d a\nf a/x", "a=d1 d=d0 a/x=f1" },
		{ "f f\nl a -> .", "h x -> a/a/f", "a=l0 f=f0*2 x=f0*2" },
		{ "f f\nl l -> f", "h x -> l", "f=f0 l=l0*2 x=l0*2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_tree struct tree *t = layered();
		struct err e;
		CHECK(pass(t, 0, cases[i].first, &e, NULL) == 0);
		bool good = pass(t, 1, cases[i].second, &e, NULL) == 0;
		CHECK_STR(good ? shown(t) : e.msg, cases[i].want);
	}
	CHECK_HAS(after("l a -> b\nl b -> a\nf a/x", true), "too many symbolic links");
	CHECK_HAS(after("l a -> a/a\nf a/x", true), "too many symbolic links");
	CHECK_HAS(after("l a -> a\nf a/x", true), "too many symbolic links");
	CHECK_HAS(after("f f\nl a -> f\nf a/x", true), "not a directory");
	CHECK_HAS(after("f f\nf f/x", true), "not a directory");
	CHECK_HAS(after("h x -> no/where", true), "not there");
	CHECK_HAS(after("d d\nh x -> d", true), "a directory");
}

TEST(later_wins, "layers: of two entries of one path the later one counts")
{
	CHECK_STR(after("f a\nl a -> b", true), "a=l0");
	CHECK_STR(after("d a\nf a/b\nf a", true), "a=f0");
	CHECK_STR(after("d a\nf a/b\nf a\nf b\nd a\nf a/c", true), "a=d0 b=f0 a/c=f0");
	/* the parent of the entry before is gone, so is what leads there */
	CHECK_STR(after("d a\nf a/b\nl a -> c\nf a/d", true), "a=l0 c=i c/d=f0");
}

/* links that lead to links: the tree may not get deeper than a path is long */
TEST(bounded_depth, "layers: links cannot make a tree deeper than a path can be")
{
	auto_tree struct tree *t = layered();
	char target[4000];
	struct err e = { .msg = "" };
	int r = 0;

	for (size_t i = 0; i + 1 < sizeof(target); i += 2)
		memcpy(target + i, i + 2 < sizeof(target) ? "x/" : "x", 2);
	target[sizeof(target) - 1] = 0;
	REQUIRE(tree_pass(t, 0, NULL, 0, &e) == 0);
	const struct tar_entry first = { .type = TAR_SYMLINK, .path = "s", .link = target };
	REQUIRE(tree_add(t, &first, &e) == 0);
	const struct tar_entry file = { .type = TAR_FILE, .path = "s/s/f" };
	const struct tar_entry next = { .type = TAR_SYMLINK, .path = "s/s", .link = target };
	r = tree_add(t, &next, &e) < 0 || tree_add(t, &file, &e) < 0;
	CHECK(r && e.code == ENAMETOOLONG);
}

/* ---- attributes and sparse files ---- */

TEST(kept_xattrs, "tree: keeps the attributes that a file of that type can have, in order")
{
	uint8_t v[3] = { 1, 2, 3 };
	static char names[][32] = { "user.z", "trusted.overlay.opaque", "security.capability", "user.overlay.opaque",
		"system.posix_acl_default", "user.a", "security.selinux", "system.posix_acl_access", "odd" };
	struct tar_xattr xattrs[9];
	static const struct { enum tar_type type; const char *want; } cases[] = {
		{ TAR_FILE, "security.capability system.posix_acl_access user.a user.z" },
		{ TAR_DIR, "system.posix_acl_access system.posix_acl_default user.a user.z" },
		{ TAR_SYMLINK, "" },
		{ TAR_CHAR, "system.posix_acl_access" },
	};

	for (size_t i = 0; i < 9; i++)
		xattrs[i] = (struct tar_xattr){ names[i], v, i == 5 ? 0 : 3 };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct tar_entry en = { .type = cases[i].type, .path = "x", .link = "y", .xattrs = xattrs,
					      .n_xattrs = 9 };
		auto_tree struct tree *t = plain();
		char got[200] = "";
		struct err e;
		REQUIRE(tree_pass(t, 0, NULL, 0, &e) == 0 && tree_add(t, &en, &e) == 0 && tree_pass_end(t, &e) == 0);
		tree_finish(t);
		const struct tree_more *m = tree_names(tree_root(t))->node->more;
		for (size_t k = 0; m && k < m->n_xattrs; k++) {
			snprintf(got + strlen(got), 64, "%s%s", k ? " " : "", m->xattrs[k].name);
			CHECK_INT(m->xattrs[k].len, !strcmp(m->xattrs[k].name, "user.a") ? 0 : 3);
		}
		CHECK_STR(got, cases[i].want);
	}
}

TEST(sparse, "tree: segments that touch become one, a file without holes is not sparse")
{
	struct tar_segment touching[] = { { 0, 10 }, { 10, 10 }, { 40, 5 } };
	struct tar_segment whole[] = { { 0, 20 }, { 20, 25 } };
	const struct tar_entry a = { .type = TAR_FILE, .path = "a", .size = 45, .sparse = true, .data_offset = 1024,
				     .segments = touching, .n_segments = 3 };
	const struct tar_entry b = { .type = TAR_FILE, .path = "b", .size = 45, .sparse = true, .segments = whole,
				     .n_segments = 1 };
	const struct tar_entry c = { .type = TAR_FILE, .path = "c", .size = 45, .sparse = true };
	auto_tree struct tree *t = plain();
	struct err e;

	whole[0].len = 45;
	REQUIRE(tree_pass(t, 0, NULL, 0, &e) == 0);
	REQUIRE(tree_add(t, &a, &e) == 0 && tree_add(t, &b, &e) == 0 && tree_add(t, &c, &e) == 0);
	REQUIRE(tree_pass_end(t, &e) == 0);
	tree_finish(t);
	const struct tree_name *n = tree_names(tree_root(t));
	const struct tree_more *m = n->node->more;
	REQUIRE(m && m->sparse && m->n_segments == 2);
	CHECK(m->segments[0].len == 20 && m->segments[1].offset == 40 && m->segments[1].at == 20);
	CHECK_INT(n->node->u.data, 1024);
	CHECK(!n->next->node->more);
	m = n->next->next->node->more;
	CHECK(m && m->sparse && m->n_segments == 0);
}

/* ---- size ---- */

static int add_many(struct tree *t, unsigned n, struct err *e)
{
	char path[64];

	if (tree_pass(t, 0, NULL, 0, e) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		/* in order, as the worst archive would have it */
		snprintf(path, sizeof(path), "dir%03u/file-%07u", i / 20000, i);
		const struct tar_entry en = { .type = TAR_FILE, .path = path, .mode = 0644, .size = 1 };
		if (tree_add(t, &en, e) < 0)
			return -1;
	}
	return tree_pass_end(t, e);
}

static long anonymous_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

TEST(many, "tree: 200,000 entries take at most 130 bytes each, and of that 4 MiB of anonymous memory")
{
	const char *tmp = getenv("TMPDIR");
	auto_close int dir_fd = open(tmp ? tmp : "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct tree_opts o = { .spill_dir_fd = dir_fd };
	struct err e = { .msg = "" };
	struct stat st;

	long before = anonymous_kib();
	auto_tree struct tree *t = tree_new(&o, &e);
	REQUIRE(t && add_many(t, 200000, &e) == 0);
	long used = anonymous_kib() - before;
	tree_finish(t);
	CHECK_INT(tree_totals(t).names, 200010);
	CHECK_INT(tree_root(t)->nlink, 12);
	/* the file is the first descriptor after dir_fd */
	CHECK(fstat(dir_fd + 1, &st) == 0 && st.st_size > 10 << 20 && st.st_size < 200000 * 130 - (4 << 20));
	CHECK(before < 0 || used < 6 << 10);
	if (used >= 6 << 10)
		printf("# %ld KiB\n", used);
}

/* n names in one directory, in an order that has nothing to do with the alphabet if @stride is large */
static void fill(unsigned n, unsigned stride, bool *strained)
{
	const char *tmp = getenv("TMPDIR");
	auto_close int dir_fd = open(tmp ? tmp : "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct tree_opts o = { .mem_max = 1, .window = 1 << 20, .spill_dir_fd = dir_fd };
	struct err e = { .msg = "" };
	char path[64];

	auto_tree struct tree *t = tree_new(&o, &e);
	REQUIRE(t && tree_pass(t, 0, NULL, 0, &e) == 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "file-%07llu", (unsigned long long)i * stride % n);
		const struct tar_entry en = { .type = TAR_FILE, .path = path, .mode = 0644, .size = 1 };
		REQUIRE(tree_add(t, &en, &e) == 0);
	}
	REQUIRE(tree_pass_end(t, &e) == 0);
	*strained = tree_strains(t);
	tree_finish(t);
	CHECK_INT(tree_totals(t).names, n);
}

TEST(window, "tree: a small window is enough for names in order, and says when it is not")
{
	bool strained = true;

	fill(60000, 1, &strained);
	CHECK(!strained);
	fill(4001, 1663, &strained);
	CHECK(!strained);
	fill(60000, 7919, &strained);
	CHECK(strained);
}

TEST(full_disk, "tree: a full disk is an error, not a signal")
{
	auto_close int dir_fd = open("/", O_PATH | O_CLOEXEC);
	const struct tree_opts o = { .mem_max = 1 << 20, .spill_dir_fd = dir_fd };
	struct rlimit old, small = { 1 << 20, 1 << 20 };
	struct err e = { .code = 0 };

	/* O_TMPFILE there may work or not; the limit of file sizes stops either */
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	auto_tree struct tree *t = tree_new(&o, &e);
	int r = t ? add_many(t, 60000, &e) : -1;
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, was);
	CHECK(r < 0 && e.code);
}

UNIT_MAIN(sorts, implicit, links, refuses, overrides, diamond, kinds, attributes, links_over_links, links_in_a_diamond,
	  whitelists, filtered_below, whiteouts, followed, later_wins, bounded_depth, kept_xattrs, sparse, many, window,
	  full_disk)
