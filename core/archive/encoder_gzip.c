/* SPDX-License-Identifier: Apache-2.0
 * encoder_gzip - deflate in one gzip member, as pigz writes it: blocks end on a byte (zlib's Z_SYNC_FLUSH) and refer back
 * into the block before
 *
 * The header has neither time nor name. Source: RFC 1951, RFC 1952.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/archive/decoder.h"
#include "core/archive/deflate.h"
#include "core/archive/encoder.h"

#define BLOCK     (128u << 10)
#define LEVEL_OWN 1

/* one of them, by the level */
struct compressor {
	struct deflate *own;
	z_stream        zlib;
	gzip_crc       *crc; /* NULL: zlib's */
};

static size_t block_size(int level)
{
	return BLOCK;
}

/* the flush is an empty stored block, five bytes and what fills up the byte before */
static size_t bound(size_t in_len)
{
	size_t zlib = deflateBound(NULL, in_len) + 16, own = deflate_bound(in_len);

	return zlib > own ? zlib : own;
}

static uint64_t memory(int level)
{
	return 320u << 10; /* zlib.h: (1 << (15 + 2)) + (1 << (8 + 9)), and some; ours takes as much */
}

static void close_gzip(void *ctx)
{
	struct compressor *c = ctx;

	if (!c->own)
		deflateEnd(&c->zlib);
	deflate_free(c->own);
	free(c);
}

static void *open_gzip(int level, struct err *e)
{
	struct compressor *c = calloc(1, sizeof(*c));

	if (c)
		c->crc = gzip_crc_fast();
	if (c && level == LEVEL_OWN && (c->own = deflate_new()))
		return c;
	if (c && level != LEVEL_OWN &&
	    deflateInit2(&c->zlib, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK)
		return c;
	free(c);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static int run_zlib(z_stream *z, struct encoder_block *b, struct err *e)
{
	deflateReset(z);
	if (b->history_len)
		deflateSetDictionary(z, b->history, (uInt)b->history_len);
	z->next_in = (Bytef *)(uintptr_t)b->in;
	z->avail_in = (uInt)b->in_len;
	z->next_out = b->out;
	z->avail_out = (uInt)b->out_room;
	int r = deflate(z, b->last ? Z_FINISH : Z_SYNC_FLUSH);
	if (r != (b->last ? Z_STREAM_END : Z_OK) || z->avail_in || !z->avail_out)
		return err_set(e, EIO, "gzip: zlib failed (%d)", r);
	b->out_len = b->out_room - z->avail_out;
	return 0;
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	struct compressor *c = ctx;

	b->check = c->crc ? c->crc(0, b->in, b->in_len) : (uint32_t)crc32(0, b->in, (uInt)b->in_len);
	if (!c->own)
		return run_zlib(&c->zlib, b, e);
	b->out_len = deflate_block(c->own, b->in, b->in_len, b->history_len, b->last, b->out);
	return 0;
}

/* ---- around the blocks ---- */

static size_t begin(int level, uint8_t *out)
{
	/* extra flags: the least and the most that the compressor can do; system 3 is Unix */
	const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level == 9 ? 2 : level == LEVEL_OWN ? 4 : 0, 3 };

	memcpy(out, head, sizeof(head));
	return sizeof(head);
}

static void sum(struct encoder_sum *s, const struct encoder_block *b)
{
	s->check = (uint32_t)crc32_combine(s->check, b->check, (z_off_t)b->in_len);
	s->bytes += b->in_len;
}

static size_t end(const struct encoder_sum *s, uint8_t *out)
{
	for (unsigned i = 0; i < 4; i++) {
		out[i] = (uint8_t)(s->check >> 8 * i);
		out[4 + i] = (uint8_t)(s->bytes >> 8 * i);
	}
	return 8;
}

const struct encoder encoder_gzip = {
	.name = "gzip", .level_min = 1, .level_max = 9, .level_default = LEVEL_OWN, .history = DEFLATE_WINDOW,
	.block = block_size, .bound = bound, .memory = memory, .open = open_gzip, .run = run, .close = close_gzip,
	.begin = begin, .sum = sum, .end = end,
};
