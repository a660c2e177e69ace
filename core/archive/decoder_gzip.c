/* SPDX-License-Identifier: Apache-2.0
 * decoder_gzip - zlib behind decoder.h; zlib itself checks header flags, CRC and length of every member
 *
 * Two more read what only OpenPGP has: the zlib format, and deflated data alone.
 */
#include "core/archive/decoder.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS) /* zlib's way of saying: a gzip header, and nothing else */

bool decoder_gzip_begins(const uint8_t *p, size_t len)
{
	return len >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

static void *open_format(int bits, struct err *e)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, bits) == Z_OK)
		return z;
	free(z);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static void *gzip_open(struct err *e)
{
	return open_format(GZIP_ONLY, e);
}

static void *zlib_open(struct err *e)
{
	return open_format(MAX_WBITS, e);
}

static void *deflate_open(struct err *e)
{
	return open_format(-MAX_WBITS, e);
}

static enum decoder_state gzip_run(void *ctx, struct decoder_io *io, struct err *e)
{
	z_stream *z = ctx;

	/* const only since zlib 1.2.5.2 with ZLIB_CONST; zlib does not write there */
	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = (uInt)io->in_len;
	z->next_out = io->out;
	z->avail_out = (uInt)io->out_len;
	int r = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_len = z->avail_in;
	io->out = z->next_out;
	io->out_len = z->avail_out;
	switch (r) {
	case Z_STREAM_END:
		return DECODER_DONE;
	case Z_OK:
	case Z_BUF_ERROR: /* no progress was possible: not enough input */
		return DECODER_MORE;
	case Z_MEM_ERROR:
		err_set(e, ENOMEM, "out of memory");
		return DECODER_ERROR;
	case Z_NEED_DICT: /* cannot happen in gzip, and is not for OpenPGP */
	default:
		err_set(e, EBADMSG, "%s", z->msg ? z->msg : "corrupt");
		return DECODER_ERROR;
	}
}

static int gzip_restart(void *ctx, struct err *e)
{
	return inflateReset(ctx) == Z_OK ? 0 : err_set(e, EBADMSG, "corrupt");
}

static void gzip_close(void *ctx)
{
	inflateEnd(ctx);
	free(ctx);
}

const struct decoder decoder_gzip = {
	INFLATE_GZIP, decoder_gzip_begins, gzip_open, gzip_run, gzip_restart, gzip_close
};

const struct decoder decoder_zlib = { .open = zlib_open, .run = gzip_run, .restart = gzip_restart, .close = gzip_close };
const struct decoder decoder_deflate = {
	.open = deflate_open, .run = gzip_run, .restart = gzip_restart, .close = gzip_close
};
