/* SPDX-License-Identifier: Apache-2.0
 * layout_audit - the warnings about entries, over files that lie unpacked
 *
 * Directories are opened by their path from the root, never through a link nor onto another file system, and one at a
 * time however deep the tree is, as when it is packed. Nothing is opened but directories: what a file says of itself is
 * asked by its name.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/archive/aci.h"
#include "core/archive/aci_parts.h"
#include "core/archive/audit.h"
#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

#define ROOT       "rootfs"
#define XATTRS_MAX 65536u /* bytes of all names of one file; XATTR_LIST_MAX */

struct walk {
	struct audit audit;
	int          root_fd;
	char         path[TAR_PATH_MAX + 1]; /* of the entry at hand */
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

static int read_target(struct walk *w, int dir_fd, const char *name, struct tar_entry *en, struct err *e)
{
	ssize_t n = readlinkat(dir_fd, name, w->link, sizeof(w->link));

	if (n < 0)
		return err_sys(e, "%s: read link", w->path);
	w->link[(size_t)n < sizeof(w->link) ? (size_t)n : sizeof(w->link) - 1] = 0;
	en->link = w->link;
	return 0;
}

/* @name NULL: the directory itself. Without /proc nobody can be asked about attributes without opening. */
static int check_xattrs(struct walk *w, int dir_fd, const char *name, const struct tar_entry *en, struct err *e)
{
	char where[NAME_MAX + 40];
	ssize_t len;

	snprintf(where, sizeof(where), "/proc/self/fd/%d/%s", dir_fd, name ? name : "");
	len = name ? llistxattr(where, w->names, sizeof(w->names)) : flistxattr(dir_fd, w->names, sizeof(w->names));
	if (len < 0 && errno != ENOTSUP && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "%s: read attributes", w->path);
	if (len > 0)
		audit_xattrs(&w->audit, en, w->names, (size_t)len);
	return 0;
}

static int check_entry(struct walk *w, int dir_fd, const char *name, const struct stat *st, struct err *e)
{
	struct tar_entry en = {
		.path = w->path, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.rdev_major = major(st->st_rdev), .rdev_minor = minor(st->st_rdev),
		.header_offset = FINDING_NO_OFFSET,
	};

	if (!set_type(&en, st->st_mode))
		return 0;
	if (en.type == TAR_SYMLINK && read_target(w, dir_fd, name, &en, e) < 0)
		return -1;
	audit_entry(&w->audit, &en);
	return check_xattrs(w, dir_fd, name, &en, e);
}

/* ---- directories ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* the names in @dir_fd, one after the other in @text, and pointers to them in order; free() these */
static const char **list(struct walk *w, int dir_fd, struct buf *text, size_t *n, struct err *e)
{
	auto_dir DIR *d = fd_list(dir_fd);
	struct dirent *de;
	size_t i = 0;

	*n = 0;
	if (!d) {
		err_sys(e, "%s: open", w->path);
		return NULL;
	}
	while (errno = 0, (de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			buf_add(text, de->d_name, strlen(de->d_name) + 1);
			++*n;
		}
	if (errno) {
		err_sys(e, "%s: read directory", w->path);
		return NULL;
	}
	const char **v = text->failed ? NULL : malloc((*n + 1) * sizeof(*v));
	if (!v) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	for (size_t at = 0; i < *n; at += strlen(text->data + at) + 1)
		v[i++] = text->data + at;
	qsort(v, *n, sizeof(*v), by_name);
	return v;
}

static int open_here(const struct walk *w, struct err *e)
{
	const char *below = w->path + sizeof(ROOT) - 1;
	int fd = sys_open_in(w->root_fd, *below == '/' ? below + 1 : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
			     SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_XDEV);

	if (fd < 0 && errno != EXDEV)
		err_sys(e, "%s: open", w->path);
	return fd;
}

static int walk_dir(struct walk *w, struct err *e);

static int check_child(struct walk *w, int *dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(*dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat", w->path);
	if (check_entry(w, *dir_fd, name, &st, e) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd_cleanup(dir_fd);
	return walk_dir(w, e);
}

static int walk_names(struct walk *w, int *dir_fd, const char *const *v, size_t n, struct err *e)
{
	size_t len = strlen(w->path);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		size_t size = strlen(v[i]) + 1;
		if (len + size > TAR_PATH_MAX)
			return err_set(e, ENAMETOOLONG, "%.200s...: path of more than %d bytes", w->path, TAR_PATH_MAX);
		if (*dir_fd < 0 && (*dir_fd = open_here(w, e)) < 0)
			return -1;
		w->path[len] = '/';
		memcpy(w->path + len + 1, v[i], size);
		r = check_child(w, dir_fd, v[i], e);
		w->path[len] = 0;
	}
	return r;
}

/* what is mounted somewhere is no part of the layout */
static int walk_dir(struct walk *w, struct err *e)
{
	struct buf text = { 0 };
	size_t n;
	auto_close int fd = open_here(w, e);

	if (fd < 0)
		return errno == EXDEV ? 0 : -1;
	auto_free const char **v = list(w, fd, &text, &n, e);
	int r = v ? walk_names(w, &fd, v, n, e) : -1;
	buf_free(&text);
	return r;
}

static int walk_root(struct walk *w, struct err *e)
{
	struct stat st;

	strcpy(w->path, ROOT);
	if (fstat(w->root_fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	if (check_entry(w, w->root_fd, NULL, &st, e) < 0 || walk_dir(w, e) < 0)
		return -1;
	audit_finish(&w->audit);
	return 0;
}

int aci_audit_layout(int dir_fd, struct findings *f, struct err *e)
{
	auto_close int root_fd = openat(dir_fd, ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* aci_check_layout() tells of that */
	if (root_fd < 0)
		return err_sys(e, ROOT ": open");
	struct walk *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	w->audit.f = f;
	w->root_fd = root_fd;
	int r = walk_root(w, e);
	audit_free(&w->audit);
	free(w);
	return r;
}
