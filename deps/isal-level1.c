/* SPDX-License-Identifier: Apache-2.0
 * isal-level1 - finds the matches for level 1 of ISA-L's deflate as its assembly does, on any processor
 *
 * ISA-L's own C decides otherwise than its assembly: what is written would depend on the processor. So these take
 * the place of igzip_icf_body_h1_gr_bt.asm, igzip_icf_finish.asm and igzip_deflate_hash.asm, and share their
 * oddities. testsuite/unit/archive_gzip.c compares the two.
 *
 * Positions count from where the stream began, at @base; a history lies before it.
 */
#include <stdbool.h>
#include <string.h>

#include "encode_df.h"
#include "huffman.h"
#include "igzip_level_buf_structs.h"
#include "isal-level1.h"
#include "unaligned.h"

#define PADDING     16         /* what the body leaves to the finish, ... */
#define LOOK_AHEAD  288        /* ... and how much when more input will come */
#define LONG_MATCH  264        /* from here on a match is written in pieces ... */
#define LONGEST     (258 * 16) /* ... and not looked at any further */
#define SKIP_AFTER  2048       /* so many literals in a row, and the next ones are taken unseen, */
#define SKIP_COUNT  32         /* so many, */
#define SKIP_MORE   512        /* and more when that happened so often, */
#define SKIP_LEVELS 560        /* up to here */

struct pass {
	struct isal_zstream *stream;
	struct level_buf    *buf;
	uint16_t            *table; /* for each hash: where such four bytes were last */
	uint8_t             *base;
	int64_t              at, end;
	struct deflate_icf  *out;
	uint8_t             *out_end;
};

static struct pass begin(struct isal_zstream *s)
{
	struct level_buf *buf = (struct level_buf *)s->level_buf;

	return (struct pass){ .stream = s, .buf = buf, .table = buf->lvl1.hash_table, .base = s->next_in - s->total_in,
		.at = s->total_in, .end = (int64_t)s->total_in + s->avail_in, .out = buf->icf_buf_next,
		.out_end = (uint8_t *)buf->icf_buf_next + buf->icf_buf_avail_out };
}

static void end(struct pass *p)
{
	struct isal_zstream *s = p->stream;

	s->next_in = p->base + p->at;
	s->total_in = s->internal_state.block_end = (uint32_t)p->at;
	s->avail_in = (uint32_t)(p->end - p->at);
	p->buf->icf_buf_next = p->out;
	p->buf->icf_buf_avail_out = (uint64_t)(p->out_end - (uint8_t *)p->out);
}

static bool full(const struct pass *p, int slop)
{
	return (uint8_t *)p->out > p->out_end - slop;
}

static bool flushing(const struct isal_zstream *s)
{
	return s->end_of_stream || s->flush != NO_FLUSH;
}

/* ---- the table ---- */

/* CRC-32C of four bytes, without inversions, is the sum of those of each byte; masks are no wider than 16 bits */
static uint16_t crc[4][256];
static int crc_made;

static void make_crc(void)
{
	if (__atomic_load_n(&crc_made, __ATOMIC_ACQUIRE))
		return;
	for (unsigned i = 0; i < 4 * 256; i++) {
		uint32_t c = (i & 255) << 8 * (i >> 8);
		for (int bit = 0; bit < 32; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
		crc[i >> 8][i & 255] = (uint16_t)c; /* threads that are at it too write the same */
	}
	__atomic_store_n(&crc_made, 1, __ATOMIC_RELEASE);
}

static uint32_t hash(const struct pass *p, int64_t at)
{
	const uint8_t *b = p->base + at;

	return (crc[0][b[0]] ^ crc[1][b[1]] ^ crc[2][b[2]] ^ crc[3][b[3]]) & p->stream->internal_state.hash_mask;
}

static void seen(struct pass *p, int64_t at)
{
	p->table[hash(p, at)] = (uint16_t)at;
}

void isal_level1_hash(uint16_t *table, uint32_t mask, uint32_t at, uint8_t *dict, uint32_t len)
{
	make_crc();
	for (uint32_t i = 0; i + 4 <= len; i++)
		table[(crc[0][dict[i]] ^ crc[1][dict[i + 1]] ^ crc[2][dict[i + 2]] ^ crc[3][dict[i + 3]]) & mask] =
			(uint16_t)(at - len + i);
}

/* ---- what is written ---- */

static void literal(struct pass *p)
{
	uint8_t c = p->base[p->at++];

	p->buf->hist.ll_hist[c]++;
	*p->out++ = (struct deflate_icf){ .lit_len = c, .lit_dist = NULL_DIST_SYM };
}

static void two_literals(struct pass *p)
{
	uint8_t a = p->base[p->at], b = p->base[p->at + 1];

	p->at += 2;
	p->buf->hist.ll_hist[a]++;
	p->buf->hist.ll_hist[b]++;
	*p->out++ = (struct deflate_icf){ .lit_len = a, .lit_dist = LIT_START + b };
}

static void match(struct pass *p, uint32_t len, uint32_t dist)
{
	uint32_t code, extra;

	get_dist_icf_code(dist, &code, &extra);
	p->at += len;
	p->buf->hist.ll_hist[LEN_OFFSET + len]++;
	p->buf->hist.d_hist[code]++;
	*p->out++ = (struct deflate_icf){ .lit_len = LEN_OFFSET + len, .lit_dist = code, .dist_extra = extra };
}

/* nothing stands before it */
static void first_byte(struct pass *p)
{
	p->stream->internal_state.has_hist = IGZIP_HIST;
	seen(p, p->at);
	literal(p);
}

/* ---- the body: at two places at once, with hashes that were taken one step before ---- */

enum next { ON, DONE, NO_ROOM };

struct body {
	struct pass p;
	int64_t     stop;   /* all but the padding */
	uint32_t    h1, h2; /* of the two places; after a skip, of those before it */
	int64_t     skip_at, skip_level;
};

static void hash_here(struct body *b)
{
	b->h1 = hash(&b->p, b->p.at);
	b->h2 = hash(&b->p, b->p.at + 1);
}

/* how many of the next 8 bytes are those @dist before */
static uint32_t alike(const struct pass *p, int64_t at, uint32_t dist)
{
	uint64_t differ = load_le_u64(p->base + at) ^ load_le_u64(p->base + at - dist);

	return differ ? (uint32_t)__builtin_ctzll(differ) / 8 : 8;
}

/* only its end gets into the table */
static enum next long_match(struct body *b, uint32_t len, uint32_t dist)
{
	struct pass *p = &b->p;

	p->table[b->h1] = (uint16_t)(p->at + 2);
	p->table[b->h2] = (uint16_t)(p->at + 3);
	for (; len >= LONG_MATCH; len -= 258) {
		match(p, 258, dist);
		if (full(p, 8))
			return NO_ROOM;
	}
	match(p, len < 258 ? len : 258, dist);
	if (p->at >= b->stop)
		return DONE;
	for (int64_t i = p->at - 4; i < p->at; i++)
		seen(p, i);
	hash_here(b);
	return ON;
}

/* after @lit literals, 0 or 1; the first @len bytes are known to be alike */
static enum next body_match(struct body *b, uint32_t lit, uint32_t len, uint32_t dist)
{
	struct pass *p = &b->p;
	int64_t here = p->at, most = p->end - here - lit;

	if (lit)
		literal(p);
	if (len == 8)
		len = (uint32_t)compare(p->base + p->at, p->base + p->at - dist,
			(uint32_t)(most < LONGEST ? most : LONGEST));
	if (len >= LONG_MATCH)
		return long_match(b, len, dist);
	len = len < 258 ? len : 258;
	match(p, len, dist);
	p->table[b->h1] = (uint16_t)(here + 2);
	p->table[b->h2] = (uint16_t)(here + 3);
	if (p->at > b->stop)
		return DONE;
	if (lit)
		seen(p, here + 4);
	b->skip_at = p->at + SKIP_AFTER;
	b->skip_level -= len;
	hash_here(b);
	return ON;
}

static enum next skip(struct body *b)
{
	struct pass *p = &b->p;

	b->skip_level = b->skip_level < -1 ? 0 : b->skip_level < SKIP_LEVELS ? b->skip_level + 1 : SKIP_LEVELS;
	b->skip_at = b->skip_level < 32 ? SKIP_AFTER >> b->skip_level : 0;
	int64_t more = b->skip_level > SKIP_MORE ? b->skip_level - SKIP_MORE : 0;
	int64_t count = (SKIP_COUNT + 2 * more) & -SKIP_COUNT;
	if ((p->out_end - 4 - (uint8_t *)p->out) / 2 < count || p->end - p->at < count) {
		do {
			two_literals(p);
			if (full(p, 8))
				return NO_ROOM;
		} while (p->at < b->stop);
		return DONE;
	}
	for (; count > 0; count -= 2)
		two_literals(p);
	b->skip_at += p->at;
	return p->at < b->stop ? ON : DONE;
}

static enum next body_step(struct body *b)
{
	struct pass *p = &b->p;
	uint32_t mask = p->stream->internal_state.dist_mask;

	if (full(p, 8))
		return NO_ROOM;
	uint32_t d1 = ((uint16_t)(p->at - 1 - p->table[b->h1]) & mask) + 1;
	p->table[b->h1] = (uint16_t)p->at;
	uint32_t d2 = ((uint16_t)(p->at - p->table[b->h2]) & mask) + 1;
	p->table[b->h2] = (uint16_t)(p->at + 1);
	b->h1 = hash(p, p->at + 2);
	b->h2 = hash(p, p->at + 3);
	uint32_t n1 = alike(p, p->at, d1), n2 = alike(p, p->at + 1, d2);
	if (n1 == 8 || (n1 >= 4 && n2 < 8))
		return body_match(b, 0, n1, d1);
	if (n2 >= 4)
		return body_match(b, 1, n2, d2);
	two_literals(p);
	if (p->at > b->stop)
		return DONE;
	return p->at <= b->skip_at ? ON : skip(b);
}

void isal_level1_body(struct isal_zstream *s)
{
	struct isal_zstate *state = &s->internal_state;
	enum next next = ON;

	if (!s->avail_in) {
		state->state = flushing(s) ? ZSTATE_CREATE_HDR : state->state;
		return;
	}
	make_crc();
	struct body b = { .p = begin(s) };
	b.stop = b.p.end - (flushing(s) ? PADDING : LOOK_AHEAD);
	b.skip_at = b.p.at + SKIP_AFTER;
	if (b.p.at < b.stop && state->has_hist == IGZIP_NO_HIST)
		first_byte(&b.p);
	if (b.p.at < b.stop)
		for (hash_here(&b); next == ON; next = body_step(&b))
			;
	state->has_eob = 0;
	state->state = next == NO_ROOM ? ZSTATE_CREATE_HDR : flushing(s) ? ZSTATE_FLUSH_READ_BUFFER : ZSTATE_BODY;
	end(&b.p);
}

/* ---- the finish: the padding, byte by byte ---- */

static void finish_step(struct pass *p, int64_t stop)
{
	uint16_t *last = &p->table[hash(p, p->at)];
	uint32_t dist = (uint16_t)(p->at - *last), len = 0;
	int64_t here = p->at, most = p->end - here;

	*last = (uint16_t)here;
	if (dist - 1 < p->stream->internal_state.dist_mask)
		len = (uint32_t)compare(p->base + here, p->base + here - dist, (uint32_t)(most < 258 ? most : 258));
	if (len < SHORTEST_MATCH) {
		literal(p);
		return;
	}
	match(p, len, dist);
	if (p->at < stop) {
		seen(p, here + 1);
		seen(p, here + 2);
	}
}

void isal_level1_finish(struct isal_zstream *s)
{
	make_crc();
	struct pass p = begin(s);
	int64_t stop = p.end - 3; /* no four bytes behind it */

	if (p.at < stop && s->internal_state.has_hist == IGZIP_NO_HIST && !full(&p, 4))
		first_byte(&p);
	while (p.at < stop && !full(&p, 4))
		finish_step(&p, stop);
	while (p.at < p.end && !full(&p, 4))
		literal(&p);
	if (p.at < p.end || flushing(s))
		s->internal_state.state = ZSTATE_CREATE_HDR;
	end(&p);
}
