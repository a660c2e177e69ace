/* SPDX-License-Identifier: Apache-2.0
 * decoder_xz - liblzma behind decoder.h
 *
 * liblzma reads the whole file, as it knows where streams follow each other and what padding is allowed
 * between and after them (xz file format, 2.2). So DONE comes once, at the end of the input.
 */
#include "core/archive/decoder.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

static bool xz_begins(const uint8_t *p, size_t len)
{
	return len >= 6 && !memcmp(p, "\xfd" "7zXZ", 6); /* with the NUL */
}

static void *xz_open(struct err *e)
{
	lzma_stream *xz = calloc(1, sizeof(*xz));

	uint32_t flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
	if (xz && lzma_stream_decoder(xz, INFLATE_MEM_MAX, flags) == LZMA_OK)
		return xz;
	free(xz);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static enum decoder_state failed(lzma_stream *xz, lzma_ret r, struct err *e)
{
	switch (r) {
	case LZMA_MEM_ERROR:
		err_set(e, ENOMEM, "out of memory");
		break;
	case LZMA_MEMLIMIT_ERROR:
		err_set(e, EFBIG, "needs %llu MiB to decompress, %u are allowed",
			(unsigned long long)(lzma_memusage(xz) >> 20), INFLATE_MEM_MAX >> 20);
		break;
	case LZMA_UNSUPPORTED_CHECK:
		err_set(e, EBADMSG, "unknown kind of integrity check");
		break;
	case LZMA_OPTIONS_ERROR:
		err_set(e, EBADMSG, "unknown filter or option");
		break;
	case LZMA_FORMAT_ERROR:
		err_set(e, EBADMSG, "bytes after the last stream that are no stream");
		break;
	default:
		err_set(e, EBADMSG, "corrupt");
		break;
	}
	return DECODER_ERROR;
}

static enum decoder_state xz_run(void *ctx, struct decoder_io *io, struct err *e)
{
	lzma_stream *xz = ctx;

	xz->next_in = io->in;
	xz->avail_in = io->in_len;
	xz->next_out = io->out;
	xz->avail_out = io->out_len;
	lzma_ret r = lzma_code(xz, io->in_end ? LZMA_FINISH : LZMA_RUN);
	io->in = xz->next_in;
	io->in_len = xz->avail_in;
	io->out = xz->next_out;
	io->out_len = xz->avail_out;
	if (r == LZMA_STREAM_END)
		return DECODER_DONE;
	if (r == LZMA_OK || r == LZMA_BUF_ERROR)
		return DECODER_MORE;
	return failed(xz, r, e);
}

/* never asked for: DONE is the end of the file, so a byte after it is liblzma's error */
static int xz_restart(void *ctx, struct err *e)
{
	(void)ctx;
	return err_set(e, EBADMSG, "bytes after the last stream");
}

static void xz_close(void *ctx)
{
	lzma_end(ctx);
	free(ctx);
}

const struct decoder decoder_xz = { INFLATE_XZ, xz_begins, xz_open, xz_run, xz_restart, xz_close };
