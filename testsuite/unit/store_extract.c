/* SPDX-License-Identifier: Apache-2.0
 * store_extract - unpacking against archives that mean harm, and copying what was unpacked
 *
 * The rules for images refuse such archives before an entry is made. Here the entries are handed over without
 * them, since unpacking has to hold on its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"
#include "testsuite/unit/unit.h"

struct place {
	char dir[256];
	int  fd, root_fd; /* of DIR and of DIR/root, where the archives go; DIR/outside has the victim */
};

static void place_drop(struct place *p)
{
	struct err e;

	fd_cleanup(&p->root_fd);
	fd_cleanup(&p->fd);
	fd_remove_tree(AT_FDCWD, p->dir, &e);
}
#define auto_place __attribute__((cleanup(place_drop)))

static bool place_make(struct place *p)
{
	const char *tmp = getenv("TMPDIR");
	struct err e;

	snprintf(p->dir, sizeof(p->dir), "%s/rktbox-unit.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(p->dir))
		return false;
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(p->fd, "root", 0755);
	mkdirat(p->fd, "outside", 0755);
	mkdirat(p->fd, "outside/sub", 0755);
	p->root_fd = openat(p->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd_publish(p->fd, "outside/victim", "untouched", 9, 0600, false, &e) == 0;
}

/* the victim is as it was, and nothing came */
static bool outside_is_safe(const struct place *p)
{
	auto_free char *text = NULL;
	struct stat st;
	struct err e;
	int entries = 0;
	struct dirent *de;
	auto_dir DIR *d = fdopendir(openat(p->fd, "outside", O_RDONLY | O_DIRECTORY));

	while (d && (de = readdir(d)))
		entries++;
	/* a directory that nothing was put into can be removed */
	if (unlinkat(p->fd, "outside/sub", AT_REMOVEDIR) < 0 || mkdirat(p->fd, "outside/sub", 0755) < 0)
		return false;
	return fd_read_file(p->fd, "outside/victim", 100, &text, NULL, &e) == 0 && !strcmp(text, "untouched") &&
	       fstatat(p->fd, "outside/victim", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1 &&
	       (st.st_mode & 07777) == 0600 && entries == 4;
}

/* ---- archives ---- */

static void tar_add_mode(struct buf *b, char type, const char *name, const char *link, const char *data, unsigned mode)
{
	char h[512] = { 0 };
	static const char zeros[512];
	size_t len = strlen(data);
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", mode);
	snprintf(h + 108, 8, "%07o", (unsigned)geteuid());
	snprintf(h + 116, 8, "%07o", (unsigned)getegid());
	snprintf(h + 124, 12, "%011o", (unsigned)len);
	snprintf(h + 136, 12, "%011o", 1000000000u);
	h[156] = type;
	snprintf(h + 157, 100, "%s", link);
	memcpy(h + 257, "ustar\00000", 8);
	if (type == '3' || type == '4') {
		snprintf(h + 329, 8, "%07o", 1u);
		snprintf(h + 337, 8, "%07o", 3u);
	}
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(b, h, sizeof(h));
	buf_add(b, data, len);
	buf_add(b, zeros, (512 - len % 512) % 512);
}

static void tar_add(struct buf *b, char type, const char *name, const char *link, const char *data)
{
	tar_add_mode(b, type, name, link, data, type == '5' ? 0755 : 0644);
}

static void tar_begin(struct buf *b)
{
	tar_add(b, '0', "manifest", "", "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/x\"}");
	tar_add(b, '5', "rootfs/", "", "");
}

/* of the archive in @b, which ends here */
static int blob_of(struct buf *b)
{
	static const char zeros[1024];
	int fd = memfd_create("blob", MFD_CLOEXEC);

	buf_add(b, zeros, sizeof(zeros));
	if (fd < 0 || fd_write_all(fd, b->data, b->len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static int extract(const struct place *p, struct buf *b, struct err *e)
{
	auto_close int blob_fd = blob_of(b);
	const struct extract_opts o = { .fds = &blob_fd, .n_fds = 1 };
	struct aci_result res = { 0 };

	e->msg[0] = 0;
	struct tree *t = image_tree(blob_fd, NULL, p->root_fd, &res, e);
	int r = t ? extract_tree(t, p->root_fd, &o, e) : -1;
	tree_free(t);
	aci_result_free(&res);
	return r;
}

/* "rootfs/a" -> "a"; what is not in rootfs is taken as it is */
static const char *below_rootfs(const char *path)
{
	return path && !strncmp(path, "rootfs/", 7) ? path + 7 : path && !strcmp(path, "rootfs") ? "" : path;
}

static int add_raw(struct tree *tree, struct tar *t, struct err *e)
{
	const struct tar_entry *en;
	int r;

	while ((r = tar_next(t, &en, e)) > 0) {
		struct tar_entry inner = *en;
		inner.path = below_rootfs(en->path);
		inner.link = en->type == TAR_HARDLINK ? below_rootfs(en->link) : en->link;
		if (strcmp(en->path, "manifest") != 0 && tree_add(tree, &inner, e) < 0)
			return -1;
	}
	return r;
}

/* with nothing between the archive's own words and the tree */
static int extract_raw(const struct place *p, struct buf *b, struct err *e)
{
	auto_close int blob_fd = blob_of(b);
	const struct extract_opts o = { .fds = &blob_fd, .n_fds = 1 };
	const struct tree_opts to = { .spill_dir_fd = -1 };
	auto_source struct source *in = source_fd(blob_fd, e);
	struct tar *t = tar_open(in, e);
	struct tree *tree = tree_new(&to, e);

	e->msg[0] = 0;
	int r = tree_pass(tree, 0, NULL, 0, e) < 0 || add_raw(tree, t, e) < 0 || tree_pass_end(tree, e) < 0 ? -1 : 0;
	if (r == 0) {
		tree_finish(tree);
		r = extract_tree(tree, p->root_fd, &o, e);
	}
	tree_free(tree);
	tar_free(t);
	return r;
}

/* ---- cases ---- */

struct trick {
	char        type;
	const char *name, *link, *data;
};

/* two entries each: what prepares the trick, and what would reach outside */
static const struct trick tricks[][2] = {
	{ { '2', "rootfs/a", "OUT", "" }, { '0', "rootfs/a/owned", "", "x" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '0', "rootfs/a/sub/owned", "", "x" } },
	{ { '2', "rootfs/a", "../outside", "" }, { '5', "rootfs/a/sub/owned", "", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '0', "rootfs/a/new/owned", "", "x" } },
	{ { '2', "rootfs/a", "../outside", "" }, { '0', "rootfs/a/owned", "", "x" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '0', "rootfs/a/victim", "", "x" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '5', "rootfs/a/", "", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '5', "rootfs/a/owned/", "", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '2', "rootfs/a/owned", "x", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '6', "rootfs/a/owned", "", "" } },
	{ { '2', "rootfs/a", "OUT/victim", "" }, { '0', "rootfs/a", "", "x" } },
	{ { '2', "rootfs/a", "OUT/victim", "" }, { '1', "rootfs/b", "rootfs/a", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '1', "rootfs/b", "rootfs/a/victim", "" } },
	{ { '2', "rootfs/a", "OUT", "" }, { '1', "rootfs/a/owned", "rootfs/a/victim", "" } },
	{ { '0', "rootfs/a", "", "x" }, { '1', "rootfs/b", "../outside/victim", "" } },
	{ { '0', "rootfs/a", "", "x" }, { '0', "rootfs/../../outside/victim", "", "x" } },
	{ { '0', "rootfs/a", "", "x" }, { '0', "rootfs/a/b", "", "x" } },
	{ { '0', "rootfs/a", "", "x" }, { '0', "rootfs/a", "", "y" } },
	{ { '0', "rootfs/a/b", "", "x" }, { '0', "rootfs/a", "", "y" } },
	{ { '5', "rootfs/a", "", "" }, { '1', "rootfs/b", "rootfs/a", "" } },
	{ { '6', "rootfs/a", "", "" }, { '1', "rootfs/b", "rootfs/a", "" } },
	{ { '0', "rootfs/a", "", "x" }, { '2', "rootfs", "OUT", "" } },
};

static void add_trick(struct buf *b, const struct place *p, const struct trick *t)
{
	char link[400];

	if (!strncmp(t->link, "OUT", 3))
		snprintf(link, sizeof(link), "%.80s/outside%s", p->dir, t->link + 3);
	else
		snprintf(link, sizeof(link), "%s", t->link);
	tar_add(b, t->type, t->name, link, t->data);
}

TEST(stays_inside, "extract: no archive writes outside, whatever the reader would let pass")
{
	for (size_t i = 0; i < sizeof(tricks) / sizeof(*tricks); i++) {
		auto_place struct place p = { .fd = -1, .root_fd = -1 };
		auto_buf struct buf b = { 0 };
		struct err e;
		REQUIRE(place_make(&p));
		tar_begin(&b);
		add_trick(&b, &p, &tricks[i][0]);
		add_trick(&b, &p, &tricks[i][1]);
		int r = extract_raw(&p, &b, &e);
		if (r == 0 || !e.msg[0] || !outside_is_safe(&p))
			printf("# trick %zu: %d, %s\n", i, r, e.msg);
		CHECK(r < 0 && e.msg[0]);
		CHECK(outside_is_safe(&p));
	}
}

/* The reader has no such paths, and the tree has no such names. */
TEST(names, "extract: a name that is none gets nowhere")
{
	static const char *const paths[] = { "..", ".", "a/../b", "a/./b", "a/", "a/.", "../outside/victim" };
	const struct tree_opts o = { .spill_dir_fd = -1 };
	struct err e;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const struct tar_entry en = { .type = TAR_FILE, .path = paths[i] };
		struct tree *t = tree_new(&o, &e);
		CHECK(tree_pass(t, 0, NULL, 0, &e) == 0);
		CHECK(tree_add(t, &en, &e) < 0 && e.code == EINVAL);
		tree_free(t);
	}
}

TEST(cut_off, "extract: a blob that has become shorter is an error, not a file of zeros")
{
	auto_place struct place p = { .fd = -1, .root_fd = -1 };
	auto_buf struct buf b = { 0 };
	struct aci_result res = { 0 };
	struct err e;

	REQUIRE(place_make(&p));
	tar_begin(&b);
	tar_add(&b, '0', "rootfs/file", "", "content");
	auto_close int blob_fd = blob_of(&b);
	const struct extract_opts o = { .fds = &blob_fd, .n_fds = 1 };
	struct tree *t = image_tree(blob_fd, NULL, -1, &res, &e);
	REQUIRE(t && ftruncate(blob_fd, (off_t)b.len - 1024 - 510) == 0);
	CHECK(extract_tree(t, p.root_fd, &o, &e) < 0 && e.code == EBADMSG);
	CHECK_STR(e.msg, "rootfs/file: the image is cut off");
	tree_free(t);
	aci_result_free(&res);
}

TEST(order, "extract: a directory may come after what is in it, and its time stays")
{
	auto_place struct place p = { .fd = -1, .root_fd = -1 };
	auto_buf struct buf b = { 0 };
	struct stat st;
	struct err e;

	REQUIRE(place_make(&p));
	tar_begin(&b);
	tar_add(&b, '0', "rootfs/a/b/c/file", "", "x");
	tar_add_mode(&b, '5', "rootfs/a/b", "", "", 0700);
	tar_add(&b, '1', "rootfs/a/link", "rootfs/a/b/c/file", "");
	CHECK(extract(&p, &b, &e) == 0);
	CHECK_STR(e.msg, "");
	CHECK(fstatat(p.root_fd, "a/b", &st, 0) == 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_INT(st.st_mtim.tv_sec, 1000000000);
	CHECK(fstatat(p.root_fd, "a", &st, 0) == 0);
	CHECK_INT(st.st_mode & 07777, 0755); /* not listed: as root's umask-less mkdir -p would */
	CHECK(fstatat(p.root_fd, "a/link", &st, 0) == 0);
	CHECK_INT(st.st_nlink, 2);
	CHECK(fstatat(p.root_fd, "", &st, AT_EMPTY_PATH) == 0);
	CHECK_INT(st.st_mtim.tv_sec, 1000000000);
}

TEST(devices, "extract: device nodes are made, or left out by who may not")
{
	auto_place struct place p = { .fd = -1, .root_fd = -1 };
	auto_buf struct buf b = { 0 };
	struct stat st;
	struct err e;

	REQUIRE(place_make(&p));
	tar_begin(&b);
	tar_add(&b, '3', "rootfs/null", "", "");
	tar_add(&b, '0', "rootfs/file", "", "x");
	CHECK(extract(&p, &b, &e) == 0);
	CHECK_STR(e.msg, "");
	CHECK(fstatat(p.root_fd, "file", &st, 0) == 0);
	if (geteuid() == 0 && fstatat(p.root_fd, "null", &st, 0) == 0)
		CHECK(S_ISCHR(st.st_mode));
}

TEST(copies, "render: a copy has the same links, times, holes and attributes")
{
	auto_place struct place p = { .fd = -1, .root_fd = -1 };
	auto_buf struct buf b = { 0 };
	struct stat st, st2;
	struct err e = { .code = 0 };
	char value[16];

	REQUIRE(place_make(&p));
	tar_begin(&b);
	tar_add(&b, '5', "rootfs/d", "", "");
	tar_add_mode(&b, '0', "rootfs/d/file", "", "content", 04711);
	tar_add(&b, '1', "rootfs/link", "rootfs/d/file", "");
	tar_add(&b, '2', "rootfs/sym", "/nowhere", "");
	tar_add(&b, '6', "rootfs/fifo", "", "");
	REQUIRE(extract(&p, &b, &e) == 0);
	auto_close int sparse = openat(p.root_fd, "sparse", O_WRONLY | O_CREAT, 0600);
	REQUIRE(sparse >= 0 && pwrite(sparse, "end", 3, 8 << 20) == 3);
	int attr = fsetxattr(sparse, "user.x", "y", 1, 0);
	mkdirat(p.fd, "copy", 0700);
	auto_close int copy = openat(p.fd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(render_copy(p.root_fd, copy, &e) == 0);
	if (e.code)
		printf("# %s\n", e.msg);
	CHECK(fstatat(copy, "d/file", &st, 0) == 0 && fstatat(copy, "link", &st2, 0) == 0);
	CHECK(st.st_ino == st2.st_ino && st.st_nlink == 2);
	CHECK_INT(st.st_mode & 07777, 04711);
	CHECK_INT(st.st_mtim.tv_sec, 1000000000);
	CHECK(fstatat(p.root_fd, "d/file", &st2, 0) == 0);
	CHECK(st.st_ino != st2.st_ino);
	CHECK(fstatat(copy, "d", &st, 0) == 0);
	CHECK_INT(st.st_mtim.tv_sec, 1000000000);
	CHECK(fstatat(copy, "fifo", &st, 0) == 0 && S_ISFIFO(st.st_mode));
	CHECK(readlinkat(copy, "sym", value, sizeof(value)) == 8);
	CHECK(fstatat(copy, "sparse", &st, 0) == 0);
	CHECK_INT(st.st_size, (8 << 20) + 3);
	CHECK(st.st_blocks < 256);
	auto_close int fd = openat(copy, "sparse", O_RDONLY);
	CHECK(pread(fd, value, 3, 8 << 20) == 3 && !memcmp(value, "end", 3));
	CHECK(attr < 0 || fgetxattr(fd, "user.x", value, sizeof(value)) == 1);
	CHECK(render_copy(p.root_fd, copy, &e) < 0); /* not empty */
}

UNIT_MAIN(stays_inside, names, cut_off, order, devices, copies)
