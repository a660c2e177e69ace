/* SPDX-License-Identifier: Apache-2.0
 * erofs - a tree as an index: an EROFS image of metadata only, whose files lie in the tars that they came from
 *
 * Mounted with the tars as its devices, number N of the tree being device N + 1, it is the file system that the
 * tars describe. Blocks have 512 bytes, because that is where tars put the content of files. Only those parts of
 * sparse files that blocks cannot describe are copied into it. The same tree and sources make the same bytes.
 *
 * Behind the file system stands what tells us, and not the kernel, whose index this is and whether it is whole:
 *   block 0.. : EROFS | IDs and sizes of the sources | lengths, checksums, version, magic
 * An index can always be made again from its sources, so any doubt about one is reason enough to do that.
 * Source: Linux, Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/store/store.h"
#include "core/store/tree.h"

#define EROFS_WRITER      2u    /* goes up when what is written for the same tree changes */
#define EROFS_SOURCES_MAX 1024u

/* an archive of which the index speaks */
struct erofs_source {
	struct image_id id;
	uint64_t        bytes; /* of the tar */
};

struct erofs_opts {
	const char                *id;      /* of what is rendered: "sha512-..." or "deps-sha512-..."; becomes the UUID */
	const struct erofs_source *sources; /* borrowed; by their numbers in the tree */
	const int                 *fds;     /* of these, for pread(); looked at only for some sparse files */
	size_t                     n_sources;
};

/**
 * erofs_write() - into the empty file @fd
 * @t: finished; node->walk is used
 * @bytes: receives the size of the index; may be NULL
 *
 * Not synced. Memory: 140 KiB, whatever the size of the tree.
 * Errors: EOVERFLOW the tree has attributes that EROFS cannot hold; EFBIG sparse files would make the index larger
 * than its sources (+ 64 MiB), or a source has over 2 TiB: such trees can only be extracted. EINVAL a file lies
 * outside of its source, @id is none, or too many sources. Otherwise those of reading and writing.
 */
int erofs_write(struct tree *t, const struct erofs_opts *o, int fd, uint64_t *bytes, struct err *e);

struct erofs_info {
	uint64_t             bytes;       /* of the file */
	uint64_t             erofs_bytes; /* of the file system in it */
	uint32_t             version;     /* EROFS_WRITER */
	struct erofs_source *sources;     /* in the order of the devices */
	size_t               n_sources;
};
void erofs_info_free(struct erofs_info *i);

/**
 * erofs_open() - what an index says of itself; *out is to be freed
 *
 * Reads its end and checks that for damage, and that the length is right; not the file system (erofs_check()).
 * Errors: EBADMSG no index, cut off or damaged; ESTALE made by another version; ENOMEM, and those of reading.
 */
int erofs_open(int fd, struct erofs_info *out, struct err *e);

/** erofs_check() - reads all of it: EBADMSG when a byte is not what was written, and the errors of erofs_open() */
int erofs_check(int fd, struct err *e);
