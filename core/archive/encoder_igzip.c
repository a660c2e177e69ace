/* SPDX-License-Identifier: Apache-2.0
 * encoder_igzip - ISA-L's level 1, for the level 1 of gzip
 *
 * deps/isal.dep sees to it that the same bytes come out on every processor.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/archive/encoder_gzip.h"

#if __has_include(<isa-l/igzip_lib.h>) && !defined(RKTBOX_WITHOUT_ISAL)

#include <isa-l/igzip_lib.h>

/* With nothing before it, ISA-L's assembly takes the hash of a byte from an address; but not of the last 16 bytes. */
#define FIRST 16u

struct igzip {
	struct isal_zstream z;
	uint8_t             level_buf[ISAL_DEF_LVL1_MEDIUM];
};

static void *open_igzip(int level, struct err *e)
{
	struct igzip *g = malloc(sizeof(*g));

	if (!g) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	isal_deflate_init(&g->z);
	g->z.level = (uint32_t)level;
	g->z.level_buf = g->level_buf;
	g->z.level_buf_size = sizeof(g->level_buf);
	return g;
}

static int deflate_next(struct isal_zstream *z, size_t len, bool last, struct err *e)
{
	z->avail_in = (uint32_t)len;
	z->flush = last ? NO_FLUSH : SYNC_FLUSH;
	z->end_of_stream = last;
	int r = isal_deflate(z);
	if (r != COMP_OK || z->avail_in || !z->avail_out || (last && z->internal_state.state != ZSTATE_END))
		return err_set(e, EIO, "gzip: ISA-L failed (%d)", r);
	return 0;
}

static int run(void *ctx, struct encoder_block *b, struct err *e)
{
	struct isal_zstream *z = &((struct igzip *)ctx)->z;
	size_t first = b->history_len || b->in_len <= FIRST ? 0 : FIRST;

	isal_deflate_reset(z);
	/* not const in the struct; ISA-L does not write there */
	isal_deflate_set_dict(z, (uint8_t *)(uintptr_t)b->history, (uint32_t)b->history_len);
	z->next_in = (uint8_t *)(uintptr_t)b->in;
	z->next_out = b->out;
	z->avail_out = (uint32_t)b->out_room;
	if (first && deflate_next(z, first, false, e) < 0)
		return -1;
	if (deflate_next(z, b->in_len - first, b->last, e) < 0)
		return -1;
	b->out_len = b->out_room - z->avail_out;
	return 0;
}

static const struct deflater igzip = { sizeof(struct igzip), open_igzip, run, free };

const struct deflater *deflater_fast(void)
{
	return &igzip;
}

#else

const struct deflater *deflater_fast(void)
{
	return NULL;
}

#endif
