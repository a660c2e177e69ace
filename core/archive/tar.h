/* SPDX-License-Identifier: Apache-2.0
 * tar - one strict streaming reader for ustar, pax and GNU archives
 *
 * Strict: bad checksums, bad numbers, cut-off archives, data on links, unknown critical types, paths that are
 * absolute or contain "..", NUL or empty components beyond "./" are errors, not repaired. What it hands out is
 * the archive's own words (owner ids as numbers; names in the header are not looked at).
 * The reader is ours rather than libarchive's because images are indexed by where content lies in the tar
 * (data_offset) and because a repaired archive would hash as one thing and unpack as another.
 * Source: POSIX.1-2017 pax "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format"
 * and "Storing Sparse Files"; SCHILY.xattr and SCHILY.acl as star(1) and libarchive write them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/source.h"

/* THREATS: bounds on everything an archive can make us keep */
#define TAR_PATH_MAX       4095
#define TAR_NAME_MAX       255
#define TAR_PAX_MAX        (1u << 20)   /* one extended header */
#define TAR_XATTR_MAX      65536u       /* one value; XATTR_SIZE_MAX */
#define TAR_SPARSE_MAX     (1u << 16)   /* segments of one file: 1 MiB of them */

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO };

struct tar_xattr { char *name; uint8_t *value; size_t len; }; /* name whole, "user.x", "system.posix_acl_access" */
struct tar_segment { uint64_t offset, len; };                 /* file offset, length; stored one right after the other */

struct tar_entry {
	enum tar_type type;
	const char   *path;          /* normalised: no leading "./", no trailing "/", "" for "./" itself */
	const char   *link;          /* symlink target as written, hard link target normalised; NULL otherwise */
	uint32_t      mode;          /* permission bits, 07777 */
	uint32_t      uid, gid;      /* as they are; 2^32-1, which is nobody, too */
	uint64_t      size;          /* of the file as seen by a reader (sparse: with holes) */
	int64_t       mtime_s;
	uint32_t      mtime_ns;
	uint32_t      rdev_major, rdev_minor;
	struct tar_xattr *xattrs;    /* sorted as in the archive; ACLs converted from text to the kernel's format */
	size_t        n_xattrs;
	struct tar_segment *segments; /* only when sparse; ordered, not overlapping, inside size */
	size_t        n_segments;
	bool          sparse;
	uint64_t      header_offset; /* first byte of the entry (its pax header, if any) in the uncompressed tar */
	uint64_t      data_offset;   /* first byte of the stored data */
	uint64_t      data_size;     /* stored bytes */
};

struct tar;

/** tar_open() - borrows @in, which must outlive the reader */
struct tar *tar_open(struct source *in, struct err *e);
void tar_free(struct tar *t);

/**
 * tar_next() - 1: *entry is the next one, valid until the next call of tar_next(); 0: the end-of-archive
 * marker (one block of zeros or more) was there and only whole blocks of zeros followed to the very end of
 * @in; -1: *e, with the byte offset
 */
int tar_next(struct tar *t, const struct tar_entry **entry, struct err *e);

/** tar_data() - lends the next piece of the current entry's stored data; 1, 0 at its end, -1. Unread data is skipped. */
int tar_data(struct tar *t, const uint8_t **p, size_t *len, struct err *e);

/**
 * tar_forgive() - what is wrong with a single entry does not end the reading, as long as its end is known
 * @fault: is told of it, e->code and the message being what tar_next() would have said; the entry is passed over
 *
 * For who wants to tell of all of it. Whoever uses what an archive holds does not.
 */
void tar_forgive(struct tar *t, void (*fault)(void *ctx, uint64_t offset, const struct err *e), void *ctx);

/** tar_offset() - bytes of the uncompressed stream consumed so far */
uint64_t tar_offset(const struct tar *t);
