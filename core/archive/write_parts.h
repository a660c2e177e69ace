/* SPDX-License-Identifier: Apache-2.0
 * write_parts - what write.c is made of: one entry (write_entry.c), the walk over a tree (write.c), lists of files
 * (write_files.c)
 *
 * Only these files include this.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include "core/archive/compress.h"
#include "core/archive/tar_parts.h"
#include "core/archive/walk.h"
#include "core/archive/write.h"
#include "core/base/links.h"

#define WRITE_BLOCK      (64u << 10)
#define WRITE_XATTRS_MAX 65536u /* bytes of all names; XATTR_LIST_MAX */

struct writer {
	const struct write_opts *o;
	struct archive       *a;
	struct archive_entry *en;
	struct compress      *z; /* NULL: not compressed */
	int                   out_fd;
	struct err            out_error; /* why writing failed; its code is 0: it did not */
	uint64_t              bytes;     /* of content so far */
	struct links          links;
	locale_t              utf8, before; /* see enter_utf8() */
	uint8_t               block[WRITE_BLOCK];
	struct walk           walk;          /* its path is that of the entry at hand */
	char                  names[WRITE_XATTRS_MAX];
	uint8_t               value[TAR_XATTR_MAX];
};

/* ---- write_entry.c ---- */

/** writer_open() - an archive with its first entry, the manifest; NULL and *e */
struct writer *writer_open(int out_fd, const char *manifest, size_t len, const struct write_opts *o, struct err *e);
/** writer_end() - the end of the archive; nothing is missing after that */
int writer_end(struct writer *w, struct err *e);
void writer_free(struct writer *w);

/** entry_begin() - w->en is about w->walk.path, as @st and the options say; more may be added to it until entry_write() */
void entry_begin(struct writer *w, const struct stat *st);
/** entry_xattrs() - @where: a path to the file for descriptors that only name it (O_PATH); NULL: @fd can be asked */
int entry_xattrs(struct writer *w, const char *where, int fd, struct err *e);
int entry_write(struct writer *w, struct err *e);
/** entry_write_file() - after entry_begin(): a regular file with its content; holes stay holes */
int entry_write_file(struct writer *w, int fd, off_t size, struct err *e);
