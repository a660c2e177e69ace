/* SPDX-License-Identifier: Apache-2.0
 * encoder_zstd - libzstd; each block is a frame of its own, and several in a row are one file (RFC 8878, 3.1)
 */
#include <errno.h>
#include <zstd.h>

#include "core/archive/encoder.h"

#define BLOCK (1u << 20)

static size_t block_size(int level)
{
	(void)level;
	return BLOCK;
}

static size_t bound(size_t in_len)
{
	return ZSTD_compressBound(in_len);
}

/* what zstd.h calls an estimate is not in its stable part; for blocks of 1 MiB it is below that at all of these levels */
static uint64_t memory(int level)
{
	(void)level;
	return 4u << 20;
}

static void close_zstd(void *ctx)
{
	ZSTD_freeCCtx(ctx);
}

static void *open_zstd(int level, struct err *e)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (z && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1)))
		return z;
	ZSTD_freeCCtx(z);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	size_t n = ZSTD_compress2(ctx, b->out, b->out_room, b->in, b->in_len);

	if (ZSTD_isError(n))
		return err_set(e, EIO, "zstd: libzstd failed (%s)", ZSTD_getErrorName(n));
	b->out_len = n;
	return 0;
}

/* the levels above are not in the program (deps/zstd.dep) */
const struct encoder encoder_zstd = {
	.name = "zstd", .level_min = 1, .level_max = 4, .level_default = 3,
	.block = block_size, .bound = bound, .memory = memory, .open = open_zstd, .run = run, .close = close_zstd,
};
