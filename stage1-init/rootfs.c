/* SPDX-License-Identifier: Apache-2.0
 * rootfs - see rootfs.h
 */
#include "stage1-init/rootfs.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

int root_open(int root_fd, const char *path, int flags, enum root_links links)
{
	unsigned inside = DEFENCE("in-root") ? SYS_IN_ROOT | SYS_NO_MAGICLINKS : 0;

	return sys_open_in(root_fd, path, flags,
		inside | (links == ROOT_NO_LINKS && DEFENCE("no-links") ? SYS_NO_SYMLINKS : 0));
}

int root_open_file(int root_fd, const char *path)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO must not hold us up; devices are out of reach, the root is mounted
	 * nodev */
	auto_close int fd = root_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, ROOT_FOLLOW);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = ENOENT;
		return -1;
	}
	return take_fd(&fd);
}

uint64_t root_mount_id(int fd)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, 0x1000 /* STATX_MNT_ID */, &sx) < 0 ||
		!(sx.stx_mask & 0x1000))
		return 0;
	/* stx_mnt_id, which not every C library's struct names: the field behind stx_dev_minor */
	uint64_t id;
	memcpy(&id, (const char *)&sx + 0x90, sizeof(id));
	return id;
}

static bool on_kernel_fs(int fd)
{
	struct statfs fs;

	if (!DEFENCE("kernel-fs"))
		return false;
	return fstatfs(fd, &fs) < 0 || fs.f_type == SYS_MAGIC_PROC ||
	       fs.f_type == SYS_MAGIC_SYSFS || fs.f_type == SYS_MAGIC_CGROUP ||
	       fs.f_type == SYS_MAGIC_CGROUP2;
}

static bool on_foreign(int fd, const struct root_foreign *foreign)
{
	uint64_t id = foreign->n ? root_mount_id(fd) : 0;

	for (size_t i = 0; i < foreign->n; i++)
		if (foreign->mount_ids[i] == id && DEFENCE("foreign"))
			return true;
	return false;
}

static int may_create(
	int parent_fd, const char *path, const struct root_foreign *foreign, struct err *e)
{
	if (on_kernel_fs(parent_fd))
		return err_set(
			e, EINVAL, "mount point %s: lies in a file system of the kernel", path);
	if (on_foreign(parent_fd, foreign))
		return err_set(e, ENOENT,
			"mount point %s: does not exist in the host volume it lies in; create it "
			"there",
			path);
	return 0;
}

/* one name below @parent_fd, made there as directory or empty file; its O_PATH descriptor */
static int create_one(int parent_fd, const char *name, bool dir, const char *path, struct err *e)
{
	int fd;

	if (dir) {
		if (mkdirat(parent_fd, name, 0755) < 0)
			goto fail;
	} else {
		auto_close int file = openat(parent_fd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (file < 0)
			goto fail;
	}
	fd = openat(parent_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (dir ? O_DIRECTORY : 0));
	if (fd >= 0)
		return fd;
fail:
	/* it was not there a moment ago when looked for through links */
	if (errno == EEXIST)
		return err_set(
			e, EEXIST, "mount point %s: a dangling symbolic link is in the way", path);
	if (errno == EROFS)
		return err_set(e, EROFS,
			"mount point %s: does not exist, and the image is read-only", path);
	return err_sys(e, "create mount point %s", path);
}

/* makes what is missing of the path; every prefix is resolved anew inside the root, so links may be
 * on the way */
static int create_path(
	int root_fd, const char *path, bool dir, const struct root_foreign *foreign, struct err *e)
{
	char prefix[PATH_MAX];
	size_t len = 0;
	auto_close int at = root_open(root_fd, ".", O_PATH | O_DIRECTORY, ROOT_FOLLOW);
	const char *p = path;

	if (at < 0)
		return err_sys(e, "open root");
	while (p += strspn(p, "/"), *p) {
		size_t n = strcspn(p, "/");
		bool last = !p[n + strspn(p + n, "/")];
		if (len + n + 2 > sizeof(prefix))
			return err_set(e, ENAMETOOLONG, "mount point %s: path too long", path);
		prefix[len++] = '/';
		memcpy(prefix + len, p, n);
		prefix[len + n] = 0;
		int next = root_open(
			root_fd, prefix, O_PATH | (last && !dir ? 0 : O_DIRECTORY), ROOT_FOLLOW);
		if (next < 0 && errno != ENOENT)
			return err_sys(e, "mount point %s", path);
		if (next < 0 && may_create(at, path, foreign, e) < 0)
			return -1;
		if (next < 0)
			next = create_one(at, prefix + len, dir || !last, path, e);
		if (next < 0)
			return -1;
		close(at);
		at = next;
		len += n;
		p += n;
	}
	return take_fd(&at);
}

static const char *kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "a regular file";
	case S_IFDIR: return "a directory";
	case S_IFLNK: return "a symbolic link";
	case S_IFIFO: return "a FIFO";
	case S_IFSOCK: return "a socket";
	default: return "a device";
	}
}

/* The spec: where a directory volume goes and a file is, the file goes. Only under its own name,
 * not through a link. */
static int replace_file(
	int root_fd, const char *path, const struct root_foreign *foreign, struct err *e)
{
	char parent[PATH_MAX];
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(parent))
		return err_set(e, ENAMETOOLONG, "mount point %s: path too long", path);
	memcpy(parent, path, len);
	parent[len] = 0;
	char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : parent;
	struct stat st;
	auto_close int at = -1;
	if (!slash || slash == parent) {
		at = root_open(root_fd, ".", O_PATH | O_DIRECTORY, ROOT_FOLLOW);
	} else {
		*slash = 0;
		at = root_open(root_fd, parent, O_PATH | O_DIRECTORY, ROOT_FOLLOW);
	}
	if (at < 0)
		return err_sys(e, "mount point %s", path);
	if (may_create(at, path, foreign, e) < 0)
		return -1;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ENOTDIR, "mount point %s: not a directory in the image", path);
	if (unlinkat(at, name, 0) < 0)
		return err_sys(e, "replace the file at mount point %s", path);
	return create_one(at, name, true, path, e);
}

int root_mount_point(
	int root_fd, const char *path, bool dir, const struct root_foreign *foreign, struct err *e)
{
	struct stat st;
	auto_close int fd = root_open(root_fd, path, O_PATH, ROOT_FOLLOW);

	if (fd < 0 && errno == ENOENT)
		fd = create_path(root_fd, path, dir, foreign, e);
	else if (fd < 0)
		err_sys(e, "mount point %s", path);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "mount point %s", path);
	if (on_kernel_fs(fd))
		return err_set(
			e, EINVAL, "mount point %s: lies in a file system of the kernel", path);
	if (dir && S_ISREG(st.st_mode))
		return replace_file(root_fd, path, foreign, e);
	if (dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(e, EINVAL, "mount point %s: %s in the image, and the volume is %s",
			path, kind(st.st_mode), dir ? "a directory" : "a file or a device");
	return take_fd(&fd);
}

int root_system_dir(int root_fd, const char *name, struct err *e)
{
	struct stat st;
	int fd = root_open(root_fd, name, O_PATH | O_DIRECTORY, ROOT_NO_LINKS);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT) {
		if (mkdirat(root_fd, name, 0755) == 0)
			fd = root_open(root_fd, name, O_PATH | O_DIRECTORY, ROOT_NO_LINKS);
		if (fd >= 0)
			return fd;
		return err_sys(e, "create /%s in the image", name);
	}
	if ((errno == ELOOP || errno == ENOTDIR) &&
		fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ENOTDIR, "/%s must be a directory, and is %s in the image", name,
			kind(st.st_mode));
	return err_sys(e, "open /%s in the image", name);
}
