/* SPDX-License-Identifier: Apache-2.0
 * base_holes - unit tests of core/base/holes.c, on TMPDIR, a ramfs, and an overlay above
 */
#include "core/base/holes.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "testsuite/unit/unit.h"

#define GIB (1ll << 30)

struct piece { off_t from, to; };

/* data at these places, and a hole to the end */
static int make(const char *path, const struct piece *v, size_t n, off_t size)
{
	static char page[4096];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memset(page, 'x', sizeof(page));
	for (size_t i = 0; i < n; i++)
		for (off_t at = v[i].from; at < v[i].to; at += (off_t)sizeof(page))
			CHECK(pwrite(fd, page, sizeof(page), at) == sizeof(page));
	CHECK(ftruncate(fd, size) == 0);
	return fd;
}

/* All that was written is found, and not much more. */
static void check(int fd, const struct piece *v, size_t n, off_t size)
{
	off_t from, to = 0, all = 0, wanted = 0;
	size_t i = 0;
	int r;

	while ((r = holes_next(fd, to, size, &from, &to)) > 0) {
		CHECK(from < to && to <= size);
		all += to - from;
		for (; i < n && v[i].from >= from && v[i].from < to; i++)
			CHECK(v[i].to <= to);
	}
	CHECK_INT(r, 0);
	CHECK_INT(i, n);
	for (i = 0; i < n; i++)
		wanted += v[i].to - v[i].from;
	CHECK(all < wanted + (1 << 20));
}

static void check_all(const char *dir)
{
	static const struct piece pieces[] = {
		{ 0, 4096 }, { 65536, 131072 }, { GIB + 4096, GIB + 12288 }, { 3 * GIB, 3 * GIB + 4096 },
	};
	char path[4096];

	snprintf(path, sizeof(path), "%s/sparse", dir);
	for (size_t first = 0; first < 2; first++)
		for (size_t n = 0; n + first <= 4; n++)
			for (off_t more = 0; more < 2; more++) {
				off_t size = n ? pieces[first + n - 1].to + more * GIB : GIB;
				auto_close int fd = make(path, pieces + first, n, size);
				check(fd, pieces + first, n, size);
			}
	unlink(path);
}

TEST(of_tmpdir, "holes: as lseek() tells, in TMPDIR")
{
	const char *tmp = getenv("TMPDIR");

	check_all(tmp ? tmp : "/tmp");
}

TEST(of_ramfs_and_overlay, "holes: of a ramfs, by what is in memory; through an overlay")
{
	char dir[] = "/tmp/rktbox-holes-XXXXXX", name[200], options[400];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		SKIP("needs root");
	REQUIRE(mkdtemp(dir));
	REQUIRE(mount("ramfs", dir, "ramfs", 0, NULL) == 0);
	check_all(dir);
	REQUIRE(umount(dir) == 0);
	REQUIRE(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
	static const char *const subs[] = { "lower", "upper", "work", "merged" };
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, subs[i]);
		REQUIRE(mkdir(name, 0755) == 0);
	}
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", dir, dir, dir);
	if (mount("overlay", name, "overlay", 0, options) == 0) {
		check_all(name);
		umount(name);
	}
	umount(dir);
	rmdir(dir);
}

UNIT_MAIN(of_tmpdir, of_ramfs_and_overlay)
