/* SPDX-License-Identifier: Apache-2.0
 * decoder_igzip - ISA-L behind decoder.h, for gzip on processors that it has assembly for
 *
 * ISA-L checks CRC and length of every member. Headers are read here, because it loses its place (and the
 * header's checksum) when one is cut by the end of a block, and lets unknown flags pass.
 */
#include "core/archive/decoder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* where deps/isal.dep has no assembly there is no crc.h; as a library of the system, it is always there */
#if defined(__x86_64__) && __has_include(<isa-l/crc.h>) && !defined(RKTBOX_WITHOUT_ISAL)

#include <cpuid.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

/* RFC 1952, 2.3 */
enum part { FIXED, EXTRA_LEN, EXTRA, NAME, COMMENT, HEADER_CRC, BODY };
#define FIXED_LEN     10
#define FLAG_CRC      0x02
#define FLAG_EXTRA    0x04
#define FLAG_NAME     0x08
#define FLAG_COMMENT  0x10
#define FLAGS_UNKNOWN 0xe0

struct igzip {
	enum part            part;
	size_t               n; /* bytes of this part that were read */
	uint8_t              flags;
	size_t               extra_len;
	uint16_t             wanted_crc;
	uLong                crc; /* of the header */
	struct inflate_state z;
};

static bool has_part(const struct igzip *g, enum part p)
{
	switch (p) {
	case EXTRA_LEN:
		return g->flags & FLAG_EXTRA;
	case EXTRA:
		return g->extra_len;
	case NAME:
		return g->flags & FLAG_NAME;
	case COMMENT:
		return g->flags & FLAG_COMMENT;
	case HEADER_CRC:
		return g->flags & FLAG_CRC;
	default:
		return true;
	}
}

static int fixed_byte(struct igzip *g, uint8_t c, struct err *e)
{
	static const uint8_t magic[] = { 0x1f, 0x8b };

	if (g->n < 2 && c != magic[g->n])
		return err_set(e, EBADMSG, "incorrect header check");
	if (g->n == 2 && c != 8)
		return err_set(e, EBADMSG, "unknown compression method");
	if (g->n == 3 && c & FLAGS_UNKNOWN)
		return err_set(e, EBADMSG, "unknown header flags set");
	if (g->n == 3)
		g->flags = c;
	return g->n == FIXED_LEN - 1;
}

static int crc_byte(struct igzip *g, uint8_t c, struct err *e)
{
	g->wanted_crc |= (uint16_t)(c << 8 * g->n);
	if (g->n == 0)
		return 0;
	return g->wanted_crc == (g->crc & 0xffff) ? 1 : err_set(e, EBADMSG, "header crc mismatch");
}

/* 1: with this one the part is complete */
static int part_byte(struct igzip *g, uint8_t c, struct err *e)
{
	switch (g->part) {
	case FIXED:
		return fixed_byte(g, c, e);
	case EXTRA_LEN:
		g->extra_len |= (size_t)c << 8 * g->n;
		return g->n == 1;
	case EXTRA:
		return g->n == g->extra_len - 1;
	case NAME:
	case COMMENT:
		return !c;
	case HEADER_CRC:
		return crc_byte(g, c, e);
	case BODY:
		break;
	}
	abort();
}

static int header(struct igzip *g, struct decoder_io *io, struct err *e)
{
	while (g->part != BODY && io->in_len) {
		uint8_t c = *io->in++;
		io->in_len--;
		int r = part_byte(g, c, e);
		if (r < 0)
			return -1;
		if (g->part != HEADER_CRC)
			g->crc = crc32(g->crc, &c, 1);
		g->n++;
		if (r) {
			g->n = 0;
			do
				g->part++;
			while (!has_part(g, g->part));
		}
	}
	return 0;
}

static const char *reason(int r)
{
	switch (r) {
	case ISAL_INVALID_BLOCK:
		return "invalid block";
	case ISAL_INVALID_SYMBOL:
		return "invalid code";
	case ISAL_INVALID_LOOKBACK:
		return "invalid distance too far back";
	case ISAL_INCORRECT_CHECKSUM:
		return "incorrect data or length check";
	default:
		return "corrupt";
	}
}

static enum decoder_state body(struct inflate_state *z, struct decoder_io *io, struct err *e)
{
	/* not const in the struct; ISA-L does not write there */
	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = io->in_len < INT_MAX ? (uint32_t)io->in_len : INT_MAX;
	z->next_out = io->out;
	z->avail_out = io->out_len < INT_MAX ? (uint32_t)io->out_len : INT_MAX;
	int r = isal_inflate(z);
	io->in_len -= (size_t)(z->next_in - io->in);
	io->in = z->next_in;
	io->out_len -= (size_t)(z->next_out - io->out);
	io->out = z->next_out;
	if (r != ISAL_DECOMP_OK) {
		err_set(e, EBADMSG, "%s", reason(r));
		return DECODER_ERROR;
	}
	return z->block_state == ISAL_BLOCK_FINISH ? DECODER_DONE : DECODER_MORE;
}

static enum decoder_state igzip_run(void *ctx, struct decoder_io *io, struct err *e)
{
	struct igzip *g = ctx;

	if (header(g, io, e) < 0)
		return DECODER_ERROR;
	return g->part == BODY ? body(&g->z, io, e) : DECODER_MORE;
}

static int igzip_restart(void *ctx, struct err *e)
{
	struct igzip *g = ctx;

	(void)e;
	g->part = FIXED;
	g->n = g->extra_len = 0;
	g->flags = 0;
	g->wanted_crc = 0;
	g->crc = 0;
	isal_inflate_reset(&g->z);
	return 0;
}

static void *igzip_open(struct err *e)
{
	struct igzip *g = calloc(1, sizeof(*g));

	if (!g) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	isal_inflate_init(&g->z);
	g->z.crc_flag = ISAL_GZIP_NO_HDR_VER; /* no header, but the trailer is there to be checked */
	return g;
}

static const struct decoder decoder_igzip = {
	INFLATE_GZIP, decoder_gzip_begins, igzip_open, igzip_run, igzip_restart, free
};

static bool has_assembly(void)
{
	unsigned a, b, c, d;

	/* not __builtin_cpu_supports(), which asks at every start of the program; that takes longer than one thinks */
	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) && (c & bit_PCLMUL);
}

const struct decoder *decoder_gzip_fast(void)
{
	return has_assembly() ? &decoder_igzip : NULL;
}

gzip_crc *gzip_crc_fast(void)
{
	return has_assembly() ? crc32_gzip_refl : NULL;
}

#else

gzip_crc *gzip_crc_fast(void)
{
	return NULL;
}

const struct decoder *decoder_gzip_fast(void)
{
	return NULL;
}

#endif
