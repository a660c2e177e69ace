/* SPDX-License-Identifier: Apache-2.0
 * write - a layout or a tree becomes an ACI: libarchive's pax writer over a sorted walk of our own
 *
 * Equal trees give equal bytes: entries sorted by name in byte order, no access or change times, no user names,
 * owner and times as the options say, sparse files kept sparse, hard links to the first name in order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"

enum write_format { WRITE_NONE, WRITE_GZIP };

struct write_opts {
	enum write_format format;
	bool    owner_root; /* everything belongs to 0:0 */
	bool    clamp_mtime; /* times later than mtime_s become mtime_s (SOURCE_DATE_EPOCH) */
	int64_t mtime_s;
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
