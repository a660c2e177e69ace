/* SPDX-License-Identifier: Apache-2.0
 * encoder_zstd - each block is a frame of its own, and several in a row are one file (RFC 8878, 3.1)
 */
#include <errno.h>

#include "core/archive/encoder.h"
#include "core/archive/zstd.h"

static size_t block_size(int level)
{
	return ZSTD_FRAME_MAX;
}

static uint64_t memory(int level)
{
	return 1u << 20;
}

static void *open_zstd(int level, struct err *e)
{
	struct zstd *z = zstd_new();

	if (!z)
		err_set(e, ENOMEM, "out of memory");
	return z;
}

static void close_zstd(void *ctx)
{
	zstd_free(ctx);
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	b->out_len = zstd_frame(ctx, b->in, b->in_len, b->out);
	return 0;
}

const struct encoder encoder_zstd = {
	.name = "zstd", .level_min = 1, .level_max = 1, .level_default = 1,
	.block = block_size, .bound = zstd_bound, .memory = memory, .open = open_zstd, .run = run, .close = close_zstd,
};
