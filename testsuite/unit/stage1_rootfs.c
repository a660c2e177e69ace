/* SPDX-License-Identifier: Apache-2.0
 * Places inside a hostile root: everything stays inside, whatever links say; what is missing is
 * made; what is wrong is an error.
 */
#include "stage1-init/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "testsuite/unit/unit.h"

static const struct root_foreign none;

/* TOP/outside must stay empty; TOP/root is the root */
struct place {
	char top[32];
	int  top_fd, root_fd;
};

static struct place make(void)
{
	struct place p = { .top = "/tmp/stage1-rootfs.XXXXXX" };

	if (!mkdtemp(p.top))
		abort();
	p.top_fd = open(p.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p.top_fd < 0 || mkdirat(p.top_fd, "outside", 0755) < 0 ||
		mkdirat(p.top_fd, "root", 0755) < 0)
		abort();
	p.root_fd = openat(p.top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return p;
}

static void drop(struct place *p)
{
	struct err e;
	struct stat st;

	/* a directory of two entries has exactly two links: nothing was made in it */
	CHECK(fstatat(p->top_fd, "outside", &st, 0) == 0 && st.st_nlink <= 2);
	CHECK(unlinkat(p->top_fd, "outside", AT_REMOVEDIR) == 0);
	close(p->root_fd);
	close(p->top_fd);
	fd_remove_tree(AT_FDCWD, p->top, &e);
}

static bool same(int fd, int dir_fd, const char *name)
{
	struct stat a, b;

	return fd >= 0 && fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, 0) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

TEST(inside, "rootfs: links lead inside the root, and .. ends at it")
{
	struct place p = make();
	static const char *const paths[] = { "/d", "d", "../d", "/../../d", "l/d", "abs", "up",
		"./l/../l/d" };

	REQUIRE(mkdirat(p.root_fd, "d", 0755) == 0);
	REQUIRE(symlinkat("/", p.root_fd, "l") == 0);
	REQUIRE(symlinkat("/d", p.root_fd, "abs") == 0);
	REQUIRE(symlinkat("../../../d", p.root_fd, "up") == 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		auto_close int fd = root_open(p.root_fd, paths[i], O_PATH, ROOT_FOLLOW);
		CHECK(same(fd, p.root_fd, "d"));
	}
	CHECK(root_open(p.root_fd, "abs", O_PATH, ROOT_NO_LINKS) < 0);
	CHECK_INT(errno, ELOOP);
	drop(&p);
}

TEST(creates, "rootfs: a missing mount point is made, with its parents, also through links")
{
	struct place p = make();
	struct err e;

	REQUIRE(mkdirat(p.root_fd, "real", 0755) == 0);
	REQUIRE(symlinkat("/real", p.root_fd, "link") == 0);
	umask(0);
	auto_close int fd = root_mount_point(p.root_fd, "/link/a/b", true, &none, &e);
	CHECK(same(fd, p.root_fd, "real/a/b"));
	auto_close int file = root_mount_point(p.root_fd, "//link//c/f/", false, &none, &e);
	CHECK(same(file, p.root_fd, "real/c/f"));
	struct stat st;
	CHECK(fstatat(p.root_fd, "real/a", &st, 0) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(fstatat(p.root_fd, "real/c/f", &st, 0) == 0 && S_ISREG(st.st_mode));
	auto_close int dots = root_mount_point(p.root_fd, "/../../x/../y", true, &none, &e);
	CHECK(same(dots, p.root_fd, "y"));
	umask(022);
	drop(&p);
}

TEST(replaces, "rootfs: a file gives way to a directory")
{
	struct place p = make();
	struct err e;

	int f = openat(p.root_fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	REQUIRE(f >= 0);
	close(f);
	auto_close int fd = root_mount_point(p.root_fd, "/f", true, &none, &e);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode));
	drop(&p);
}

static void expect_error(struct place *p, const char *path, bool dir, int code)
{
	struct err e = { 0 };
	auto_close int fd = root_mount_point(p->root_fd, path, dir, &none, &e);

	CHECK(fd < 0);
	CHECK_INT(e.code, code);
	CHECK_HAS(e.msg, path);
}

TEST(hostile, "rootfs: dangling links, loops, FIFOs and links out of the root are errors, and "
	      "touch nothing outside")
{
	struct place p = make();
	char out[64];

	snprintf(out, sizeof(out), "%s/outside/x", p.top);
	REQUIRE(symlinkat(out, p.root_fd, "dangling") == 0);
	REQUIRE(symlinkat("../outside/x", p.root_fd, "up") == 0);
	REQUIRE(symlinkat("loop", p.root_fd, "loop") == 0);
	REQUIRE(symlinkat("/proc/self/cwd", p.root_fd, "magic") == 0);
	REQUIRE(mkfifoat(p.root_fd, "fifo", 0644) == 0);
	int f = openat(p.root_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	REQUIRE(f >= 0);
	close(f);
	REQUIRE(symlinkat("file", p.root_fd, "to-file") == 0);
	expect_error(&p, "/dangling", true, EEXIST);
	expect_error(&p, "/dangling/sub", true, EEXIST);
	expect_error(&p, "/dangling", false, EEXIST);
	expect_error(&p, "/up", true, EEXIST);
	expect_error(&p, "/loop", true, ELOOP);
	expect_error(&p, "/loop/sub", true, ELOOP);
	expect_error(&p, "/magic", true, EEXIST);
	expect_error(&p, "/fifo", true, EINVAL);
	expect_error(&p, "/fifo", false, EINVAL);
	expect_error(&p, "/file/sub", true, ENOTDIR);
	expect_error(&p, "/to-file", true, ENOTDIR);
	expect_error(&p, "/", false, EINVAL);
	drop(&p);
}

TEST(kernel, "rootfs: nothing is mounted or made in /proc")
{
	struct err e = { 0 };
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(root_mount_point(root, "/proc", true, &none, &e) < 0);
	CHECK_HAS(e.msg, "kernel");
	CHECK(root_mount_point(root, "/proc/nope", true, &none, &e) < 0);
	CHECK_HAS(e.msg, "kernel");
	CHECK(root_mount_point(root, "/proc/sys/kernel/hostname", false, &none, &e) < 0);
	CHECK_HAS(e.msg, "kernel");
}

TEST(foreign, "rootfs: nothing is made on a volume of the host")
{
	struct place p = make();
	struct err e = { 0 };
	uint64_t id = root_mount_id(p.root_fd);

	if (!id)
		SKIP("this kernel does not tell mount ids");
	struct root_foreign f = { .mount_ids = &id, .n = 1 };
	CHECK(root_mount_point(p.root_fd, "/a/b", true, &f, &e) < 0);
	CHECK_HAS(e.msg, "host volume");
	REQUIRE(mkdirat(p.root_fd, "there", 0755) == 0);
	auto_close int fd = root_mount_point(p.root_fd, "/there", true, &f, &e);
	CHECK(fd >= 0);
	drop(&p);
}

TEST(system_dirs, "rootfs: /proc, /sys and /dev are made, or real directories, or an error that "
		  "says what they are")
{
	struct place p = make();
	struct err e = { 0 };

	auto_close int made = root_system_dir(p.root_fd, "proc", &e);
	CHECK(same(made, p.root_fd, "proc"));
	REQUIRE(symlinkat("proc", p.root_fd, "sys") == 0);
	CHECK(root_system_dir(p.root_fd, "sys", &e) < 0);
	CHECK_HAS(e.msg, "symbolic link");
	REQUIRE(mkfifoat(p.root_fd, "dev", 0644) == 0);
	CHECK(root_system_dir(p.root_fd, "dev", &e) < 0);
	CHECK_HAS(e.msg, "FIFO");
	drop(&p);
}

TEST(files, "rootfs: only regular files are read")
{
	struct place p = make();

	REQUIRE(mkfifoat(p.root_fd, "fifo", 0644) == 0);
	REQUIRE(mkdirat(p.root_fd, "dir", 0755) == 0);
	REQUIRE(symlinkat("/dev/null", p.root_fd, "null") == 0);
	CHECK(root_open_file(p.root_fd, "fifo") < 0);
	CHECK(root_open_file(p.root_fd, "dir") < 0);
	CHECK(root_open_file(p.root_fd, "null") < 0);
	CHECK(root_open_file(p.root_fd, "nope") < 0);
	drop(&p);
}

UNIT_MAIN(inside, creates, replaces, hostile, kernel, foreign, system_dirs, files)
