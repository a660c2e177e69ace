/* SPDX-License-Identifier: Apache-2.0
 * zstd - a quick writer of zstd frames, of our own: libzstd's compressors would be 80 to 400 KB of the program
 *
 * Literals get a code for each block of 128 KiB, sequences the tables that the format has by default.
 * What comes out depends on nothing but what goes in. Source: RFC 8878.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ZSTD_FRAME_MAX (1u << 20) /* bytes of content */

struct zstd;

struct zstd *zstd_new(void); /* NULL: out of memory */
void zstd_free(struct zstd *z);

/** zstd_bound() - room that zstd_frame() needs for @len bytes */
size_t zstd_bound(size_t len);

/** zstd_frame() - one frame with its size and a checksum; returns the number of bytes in @out */
size_t zstd_frame(struct zstd *z, const uint8_t *in, size_t len, uint8_t *out);
