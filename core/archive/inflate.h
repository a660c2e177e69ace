/* SPDX-License-Identifier: Apache-2.0
 * inflate - what the magic bytes say: gzip, bzip2, xz, zstd or nothing, decompressed as a source
 *
 * Strict about the end: bytes after the last member or frame, a cut-off member and a bad checksum are errors
 * that name the compressed offset. Several members in a row are one stream (RFC 1952, 2.2), zero padding
 * after xz streams in multiples of four is allowed (xz format, 2.2). Decoder memory is bounded: INFLATE_MEM_MAX.
 */
#pragma once

#include <stdbool.h>

#include "core/archive/source.h"

enum inflate_format { INFLATE_NONE, INFLATE_GZIP, INFLATE_BZIP2, INFLATE_XZ, INFLATE_ZSTD };

#define INFLATE_MEM_MAX (160u << 20) /* xz -9 wants 65 MiB, zstd --ultra -22 129 MiB; ordinary levels under 10 */

/** inflate_open() - takes @in over, also on failure. Only the first block is read here. */
struct source *inflate_open(struct source *in, struct err *e);
/**
 * inflate_read() - next() into a buffer of the caller's, which saves copying what next() lends
 * Returns @room, less only before the end or an error, 0 at the end, -1. For any one source use it or next().
 */
ssize_t inflate_read(struct source *s, uint8_t *out, size_t room, struct err *e);
enum inflate_format inflate_format(const struct source *s); /* of a source made by inflate_open() */
uint64_t inflate_in_bytes(const struct source *s);          /* compressed bytes consumed so far */
const char *inflate_name(enum inflate_format f);            /* "gzip", "none" ... */
/* its decoder takes some ten KiB, not megabytes, which whoever works with the result can use */
bool inflate_is_small(enum inflate_format f);
