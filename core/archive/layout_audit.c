/* SPDX-License-Identifier: Apache-2.0
 * layout_audit - the warnings about entries, over files that lie unpacked
 *
 * Nothing is opened but directories: what a file says of itself is asked by its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/archive/aci.h"
#include "core/archive/aci_parts.h"
#include "core/archive/audit.h"
#include "core/archive/walk.h"
#include "core/base/fd.h"

#define XATTRS_MAX 65536u /* bytes of all names of one file; XATTR_LIST_MAX */

struct auditor {
	struct audit audit;
	struct walk  walk;
	char         link[TAR_PATH_MAX + 1];
	char         names[XATTRS_MAX];
};

/* ---- one entry ---- */

static bool set_type(struct tar_entry *en, mode_t mode)
{
	static const struct { mode_t mode; enum tar_type type; } types[] = {
		{ S_IFREG, TAR_FILE }, { S_IFDIR, TAR_DIR }, { S_IFLNK, TAR_SYMLINK }, { S_IFCHR, TAR_CHAR },
		{ S_IFBLK, TAR_BLOCK }, { S_IFIFO, TAR_FIFO },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].mode == (mode & S_IFMT)) {
			en->type = types[i].type;
			return true;
		}
	return false; /* a socket, which is never packed */
}

static int read_target(struct auditor *a, int dir_fd, const char *name, struct tar_entry *en, struct err *e)
{
	ssize_t n = readlinkat(dir_fd, name, a->link, sizeof(a->link));

	if (n < 0)
		return err_sys(e, "%s: read link", a->walk.path);
	a->link[(size_t)n < sizeof(a->link) ? (size_t)n : sizeof(a->link) - 1] = 0;
	en->link = a->link;
	return 0;
}

/* @name NULL: the directory itself. Without /proc nobody can be asked about attributes without opening. */
static int check_xattrs(struct auditor *a, int dir_fd, const char *name, const struct tar_entry *en, struct err *e)
{
	char where[NAME_MAX + 40];
	ssize_t len;

	snprintf(where, sizeof(where), "/proc/self/fd/%d/%s", dir_fd, name ? name : "");
	len = name ? llistxattr(where, a->names, sizeof(a->names)) : flistxattr(dir_fd, a->names, sizeof(a->names));
	if (len < 0 && errno != ENOTSUP && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "%s: read attributes", a->walk.path);
	if (len > 0)
		audit_xattrs(&a->audit, en, a->names, (size_t)len);
	return 0;
}

static int check_entry(struct auditor *a, int dir_fd, const char *name, const struct stat *st, struct err *e)
{
	struct tar_entry en = {
		.path = a->walk.path, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.rdev_major = major(st->st_rdev), .rdev_minor = minor(st->st_rdev),
		.header_offset = FINDING_NO_OFFSET,
	};

	if (!set_type(&en, st->st_mode))
		return 0;
	if (en.type == TAR_SYMLINK && read_target(a, dir_fd, name, &en, e) < 0)
		return -1;
	audit_entry(&a->audit, &en);
	return check_xattrs(a, dir_fd, name, &en, e);
}

/* ---- directories ---- */

static int check_dir(struct auditor *a, struct err *e);

static int check_child(struct walk *walk, int *dir_fd, const char *name, struct err *e)
{
	struct auditor *a = (struct auditor *)((char *)walk - offsetof(struct auditor, walk));
	struct stat st;

	if (fstatat(*dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat", walk->path);
	if (check_entry(a, *dir_fd, name, &st, e) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd_cleanup(dir_fd);
	return check_dir(a, e);
}

/* what is mounted somewhere is no part of the layout */
static int check_dir(struct auditor *a, struct err *e)
{
	auto_close int fd = walk_open(&a->walk, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return errno == EXDEV ? 0 : walk_open_failed(&a->walk, e);
	return walk_children(&a->walk, &fd, check_child, e);
}

static int check_root(struct auditor *a, int root_fd, struct err *e)
{
	struct stat st;

	walk_start(&a->walk, root_fd);
	if (fstat(root_fd, &st) < 0)
		return err_sys(e, "%s: stat", a->walk.path);
	if (check_entry(a, root_fd, NULL, &st, e) < 0 || check_dir(a, e) < 0)
		return -1;
	audit_finish(&a->audit);
	return 0;
}

int aci_audit_layout(int dir_fd, struct findings *f, struct err *e)
{
	auto_close int root_fd = openat(dir_fd, WALK_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* aci_check_layout() tells of that */
	if (root_fd < 0)
		return err_sys(e, WALK_ROOT ": open");
	struct auditor *a = calloc(1, sizeof(*a));
	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	a->audit.f = f;
	int r = check_root(a, root_fd, e);
	audit_free(&a->audit);
	free(a);
	return r;
}
