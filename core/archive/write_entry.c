/* SPDX-License-Identifier: Apache-2.0
 * write_entry - see write_parts.h
 */
#include "core/archive/write_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/archive/audit.h"
#include "core/archive/zeros.h"
#include "core/base/fd.h"
#include "core/base/utf8.h"

/* ---- libarchive ---- */

static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t len)
{
	struct writer *w = ctx;

	int r = w->z ? compress_write(w->z, p, len, &w->out_error) :
		fd_write_all(w->out_fd, p, len) < 0 ? err_sys(&w->out_error, "write") : 0;
	if (r == 0)
		return (la_ssize_t)len;
	archive_set_error(a, w->out_error.code, "write");
	return -1;
}

static int failed(struct writer *w, struct err *e)
{
	if (w->out_error.code) {
		*e = w->out_error;
		return err_failed();
	}
	int code = archive_errno(w->a);
	const char *why = archive_error_string(w->a);
	return err_set(e, code > 0 ? code : EIO, "%s: %s", w->walk.path, why ? why : "cannot be packed");
}

static int set_format(struct writer *w)
{
	struct archive *a = w->a;

	if (archive_write_set_format_pax(a) != ARCHIVE_OK ||
	    /* one way to write attributes is enough, and star's is the one that all understand */
	    archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK)
		return -1;
	/* what compresses has buffers of its own */
	if (archive_write_set_bytes_per_block(a, w->z ? 0 : WRITE_BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK)
		return -1;
	return archive_write_open(a, w, NULL, on_write, NULL) == ARCHIVE_OK ? 0 : -1;
}

static bool is_utf8(const char *s)
{
	return !s || utf8_bad(s, strlen(s)) == strlen(s);
}

/* A name that is not UTF-8 is written as it is, with a warning; any other warning means something is lost. */
int entry_write(struct writer *w, struct err *e)
{
	int r = archive_write_header(w->a, w->en);
	bool odd_name = !is_utf8(w->walk.path) || !is_utf8(archive_entry_symlink(w->en)) ||
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
	bool late = st->st_mtim.tv_sec > w->o->mtime_s ||
		    (st->st_mtim.tv_sec == w->o->mtime_s && st->st_mtim.tv_nsec > 0);

	if (w->o->mtime == WRITE_MTIME_ALL || (w->o->mtime == WRITE_MTIME_CLAMP && late))
		archive_entry_set_mtime(w->en, w->o->mtime_s, 0);
	else /* before 1970 whole seconds must do: libarchive writes -2 and a quarter as -2.25, which is less */
		archive_entry_set_mtime(w->en, st->st_mtim.tv_sec,
					st->st_mtim.tv_sec < 0 ? 0 : st->st_mtim.tv_nsec);
}

void entry_begin(struct writer *w, const struct stat *st)
{
	archive_entry_clear(w->en);
	archive_entry_copy_pathname(w->en, w->walk.path);
	/* the mode of a link means nothing, and it cannot be changed either */
	archive_entry_set_mode(w->en, S_ISLNK(st->st_mode) ? st->st_mode : st->st_mode & ~w->o->mode_mask);
	archive_entry_set_uid(w->en, w->o->owner ? w->o->uid : st->st_uid);
	archive_entry_set_gid(w->en, w->o->owner ? w->o->gid : st->st_gid);
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

/* An access ACL says again what the mode says, and what it says counts. Named users and groups have what the ACL's
 * own mask leaves them. */
static uint16_t masked(const struct writer *w, const struct acl_entry *x, int type)
{
	uint32_t mask = type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? w->o->mode_mask : 0;

	switch (x->tag) {
	case ACL_USER_OBJ:
		return (uint16_t)(x->perm & ~(mask >> 6));
	case ACL_GROUP_OBJ:
	case ACL_MASK:
		return (uint16_t)(x->perm & ~(mask >> 3));
	case ACL_OTHER:
		return (uint16_t)(x->perm & ~mask);
	default:
		return x->perm;
	}
}

static int add_acl_entries(struct writer *w, const struct acl *a, int type, struct err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct acl_entry *x = &a->v[i];
		uint16_t rwx = masked(w, x, type);
		int perm = (rwx & 4 ? ARCHIVE_ENTRY_ACL_READ : 0) |
			   (rwx & 2 ? ARCHIVE_ENTRY_ACL_WRITE : 0) |
			   (rwx & 1 ? ARCHIVE_ENTRY_ACL_EXECUTE : 0);
		/* libarchive's numbers are ints; -1 is its "none" as well */
		if (x->id != ACL_NO_ID && x->id > INT32_MAX)
			return err_set(e, ERANGE, "%s: ACL for %u: numbers above %d cannot be packed", w->walk.path,
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
	int r = acl_from_xattr(&a, p, len, e) < 0 ? err_wrap(e, "%s", w->walk.path) :
						    add_acl_entries(w, &a, type, e);

	acl_free(&a);
	return r;
}

static int add_xattr(struct writer *w, const char *where, int fd, const char *name, struct err *e)
{
	ssize_t len = where ? getxattr(where, name, w->value, sizeof(w->value)) :
			      fgetxattr(fd, name, w->value, sizeof(w->value));

	if (len < 0)
		return errno == ENODATA ? 0 : err_sys(e, "%s: read attribute %s", w->walk.path, name);
	if (!strcmp(name, "system.posix_acl_access"))
		return add_acl(w, w->value, (size_t)len, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, e);
	if (!strcmp(name, "system.posix_acl_default"))
		return add_acl(w, w->value, (size_t)len, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, e);
	archive_entry_xattr_add_entry(w->en, name, w->value, (size_t)len);
	return 0;
}

int entry_xattrs(struct writer *w, const char *where, int fd, struct err *e)
{
	ssize_t len = where ? listxattr(where, w->names, sizeof(w->names)) :
			      flistxattr(fd, w->names, sizeof(w->names));
	size_t n = 0;

	if (len < 0 && (errno == ENOTSUP || (where && errno == ENOENT))) /* no /proc: devices go without */
		return 0;
	if (len < 0)
		return err_sys(e, "%s: read attributes", w->walk.path);
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(w->names + i) + 1)
		n++;
	auto_free const char **sorted = malloc((n + 1) * sizeof(*sorted));
	if (!sorted)
		return err_set(e, ENOMEM, "out of memory");
	n = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(w->names + i) + 1)
		sorted[n++] = w->names + i;
	/*
	 * libarchive hands them out last in, first out; which order it is matters less than that it is one. Nothing is
	 * packed that would only be taken out again.
	 */
	qsort(sorted, n, sizeof(*sorted), walk_by_name);
	for (size_t i = n; i--;)
		if (xattr_class(sorted[i]) >= XATTR_KEPT && add_xattr(w, where, fd, sorted[i], e) < 0)
			return -1;
	return 0;
}

/* ---- files ---- */

/* Of more holes than readers take the last ones are packed as what they look like. */
static int add_holes(struct writer *w, int fd, off_t size, struct err *e)
{
	off_t at = 0, from, to;
	unsigned n = 0;
	int r = 0;

	while (n < TAR_SPARSE_MAX - 1 && (r = zeros_next(fd, at, size, &from, &to)) > 0) {
		if (from > at)
			archive_entry_sparse_add_entry(w->en, at, from - at);
		at = to;
		n++;
	}
	if (r < 0)
		return err_sys(e, "%s: look for holes", w->walk.path);
	/* one hole and nothing else: a segment of nothing says so */
	if (n && (at < size || !archive_entry_sparse_count(w->en)))
		archive_entry_sparse_add_entry(w->en, at, size - at);
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
		memset(w->block, 0, len < WRITE_BLOCK ? (size_t)len : WRITE_BLOCK);
	while (len > 0) {
		size_t n = len < WRITE_BLOCK ? (size_t)len : WRITE_BLOCK;
		if (write_data(w, w->block, n, e) < 0)
			return -1;
		len -= (off_t)n;
	}
	return 0;
}

static int write_segment(struct writer *w, int fd, off_t at, off_t end, struct err *e)
{
	while (at < end) {
		size_t want = end - at < (off_t)WRITE_BLOCK ? (size_t)(end - at) : WRITE_BLOCK;
		ssize_t n = pread(fd, w->block, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: read", w->walk.path);
		if (!n)
			return err_set(e, EIO, "%s: became shorter while it was read", w->walk.path);
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

int entry_write_file(struct writer *w, int fd, off_t size, struct err *e)
{
	if (add_holes(w, fd, size, e) < 0 || entry_write(w, e) < 0)
		return -1;
	return write_content(w, fd, size, e);
}

/* ---- the whole ---- */

/*
 * libarchive converts names from the locale's charset to UTF-8. Names are bytes here, so it is told that they
 * are UTF-8 already; those that are not it then leaves alone. Only for this thread, only for this time.
 */
static void enter_utf8(struct writer *w)
{
	w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (w->utf8)
		w->before = uselocale(w->utf8);
}

static void leave_utf8(struct writer *w)
{
	if (!w->utf8)
		return;
	uselocale(w->before);
	freelocale(w->utf8);
}

static int write_manifest(struct writer *w, const char *text, size_t len, struct err *e)
{
	const struct stat st = { .st_mode = S_IFREG | 0644, .st_size = (off_t)len };

	strcpy(w->walk.path, "manifest");
	entry_begin(w, &st);
	return entry_write(w, e) < 0 ? -1 : write_data(w, text, len, e);
}

static int begin(struct writer *w, const char *manifest, size_t len, struct err *e)
{
	const struct write_opts *o = w->o;

	if (o->compression && !(w->z = compress_open(o->compression, o->level, w->out_fd, e)))
		return -1;
	w->a = archive_write_new();
	w->en = archive_entry_new();
	if (!w->a || !w->en)
		return err_set(e, ENOMEM, "out of memory");
	return set_format(w) < 0 ? failed(w, e) : write_manifest(w, manifest, len, e);
}

struct writer *writer_open(int out_fd, const char *manifest, size_t len, const struct write_opts *o, struct err *e)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	w->o = o;
	w->out_fd = out_fd;
	w->walk.root_fd = -1;
	enter_utf8(w);
	if (begin(w, manifest, len, e) == 0)
		return w;
	writer_free(w);
	return NULL;
}

int writer_end(struct writer *w, struct err *e)
{
	if (archive_write_close(w->a) != ARCHIVE_OK)
		return failed(w, e);
	return w->z ? compress_end(w->z, e) : 0;
}

void writer_free(struct writer *w)
{
	if (w->a)
		archive_write_free(w->a);
	archive_entry_free(w->en);
	compress_free(w->z);
	links_free(&w->links);
	leave_utf8(w);
	free(w);
}
