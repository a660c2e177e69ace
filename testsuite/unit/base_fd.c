/* SPDX-License-Identifier: Apache-2.0
 * base_fd - unit tests of core/base/fd.c
 */
#include "core/base/dir.h"
#include "core/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "testsuite/unit/unit.h"

/* a new directory below TMPDIR, opened; its name in @path */
static int new_dir(char path[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/rktbox-unit-XXXXXX", tmp ? tmp : "/tmp");
	int fd = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

static void drop_dir(const char *path)
{
	struct err e = { 0 };

	if (fd_remove_tree(AT_FDCWD, path, &e) < 0)
		printf("# left behind %s: %s\n", path, e.msg);
	CHECK(access(path, F_OK) < 0);
}

static void put(int dir, const char *name, const char *text)
{
	auto_close int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static unsigned count(int dir)
{
	auto_dir DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	return n - 2;
}

static unsigned open_fds(void)
{
	auto_close int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return count(fd);
}

TEST(publish, "fd_publish: creates and replaces, with mode and content, and leaves nothing else")
{
	char path[PATH_MAX], *text = NULL;
	struct err e = { 0 };
	struct stat st;
	size_t len;
	auto_close int dir = new_dir(path);
	mode_t mask = umask(077);

	CHECK_INT(fd_publish(dir, "a", "one", 3, 0640, true, &e), 0);
	CHECK_INT(fd_publish(dir, "a", "zwei", 4, 0444, false, &e), 0);
	umask(mask);
	CHECK_INT(fd_read_file(dir, "a", 100, &text, &len, &e), 0);
	CHECK_STR(text, "zwei");
	CHECK_INT(len, 4);
	CHECK_INT(fstatat(dir, "a", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0444);
	CHECK_INT(count(dir), 1);
	free(text);
	CHECK_INT(mkdirat(dir, "d", 0755), 0);
	CHECK_INT(fd_publish(dir, "d/b", "", 0, 0600, true, &e), 0);
	CHECK_INT(fstatat(dir, "d/b", &st, 0), 0);
	CHECK_INT(st.st_size, 0);
	drop_dir(path);
}

TEST(publish_fails, "fd_publish: a failure leaves the old file and no temporary one")
{
	char path[PATH_MAX], name[NAME_MAX + 2];
	struct err e = { 0 };
	auto_close int dir = new_dir(path);

	CHECK_INT(mkdirat(dir, "a", 0755), 0);
	put(dir, "a/x", "");
	CHECK_INT(fd_publish(dir, "a", "one", 3, 0640, true, &e), -1);
	CHECK_HAS(e.msg, "rename to a");
	CHECK_INT(count(dir), 1);
	CHECK_INT(fd_publish(dir, "missing/a", "one", 3, 0640, true, &e), -1);
	CHECK_INT(e.code, ENOENT);
	memset(name, 'n', sizeof(name) - 1);
	name[NAME_MAX + 1] = 0;
	CHECK_INT(fd_publish(dir, name, "one", 3, 0640, true, &e), -1);
	CHECK_INT(e.code, ENAMETOOLONG);
	CHECK_INT(count(dir), 1);
	drop_dir(path);
}

TEST(publish_over_leftovers, "fd_publish: what a dead process of the same pid left is no obstacle")
{
	char path[PATH_MAX], tmp[64];
	struct err e = { 0 };
	auto_close int dir = new_dir(path);

	snprintf(tmp, sizeof(tmp), ".tmp.%d.a", (int)getpid());
	put(dir, tmp, "half");
	CHECK_INT(fd_publish(dir, "a", "whole", 5, 0644, true, &e), 0);
	CHECK_INT(count(dir), 1);
	/* nor does a link of that name lead anywhere */
	CHECK_INT(symlinkat("victim", dir, tmp), 0);
	CHECK_INT(fd_publish(dir, "a", "whole", 5, 0644, true, &e), 0);
	CHECK(faccessat(dir, "victim", F_OK, 0) < 0);
	drop_dir(path);
}

TEST(publish_full, "fd_publish: on a full disk the old file stays whole")
{
	static char big[65536];
	char path[PATH_MAX], *text = NULL;
	struct err e = { 0 };
	int status = 0;

	if (geteuid())
		SKIP("needs root");
	int at = new_dir(path);
	fd_cleanup(&at);
	pid_t pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("tmpfs", path, "tmpfs", 0, "size=16k"))
			_exit(77);
		int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		memset(big, 'x', sizeof(big));
		bool good = fd_publish(dir, "a", "old", 3, 0644, true, &e) == 0 &&
			    fd_publish(dir, "a", big, sizeof(big), 0644, true, &e) < 0 && e.code == ENOSPC &&
			    fd_read_file(dir, "a", 10, &text, NULL, &e) == 0 && !strcmp(text, "old") && count(dir) == 1;
		free(text);
		_exit(good ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	drop_dir(path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("cannot mount");
	CHECK_INT(status, 0);
}

TEST(read_file, "fd_read_file: regular files only, bounded, links not followed")
{
	char path[PATH_MAX], *text = NULL;
	struct err e = { 0 };
	size_t len = 7;
	auto_close int dir = new_dir(path);

	put(dir, "f", "12345");
	CHECK_INT(symlinkat("f", dir, "l"), 0);
	CHECK_INT(mkfifoat(dir, "p", 0600), 0);
	CHECK_INT(fd_read_file(dir, "f", 5, &text, &len, &e), 0);
	CHECK_INT(len, 5);
	CHECK_STR(text, "12345");
	free(text);
	CHECK_INT(fd_read_file(dir, "f", 4, &text, &len, &e), -1);
	CHECK_INT(e.code, EFBIG);
	CHECK_INT(fd_read_file(dir, "l", 100, &text, &len, &e), -1);
	CHECK_INT(e.code, ELOOP);
	CHECK_INT(fd_read_file(dir, "p", 100, &text, &len, &e), -1); /* and does not hang */
	CHECK_INT(fd_read_file(dir, ".", 100, &text, &len, &e), -1);
	CHECK_INT(fd_read_file(dir, "none", 100, &text, &len, &e), -1);
	CHECK_INT(e.code, ENOENT);
	put(dir, "empty", "");
	CHECK_INT(fd_read_file(dir, "empty", 100, &text, &len, &e), 0);
	CHECK_INT(len, 0);
	CHECK_STR(text, "");
	free(text);
	CHECK_INT(fd_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &len, &e), 0);
	CHECK(len > 100 && strstr(text, "Name:"));
	free(text);
	drop_dir(path);
}

TEST(read_proc, "fd_read_file: reads files that do not say their size to the end, or refuses")
{
	char *text = NULL;
	struct err e = { 0 };
	size_t len = 0;

	if (access("/proc/kallsyms", R_OK) < 0)
		SKIP("no /proc/kallsyms");
	CHECK_INT(fd_read_file(AT_FDCWD, "/proc/kallsyms", 100 << 20, &text, &len, &e), 0);
	CHECK(len > 65536);
	CHECK_INT(text ? text[len - 1] : 0, '\n');
	free(text);
	text = NULL;
	CHECK_INT(fd_read_file(AT_FDCWD, "/proc/kallsyms", 65536, &text, &len, &e), -1);
	CHECK_INT(e.code, EFBIG);
	CHECK(!text);
}

TEST(mkdirs, "fd_mkdirs: makes what is missing, follows no link below the start")
{
	char path[PATH_MAX], name[NAME_MAX + 4];
	struct err e = { 0 };
	struct stat st;
	auto_close int dir = new_dir(path);

	CHECK_INT(fd_mkdirs(dir, "a/b//c/", 0755, &e), 0);
	CHECK_INT(fd_mkdirs(dir, "a/b/c/d", 0750, &e), 0);
	CHECK_INT(fstatat(dir, "a/b/c/d", &st, 0), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(fd_mkdirs(dir, "", 0755, &e), 0);
	CHECK_INT(symlinkat("a", dir, "l"), 0);
	CHECK_INT(fd_mkdirs(dir, "l/x", 0755, &e), -1);
	CHECK(faccessat(dir, "a/x", F_OK, 0) < 0);
	put(dir, "f", "");
	CHECK_INT(fd_mkdirs(dir, "f/x", 0755, &e), -1);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	CHECK_INT(fd_mkdirs(dir, name, 0755, &e), -1);
	CHECK_INT(e.code, ENAMETOOLONG);
	drop_dir(path);
}

TEST(remove_simple, "fd_remove_tree: files, links, directories, and what is not there")
{
	char path[PATH_MAX], outside[PATH_MAX];
	struct err e = { 0 };
	auto_close int dir = new_dir(path);
	auto_close int other = new_dir(outside);

	put(other, "keep", "x");
	CHECK_INT(fd_remove_tree(dir, "none", &e), 0);
	CHECK_INT(fd_mkdirs(dir, "t/a/b", 0755, &e), 0);
	CHECK_INT(fd_mkdirs(dir, "t/c", 0, &e), 0);
	put(dir, "t/a/f", "x");
	CHECK_INT(symlinkat(outside, dir, "t/a/link"), 0);
	CHECK_INT(symlinkat("/", dir, "t/root"), 0);
	CHECK_INT(mkfifoat(dir, "t/p", 0600), 0);
	CHECK_INT(symlinkat(outside, dir, "l"), 0);
	unsigned fds = open_fds();
	CHECK_INT(fd_remove_tree(dir, "t", &e), 0);
	CHECK_INT(fd_remove_tree(dir, "l", &e), 0);
	CHECK_INT(open_fds(), fds);
	CHECK_INT(count(dir), 0);
	CHECK(faccessat(other, "keep", F_OK, 0) == 0);
	drop_dir(path);
	drop_dir(outside);
}

#define LEVELS 10000

TEST(remove_deep, "fd_remove_tree: 10,000 levels, with few descriptors")
{
	char path[PATH_MAX];
	struct err e = { 0 };
	auto_close int dir = new_dir(path);
	auto_close int at = dup(dir);

	for (int i = 0; i < LEVELS; i++) {
		if (mkdirat(at, "d", 0755) < 0 || mkdirat(at, "e", 0755) < 0)
			break;
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			break;
		fd_cleanup(&at);
		at = next;
	}
	put(at, "f", "deep");
	CHECK_INT(fd_remove_tree(dir, "d", &e), 0);
	if (*e.msg)
		printf("# %s\n", e.msg);
	CHECK_INT(count(dir), 1); /* e */
	drop_dir(path);
}

TEST(remove_wide, "fd_remove_tree: 5,000 subdirectories with files are removed in reasonable time")
{
	char path[PATH_MAX], name[64];
	struct err e = { 0 };
	auto_close int dir = new_dir(path);

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "t/%d", i);
		CHECK_INT(fd_mkdirs(dir, name, 0755, &e), 0);
		snprintf(name, sizeof(name), "t/%d/f", i);
		put(dir, name, "");
	}
	alarm(60); /* dies, where a walk that starts over for each directory would take minutes */
	CHECK_INT(fd_remove_tree(dir, "t", &e), 0);
	alarm(0);
	drop_dir(path);
}

/* in a mount namespace of its own; 77: cannot mount */
static int mounted_inside(const char *path, const char *type)
{
	char mnt[PATH_MAX + 16];
	struct err e = { 0 };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 77;
	/* opened here: a descriptor from before would not see what is mounted in this namespace */
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(mnt, sizeof(mnt), "%s/t/a/m", path);
	bool bind = !strcmp(type, "bind");
	if (mount(bind ? path : "tmpfs", mnt, bind ? NULL : "tmpfs", bind ? MS_BIND : 0, NULL))
		return 77;
	snprintf(mnt, sizeof(mnt), "t/a/m/%s", bind ? "outside" : "inside");
	put(dir, mnt, "precious");
	if (fd_remove_tree(dir, "t", &e) == 0 || fd_remove_tree(dir, "t/a/m", &e) == 0)
		return 1;
	if (e.code != EBUSY)
		return 2;
	return faccessat(dir, mnt, F_OK, 0) == 0 ? 0 : 3;
}

TEST(remove_mounted, "fd_remove_tree: does not empty a mount inside, of another or the same file system")
{
	static const char *const types[] = { "tmpfs", "bind" };

	if (geteuid())
		SKIP("needs root");
	for (size_t i = 0; i < 2; i++) {
		char path[PATH_MAX];
		struct err e = { 0 };
		int status = -1;
		auto_close int dir = new_dir(path);
		CHECK_INT(fd_mkdirs(dir, "t/a/m", 0755, &e), 0);
		CHECK_INT(fd_mkdirs(dir, "t/a/z/z", 0755, &e), 0);
		pid_t pid = fork();
		if (!pid)
			_exit(mounted_inside(path, types[i]));
		CHECK(waitpid(pid, &status, 0) == pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			drop_dir(path);
			SKIP("cannot mount");
		}
		if (status)
			printf("# %s: status %d\n", types[i], WEXITSTATUS(status));
		CHECK_INT(status, 0);
		if (i == 1)
			CHECK(faccessat(dir, "outside", F_OK, 0) == 0);
		drop_dir(path);
	}
}

TEST(dir_size, "fd_dir_size: adds up what is below, not behind links")
{
	char path[PATH_MAX], text[8192];
	struct err e = { 0 };
	uint64_t bytes = 0, more = 0;
	auto_close int dir = new_dir(path);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	CHECK_INT(fd_mkdirs(dir, "a/b", 0755, &e), 0);
	CHECK_INT(fd_dir_size(dir, ".", &bytes, &e), 0);
	put(dir, "a/b/f", text);
	CHECK_INT(symlinkat("/usr", dir, "l"), 0);
	CHECK_INT(fd_dir_size(dir, ".", &more, &e), 0);
	CHECK(more >= bytes + 8192 && more < bytes + 65536);
	drop_dir(path);
}

/* as many levels as keep no descriptor, each with a sibling on either side and a file of a block in each */
TEST(dir_size_deep, "fd_dir_size: every directory once, however deep, with few descriptors")
{
	char path[PATH_MAX], block[4096];
	struct err e = { 0 };
	struct stat st;
	uint64_t bytes = 0, want = 0;
	auto_close int dir = new_dir(path);
	auto_close int at = dup(dir);

	memset(block, 'x', sizeof(block) - 1);
	block[sizeof(block) - 1] = 0;
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 3; k++) {
			char name[2] = { (char)('a' + k), 0 };
			CHECK_INT(mkdirat(at, name, 0755), 0);
			auto_close int sub = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			put(sub, "f", block);
			CHECK_INT(fstatat(sub, "f", &st, 0), 0);
			want += (uint64_t)st.st_blocks * 512;
		}
		int next = openat(at, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd_cleanup(&at);
		at = next;
	}
	unsigned fds = open_fds();
	CHECK_INT(fd_dir_size(dir, ".", &bytes, &e), 0);
	CHECK_INT(open_fds(), fds);
	/* directories have blocks of their own, on some file systems */
	CHECK(bytes >= want && (bytes - want) % 512 == 0 && bytes - want <= 180ull * 4096);
	drop_dir(path);
}

TEST(dir_reader, "dir: every name once, without dots, however many there are")
{
	enum { N = 3000 };
	char path[PATH_MAX], name[32];
	auto_close int dir = new_dir(path);
	auto_dir_reader struct dir d;
	const struct dirent *de;
	static bool seen[N];
	size_t n = 0;

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "%d.%.*d", i, i % 20 + 1, 0);
		put(dir, name, "");
	}
	CHECK_INT(dir_open(&d, dir, "."), 0);
	while ((de = dir_next(&d))) {
		int i = atoi(de->d_name);
		CHECK(*de->d_name != '.' && i >= 0 && i < N && !seen[i]);
		seen[i] = true;
		n++;
	}
	CHECK_INT(errno, 0);
	CHECK_INT(n, N);
	struct dir none;
	CHECK_INT(dir_open(&none, dir, "none"), -1);
	CHECK_INT(errno, ENOENT);
	struct dir file;
	dir_start(&file, openat(dir, "0.0", O_RDONLY | O_CLOEXEC));
	CHECK(!dir_next(&file));
	CHECK_INT(errno, ENOTDIR);
	dir_close(&file);
	drop_dir(path);
}

TEST(ownership, "fd: take_fd, take_ptr and the clean-up functions")
{
	char *s = strdup("x");
	auto_close int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int taken = take_fd(&fd);
	auto_free char *p = take_ptr(s);

	CHECK(!s && p);
	CHECK_INT(fd, -1);
	CHECK(taken >= 0);
	errno = EDOM;
	fd_cleanup(&taken);
	CHECK_INT(errno, EDOM);
	CHECK_INT(taken, -1);
	CHECK_INT(fd_close(&taken), 0);
}

TEST(transfer, "fd: writes and reads through pipes in pieces")
{
	int p[2], status;
	static char in[300000], out[300000];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 7);
	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (!pid) {
		close(p[0]);
		_exit(fd_write_all(p[1], in, sizeof(in)) == 0 ? 0 : 1);
	}
	close(p[1]);
	CHECK_INT(fd_read_full(p[0], out, sizeof(out)), sizeof(out));
	CHECK_INT(fd_read_full(p[0], out, 1), 0);
	CHECK_INT(memcmp(in, out, sizeof(in)), 0);
	close(p[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
	CHECK_INT(fd_write_all(-1, "x", 1), -1);
	CHECK_INT(errno, EBADF);
	CHECK_INT(fd_read_full(-1, out, 1), -1);
}

UNIT_MAIN(publish, publish_fails, publish_over_leftovers, publish_full, read_file, read_proc, mkdirs, remove_simple, remove_deep,
	  remove_wide, remove_mounted, dir_size, dir_size_deep, dir_reader, ownership, transfer)
