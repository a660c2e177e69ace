/* SPDX-License-Identifier: Apache-2.0
 * zstd - see zstd.h
 */
#include "core/archive/zstd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/bits.h"
#include "core/archive/fse.h"
#include "core/archive/huffman.h"
#include "core/archive/lz.h"
#include "core/base/xxh64.h"

#define BLOCK        (128u << 10)
#define HASH_BITS    16
#define LITERAL_BITS 11u
#define WEIGHTS_LOG  6u
#define LITERALS_MIN 64u /* fewer do not pay for a code */

enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED };

/* lengths and offsets as symbols with more bits behind them */
struct codes {
	unsigned        n;
	const uint32_t *base;
	const uint8_t  *extra;
};

struct zstd {
	struct lz *lz;
	struct fse literal_lengths, offsets, match_lengths;
	uint8_t    literals[BLOCK];
	uint8_t    work[2 * BLOCK + 1024]; /* a block; it may turn out to be larger than it was, but not twice */
};

/* ---- sequences: RFC 8878, 3.1.1.3.2 ---- */

static const uint8_t literal_extra[36] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8,
	9, 10, 11, 12, 13, 14, 15, 16 };
static const uint32_t literal_base[36] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32,
	40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
static const uint8_t match_extra[53] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint32_t match_base[53] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099,
	8195, 16387, 32771, 65539 };
static const struct codes literal_codes = { 36, literal_base, literal_extra };
static const struct codes match_codes = { 53, match_base, match_extra };

static const int16_t literal_norm[36] = { 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1,
	1, 1, 1, 1, -1, -1, -1, -1 };
static const int16_t match_norm[53] = { 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1 };
static const int16_t offset_norm[29] = { 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1,
	-1 };

static unsigned code_of(const struct codes *c, uint32_t v)
{
	unsigned low = 0, high = c->n;

	while (high - low > 1) {
		unsigned mid = (low + high) / 2;
		if (v >= c->base[mid])
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* offsets 1 to 3 of the format mean those used last, so real ones begin at 4 */
static uint32_t offset_value(const struct lz_sequence *s)
{
	return s->distance + 3;
}

static unsigned offset_code(const struct lz_sequence *s)
{
	return 31u - (unsigned)__builtin_clz(offset_value(s));
}

static void put_extra(struct bits *b, const struct lz_sequence *s, unsigned ll, unsigned ml, unsigned of)
{
	bits_put(b, s->literals - literal_base[ll], literal_extra[ll]);
	bits_put(b, s->len - match_base[ml], match_extra[ml]);
	bits_flush(b);
	bits_put(b, offset_value(s) - (1u << of), of);
	bits_flush(b);
}

/* @n > 0; the last sequence comes first, because they are read the other way round */
static uint8_t *put_sequence_bits(const struct zstd *z, size_t n, uint8_t *out)
{
	struct bits b = { .at = out };
	const struct lz_sequence *s = &z->lz->v[n - 1];
	unsigned ll = code_of(&literal_codes, s->literals), ml = code_of(&match_codes, s->len), of = offset_code(s);
	uint32_t ll_state = fse_first(&z->literal_lengths, ll), ml_state = fse_first(&z->match_lengths, ml),
		 of_state = fse_first(&z->offsets, of);

	put_extra(&b, s, ll, ml, of);
	while (s-- > z->lz->v) {
		ll = code_of(&literal_codes, s->literals);
		ml = code_of(&match_codes, s->len);
		of = offset_code(s);
		fse_put(&z->offsets, &b, &of_state, of);
		fse_put(&z->match_lengths, &b, &ml_state, ml);
		fse_put(&z->literal_lengths, &b, &ll_state, ll);
		bits_flush(&b);
		put_extra(&b, s, ll, ml, of);
	}
	fse_end(&z->match_lengths, &b, ml_state);
	fse_end(&z->offsets, &b, of_state);
	fse_end(&z->literal_lengths, &b, ll_state);
	bits_put(&b, 1, 1);
	bits_align(&b);
	return b.at;
}

static uint8_t *put_sequences(const struct zstd *z, uint8_t *out)
{
	size_t n = z->lz->n - 1; /* but for the last one, which is literals only */

	if (n < 128) {
		*out++ = (uint8_t)n;
	} else if (n < 0x7f00) {
		*out++ = (uint8_t)((n >> 8) + 128);
		*out++ = (uint8_t)n;
	} else {
		*out++ = 255;
		*out++ = (uint8_t)(n - 0x7f00);
		*out++ = (uint8_t)((n - 0x7f00) >> 8);
	}
	if (!n)
		return out;
	*out++ = 0; /* the default tables for all three */
	return put_sequence_bits(z, n, out);
}

/* ---- literals: RFC 8878, 3.1.1.3.1 ---- */

struct literal_code {
	uint8_t  len[256];
	uint16_t code[256];
	unsigned n, longest; /* symbols up to the last one that occurs; bits */
};

static void make_code(struct literal_code *c, const uint32_t *freq)
{
	uint32_t count[LITERAL_BITS + 2] = { 0 }, next[LITERAL_BITS + 2] = { 0 };

	huffman_lengths(freq, 256, LITERAL_BITS, c->len);
	c->n = c->longest = 0;
	for (unsigned s = 0; s < 256; s++) {
		c->n = c->len[s] ? s + 1 : c->n;
		c->longest = c->len[s] > c->longest ? c->len[s] : c->longest;
		count[c->len[s]]++;
	}
	/* the longest codes are the lowest numbers */
	for (unsigned bits = c->longest, v = 0; bits > 0; bits--) {
		next[bits] = v;
		v = (v + count[bits]) >> 1;
	}
	for (unsigned s = 0; s < 256; s++)
		c->code[s] = c->len[s] ? (uint16_t)next[c->len[s]]++ : 0;
}

static unsigned weight(const struct literal_code *c, unsigned s)
{
	return c->len[s] ? c->longest + 1 - c->len[s] : 0;
}

/* weights of all symbols but the last, which follows from the others; NULL: they all are the same */
static uint8_t *put_weights_fse(const struct literal_code *c, uint8_t *out)
{
	uint32_t count[LITERAL_BITS + 1] = { 0 };
	int16_t norm[LITERAL_BITS + 1];
	struct bits b = { .at = out + 1 };
	unsigned i = c->n - 1, most = 0;
	struct fse f;

	for (unsigned s = 0; s < i; s++)
		count[weight(c, s)]++;
	for (unsigned w = 0; w <= LITERAL_BITS; w++) {
		if (count[w] == i)
			return NULL;
		most = count[w] ? w : most;
	}
	fse_normalise(count, most + 1, WEIGHTS_LOG, norm);
	fse_build(&f, norm, most + 1, WEIGHTS_LOG);
	fse_put_norm(&b, norm, most + 1, WEIGHTS_LOG);
	bits_align(&b);
	/* two states take turns; the first weight belongs to the first of them */
	uint32_t state[2];
	for (int k = 0; k < 2; k++) {
		i--;
		state[i & 1] = fse_first(&f, weight(c, i));
	}
	while (i-- > 0) {
		fse_put(&f, &b, &state[i & 1], weight(c, i));
		bits_flush(&b);
	}
	fse_end(&f, &b, state[1]);
	fse_end(&f, &b, state[0]);
	bits_put(&b, 1, 1);
	bits_align(&b);
	size_t len = (size_t)(b.at - out) - 1;
	*out = (uint8_t)len;
	return len < 128 ? b.at : NULL;
}

static uint8_t *put_weights_direct(const struct literal_code *c, uint8_t *out)
{
	unsigned n = c->n - 1;

	if (n > 128)
		return NULL;
	*out++ = (uint8_t)(127 + n);
	for (unsigned s = 0; s < n; s += 2)
		*out++ = (uint8_t)(weight(c, s) << 4 | (s + 1 < n ? weight(c, s + 1) : 0));
	return out;
}

static uint8_t *put_weights(const struct literal_code *c, uint8_t *out)
{
	uint8_t *end = c->n > 3 ? put_weights_fse(c, out) : NULL;

	if (end && c->n - 1 <= 128 && (size_t)(end - out) > 1 + c->n / 2)
		end = NULL;
	return end ? end : put_weights_direct(c, out);
}

/* a stream is read from its end */
static uint8_t *put_stream(const struct literal_code *c, const uint8_t *p, size_t n, uint8_t *out)
{
	struct bits b = { .at = out };

	while (n >= 4) {
		for (int k = 0; k < 4; k++) {
			n--;
			bits_put(&b, c->code[p[n]], c->len[p[n]]);
		}
		bits_flush(&b);
	}
	while (n--) {
		bits_put(&b, c->code[p[n]], c->len[p[n]]);
		bits_flush(&b);
	}
	bits_put(&b, 1, 1);
	bits_align(&b);
	return b.at;
}

/* in four parts, so that decoders can work on all of them at once; NULL: a part is too long for its head */
static uint8_t *put_streams(const struct literal_code *c, const uint8_t *p, size_t n, uint8_t *out)
{
	uint8_t *sizes = out;
	size_t part = (n + 3) / 4;

	out += 6;
	for (int k = 0; k < 4; k++) {
		uint8_t *end = put_stream(c, p + (size_t)k * part, k < 3 ? part : n - 3 * part, out);
		if (end - out > 0xffff)
			return NULL;
		if (k < 3) {
			*sizes++ = (uint8_t)(end - out);
			*sizes++ = (uint8_t)((end - out) >> 8);
		}
		out = end;
	}
	return out;
}

static uint8_t *put_number(uint8_t *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*out++ = (uint8_t)(v >> 8 * i);
	return out;
}

/* type and size, of literals that have no code; they are up to 20 bits */
static uint8_t *put_plain_head(uint8_t *out, enum block_type type, size_t n)
{
	return put_number(out, type | 3 << 2 | n << 4, 3);
}

/* NULL: it would not be smaller */
static uint8_t *put_coded(const struct zstd *z, const uint32_t *freq, size_t n, uint8_t *out)
{
	struct literal_code c;
	const size_t head = 5; /* for sizes of up to 18 bits */

	make_code(&c, freq);
	uint8_t *end = put_weights(&c, out + head);
	end = end ? put_streams(&c, z->literals, n, end) : NULL;
	if (!end || (size_t)(end - out) >= n + 3)
		return NULL;
	put_number(out, BLOCK_COMPRESSED | 3 << 2 | (uint64_t)n << 4 | (uint64_t)(end - out - (ptrdiff_t)head) << 22, head);
	return end;
}

static uint8_t *put_literals(const struct zstd *z, size_t n, uint8_t *out)
{
	uint32_t freq[256] = { 0 };
	unsigned different = 0;

	for (size_t i = 0; i < n; i++)
		different += !freq[z->literals[i]]++;
	if (n > 1 && different == 1) {
		out = put_plain_head(out, BLOCK_RLE, n);
		*out++ = z->literals[0];
		return out;
	}
	uint8_t *end = n >= LITERALS_MIN ? put_coded(z, freq, n, out) : NULL;
	if (end)
		return end;
	out = put_plain_head(out, BLOCK_RAW, n);
	memcpy(out, z->literals, n);
	return out + n;
}

/* ---- blocks and frames ---- */

static size_t gather_literals(struct zstd *z, const uint8_t *p)
{
	size_t n = 0;

	for (size_t i = 0; i < z->lz->n; i++) {
		const struct lz_sequence *s = &z->lz->v[i];
		memcpy(z->literals + n, p, s->literals);
		n += s->literals;
		p += s->literals + s->len;
	}
	return n;
}

static bool is_one_byte(const uint8_t *p, size_t len)
{
	return len > 1 && !memcmp(p, p + 1, len - 1);
}

static uint8_t *put_block_head(uint8_t *out, enum block_type type, size_t size, bool last)
{
	return put_number(out, (uint64_t)last | type << 1 | size << 3, 3);
}

static uint8_t *put_block(struct zstd *z, const uint8_t *base, const uint8_t *p, size_t len, bool last, uint8_t *out)
{
	if (is_one_byte(p, len)) {
		out = put_block_head(out, BLOCK_RLE, len, last);
		*out++ = *p;
		return out;
	}
	lz_find(z->lz, base, p, p + len, ZSTD_FRAME_MAX, BLOCK);
	size_t n = (size_t)(put_sequences(z, put_literals(z, gather_literals(z, p), z->work)) - z->work);
	bool smaller = n < len;
	out = put_block_head(out, smaller ? BLOCK_COMPRESSED : BLOCK_RAW, smaller ? n : len, last);
	memcpy(out, smaller ? z->work : p, smaller ? n : len);
	return out + (smaller ? n : len);
}

size_t zstd_bound(size_t len)
{
	return len + (len / BLOCK + 1) * 3 + 4 + 1 + 4 + 4;
}

size_t zstd_frame(struct zstd *z, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t *start = out;
	struct xxh64 sum;
	size_t at = 0;

	/* the size in four bytes, no window but the whole, a checksum */
	out = put_number(out, 0xfd2fb528, 4);
	*out++ = 2 << 6 | 1 << 5 | 1 << 2;
	out = put_number(out, len, 4);
	lz_begin(z->lz, in, 0);
	do {
		size_t n = len - at < BLOCK ? len - at : BLOCK;
		out = put_block(z, in, in + at, n, at + n == len, out);
		at += n;
	} while (at < len);
	xxh64_init(&sum);
	xxh64_add(&sum, in, len);
	out = put_number(out, xxh64_get(&sum), 4);
	return (size_t)(out - start);
}

struct zstd *zstd_new(void)
{
	struct zstd *z = malloc(sizeof(*z));

	if (!z)
		return NULL;
	z->lz = lz_new(HASH_BITS, BLOCK);
	if (!z->lz) {
		free(z);
		return NULL;
	}
	fse_build(&z->literal_lengths, literal_norm, 36, 6);
	fse_build(&z->match_lengths, match_norm, 53, 6);
	fse_build(&z->offsets, offset_norm, 29, 5);
	return z;
}

void zstd_free(struct zstd *z)
{
	if (z)
		lz_free(z->lz);
	free(z);
}
