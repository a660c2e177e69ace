/* SPDX-License-Identifier: Apache-2.0
 * encoder_gzip - ISA-L for level 1, zlib for the others; one gzip member, as pigz writes it: blocks end on a byte
 * (Z_SYNC_FLUSH) and refer back into the block before
 *
 * The header has neither time nor name. Source: RFC 1952.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/archive/decoder.h"
#include "core/archive/encoder_gzip.h"

#define BLOCK  (128u << 10)
#define WINDOW (1u << MAX_WBITS)

static size_t block_size(int level)
{
	(void)level;
	return BLOCK;
}

/* the flush is an empty stored block, five bytes and what fills up the byte before; ISA-L may need one more of these */
static size_t bound(size_t in_len)
{
	return deflateBound(NULL, in_len) + 64;
}

/* ---- zlib ---- */

static void close_zlib(void *ctx)
{
	deflateEnd(ctx);
	free(ctx);
}

static void *open_zlib(int level, struct err *e)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && deflateInit2(z, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK)
		return z;
	free(z);
	err_set(e, ENOMEM, "out of memory");
	return NULL;
}

static int run_zlib(void *ctx, struct encoder_block *b, struct err *e)
{
	z_stream *z = ctx;

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

/* zlib.h: (1 << (15 + 2)) + (1 << (8 + 9)), and some */
static const struct deflater zlib = { 320u << 10, open_zlib, run_zlib, close_zlib };

/* ---- one of them ---- */

struct gzip {
	const struct deflater *by;
	void                  *ctx;
	gzip_crc              *crc; /* NULL: zlib's */
};

static const struct deflater *deflater(int level)
{
	const struct deflater *fast = level == 1 ? deflater_fast() : NULL;

	return fast ? fast : &zlib;
}

static uint64_t memory(int level)
{
	return deflater(level)->memory;
}

static void close_gzip(void *ctx)
{
	struct gzip *g = ctx;

	g->by->close(g->ctx);
	free(g);
}

static void *open_gzip(int level, struct err *e)
{
	struct gzip *g = malloc(sizeof(*g));

	if (!g) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	*g = (struct gzip){ .by = deflater(level), .crc = gzip_crc_fast() };
	g->ctx = g->by->open(level, e);
	if (g->ctx)
		return g;
	free(g);
	return NULL;
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	struct gzip *g = ctx;

	b->check = g->crc ? g->crc(0, b->in, b->in_len) : (uint32_t)crc32(0, b->in, (uInt)b->in_len);
	return g->by->run(g->ctx, b, e);
}

/* ---- around the blocks ---- */

static size_t begin(int level, uint8_t *out)
{
	/* extra flags: the least and the most that the compressor can do; system 3 is Unix */
	const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level == 9 ? 2 : level == 1 ? 4 : 0, 3 };

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
	.name = "gzip", .level_min = 1, .level_max = 9, .level_default = 1, .history = WINDOW,
	.block = block_size, .bound = bound, .memory = memory, .open = open_gzip, .run = run, .close = close_gzip,
	.begin = begin, .sum = sum, .end = end,
};
