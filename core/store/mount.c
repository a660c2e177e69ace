/* SPDX-License-Identifier: Apache-2.0
 * mount - see mount.h
 */
#include "core/store/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

#define EROFS_MAGIC 0xe0f5e1e2ul

/* LOOP_CONFIGURE and its struct came with 5.8; here for older headers, as kernel ABI */
#ifndef LOOP_CONFIGURE
#define LOOP_CONFIGURE 0x4C0A
struct loop_config {
	uint32_t           fd, block_size;
	struct loop_info64 info;
	uint64_t           reserved[8];
};
#endif

enum { LOOP_TRIES = 200, DROP_TRIES = 16 };

/* ---- loop devices ---- */

static int configure_loop(int loop_fd, int file_fd, bool direct)
{
	struct loop_config c = {
		.fd = (uint32_t)file_fd, .block_size = 512,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | (direct ? LO_FLAGS_DIRECT_IO : 0),
	};

	if (ioctl(loop_fd, LOOP_CONFIGURE, &c) == 0)
		return 0;
	/* a file system that cannot read directly in blocks of that size */
	if (errno != EINVAL || !direct)
		return -1;
	c.info.lo_flags &= ~(uint32_t)LO_FLAGS_DIRECT_IO;
	return ioctl(loop_fd, LOOP_CONFIGURE, &c);
}

static int no_node(int number, struct err *e)
{
	if (errno != ENOENT)
		return err_sys(e, "open /dev/loop%d", number);
	return err_set(e, ENXIO, "loop device %d is free, but there is no /dev/loop%d (mknod /dev/loop%d b 7 %d makes it)",
		       number, number, number, number);
}

/* Between the question for a free one and taking it somebody else may have been faster. */
static int open_loop(int control_fd, int file_fd, bool direct, int *number, struct err *e)
{
	for (int i = 0; i < LOOP_TRIES; i++) {
		char path[32];
		*number = ioctl(control_fd, LOOP_CTL_GET_FREE);
		if (*number < 0)
			return err_sys(e, "find a free loop device");
		snprintf(path, sizeof(path), "/dev/loop%d", *number);
		auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return no_node(*number, e);
		if (configure_loop(fd, file_fd, direct) == 0)
			return take_fd(&fd);
		if (errno != EBUSY)
			return err_sys(e, "set up %s", path);
		usleep(500u * (unsigned)(i < 20 ? i : 20));
	}
	return err_set(e, EBUSY, "set up a loop device: others are always faster");
}

/* ---- the file system ---- */

/* what the kernel has to say about it: "e erofs: ..." lines */
static void explain(int fs_fd, struct err *e)
{
	char text[200];

	ssize_t n = read(fs_fd, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	err_wrap(e, "%s", text[0] && text[1] == ' ' ? text + 2 : text);
}

static int set_option(int fs_fd, const char *key, const char *value, struct err *e)
{
	if (sys_fsconfig(fs_fd, value ? SYS_CONFIG_STRING : SYS_CONFIG_FLAG, key, value) == 0)
		return 0;
	err_sys(e, "mount option %s", key);
	explain(fs_fd, e);
	return -1;
}

/* a name under which the kernel opens what we have open */
struct device { char path[40]; };

static struct device of_fd(int fd)
{
	struct device d;

	snprintf(d.path, sizeof(d.path), "/proc/self/fd/%d", fd);
	return d;
}

static int create(int fs_fd, struct err *e)
{
	int fd = sys_fsconfig(fs_fd, SYS_CONFIG_CREATE, NULL, NULL) < 0 ? -1 :
		 sys_fsmount(fs_fd, SYS_ATTR_RDONLY | SYS_ATTR_NODEV | SYS_ATTR_NOSUID);

	if (fd >= 0)
		return fd;
	err_sys(e, "mount");
	explain(fs_fd, e);
	return -1;
}

/* @devices: the index, then the blobs */
static int mount_devices(const struct device *devices, size_t n, bool direct, struct err *e)
{
	auto_close int fs_fd = sys_fsopen("erofs");

	if (fs_fd < 0)
		return errno == ENODEV ? err_set(e, ENODEV, "the kernel has no EROFS") : err_sys(e, "open EROFS");
	if (set_option(fs_fd, "source", devices[0].path, e) < 0 || set_option(fs_fd, "ro", NULL, e) < 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (set_option(fs_fd, "device", devices[i].path, e) < 0)
			return -1;
	/* since 6.14; it saves memory, and without it everything works */
	if (direct)
		sys_fsconfig(fs_fd, SYS_CONFIG_FLAG, "directio", NULL);
	return create(fs_fd, e);
}

static int mount_files(int index_fd, const int *blob_fds, size_t n, bool direct, struct err *e)
{
	struct device *v = calloc(n + 1, sizeof(*v));

	if (!v)
		return err_set(e, ENOMEM, "mount: out of memory");
	v[0] = of_fd(index_fd);
	for (size_t i = 0; i < n; i++)
		v[i + 1] = of_fd(blob_fds[i]);
	int fd = mount_devices(v, n + 1, direct, e);
	free(v);
	/* whether it is the kernel or the file system, it says the same */
	if (fd < 0 && e->code == ENOTBLK)
		err_set(e, ENOTBLK, "EROFS from files needs Linux 6.12, with CONFIG_EROFS_FS_BACKED_BY_FILE, and another file "
			"system than tmpfs or overlayfs: %s", strerror(ENOTBLK));
	return fd;
}

static int set_up_loops(int index_fd, const int *blob_fds, size_t n, bool direct, int *loop_fds, struct device *v,
			struct err *e)
{
	auto_close int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control_fd < 0 && errno == ENOENT)
		return err_set(e, ENXIO, "there are no loop devices (no /dev/loop-control; modprobe loop makes it)");
	if (control_fd < 0)
		return err_sys(e, "open /dev/loop-control");
	for (size_t i = 0; i < n; i++) {
		int number;
		/* the index is small, and read in pieces that are smaller than what direct I/O would take */
		loop_fds[i] = open_loop(control_fd, i ? blob_fds[i - 1] : index_fd, i && direct, &number, e);
		if (loop_fds[i] < 0)
			return -1;
		snprintf(v[i].path, sizeof(v[i].path), "/dev/loop%d", number);
	}
	return 0;
}

/* Whatever happens, each device clears itself when we and the mount have closed it. */
static int mount_loops(int index_fd, const int *blob_fds, size_t n, bool direct, struct err *e)
{
	struct device *v = calloc(n + 1, sizeof(*v));
	int *loop_fds = malloc((n + 1) * sizeof(*loop_fds)), fd = -1;

	for (size_t i = 0; loop_fds && i <= n; i++)
		loop_fds[i] = -1;
	if (!v || !loop_fds)
		err_set(e, ENOMEM, "mount: out of memory");
	else if (set_up_loops(index_fd, blob_fds, n + 1, direct, loop_fds, v, e) == 0)
		fd = mount_devices(v, n + 1, false, e);
	for (size_t i = 0; loop_fds && i <= n; i++)
		fd_cleanup(&loop_fds[i]);
	free(loop_fds);
	free(v);
	return fd;
}

int mount_index(int index_fd, const int *blob_fds, size_t n, const struct mount_opts *o, struct err *e)
{
	return (o->loop ? mount_loops : mount_files)(index_fd, blob_fds, n, o->direct, e);
}

/* ---- places ---- */

int mount_attach(int mount_fd, int dir_fd, const char *name, struct err *e)
{
	if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "create %s", name);
	return sys_attach(mount_fd, dir_fd, name) < 0 ? err_sys(e, "mount on %s", name) : 0;
}

static bool is_index(int fd)
{
	struct statx sx;
	struct statfs fs;

	return statx(fd, "", AT_EMPTY_PATH, STATX_INO, &sx) == 0 && (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
	       fstatfs(fd, &fs) == 0 && ((unsigned long)fs.f_type & 0xfffffffful) == EROFS_MAGIC;
}

int mount_open(int dir_fd, const char *name)
{
	auto_close int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && is_index(fd))
		return take_fd(&fd);
	if (fd >= 0)
		errno = ENOENT;
	return -1;
}

static bool path_at(int dir_fd, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "/proc/self/fd/%d/%s", dir_fd, name);

	return n > 0 && n < PATH_MAX;
}

/* never lazily: what somebody still has open would be there, and be nobody's to find */
int mount_drop(int dir_fd, const char *name, struct err *e)
{
	char path[PATH_MAX];

	if (!path_at(dir_fd, name, path))
		return err_set(e, ENAMETOOLONG, "%s: path too long", name);
	/* several lie on each other when they came from different mount namespaces */
	for (int i = 0; i < DROP_TRIES && umount2(path, UMOUNT_NOFOLLOW) == 0; i++)
		;
	if (errno == EBUSY)
		return 0;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 1;
	return errno == EBUSY ? 0 : err_sys(e, "remove %s", name);
}

void mount_detach(int dir_fd, const char *name)
{
	char path[PATH_MAX];

	if (!path_at(dir_fd, name, path))
		return;
	for (int i = 0; i < DROP_TRIES && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++)
		;
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

void mount_leave(const char *path)
{
	auto_dir DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char name[PATH_MAX];
		int n = snprintf(name, sizeof(name), "%s/%s", path, de->d_name);
		if (*de->d_name != '.' && n > 0 && (size_t)n < sizeof(name))
			umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
}
