/* SPDX-License-Identifier: Apache-2.0
 * encoder_xz - liblzma; each block is a stream of its own, and several in a row are one file (xz format, 2)
 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "core/archive/encoder.h"

#define BLOCK_MIN (1u << 20)

/* liblzma's own levels, but for the quick ones: their match finders are not in the program (deps/xz.dep) */
static void preset(int level, lzma_options_lzma *o)
{
	if (lzma_lzma_preset(o, (uint32_t)level))
		abort(); /* from level_min to level_max there are all */
	if (o->mode == LZMA_MODE_NORMAL)
		return;
	o->mode = LZMA_MODE_NORMAL;
	o->mf = LZMA_MF_BT4;
	o->nice_len = 8u << level;
	o->depth = 4u << level;
}

/* As long as the dictionary of the level: what is farther away could not be referred to anyway. */
static size_t block_size(int level)
{
	lzma_options_lzma o;

	preset(level, &o);
	return o.dict_size > BLOCK_MIN ? o.dict_size : BLOCK_MIN;
}

/* what does not get smaller is stored, in pieces of 64 KiB with heads of three bytes; and header, index, footer */
static size_t bound(size_t in_len)
{
	return in_len + in_len / 4096 + 256;
}

/* for each byte of the dictionary a place in the tree, two words, and a share of the hashes; and the bytes themselves */
static uint64_t memory(int level)
{
	lzma_options_lzma o;

	preset(level, &o);
	return (uint64_t)o.dict_size * 23 / 2 + (4u << 20);
}

struct xz {
	int               level;
	lzma_options_lzma options;
	lzma_stream       z; /* keeps its memory from block to block */
};

static void *open_xz(int level, struct err *e)
{
	struct xz *x = calloc(1, sizeof(*x));

	if (!x) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	x->level = level;
	preset(level, &x->options);
	return x;
}

static void close_xz(void *ctx)
{
	struct xz *x = ctx;

	lzma_end(&x->z);
	free(x);
}

static int failed(const struct xz *x, lzma_ret r, struct err *e)
{
	if (r == LZMA_MEM_ERROR)
		return err_set(e, ENOMEM, "xz: out of memory: level %d takes %llu MiB for each thread; a lower level, or "
			"fewer processors (taskset), take less", x->level, (unsigned long long)(memory(x->level) >> 20));
	return err_set(e, EIO, "xz: liblzma failed (%d)", (int)r);
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	struct xz *x = ctx;
	const lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &x->options }, { LZMA_VLI_UNKNOWN, NULL } };
	lzma_ret r = lzma_stream_encoder(&x->z, filters, LZMA_CHECK_CRC64);

	if (r != LZMA_OK)
		return failed(x, r, e);
	x->z.next_in = b->in;
	x->z.avail_in = b->in_len;
	x->z.next_out = b->out;
	x->z.avail_out = b->out_room;
	r = lzma_code(&x->z, LZMA_FINISH);
	if (r != LZMA_STREAM_END)
		return failed(x, r, e);
	b->out_len = b->out_room - x->z.avail_out;
	return 0;
}

const struct encoder encoder_xz = {
	.name = "xz", .level_min = 0, .level_max = 9, .level_default = 6,
	.block = block_size, .bound = bound, .memory = memory, .open = open_xz, .run = run, .close = close_xz,
};
