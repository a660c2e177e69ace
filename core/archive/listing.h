/* SPDX-License-Identifier: Apache-2.0
 * listing - what is in an image: every entry with a digest of its content, in order of names
 *
 * Two equal trees have equal listings, however they were packed: in whatever order, whichever name of a file came
 * first, with holes or with zeros. Takes about 200 bytes of memory for each entry.
 */
#pragma once

#include "core/archive/aci.h"

#define LISTING_DIGEST 32

struct listing_xattr {
	const char *name;
	uint64_t    len;
	uint8_t     digest[LISTING_DIGEST];
};

struct listing_entry {
	const char   *path;       /* "rootfs/bin/sh" */
	const char   *target;     /* of a symbolic link; NULL otherwise */
	const char   *first_name; /* of a file that has an earlier name than this, in order of bytes; NULL otherwise */
	enum tar_type type;       /* never TAR_HARDLINK: all names of a file are alike */
	uint32_t      mode, uid, gid, mtime_ns, rdev_major, rdev_minor;
	int64_t       mtime_s;
	uint64_t      size;
	uint8_t       content[LISTING_DIGEST]; /* of a file; zeros in it count as holes do */
	struct listing_xattr *xattrs; /* in order of names */
	size_t        n_xattrs;
	const struct listing_entry *file; /* while links are resolved: what this one is a name of */
};

/* zero-initialise */
struct listing {
	struct listing_entry **v; /* in order of path, by bytes */
	size_t                 n, cap;
	struct aci_result      res;
};

/**
 * listing_read() - reads @in to its end
 * @progress, @ctx: see aci.h; may be NULL
 * @f: receives all findings
 *
 * -1 and *e also when the image is not valid; listing_free() either way.
 */
int listing_read(struct listing *l, struct source *in, void (*progress)(void *ctx, uint64_t in_bytes), void *ctx,
		 struct findings *f, struct err *e);
void listing_free(struct listing *l);
