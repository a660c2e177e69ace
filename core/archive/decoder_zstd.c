/* SPDX-License-Identifier: Apache-2.0
 * decoder_zstd - libzstd behind decoder.h; skippable frames are frames without content
 */
#include "core/archive/decoder.h"

#include <errno.h>
#include <zstd.h>

#define WINDOW_LOG_MAX 27 /* 128 MiB: what the zstd tool accepts without being asked, and below INFLATE_MEM_MAX */

static bool zstd_begins(const uint8_t *p, size_t len)
{
	if (len < 4)
		return false;
	uint32_t magic = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	return magic == 0xfd2fb528 || (magic & 0xfffffff0) == 0x184d2a50;
}

static void *zstd_open(struct err *e)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();

	if (d && !ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return d;
	ZSTD_freeDCtx(d);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static enum decoder_state zstd_run(void *ctx, struct decoder_io *io, struct err *e)
{
	ZSTD_inBuffer in = { io->in, io->in_len, 0 };
	ZSTD_outBuffer out = { io->out, io->out_len, 0 };
	size_t r = ZSTD_decompressStream(ctx, &out, &in);

	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	if (!ZSTD_isError(r))
		return r == 0 ? DECODER_DONE : DECODER_MORE;
	err_set(e, EBADMSG, "%s", ZSTD_getErrorName(r));
	return DECODER_ERROR;
}

static int zstd_restart(void *ctx, struct err *e)
{
	size_t r = ZSTD_DCtx_reset(ctx, ZSTD_reset_session_only);

	return ZSTD_isError(r) ? err_set(e, EBADMSG, "%s", ZSTD_getErrorName(r)) : 0;
}

static void zstd_close(void *ctx)
{
	ZSTD_freeDCtx(ctx);
}

const struct decoder decoder_zstd = { INFLATE_ZSTD, zstd_begins, zstd_open, zstd_run, zstd_restart, zstd_close };
