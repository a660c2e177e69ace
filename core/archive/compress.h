/* SPDX-License-Identifier: Apache-2.0
 * compress - bytes go in, a gzip, xz or zstd file comes out, made on as many threads as there are processors for it
 *
 * Equal bytes become equal files, whatever the number of processors: see encoder.h. Memory is bounded: some blocks per
 * thread, and no more threads than THREADS_MAX or than fit MEMORY_MAX.
 */
#pragma once

#include <stddef.h>

#include "core/archive/encoder.h"

#define COMPRESS_THREADS_MAX 64u
#define COMPRESS_MEMORY_MAX  (512u << 20) /* beyond it fewer threads are started; one there always is */

/** compress_find() - "gzip", "xz", "zstd"; NULL: no such format */
const struct encoder *compress_find(const char *name);

/** compress_choose() - the same for what people write; "none": NULL. EINVAL: no such format; the message has them all */
int compress_choose(const char *name, const struct encoder **out, struct err *e);

struct compress;

/**
 * compress_open() - a file is begun
 * @level: from level_min to level_max of the format
 * @out_fd: written from its current position by whatever thread, in order
 *
 * While the caller prepares the next bytes, what was written before is compressed.
 */
struct compress *compress_open(const struct encoder *format, int level, int out_fd, struct err *e);

/** compress_write() - 0, or -1 with the first error, which may be about bytes of earlier calls ("write: ...") */
int compress_write(struct compress *c, const void *p, size_t len, struct err *e);

/** compress_end() - writes all that is missing; nothing may be written after that */
int compress_end(struct compress *c, struct err *e);

/** compress_free() - also what was not ended; NULL is fine */
void compress_free(struct compress *c);
