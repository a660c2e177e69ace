/* SPDX-License-Identifier: Apache-2.0
 * appfs - see appfs.h
 */
#include "core/pod/appfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/rootless.h"
#include "core/base/sys.h"
#include "core/pod/appfs_map.h"
#include "core/store/render.h"

#define IN_MEMORY "in-memory"

/* file systems known by their magic number, so that the common ones need no probe (linux/magic.h) */
enum { MAGIC_EXT = 0xef53, MAGIC_XFS = 0x58465342, MAGIC_OVERLAY = 0x794c7630 };
#define MAGIC_BTRFS 0x9123683eul

void appfs_target(const char *name, char out[APPFS_PATH_MAX])
{
	if (!strcmp(name, APPFS_STAGE1))
		snprintf(out, APPFS_PATH_MAX, "stage1/rootfs");
	else
		snprintf(out, APPFS_PATH_MAX, "stage1/rootfs/opt/stage2/%s/rootfs", name);
}

static void layer_path(const char *name, const char *below, char out[APPFS_PATH_MAX])
{
	snprintf(out, APPFS_PATH_MAX, "appsinfo/%s/%s", name, below);
}

static bool is_there(int dir_fd, const char *path)
{
	struct stat st;

	/* if a failing disk does not tell, whoever opens it says why */
	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool appfs_is_overlay(int pod_fd, const char *name)
{
	char path[APPFS_PATH_MAX];

	layer_path(name, "upper", path);
	return is_there(pod_fd, path);
}

/* ---- a directory like another one: the root of an overlay looks like its upper directory ---- */

static int copy_xattr(int from_fd, int to_fd, const char *name)
{
	char value[4096];

	/* overlayfs keeps its own books in these; and of SELinux the policy says what a file of ours is */
	if (!strncmp(name, "trusted.overlay.", 16) || !strncmp(name, "user.overlay.", 13) ||
	    !strcmp(name, "security.selinux"))
		return 0;
	ssize_t n = fgetxattr(from_fd, name, value, sizeof(value));
	return n < 0 ? -1 : fsetxattr(to_fd, name, value, (size_t)n, 0);
}

static int copy_xattrs(int from_fd, int to_fd)
{
	char names[4096];
	ssize_t n = flistxattr(from_fd, names, sizeof(names));

	if (n <= 0)
		return n < 0 && errno != EOPNOTSUPP ? -1 : 0;
	for (const char *p = names; p < names + n; p += strlen(p) + 1)
		if (copy_xattr(from_fd, to_fd, p) < 0)
			return -1;
	return 0;
}

int appfs_make_alike(int dir_fd, const char *name, int like_fd, struct err *e)
{
	struct stat st;
	/* O_PATH will not do for attributes */
	auto_close int like = openat(like_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (like < 0 || fstat(like, &st) < 0)
		return err_sys(e, "directory of the image");
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (fd < 0 || ((st.st_uid || st.st_gid) && fchown(fd, st.st_uid, st.st_gid) < 0) ||
	    fchmod(fd, st.st_mode & 07777) < 0 || copy_xattrs(like, fd) < 0 || futimens(fd, times) < 0)
		return err_sys(e, "make %s like the image's", name);
	return 0;
}

/* ---- preparing ---- */

static int make_dir(int dir_fd, const char *path, struct err *e)
{
	if (mkdirat(dir_fd, path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "create directory %s", path);
	return 0;
}

/* the directories that an overlay is given */
struct layer {
	char upper[APPFS_PATH_MAX], work[APPFS_PATH_MAX];
};

static struct layer layer_on_disk(const char *name)
{
	struct layer l;

	layer_path(name, "upper", l.upper);
	layer_path(name, "work", l.work);
	return l;
}

/* on a tmpfs over what would be the upper directory */
static struct layer layer_in_memory(const char *name)
{
	struct layer l;

	layer_path(name, "upper/upper", l.upper);
	layer_path(name, "upper/work", l.work);
	return l;
}

static int make_layer(int dir_fd, const struct layer *l, int lower_fd, struct err *e)
{
	if (make_dir(dir_fd, l->upper, e) < 0 || make_dir(dir_fd, l->work, e) < 0)
		return -1;
	return appfs_make_alike(dir_fd, l->upper, lower_fd, e);
}

int appfs_prepare(int pod_fd, const char *name, int lower_fd, struct err *e)
{
	struct layer l = layer_on_disk(name);

	return make_layer(pod_fd, &l, lower_fd, e);
}

int appfs_copy(int pod_fd, const char *name, int lower_fd, struct err *e)
{
	char target[APPFS_PATH_MAX];

	appfs_target(name, target);
	auto_close int fd = fd_open_dir(pod_fd, target, e);
	if (fd < 0 || render_copy(lower_fd, fd, e) < 0)
		return -1;
	/* last: writing into the directory has changed its time */
	return appfs_make_alike(pod_fd, target, lower_fd, e);
}

/* ---- mounting ---- */

/*
 * Whether overlayfs can keep its marks there. On a ramfs it mounts and then forgets what was
 * renamed or deleted; an overlay takes the attributes of another one for its own.
 */
static bool holds_upper(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return false;
	unsigned long magic = (unsigned long)fs.f_type & 0xffffffffu;
	if (magic == MAGIC_EXT || magic == MAGIC_XFS || magic == MAGIC_BTRFS)
		return true;
	const char *mark = rootless_is_user() ? "user.overlay.probe" : "trusted.overlay.probe";
	if (magic == MAGIC_OVERLAY || setxattr(path, mark, "y", 1, 0) < 0)
		return false;
	removexattr(path, mark);
	return true;
}

/*
 * Whatever the kernel's defaults are and whichever file systems are below and above, apps shall see the same:
 * - one file system, and inode numbers that stay when a file is changed. (Without it EROFS would be a second one; two
 *   bits of inode numbers are taken, and where they are not free the kernel goes without.)
 * - directories of the image can be renamed;
 * - chmod and chown copy no content: chown -R of an image takes inodes, not its size.
 * - Of a file with several names the one that is written to becomes a file of its own. The index that would keep them
 *   together makes every first look at a file dearer by a third, and the mount twice as dear.
 */
const struct appfs_option appfs_semantics[APPFS_N_SEMANTICS] = {
	{ "xino", "on" }, { "redirect_dir", "on" }, { "metacopy", "on" }, { "index", "off" },
};

/*
 * In a user namespace overlayfs keeps its marks where users can, too, and trusts none of them enough to follow it: so a
 * directory of the image cannot be renamed (EXDEV, and programs copy it), and chmod copies content. Since 5.11.
 */
#define ROOTLESS_OPTIONS ",userxattr,xino=on,index=off"

static int mount_overlay(const struct layer *l, const char *target, int lower_fd, unsigned long ms)
{
	char options[2 * APPFS_PATH_MAX + 200];

	/* names are AC names (or ours), so nothing needs escaping; the image's path might, hence /proc */
	int n = snprintf(options, sizeof(options),
		"lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s", lower_fd, l->upper, l->work);
	if (rootless_is_user())
		n += snprintf(options + n, sizeof(options) - (size_t)n, ROOTLESS_OPTIONS);
	for (size_t i = 0; !rootless_is_user() && i < APPFS_N_SEMANTICS; i++)
		n += snprintf(options + n, sizeof(options) - (size_t)n, ",%s=%s", appfs_semantics[i].key, appfs_semantics[i].value);
	/* a pod does not outlive a power cut, so nothing needs to be on disk when it ends (since 5.10) */
	snprintf(options + n, sizeof(options) - (size_t)n, ",volatile");
	if (mount("overlay", target, "overlay", ms, options) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	options[n] = 0;
	return mount("overlay", target, "overlay", ms, options);
}

/* upper and work on a tmpfs that goes with the mount namespace */
static int mount_in_memory(const char *name, const char *target, int lower_fd, unsigned long ms, struct err *e)
{
	char on[APPFS_PATH_MAX], mark[APPFS_PATH_MAX];
	struct layer l = layer_in_memory(name);

	layer_path(name, "upper", on);
	layer_path(name, IN_MEMORY, mark);
	auto_close int fd = open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "create %s", mark);
	if (mount("tmpfs", on, "tmpfs", MS_NODEV, "mode=0755") < 0)
		return err_needs(e, "fs-tmpfs", "mount a tmpfs for changes");
	if (holds_upper(on) && make_layer(AT_FDCWD, &l, lower_fd, e) == 0 &&
	    mount_overlay(&l, target, lower_fd, ms) == 0)
		return 0;
	err_needs(e, "overlay tmpfs-xattr", "mount an overlay");
	umount2(on, MNT_DETACH);
	unlink(mark);
	return -1;
}

/* what is left when no overlay can be mounted; the target may hold directories made for one */
static int replace_by_copy(const char *name, const char *target, int lower_fd, struct err *e)
{
	struct layer l = layer_on_disk(name);

	if (fd_remove_tree(AT_FDCWD, target, e) < 0 || make_dir(AT_FDCWD, target, e) < 0 ||
	    appfs_copy(AT_FDCWD, name, lower_fd, e) < 0 || fd_remove_tree(AT_FDCWD, l.work, e) < 0)
		return -1;
	return fd_remove_tree(AT_FDCWD, l.upper, e);
}

/* A stage 1 is as trusted as we are, and may keep devices in its tree. */
static bool allows_devices(const char *name)
{
	return !strcmp(name, APPFS_STAGE1) || !DEFENCE("nodev");
}

/* without mount_setattr (before 5.12) a remount has to name the flags that shall stay, too */
static int restrict_old(const char *target)
{
	struct statvfs vfs;

	if (statvfs(target, &vfs) < 0)
		return -1;
	unsigned long keep = (vfs.f_flag & ST_NOSUID ? MS_NOSUID : 0) |
			     (vfs.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) |
			     (vfs.f_flag & ST_RDONLY ? MS_RDONLY : 0) |
			     (vfs.f_flag & ST_NOATIME ? MS_NOATIME : 0) |
			     (vfs.f_flag & ST_RELATIME ? MS_RELATIME : 0);
	return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_NODEV | keep, NULL);
}

/* a copy: a mount of its own, for devices to be switched off on it */
static int settle_copy(const char *name, const char *target, const struct appfs_owners *o, struct err *e)
{
	if (o && appfs_map_copy(target, o, e) < 0)
		return -1;
	if (allows_devices(name))
		return 1;
	if (!o && mount(target, target, NULL, MS_BIND, NULL) < 0)
		return err_needs(e, "caps", "bind mount on %s", target);
	if (sys_restrict(AT_FDCWD, target, SYS_ATTR_NODEV) < 0 && (errno != ENOSYS || restrict_old(target) < 0))
		return err_needs(e, "mount-setattr caps", "restrict the mount on %s", target);
	return 1;
}

static int mount_writable(
	const char *name, const char *target, int lower_fd, bool on_disk, unsigned long ms, struct err *e)
{
	struct layer l = layer_on_disk(name);

	if (on_disk && holds_upper(l.upper)) {
		if (mount_overlay(&l, target, lower_fd, ms) == 0)
			return 0;
		/* with another reason than the upper directory's file system a tmpfs would not help either */
		if (errno != EINVAL)
			return err_needs(e, "overlay caps", "mount an overlay");
	}
	return mount_in_memory(name, target, lower_fd, ms, e);
}

/* no overlayfs here, or not over this kind of file system */
static bool can_copy(int code)
{
	return code == ENODEV || code == EINVAL || code == EOPNOTSUPP;
}

/* instead of what could not be mounted for the reason @why */
static int copy_instead(const char *name, const char *target, int lower_fd, const struct appfs_owners *o,
			const struct err *why, struct err *e)
{
	/* files get the owners that they have in the image */
	if (o && userns_act_as(0) < 0)
		return err_sys(e, "act as root");
	if (replace_by_copy(name, target, lower_fd, e) < 0)
		return err_wrap(e, "%s: copying instead", why->msg);
	if (o && userns_act_as(o->ids.first) < 0)
		return err_sys(e, "act as the pod's root");
	return settle_copy(name, target, o, e);
}

int appfs_mount(const char *name, int lower_fd, const struct appfs_owners *o, struct err *e)
{
	char target[APPFS_PATH_MAX];
	unsigned long ms = allows_devices(name) ? 0 : MS_NODEV;
	bool on_disk = true;
	struct err why;
	int r;

	appfs_target(name, target);
	if (!appfs_is_overlay(AT_FDCWD, name))
		return settle_copy(name, target, o, e);
	if (o) {
		auto_close int mapped_fd = appfs_map_layers(name, target, lower_fd, o, &on_disk, e);
		if (mapped_fd < 0)
			return -1;
		r = mount_writable(name, target, mapped_fd, on_disk, ms, &why);
	} else {
		r = mount_writable(name, target, lower_fd, on_disk, ms, &why);
	}
	if (r == 0)
		return 0;
	if (o)
		appfs_unmap_layers(name, target, on_disk);
	if (!can_copy(why.code)) {
		*e = why;
		return -1;
	}
	return copy_instead(name, target, lower_fd, o, &why, e);
}

/* ---- looking at it afterwards ---- */

static int set_semantics(int fs_fd)
{
	if (rootless_is_user())
		return sys_fsconfig(fs_fd, SYS_CONFIG_FLAG, "userxattr", NULL);
	for (size_t i = 0; i < APPFS_N_SEMANTICS; i++)
		if (sys_fsconfig(fs_fd, SYS_CONFIG_STRING, appfs_semantics[i].key, appfs_semantics[i].value) < 0)
			return -1;
	return 0;
}

static int open_overlay_ro(int upper_fd, int lower_fd, struct err *e)
{
	char layers[80];

	/*
	 * As two lower layers: nothing is written, no work directory is needed, and so nobody asks whether the
	 * volatile overlay that was here before had been unmounted cleanly.
	 */
	snprintf(layers, sizeof(layers), "/proc/self/fd/%d:/proc/self/fd/%d", upper_fd, lower_fd);
	auto_close int fs_fd = sys_fsopen("overlay");
	if (fs_fd < 0 || sys_fsconfig(fs_fd, SYS_CONFIG_STRING, "lowerdir", layers) < 0 ||
	    set_semantics(fs_fd) < 0 || sys_fsconfig(fs_fd, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return err_needs(e, "fsopen overlay", "mount the app's changes over its image");
	int fd = sys_fsmount(fs_fd, SYS_ATTR_RDONLY | SYS_ATTR_NODEV);
	return fd < 0 ? err_sys(e, "mount the app's changes over its image") : fd;
}

int appfs_mount_ro(int pod_fd, const char *app, int lower_fd, struct err *e)
{
	char path[APPFS_PATH_MAX];

	if (!appfs_is_overlay(pod_fd, app)) {
		appfs_target(app, path);
		return fd_open_dir(pod_fd, path, e);
	}
	layer_path(app, IN_MEMORY, path);
	if (is_there(pod_fd, path))
		return err_set(e, ENODATA,
			"what app %s changed was kept in memory and is gone: the pod directory's "
			"file system cannot "
			"hold an overlay (with --private-users: not one with the pod's owners)",
			app);
	layer_path(app, "upper", path);
	auto_close int upper_fd = fd_open_dir(pod_fd, path, e);
	return upper_fd < 0 ? -1 : open_overlay_ro(upper_fd, lower_fd, e);
}
