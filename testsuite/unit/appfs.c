/* SPDX-License-Identifier: Apache-2.0
 * appfs - an app's root: overlay, in memory or copied, and what is seen of it afterwards
 */
#include "core/pod/appfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "testsuite/unit/unit.h"

static char home[200];

/* each case in a mount namespace of its own, in an empty directory; NULL or why that cannot be */
static const char *enter(const char *fs_type)
{
	snprintf(home, sizeof(home), "%s/appfs.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (geteuid() != 0)
		return "needs root";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "needs a mount namespace";
	if (!mkdtemp(home))
		return "needs a temporary directory";
	if (mount("unit", home, fs_type, 0, NULL) < 0) {
		rmdir(home);
		return "needs a file system of that type";
	}
	return chdir(home) < 0 ? "chdir" : NULL;
}

static void leave(void)
{
	if (chdir("/") == 0 && umount2(home, MNT_DETACH) == 0)
		rmdir(home);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *get(int dir_fd, const char *path)
{
	static char text[100];
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n < 0)
		return NULL;
	text[n] = 0;
	return text;
}

/* an image's tree with a comma and a colon in its path, as a data directory may have them */
#define LOWER "store,a:b/tree"

static int make_lower(void)
{
	mkdir("store,a:b", 0755);
	mkdir(LOWER, 0700);
	put(LOWER "/keep", "image");
	put(LOWER "/gone", "image");
	CHECK_INT(chown(LOWER, 7, 8), 0);
	CHECK_INT(chmod(LOWER, 01755), 0);
	return open(LOWER, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int make_pod(void)
{
	struct err e;

	CHECK_INT(mkdir("pod", 0755), 0);
	CHECK_INT(fd_mkdirs(AT_FDCWD, "pod/stage1/rootfs/opt/stage2/app/rootfs", 0755, &e), 0);
	CHECK_INT(fd_mkdirs(AT_FDCWD, "pod/appsinfo/app", 0755, &e), 0);
	return open("pod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#define ROOT "stage1/rootfs/opt/stage2/app/rootfs"

/* an app that changes things, seen from inside */
static void change(void)
{
	struct statfs fs;
	struct stat st;

	CHECK_INT(stat(ROOT, &st), 0);
	CHECK_INT(st.st_mode & 07777, 01755);
	CHECK_INT(st.st_uid, 7);
	CHECK_INT(st.st_gid, 8);
	CHECK_INT(statfs(ROOT, &fs), 0);
	CHECK(fs.f_flags & 4 /* ST_NODEV */);
	CHECK_STR(get(AT_FDCWD, ROOT "/keep"), "image");
	put(ROOT "/keep", "app");
	put(ROOT "/new", "app");
	CHECK_INT(unlink(ROOT "/gone"), 0);
	CHECK_INT(mknod(ROOT "/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	CHECK(open(ROOT "/null", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
}

static void check_changed(int root_fd)
{
	CHECK_STR(get(root_fd, "keep"), "app");
	CHECK_STR(get(root_fd, "new"), "app");
	CHECK(faccessat(root_fd, "gone", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
}

static void umount_app(void)
{
	CHECK_INT(umount2(ROOT, 0), 0);
}

/* ---- */

TEST(overlay, "appfs: an overlay in the pod directory keeps the image as it is")
{
	struct err e = { .msg = "" };
	const char *why = enter("tmpfs");
	if (why)
		SKIP(why);
	int lower_fd = make_lower(), pod_fd = make_pod();

	CHECK_INT(appfs_prepare(pod_fd, "app", lower_fd, &e), 0);
	CHECK_STR(e.msg, "");
	CHECK(appfs_is_overlay(pod_fd, "app"));
	CHECK_INT(chdir("pod"), 0);
	CHECK_INT(appfs_mount("app", lower_fd, NULL, &e), 0);
	CHECK_STR(e.msg, "");
	change();
	CHECK_STR(get(AT_FDCWD, "../" LOWER "/keep"), "image");
	CHECK_STR(get(AT_FDCWD, "appsinfo/app/upper/new"), "app");
	umount_app();

	/* as after a crash: the mark of the volatile overlay is still there */
	CHECK(access("appsinfo/app/work/work/incompat/volatile", F_OK) == 0);
	int root_fd = appfs_mount_ro(pod_fd, "app", lower_fd, &e);
	CHECK(root_fd >= 0);
	CHECK_STR(e.msg, "");
	check_changed(root_fd);
	CHECK(openat(root_fd, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0 && errno == EROFS);
	close(root_fd);
	close(pod_fd);
	close(lower_fd);
	leave();
}

TEST(in_memory, "appfs: on a ramfs changes go to a tmpfs, and their loss is told afterwards")
{
	struct err e = { .msg = "" };
	const char *why = enter("ramfs");
	if (why)
		SKIP(why);
	int lower_fd = make_lower(), pod_fd = make_pod();

	CHECK_INT(appfs_prepare(pod_fd, "app", lower_fd, &e), 0);
	CHECK_INT(chdir("pod"), 0);
	CHECK_INT(appfs_mount("app", lower_fd, NULL, &e), 0);
	CHECK_STR(e.msg, "");
	change();
	/* what overlayfs cannot do on a ramfs: forget a directory of the image for good */
	CHECK_STR(get(AT_FDCWD, "../" LOWER "/gone"), "image");
	umount_app();
	CHECK_INT(umount2("appsinfo/app/upper", 0), 0);
	CHECK_INT(appfs_mount_ro(pod_fd, "app", lower_fd, &e), -1);
	CHECK_INT(e.code, ENODATA);
	CHECK_HAS(e.msg, "in memory");
	close(pod_fd);
	close(lower_fd);
	leave();
}

TEST(copy, "appfs: a copy looks like the image, with devices switched off")
{
	struct err e = { .msg = "" };
	const char *why = enter("tmpfs");
	if (why)
		SKIP(why);
	int lower_fd = make_lower(), pod_fd = make_pod();

	int copy_fd = openat(pod_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(appfs_copy(copy_fd, "app", lower_fd, &e), 0);
	CHECK_STR(e.msg, "");
	CHECK(!appfs_is_overlay(pod_fd, "app"));
	CHECK_INT(chdir("pod"), 0);
	CHECK_INT(appfs_mount("app", -1, NULL, &e), 1);
	change();
	CHECK_STR(get(AT_FDCWD, "../" LOWER "/keep"), "image");
	umount_app();
	int root_fd = appfs_mount_ro(pod_fd, "app", -1, &e);
	CHECK(root_fd >= 0);
	check_changed(root_fd);
	close(root_fd);
	close(copy_fd);
	close(pod_fd);
	close(lower_fd);
	leave();
}

/* an upper directory on an overlay is what a rktbox inside a container meets */
TEST(nested, "appfs: on an overlay changes go to a tmpfs")
{
	struct err e = { .msg = "" };
	const char *why = enter("tmpfs");
	if (why)
		SKIP(why);
	int lower_fd = make_lower();

	mkdir("l", 0755);
	mkdir("u", 0755);
	mkdir("w", 0755);
	mkdir("m", 0755);
	REQUIRE(mount("overlay", "m", "overlay", 0, "lowerdir=l,upperdir=u,workdir=w") == 0);
	REQUIRE(chdir("m") == 0);
	int pod_fd = make_pod();
	CHECK_INT(appfs_prepare(pod_fd, "app", lower_fd, &e), 0);
	CHECK_INT(chdir("pod"), 0);
	CHECK_INT(appfs_mount("app", lower_fd, NULL, &e), 0);
	CHECK_STR(e.msg, "");
	change();
	CHECK(access("appsinfo/app/upper/upper/new", F_OK) == 0);
	umount_app();
	CHECK_INT(umount2("appsinfo/app/upper", 0), 0);
	CHECK(access("appsinfo/app/in-memory", F_OK) == 0);
	close(pod_fd);
	close(lower_fd);
	leave();
}

/* overlays stack twice and no more, so above this no overlay can be mounted: the same as without overlayfs */
TEST(late_copy, "appfs: where no overlay can be mounted, the tree is copied when the pod starts")
{
	struct err e = { .msg = "" };
	const char *why = enter("tmpfs");
	if (why)
		SKIP(why);
	static const char *const dirs[] = { "l", "u", "w", "m", "u2", "w2", "m2" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		mkdir(dirs[i], 0755);
	REQUIRE(mount("overlay", "m", "overlay", 0, "lowerdir=l,upperdir=u,workdir=w") == 0);
	REQUIRE(mount("overlay", "m2", "overlay", 0, "lowerdir=m,upperdir=u2,workdir=w2") == 0);
	int pod_fd = make_pod();
	REQUIRE(chdir("m2") == 0);
	int lower_fd = make_lower();
	REQUIRE(chdir(home) == 0);
	CHECK_INT(appfs_prepare(pod_fd, "app", lower_fd, &e), 0);
	CHECK_INT(chdir("pod"), 0);
	CHECK_INT(appfs_mount("app", lower_fd, NULL, &e), 1);
	CHECK_STR(e.msg, "");
	change();
	CHECK(!appfs_is_overlay(pod_fd, "app"));
	CHECK_STR(get(lower_fd, "keep"), "image");
	umount_app();
	int root_fd = appfs_mount_ro(pod_fd, "app", -1, &e);
	CHECK(root_fd >= 0);
	check_changed(root_fd);
	close(root_fd);
	close(pod_fd);
	close(lower_fd);
	leave();
}

TEST(targets, "appfs: where apps and a stage 1 are mounted")
{
	char path[APPFS_PATH_MAX];

	appfs_target("app", path);
	CHECK_STR(path, ROOT);
	appfs_target(APPFS_STAGE1, path);
	CHECK_STR(path, "stage1/rootfs");
}

UNIT_MAIN(overlay, in_memory, copy, nested, late_copy, targets)
