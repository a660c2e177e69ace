/* SPDX-License-Identifier: Apache-2.0
 * decoder_bzip2 - libbz2 behind decoder.h; it checks the CRC of every block and of the stream
 */
#include "core/archive/decoder.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool bzip2_begins(const uint8_t *p, size_t len)
{
	return len >= 4 && !memcmp(p, "BZh", 3) && p[3] >= '1' && p[3] <= '9';
}

static int init(bz_stream *bz, struct err *e)
{
	*bz = (bz_stream){ 0 };
	return BZ2_bzDecompressInit(bz, 0, 0) == BZ_OK ? 0 : err_set(e, ENOMEM, "out of memory");
}

static void *bzip2_open(struct err *e)
{
	bz_stream *bz = malloc(sizeof(*bz));

	if (!bz) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (init(bz, e) < 0) {
		free(bz);
		return NULL;
	}
	return bz;
}

static const char *reason(int r)
{
	return r == BZ_DATA_ERROR_MAGIC ? "not a bzip2 stream" :
	       r == BZ_DATA_ERROR	? "incorrect data check" : "corrupt";
}

static enum decoder_state bzip2_run(void *ctx, struct decoder_io *io, struct err *e)
{
	bz_stream *bz = ctx;

	bz->next_in = (char *)(uintptr_t)io->in; /* read only */
	bz->avail_in = (unsigned)io->in_len;
	bz->next_out = (char *)io->out;
	bz->avail_out = (unsigned)io->out_len;
	int r = BZ2_bzDecompress(bz);
	io->in = (const uint8_t *)bz->next_in;
	io->in_len = bz->avail_in;
	io->out = (uint8_t *)bz->next_out;
	io->out_len = bz->avail_out;
	if (r == BZ_STREAM_END)
		return DECODER_DONE;
	if (r == BZ_OK)
		return DECODER_MORE;
	if (r == BZ_MEM_ERROR)
		err_set(e, ENOMEM, "out of memory");
	else
		err_set(e, EBADMSG, "%s", reason(r));
	return DECODER_ERROR;
}

static int bzip2_restart(void *ctx, struct err *e)
{
	BZ2_bzDecompressEnd(ctx);
	return init(ctx, e);
}

static void bzip2_close(void *ctx)
{
	BZ2_bzDecompressEnd(ctx);
	free(ctx);
}

const struct decoder decoder_bzip2 = {
	INFLATE_BZIP2, bzip2_begins, bzip2_open, bzip2_run, bzip2_restart, bzip2_close
};
