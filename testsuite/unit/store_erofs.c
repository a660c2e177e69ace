/* SPDX-License-Identifier: Apache-2.0
 * store_erofs - an index as bytes: what its end says, errors, and that it is the same every time
 *
 * That the kernel sees in it what the archives hold is for testsuite/erofs.tests.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/xxh64.h"
#include "core/store/erofs.h"
#include "testsuite/unit/unit.h"

#define ID(c) "sha512-" c c c c c c c c
#define HEX16 "0123456789abcdef"

static struct erofs_source sources[2] = {
	{ { ID(HEX16) }, 10240 }, { { ID("fedcba9876543210") }, 1 << 20 },
};

static void drop(struct tree **t)
{
	tree_free(*t);
}
#define auto_tree __attribute__((cleanup(drop)))

static struct tree *finished(const struct tar_entry *v, size_t n, uint16_t source)
{
	const struct tree_opts o = { .spill_dir_fd = -1 };
	struct err e;
	struct tree *t = tree_new(&o, &e);

	if (!t || tree_pass(t, source, NULL, 0, &e) < 0)
		abort();
	for (size_t i = 0; i < n; i++)
		if (tree_add(t, &v[i], &e) < 0)
			abort();
	if (tree_pass_end(t, &e) < 0)
		abort();
	tree_finish(t);
	return t;
}

static int write_index(struct tree *t, size_t n_sources, struct err *e)
{
	const struct erofs_opts o = { "sha512-" HEX16 HEX16 "ff", sources, NULL, n_sources };
	uint64_t bytes;
	struct stat st;
	int fd = memfd_create("index", MFD_CLOEXEC);

	e->code = 0;
	if (erofs_write(t, &o, fd, &bytes, e) < 0)
		fd_cleanup(&fd);
	else if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != bytes)
		abort();
	return fd;
}

static const struct tar_entry few[] = {
	{ .type = TAR_DIR, .path = "", .mode = 0755 },
	{ .type = TAR_FILE, .path = "file", .size = 1000, .data_offset = 512, .mode = 0644 },
	{ .type = TAR_HARDLINK, .path = "link", .link = "file" },
	{ .type = TAR_SYMLINK, .path = "symlink", .link = "file" },
};

TEST(says, "erofs: the end of an index says what it was made from")
{
	auto_tree struct tree *t = finished(few, 4, 1);
	struct erofs_info i;
	struct err e;
	uint8_t super[128];
	auto_close int fd = write_index(t, 2, &e);

	REQUIRE(fd >= 0 && erofs_open(fd, &i, &e) == 0);
	CHECK_INT(i.version, EROFS_WRITER);
	CHECK_INT(i.n_sources, 2);
	CHECK_STR(i.sources[0].id.s, sources[0].id.s);
	CHECK_STR(i.sources[1].id.s, sources[1].id.s);
	CHECK_INT(i.sources[1].bytes, 1 << 20);
	CHECK(i.bytes % 512 == 0 && i.erofs_bytes % 512 == 0 && i.erofs_bytes < i.bytes);
	CHECK(pread(fd, super, sizeof(super), 1024) == 128);
	CHECK(!memcmp(super, "\xe2\xe1\xf5\xe0", 4));
	CHECK(!memcmp(super + 48, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16));
	CHECK_INT(super[16], 3); /* inodes: root, file, symlink */
	erofs_info_free(&i);
	CHECK(erofs_check(fd, &e) == 0);
}

TEST(again, "erofs: writing the same tree again makes the same bytes")
{
	auto_tree struct tree *t = finished(few, 4, 0);
	struct err e;
	auto_close int a = write_index(t, 2, &e), b = write_index(t, 2, &e);
	struct stat st;

	REQUIRE(a >= 0 && b >= 0 && fstat(a, &st) == 0);
	const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, a, 0);
	const char *q = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, b, 0);
	CHECK(!memcmp(p, q, (size_t)st.st_size));
}

TEST(foreign, "erofs: what is no index, or another version's, is told apart")
{
	auto_tree struct tree *t = finished(few, 4, 0);
	struct erofs_info i;
	struct err e;
	struct stat st;
	auto_close int fd = write_index(t, 2, &e);
	auto_close int empty = memfd_create("empty", MFD_CLOEXEC);

	CHECK(erofs_open(empty, &i, &e) < 0 && e.code == EBADMSG);
	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	/* the version stands before the magic, and is looked at before anything that another version may have changed */
	CHECK(pwrite(fd, "\x77\0\0\0", 4, st.st_size - 20) == 4);
	CHECK(erofs_open(fd, &i, &e) < 0 && e.code == ESTALE);
	CHECK_HAS(e.msg, "made by version 119");
	CHECK(pwrite(fd, "y", 1, st.st_size - 1) == 1);
	CHECK(erofs_open(fd, &i, &e) < 0 && e.code == EBADMSG);
}

/* Where the end begins to be checked at all is what it says itself. */
TEST(lies, "erofs: an end that claims too much is refused")
{
	static const struct { int from_end; const char *bytes; size_t n; } cases[] = {
		{ 24, "\xff\xff\xff\xff", 4 }, { 24, "\x03\0\0\0", 4 }, { 24, "\0\0\0\0", 4 },
		{ 96, "\xff\xff\xff\xff\xff\xff\xff\xff", 8 }, { 72, "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
		{ 72, "\0\0\0\0\0\0\0\0", 8 }, { 80, "\0\0\0\0\0\0\0\x80", 8 }, { 32, "x", 1 },
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		auto_tree struct tree *t = finished(few, 4, 0);
		struct erofs_info i;
		struct err e;
		struct stat st;
		auto_close int fd = write_index(t, 2, &e);
		REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
		CHECK(pwrite(fd, cases[k].bytes, cases[k].n, st.st_size - cases[k].from_end) == (ssize_t)cases[k].n);
		CHECK(erofs_open(fd, &i, &e) < 0 && e.code == EBADMSG);
		erofs_info_free(&i);
	}
}

TEST(outside, "erofs: no file may lie outside of its archive")
{
	static const struct { uint64_t at, size; size_t n_sources; } cases[] = {
		{ 512, 10240 - 511, 2 }, { 10240, 1, 2 }, { 1 << 20, 1, 2 }, { 513, 1, 2 }, { UINT64_MAX - 511, 1, 2 },
		{ 512, UINT64_MAX, 2 }, { 512, 1, 0 },
	};
	const struct tar_entry fits = { .type = TAR_FILE, .path = "f", .data_offset = 512, .size = 10240 - 512 };
	struct err e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct tar_entry en = { .type = TAR_FILE, .path = "f", .data_offset = cases[i].at,
					      .size = cases[i].size };
		auto_tree struct tree *t = finished(&en, 1, 0);
		CHECK(write_index(t, cases[i].n_sources, &e) < 0 && e.code == EINVAL);
	}
	auto_tree struct tree *t = finished(&fits, 1, 0);
	auto_close int fd = write_index(t, 2, &e);
	CHECK(fd >= 0);
}

TEST(options, "erofs: IDs that are none and too many archives are refused")
{
	auto_tree struct tree *t = finished(few, 4, 0);
	auto_close int fd = memfd_create("index", MFD_CLOEXEC);
	struct err e;
	const struct erofs_opts no_id = { "example", sources, NULL, 2 }, null = { NULL, sources, NULL, 2 },
				many = { ID(HEX16), sources, NULL, EROFS_SOURCES_MAX + 1 };

	CHECK(erofs_write(t, &no_id, fd, NULL, &e) < 0 && e.code == EINVAL);
	CHECK(erofs_write(t, &null, fd, NULL, &e) < 0 && e.code == EINVAL);
	CHECK(erofs_write(t, &many, fd, NULL, &e) < 0 && e.code == EINVAL);
}

TEST(cut_off, "erofs: a sparse file whose archive is shorter than it was is an error")
{
	struct tar_segment s[] = { { 1, 512 } };
	const struct tar_entry en = { .type = TAR_FILE, .path = "f", .data_offset = 512, .size = 5000, .data_size = 512,
				      .sparse = true, .segments = s, .n_segments = 1 };
	auto_tree struct tree *t = finished(&en, 1, 0);
	auto_close int tar = memfd_create("tar", MFD_CLOEXEC), fd = memfd_create("index", MFD_CLOEXEC);
	const struct erofs_opts o = { ID(HEX16), sources, &tar, 1 };
	struct err e;

	CHECK(ftruncate(tar, 800) == 0);
	CHECK(erofs_write(t, &o, fd, NULL, &e) < 0 && e.code == EBADMSG);
	CHECK(ftruncate(tar, 1024) == 0);
	CHECK(erofs_write(t, &o, fd, NULL, &e) == 0);
}

static uint64_t sum_of(const char *s, size_t len, size_t piece)
{
	struct xxh64 x;

	xxh64_init(&x);
	for (size_t at = 0; at < len; at += piece)
		xxh64_add(&x, s + at, len - at < piece ? len - at : piece);
	return xxh64_get(&x);
}

/* values of the reference implementation (xxhsum 0.8.1, -H64) */
TEST(checksum, "xxh64: known sums, whatever the pieces")
{
	const char *text = "Nobody inspects the spammish repetition";

	CHECK(sum_of("", 0, 1) == 0xef46db3751d8e999u);
	CHECK(sum_of("a", 1, 1) == 0xd24ec4f1a98c6e5bu);
	CHECK(sum_of("abc", 3, 2) == 0x44bc2cf5ad770999u);
	for (size_t piece = 1; piece < 40; piece++)
		CHECK(sum_of(text, strlen(text), piece) == 0xfbcea83c8a378bf1u);
}

UNIT_MAIN(says, again, foreign, lies, outside, options, cut_off, checksum)
