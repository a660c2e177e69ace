/* SPDX-License-Identifier: Apache-2.0
 * encoder - what compress.c asks of a compression library; one file per library implements it
 *
 * The bytes are cut into blocks, at places that only the format and the level decide; each block is compressed by
 * itself, and what comes out is written in order. So the result is the same however many blocks are under way at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* one block on its way */
struct encoder_block {
	const uint8_t *history;  /* up to .history bytes that stand before it; they end where `in` begins */
	size_t         history_len;
	const uint8_t *in;
	size_t         in_len;   /* 0 only for the last block */
	bool           last;
	uint8_t       *out;
	size_t         out_room; /* .bound() of a whole block */
	size_t         out_len;  /* what it became */
	uint32_t       check;    /* of `in`, for sum() */
};

/* of all blocks so far, for formats that end with a checksum of the whole */
struct encoder_sum {
	uint32_t check;
	uint64_t bytes;
};

#define ENCODER_FRAME_MAX 16u

struct encoder {
	const char *name;       /* as people write it: "gzip" */
	int         level_min, level_max, level_default;
	size_t      history;    /* bytes before a block that it may refer to */
	size_t    (*block)(int level);
	size_t    (*bound)(size_t in_len);
	uint64_t  (*memory)(int level); /* of what open() makes */
	void     *(*open)(int level, struct err *e);
	int       (*run)(void *ctx, struct encoder_block *b, struct err *e);
	void      (*close)(void *ctx);
	/* what stands before and behind the blocks, as a number of bytes put to @out; NULL: nothing */
	size_t    (*begin)(int level, uint8_t *out);
	void      (*sum)(struct encoder_sum *s, const struct encoder_block *b);
	size_t    (*end)(const struct encoder_sum *s, uint8_t *out);
};

extern const struct encoder encoder_gzip, encoder_xz, encoder_zstd;
