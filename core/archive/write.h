/* SPDX-License-Identifier: Apache-2.0
 * write - a layout or a tree becomes an ACI: libarchive's pax writer over a sorted walk of our own
 *
 * Equal trees give equal bytes: entries sorted by name in byte order, no access or change times, no user names,
 * owner and times as the options say, holes by what is in files (zeros.h), hard links to the first name in order; and what
 * compresses does the same on every machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/archive/compress.h"
#include "core/base/err.h"

enum write_mtime {
	WRITE_MTIME_KEEP,
	WRITE_MTIME_CLAMP, /* times later than mtime_s become mtime_s (SOURCE_DATE_EPOCH) */
	WRITE_MTIME_ALL,   /* all times become mtime_s, the manifest's too */
};

struct write_opts {
	const struct encoder *compression; /* NULL: none */
	int         level;
	bool        owner;       /* everything belongs to uid:gid */
	uint32_t    uid, gid;
	uint32_t    mode_mask;   /* permission bits that are taken away, in ACLs as well */
	enum write_mtime mtime;
	int64_t     mtime_s;
	const struct exclude *exclude; /* what of rootfs is left out; NULL: nothing */
	void   *ctx;
	void  (*progress)(void *ctx, uint64_t bytes); /* bytes of content so far; may be NULL */
};

/**
 * write_aci() - the whole image: manifest first, then rootfs and all below
 * @manifest: text of the manifest file
 * @rootfs_fd: the directory that becomes rootfs; it is walked without following links or entering other mounts
 * @out_fd: written from its current position; syncing and naming is the caller's job
 *
 * Sockets are left out, and so are attributes that belong to the host's kernel (trusted.*, security.* but for
 * security.capability ...). A mount point is packed without what is mounted there. Times before 1970 lose their
 * fractions. Errors name the path.
 */
int write_aci(int out_fd, const char *manifest, size_t manifest_len, int rootfs_fd, const struct write_opts *o,
	      struct err *e);

/* a file for write_aci_files() */
struct write_file {
	const char *path; /* in rootfs, "bin/hello": no "/" at the ends, no "." or ".." */
	int         fd;
	uint32_t    mode;
};

/**
 * write_aci_files() - the same of regular files that lie anywhere
 * @v: sorted by path in byte order, each path once, none below another; directories come of themselves, with mode 0755
 *
 * All belongs to 0:0 and is of 1970, unless the options say otherwise; attributes are not kept.
 */
int write_aci_files(int out_fd, const char *manifest, size_t manifest_len, const struct write_file *v, size_t n,
		    const struct write_opts *o, struct err *e);
