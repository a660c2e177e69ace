/* SPDX-License-Identifier: Apache-2.0
 * write - see write.h
 *
 * The walk opens directories by their path from the root, never following a link nor leaving the file system
 * (openat2), and keeps at most one open however deep the tree is: it is opened again after each subdirectory.
 * What an entry says comes from the descriptor that is read, not from an earlier look at the name.
 */
#include "core/archive/write.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/archive/tar_parts.h"
#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/holes.h"
#include "core/base/links.h"
#include "core/base/sys.h"
#include "core/base/utf8.h"

#define ROOT    "rootfs"
#define BLOCK   (64u << 10)
#define XATTRS_MAX 65536u /* bytes of all names; XATTR_LIST_MAX */

struct writer {
	const struct write_opts *o;
	struct archive       *a;
	struct archive_entry *en;
	int                   out_fd, root_fd;
	int                   out_errno; /* why writing failed; 0: it did not */
	uint64_t              bytes;     /* of content so far */
	struct links          links;
	uint8_t               block[BLOCK];
	char                  path[TAR_PATH_MAX + 1]; /* "rootfs/..." of the entry at hand */
	char                  names[XATTRS_MAX];
	uint8_t               value[TAR_XATTR_MAX];
};

/* ---- libarchive ---- */

static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t len)
{
	struct writer *w = ctx;

	if (fd_write_all(w->out_fd, p, len) == 0)
		return (la_ssize_t)len;
	w->out_errno = errno;
	archive_set_error(a, w->out_errno, "write");
	return -1;
}

static int failed(struct writer *w, struct err *e)
{
	if (w->out_errno) {
		errno = w->out_errno;
		return err_sys(e, "write");
	}
	int code = archive_errno(w->a);
	const char *why = archive_error_string(w->a);
	return err_set(e, code > 0 ? code : EIO, "%s: %s", w->path, why ? why : "cannot be packed");
}

static int set_format(struct writer *w)
{
	struct archive *a = w->a;

	if (archive_write_set_format_pax(a) != ARCHIVE_OK ||
	    /* one way to write attributes is enough, and star's is the one that all understand */
	    archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK)
		return -1;
	if (w->o->format == WRITE_GZIP &&
	    (archive_write_add_filter_gzip(a) != ARCHIVE_OK ||
	     archive_write_set_filter_option(a, "gzip", "timestamp", NULL) != ARCHIVE_OK))
		return -1;
	if (archive_write_set_bytes_per_block(a, BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK)
		return -1;
	return archive_write_open(a, w, NULL, on_write, NULL) == ARCHIVE_OK ? 0 : -1;
}

static bool is_utf8(const char *s)
{
	return !s || utf8_bad(s, strlen(s)) == strlen(s);
}

/* A name that is not UTF-8 is written as it is, with a warning; any other warning means something is lost. */
static int write_header(struct writer *w, struct err *e)
{
	int r = archive_write_header(w->a, w->en);
	bool odd_name = !is_utf8(w->path) || !is_utf8(archive_entry_symlink(w->en)) ||
			!is_utf8(archive_entry_hardlink(w->en));

	return r == ARCHIVE_OK || (r == ARCHIVE_WARN && odd_name) ? 0 : failed(w, e);
}

static int write_data(struct writer *w, const void *p, size_t len, struct err *e)
{
	const uint8_t *from = p;

	while (len) {
		la_ssize_t n = archive_write_data(w->a, from, len);
		if (n <= 0)
			return failed(w, e);
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- what an entry says ---- */

static void set_time(struct writer *w, const struct stat *st)
{
	bool late = w->o->clamp_mtime && (st->st_mtim.tv_sec > w->o->mtime_s ||
					  (st->st_mtim.tv_sec == w->o->mtime_s && st->st_mtim.tv_nsec > 0));

	if (late)
		archive_entry_set_mtime(w->en, w->o->mtime_s, 0);
	else /* before 1970 whole seconds must do: libarchive writes -2 and a quarter as -2.25, which is less */
		archive_entry_set_mtime(w->en, st->st_mtim.tv_sec,
					st->st_mtim.tv_sec < 0 ? 0 : st->st_mtim.tv_nsec);
}

static void begin_entry(struct writer *w, const struct stat *st)
{
	archive_entry_clear(w->en);
	archive_entry_copy_pathname(w->en, w->path);
	archive_entry_set_mode(w->en, st->st_mode);
	archive_entry_set_uid(w->en, w->o->owner_root ? 0 : st->st_uid);
	archive_entry_set_gid(w->en, w->o->owner_root ? 0 : st->st_gid);
	archive_entry_set_size(w->en, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		archive_entry_set_rdevmajor(w->en, major(st->st_rdev));
		archive_entry_set_rdevminor(w->en, minor(st->st_rdev));
	}
	set_time(w, st);
}

static int acl_tag(uint16_t tag)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return ARCHIVE_ENTRY_ACL_USER_OBJ;
	case ACL_USER:
		return ARCHIVE_ENTRY_ACL_USER;
	case ACL_GROUP_OBJ:
		return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
	case ACL_GROUP:
		return ARCHIVE_ENTRY_ACL_GROUP;
	case ACL_MASK:
		return ARCHIVE_ENTRY_ACL_MASK;
	default:
		return ARCHIVE_ENTRY_ACL_OTHER;
	}
}

static int add_acl_entries(struct writer *w, const struct acl *a, int type, struct err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct acl_entry *x = &a->v[i];
		int perm = (x->perm & 4 ? ARCHIVE_ENTRY_ACL_READ : 0) |
			   (x->perm & 2 ? ARCHIVE_ENTRY_ACL_WRITE : 0) |
			   (x->perm & 1 ? ARCHIVE_ENTRY_ACL_EXECUTE : 0);
		/* libarchive's numbers are ints; -1 is its "none" as well */
		if (x->id != ACL_NO_ID && x->id > INT32_MAX)
			return err_set(e, ERANGE, "%s: ACL for %u: numbers above %d cannot be packed", w->path,
				       x->id, INT32_MAX);
		if (archive_entry_acl_add_entry(w->en, type, perm, acl_tag(x->tag), (int)x->id, NULL) !=
		    ARCHIVE_OK)
			return failed(w, e);
	}
	return 0;
}

static int add_acl(struct writer *w, const uint8_t *p, size_t len, int type, struct err *e)
{
	struct acl a = { 0 };
	int r = acl_from_xattr(&a, p, len, e) < 0 ? err_wrap(e, "%s", w->path) :
						    add_acl_entries(w, &a, type, e);

	acl_free(&a);
	return r;
}

/* what images may keep, see aci.c: nothing is packed that would only be taken out again */
static bool is_kept(const char *name)
{
	if (!strncmp(name, "user.", 5))
		return strncmp(name, "user.overlay.", 13) != 0;
	return !strcmp(name, "security.capability") || !strcmp(name, "system.posix_acl_access") ||
	       !strcmp(name, "system.posix_acl_default");
}

static int add_xattr(struct writer *w, const char *where, int fd, const char *name, struct err *e)
{
	ssize_t len = where ? getxattr(where, name, w->value, sizeof(w->value)) :
			      fgetxattr(fd, name, w->value, sizeof(w->value));

	if (len < 0)
		return errno == ENODATA ? 0 : err_sys(e, "%s: read attribute %s", w->path, name);
	if (!strcmp(name, "system.posix_acl_access"))
		return add_acl(w, w->value, (size_t)len, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, e);
	if (!strcmp(name, "system.posix_acl_default"))
		return add_acl(w, w->value, (size_t)len, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, e);
	archive_entry_xattr_add_entry(w->en, name, w->value, (size_t)len);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* @where: a path to the file for descriptors that only name it (O_PATH); NULL: @fd can be asked */
static int add_xattrs(struct writer *w, const char *where, int fd, struct err *e)
{
	ssize_t len = where ? listxattr(where, w->names, sizeof(w->names)) :
			      flistxattr(fd, w->names, sizeof(w->names));
	size_t n = 0;

	if (len < 0 && (errno == ENOTSUP || (where && errno == ENOENT))) /* no /proc: devices go without */
		return 0;
	if (len < 0)
		return err_sys(e, "%s: read attributes", w->path);
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(w->names + i) + 1)
		n++;
	auto_free const char **sorted = malloc((n + 1) * sizeof(*sorted));
	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	n = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(w->names + i) + 1)
		sorted[n++] = w->names + i;
	/* libarchive hands them out last in, first out; which order it is matters less than that it is one */
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = n; i--;)
		if (is_kept(sorted[i]) && add_xattr(w, where, fd, sorted[i], e) < 0)
			return -1;
	return 0;
}

/* ---- files ---- */

/* Holes as the file system tells of them; segments begin and end on blocks of the archive, but the last. */
static int add_holes(struct writer *w, int fd, off_t size, struct err *e)
{
	off_t data, hole = 0, end = 0;
	bool any = false;
	int r;

	while ((r = holes_next(fd, hole, size, &data, &hole)) > 0) {
		if (data == 0 && hole >= size)
			return 0; /* all data */
		data -= data % TAR_BLOCK_SIZE;
		data = data < end ? end : data;
		end = hole + (TAR_BLOCK_SIZE - hole % TAR_BLOCK_SIZE) % TAR_BLOCK_SIZE;
		end = end > size ? size : end;
		if (end > data)
			archive_entry_sparse_add_entry(w->en, data, end - data);
		any = true;
	}
	if (r < 0)
		return err_sys(e, "%s: look for holes", w->path);
	if (size && !any) /* one hole: a segment of nothing says so */
		archive_entry_sparse_add_entry(w->en, size, 0);
	return 0;
}

static void count(struct writer *w, uint64_t bytes)
{
	w->bytes += bytes;
	if (w->o->progress)
		w->o->progress(w->o->ctx, w->bytes);
}

/* libarchive is given holes as well, and leaves them out */
static int write_hole(struct writer *w, off_t len, struct err *e)
{
	if (len > 0)
		memset(w->block, 0, len < BLOCK ? (size_t)len : BLOCK);
	while (len > 0) {
		size_t n = len < BLOCK ? (size_t)len : BLOCK;
		if (write_data(w, w->block, n, e) < 0)
			return -1;
		len -= (off_t)n;
	}
	return 0;
}

static int write_segment(struct writer *w, int fd, off_t at, off_t end, struct err *e)
{
	while (at < end) {
		size_t want = end - at < (off_t)BLOCK ? (size_t)(end - at) : BLOCK;
		ssize_t n = pread(fd, w->block, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: read", w->path);
		if (!n)
			return err_set(e, EIO, "%s: became shorter while it was read", w->path);
		if (write_data(w, w->block, (size_t)n, e) < 0)
			return -1;
		at += n;
		count(w, (uint64_t)n);
	}
	return 0;
}

static int write_content(struct writer *w, int fd, off_t size, struct err *e)
{
	la_int64_t offset, len;
	off_t at = 0;

	if (!archive_entry_sparse_reset(w->en))
		return write_segment(w, fd, 0, size, e);
	while (archive_entry_sparse_next(w->en, &offset, &len) == ARCHIVE_OK) {
		if (write_hole(w, offset - at, e) < 0 || write_segment(w, fd, offset, offset + len, e) < 0)
			return -1;
		at = offset + len;
	}
	return write_hole(w, size - at, e);
}

/* 1: it was written as one more name of an earlier entry */
static int write_link(struct writer *w, const struct stat *st, struct err *e)
{
	const char *first;

	if (st->st_nlink < 2)
		return 0;
	int r = links_find(&w->links, st->st_dev, st->st_ino, w->path, &first, e);
	if (r <= 0)
		return r;
	archive_entry_set_size(w->en, 0);
	archive_entry_copy_hardlink(w->en, first);
	return write_header(w, e) < 0 ? -1 : 1;
}

/* without following a link or entering a mount; from the root so that "..", races and depth are no matter */
static int open_below(const struct writer *w, const char *path, int flags)
{
	return sys_open_in(w->root_fd, path, flags | O_NOFOLLOW, SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_XDEV);
}

static const char *below_root(const struct writer *w)
{
	const char *p = w->path + sizeof(ROOT) - 1;

	return *p == '/' ? p + 1 : ".";
}

static int open_failed(const struct writer *w, struct err *e)
{
	if (errno == EXDEV)
		return err_set(e, EXDEV, "%s: something is mounted on it; unmount it first", w->path);
	return err_sys(e, "%s: open", w->path);
}

static int write_file(struct writer *w, struct err *e)
{
	struct stat st;
	auto_close int fd = open_below(w, below_root(w), O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return open_failed(w, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "%s: changed while it was read", w->path);
	begin_entry(w, &st);
	int linked = write_link(w, &st, e);
	if (linked)
		return linked < 0 ? -1 : 0;
	if (add_xattrs(w, NULL, fd, e) < 0 || add_holes(w, fd, st.st_size, e) < 0 || write_header(w, e) < 0)
		return -1;
	return write_content(w, fd, st.st_size, e);
}

/* ---- the others ---- */

static int write_symlink(struct writer *w, int dir_fd, const char *name, const struct stat *st, struct err *e)
{
	char *target = w->names; /* not on the stack: the walk is recursive */
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(w->names) - 1);

	if (n < 0)
		return err_sys(e, "%s: read link", w->path);
	if ((size_t)n > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s: target too long", w->path);
	target[n] = 0;
	begin_entry(w, st);
	archive_entry_copy_symlink(w->en, target);
	return write_header(w, e);
}

static int write_node(struct writer *w, struct err *e)
{
	char where[32];
	struct stat st;
	auto_close int fd = open_below(w, below_root(w), O_PATH);

	if (fd < 0)
		return open_failed(w, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	begin_entry(w, &st);
	snprintf(where, sizeof(where), "/proc/self/fd/%d", fd);
	return add_xattrs(w, where, -1, e) < 0 ? -1 : write_header(w, e);
}

/* ---- directories ---- */

struct names {
	char   *text; /* one after the other */
	char  **v;
	size_t  n;
};

static void names_free(struct names *l)
{
	free(l->text);
	free(l->v);
}

static int index_names(struct names *l, struct buf *text, size_t n, struct err *e)
{
	l->v = calloc(n + 1, sizeof(*l->v));
	if (text->failed || !l->v) {
		buf_free(text);
		return err_set(e, ENOMEM, "out of memory");
	}
	l->text = text->data;
	for (size_t at = 0; at < text->len; at += strlen(l->text + at) + 1)
		l->v[l->n++] = l->text + at;
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	return 0;
}

static int list_names(const struct writer *w, int dir_fd, struct names *l, struct err *e)
{
	auto_dir DIR *d = fd_list(dir_fd);
	struct buf text = { 0 };
	struct dirent *de;
	size_t n = 0;

	if (!d)
		return err_sys(e, "%s: open", w->path);
	while (errno = 0, (de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		buf_add(&text, de->d_name, strlen(de->d_name) + 1);
		n++;
	}
	if (errno) {
		err_sys(e, "%s: read directory", w->path);
		buf_free(&text);
		return -1;
	}
	return index_names(l, &text, n, e);
}

static int write_dir(struct writer *w, struct err *e);

static int write_child(struct writer *w, int *dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(*dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat", w->path);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return write_file(w, e);
	case S_IFDIR:
		fd_cleanup(dir_fd);
		return write_dir(w, e);
	case S_IFLNK:
		return write_symlink(w, *dir_fd, name, &st, e);
	case S_IFSOCK: /* whoever listened there does not come along */
		return 0;
	default:
		return write_node(w, e);
	}
}

static int write_children(struct writer *w, int *dir_fd, const struct names *l, struct err *e)
{
	size_t len = strlen(w->path);

	for (size_t i = 0; i < l->n; i++) {
		size_t n = strlen(l->v[i]);
		if (len + 1 + n > TAR_PATH_MAX)
			return err_set(e, ENAMETOOLONG, "%.200s...: path of more than %d bytes", w->path,
				       TAR_PATH_MAX);
		if (*dir_fd < 0) {
			*dir_fd = open_below(w, below_root(w), O_RDONLY | O_DIRECTORY);
			if (*dir_fd < 0)
				return open_failed(w, e);
		}
		w->path[len] = '/';
		memcpy(w->path + len + 1, l->v[i], n + 1);
		int r = write_child(w, dir_fd, l->v[i], e);
		w->path[len] = 0;
		if (r < 0)
			return -1;
	}
	return 0;
}

static int write_dir_entry(struct writer *w, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	begin_entry(w, &st);
	return add_xattrs(w, NULL, fd, e) < 0 ? -1 : write_header(w, e);
}

/* a mount point: the directory is packed, what is mounted there is not */
static int write_mount_point(struct writer *w, struct err *e)
{
	auto_close int fd = sys_open_in(w->root_fd, below_root(w), O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		SYS_BENEATH | SYS_NO_SYMLINKS);

	return fd < 0 ? err_sys(e, "%s: open", w->path) : write_dir_entry(w, fd, e);
}

static int write_dir(struct writer *w, struct err *e)
{
	struct names l = { 0 };
	auto_close int fd = open_below(w, below_root(w), O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return errno == EXDEV ? write_mount_point(w, e) : open_failed(w, e);
	if (write_dir_entry(w, fd, e) < 0 || list_names(w, fd, &l, e) < 0)
		return -1;
	int r = write_children(w, &fd, &l, e);
	names_free(&l);
	return r;
}

/* ---- the whole ---- */

static int write_manifest(struct writer *w, const char *text, size_t len, struct err *e)
{
	const struct stat st = { .st_mode = S_IFREG | 0644, .st_size = (off_t)len };

	strcpy(w->path, "manifest");
	begin_entry(w, &st);
	return write_header(w, e) < 0 ? -1 : write_data(w, text, len, e);
}

static int write_all(struct writer *w, const char *manifest, size_t len, struct err *e)
{
	if (set_format(w) < 0 || write_manifest(w, manifest, len, e) < 0)
		return w->path[0] ? -1 : failed(w, e);
	strcpy(w->path, ROOT);
	if (write_dir(w, e) < 0)
		return -1;
	return archive_write_close(w->a) == ARCHIVE_OK ? 0 : failed(w, e);
}

static void writer_free(struct writer *w)
{
	if (w->a)
		archive_write_free(w->a);
	archive_entry_free(w->en);
	links_free(&w->links);
	free(w);
}

/*
 * libarchive converts names from the locale's charset to UTF-8. Names are bytes here, so it is told that they
 * are UTF-8 already; those that are not it then leaves alone. Only for this thread, only for this time.
 */
static locale_t enter_utf8(locale_t *utf8)
{
	*utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return *utf8 ? uselocale(*utf8) : (locale_t)0;
}

static void leave_utf8(locale_t utf8, locale_t before)
{
	if (!utf8)
		return;
	uselocale(before);
	freelocale(utf8);
}

int write_aci(int out_fd, const char *manifest, size_t manifest_len, int rootfs_fd, const struct write_opts *o,
	      struct err *e)
{
	struct writer *w = calloc(1, sizeof(*w));
	locale_t utf8, before;

	if (!w)
		return err_set(e, ENOMEM, "out of memory");
	w->o = o;
	w->out_fd = out_fd;
	w->root_fd = rootfs_fd;
	w->a = archive_write_new();
	w->en = archive_entry_new();
	before = enter_utf8(&utf8);
	int r = w->a && w->en ? write_all(w, manifest, manifest_len, e) : err_set(e, ENOMEM, "out of memory");
	leave_utf8(utf8, before);
	writer_free(w);
	return r;
}
