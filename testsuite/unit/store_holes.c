/* SPDX-License-Identifier: Apache-2.0
 * store_holes - where a sparse file has data: in an index and unpacked in the same places, and no more than it costs
 *
 * Each file is made of segments, laid out by the index's rules, unpacked into a real file, and that is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/erofs_chunks.h"
#include "core/store/internal.h"
#include "testsuite/unit/unit.h"

#define DATA_AT 1024u
#define PAGE    4096u

/* the byte that lies at @at of the archive; never 0 */
static uint8_t stored(uint64_t at)
{
	return (uint8_t)(at % 255 + 1);
}

static int archive(uint64_t len)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);
	auto_free uint8_t *p = malloc(DATA_AT + len);

	for (uint64_t i = 0; i < DATA_AT + len; i++)
		p[i] = stored(i);
	if (fd < 0 || fd_write_all(fd, p, DATA_AT + len) < 0)
		abort();
	return fd;
}

struct made {
	struct tree *tree;
	struct tree_node *node;
	char dir[200];
	int  fd;
};

static void drop(struct made *m)
{
	struct err e;

	tree_free(m->tree);
	fd_cleanup(&m->fd);
	fd_remove_tree(AT_FDCWD, m->dir, &e);
}
#define auto_made __attribute__((cleanup(drop)))

static bool unpack(struct made *m, uint64_t stored_len, struct err *e)
{
	auto_close int tar_fd = archive(stored_len);
	const struct extract_opts o = { .fds = &tar_fd, .n_fds = 1 };
	const char *tmp = getenv("TMPDIR");

	snprintf(m->dir, sizeof(m->dir), "%.150s/rktbox-unit.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(m->dir))
		return false;
	auto_close int dir_fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (extract_tree(m->tree, dir_fd, &o, e) < 0)
		return false;
	m->fd = openat(dir_fd, "f", O_RDONLY | O_CLOEXEC);
	return m->fd >= 0;
}

/* @seg: offset and length of each, then {0, 0} */
static bool make(struct made *m, uint64_t size, const uint64_t (*seg)[2], struct err *e)
{
	struct tar_segment s[64];
	struct tar_entry en = { .type = TAR_FILE, .path = "f", .mode = 0644, .uid = geteuid(), .gid = getegid(), .size = size,
				.sparse = true, .segments = s, .data_offset = DATA_AT };
	const struct tar_entry root = { .type = TAR_DIR, .path = "", .mode = 0700, .uid = geteuid(), .gid = getegid() };
	const struct tree_opts o = { .spill_dir_fd = -1 };

	*m = (struct made){ .tree = tree_new(&o, e), .fd = -1 };
	for (; seg[en.n_segments][1]; en.n_segments++) {
		s[en.n_segments] = (struct tar_segment){ seg[en.n_segments][0], seg[en.n_segments][1] };
		en.data_size += seg[en.n_segments][1];
	}
	if (tree_pass(m->tree, 0, NULL, 0, e) < 0 || tree_add(m->tree, &root, e) < 0 || tree_add(m->tree, &en, e) < 0 ||
	    tree_pass_end(m->tree, e) < 0)
		return false;
	tree_finish(m->tree);
	m->node = tree_names(tree_root(m->tree))->node;
	return unpack(m, en.data_size, e);
}

/* ---- what is expected ---- */

static uint8_t want_byte(const struct tree_more *more, uint64_t at)
{
	for (uint32_t i = 0; i < more->n_segments; i++) {
		const struct tree_segment *s = &more->segments[i];
		if (at >= s->offset && at < s->offset + s->len)
			return stored(DATA_AT + s->at + at - s->offset);
	}
	return 0;
}

/* the file's data in pages, as seek says it, and as the index's chunks do: the same runs */
static bool same_runs(const struct made *m, uint64_t *data)
{
	struct chunks c = { .n = m->node };
	uint64_t n, end = 0;
	off_t at = 0;

	*data = 0;
	chunks_choose(m->node, &c.bits, &n);
	for (uint64_t i = 0; i < n; i++) {
		if (chunks_next(&c) == CHUNK_HOLE)
			continue;
		*data += c.end - c.begin;
		if (c.begin != end || !end) {
			/* a run ends, and another begins: there is a hole before it, and nothing else */
			if (end && lseek(m->fd, at, SEEK_HOLE) != (off_t)end)
				return false;
			at = lseek(m->fd, (off_t)end, SEEK_DATA);
			if (at != (off_t)c.begin)
				return false;
		}
		end = c.end;
	}
	if (end && lseek(m->fd, at, SEEK_HOLE) != (off_t)end)
		return false;
	return end == m->node->size || (lseek(m->fd, (off_t)end, SEEK_DATA) < 0 && errno == ENXIO);
}

static bool same_content(const struct made *m)
{
	uint8_t page[PAGE];

	for (uint64_t at = 0; at < m->node->size; at += PAGE) {
		ssize_t n = pread(m->fd, page, PAGE, (off_t)at);
		for (ssize_t i = 0; i < n; i++)
			if (page[i] != want_byte(m->node->more, at + (uint64_t)i))
				return false;
		if (n <= 0)
			return false;
	}
	return true;
}

static const char *judged(uint64_t size, const uint64_t (*seg)[2])
{
	struct err e = { .msg = "" };
	auto_made struct made m;
	struct stat st;
	uint64_t data, want = 0;
	unsigned n = 0;

	for (; seg[n][1]; n++)
		want += seg[n][1];
	if (!make(&m, size, seg, &e))
		return "not made";
	if (fstat(m.fd, &st) < 0 || (uint64_t)st.st_size != size)
		return "size";
	if (!same_runs(&m, &data))
		return "other holes than the index has";
	/* a table of pages would cost that much; whatever is chosen instead is cheaper */
	if (data > want + 2u * PAGE * n + size / PAGE * 8)
		return "too much data";
	return same_content(&m) ? "good" : "content";
}

/* ---- cases ---- */

TEST(edges, "holes: unpacked, a file has those that an index has, wherever its data begins and ends")
{
	static const struct { uint64_t size; uint64_t seg[6][2]; } cases[] = {
		{ 1 << 20, { { 0, 0 } } },
		{ 1 << 20, { { 0, 1 } } },
		{ 1 << 20, { { (1 << 20) - 1, 1 } } },
		{ (1 << 20) + 77, { { (1 << 20) + 76, 1 } } },
		{ 1 << 20, { { 500000, 1 } } },
		{ 5000, { { 1, 4999 } } },
		{ 5000, { { 4096, 904 } } },
		{ 100, { { 50, 1 } } },
		{ 1 << 20, { { 4096, 8192 }, { 65536, 512 }, { 69632, 512 } } },
		{ 1 << 20, { { 4095, 2 }, { 8191, 2 }, { 12287, 2 } } },
		{ 1 << 20, { { 0, 512 }, { 1024, 512 }, { 2048, 512 }, { 4096, 512 } } },
		{ 1 << 20, { { 0, 524288 }, { 1044480, 4096 } } },
		{ 1 << 20, { { 512, 300000 }, { 301024, 700000 } } },
		/* large enough for chunks of many pages */
		{ 64 << 20, { { 1000000, 1 }, { 30000000, 5000 }, { 60000000, 100000 } } },
		{ 64 << 20, { { 33554432, 4096 } } },
		{ 64 << 20, { { (64 << 20) - 100, 100 } } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = judged(cases[i].size, cases[i].seg);
		if (strcmp(got, "good") != 0)
			printf("# case %zu\n", i);
		CHECK_STR(got, "good");
	}
}

TEST(random_files, "holes: the same of files with up to 40 segments anywhere")
{
	uint64_t state = 7;

	for (unsigned round = 0; round < 100; round++) {
		uint64_t seg[41][2] = { { 0 } }, at = 0;
		const uint64_t unit = round % 3 == 0 ? 1 : round % 3 == 1 ? 512 : PAGE;
		for (unsigned i = 0; i < 1 + round % 40; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			at += (1 + (state >> 33) % (1 + 40000 / unit)) * unit;
			seg[i][0] = at;
			seg[i][1] = (1 + (state >> 48) % (1 + 9000 / unit)) * unit;
			at += seg[i][1];
		}
		const char *got = judged(at + (round % 2 ? 12345 : 0), (const uint64_t (*)[2])seg);
		if (strcmp(got, "good") != 0)
			printf("# round %u\n", round);
		CHECK_STR(got, "good");
	}
}

UNIT_MAIN(edges, random_files)
