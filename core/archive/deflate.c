/* SPDX-License-Identifier: Apache-2.0
 * deflate - see deflate.h
 *
 * Pieces of 64 KiB have codes of their own, or are stored when that takes less.
 */
#include "core/archive/deflate.h"

#include <stdlib.h>
#include <string.h>

#include "core/archive/bits.h"
#include "core/archive/huffman.h"
#include "core/archive/lz.h"

#define HASH_BITS   15
#define PIECE       (64u << 10)
#define MATCH_MAX   258u
#define STORED_MAX  65535u
#define N_LITERALS  286u /* literals, the end, lengths */
#define N_DISTANCES 30u
#define N_LENGTHS   19u  /* the alphabet in which code lengths are written */
#define END         256u

struct code {
	uint32_t bits; /* in the order in which they are written, the first one lowest */
	uint8_t  len;
};

struct deflate {
	struct lz      *lz;
	uint32_t        literal_freq[N_LITERALS], distance_freq[N_DISTANCES];
	uint8_t         lens[N_LITERALS + N_DISTANCES];
	struct code     literal[N_LITERALS], distance[N_DISTANCES];
	struct code     match[MATCH_MAX + 1]; /* a length's code with its extra bits */
	uint8_t         length_symbol[MATCH_MAX + 1], distance_symbol[512];
};

/* ---- symbols: RFC 1951, 3.2.5 ---- */

static const uint16_t length_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83,
	99, 115, 131, 163, 195, 227, 258 };
static const uint16_t distance_base[N_DISTANCES] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385,
	513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };

static unsigned length_extra(unsigned i)
{
	return i < 8 || i == 28 ? 0 : (i - 4) / 4;
}

static unsigned distance_extra(unsigned i)
{
	return i < 4 ? 0 : (i - 2) / 2;
}

/* distances up to 256 by themselves, the others by their upper bits */
static inline unsigned distance_symbol(const struct deflate *d, unsigned distance)
{
	unsigned v = distance - 1;

	return v < 256 ? d->distance_symbol[v] : d->distance_symbol[256 + (v >> 7)];
}

static void make_symbols(struct deflate *d)
{
	for (unsigned len = 3, i = 0; len <= MATCH_MAX; len++) {
		while (i < 28 && len >= length_base[i + 1])
			i++;
		d->length_symbol[len] = (uint8_t)i;
	}
	for (unsigned v = 0, i = 0; v < DEFLATE_WINDOW; v++) {
		while (i < N_DISTANCES - 1 && v + 1 >= distance_base[i + 1])
			i++;
		d->distance_symbol[v < 256 ? v : 256 + (v >> 7)] = (uint8_t)i;
	}
}

static void count_symbols(struct deflate *d, const uint8_t *p)
{
	memset(d->literal_freq, 0, sizeof(d->literal_freq));
	memset(d->distance_freq, 0, sizeof(d->distance_freq));
	for (size_t i = 0; i < d->lz->n; i++) {
		const struct lz_sequence *s = &d->lz->v[i];
		for (const uint8_t *end = p + s->literals; p < end; p++)
			d->literal_freq[*p]++;
		if (!s->len)
			break;
		d->literal_freq[END + 1 + d->length_symbol[s->len]]++;
		d->distance_freq[distance_symbol(d, s->distance)]++;
		p += s->len;
	}
	d->literal_freq[END] = 1;
}

/* ---- codes ---- */

static uint32_t reverse(uint32_t v, unsigned n)
{
	uint32_t r = 0;

	for (; n; n--, v >>= 1)
		r = r << 1 | (v & 1);
	return r;
}

/* RFC 1951, 3.2.2 */
static void make_codes(const uint8_t *len, unsigned n, struct code *out)
{
	uint32_t count[HUFFMAN_BITS_MAX + 1] = { 0 }, next[HUFFMAN_BITS_MAX + 2] = { 0 };

	for (unsigned i = 0; i < n; i++)
		count[len[i]]++;
	count[0] = 0;
	for (unsigned bits = 1; bits <= HUFFMAN_BITS_MAX; bits++)
		next[bits + 1] = (next[bits] + count[bits]) << 1;
	for (unsigned i = 0; i < n; i++)
		out[i] = (struct code){ len[i] ? reverse(next[len[i]]++, len[i]) : 0, len[i] };
}

static void make_matches(struct deflate *d)
{
	for (unsigned len = LZ_MATCH_MIN; len <= MATCH_MAX; len++) {
		unsigned i = d->length_symbol[len];
		struct code c = d->literal[END + 1 + i];
		d->match[len].bits = c.bits | (len - length_base[i]) << c.len;
		d->match[len].len = (uint8_t)(c.len + length_extra(i));
	}
}

/* not all decoders like a code of fewer than two symbols */
static void at_least_two(uint32_t *freq)
{
	freq[0] += !freq[0];
	freq[1] += !freq[1];
}

/* ---- code lengths: RFC 1951, 3.2.7 ---- */

struct lengths {
	struct { uint8_t symbol, extra; } v[N_LITERALS + N_DISTANCES];
	unsigned    n, n_literals, n_distances, n_order;
	uint32_t    freq[N_LENGTHS];
	uint8_t     len[N_LENGTHS];
	struct code code[N_LENGTHS];
};

static const uint8_t order[N_LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

static void add_length(struct lengths *l, unsigned symbol, unsigned extra)
{
	l->v[l->n].symbol = (uint8_t)symbol;
	l->v[l->n++].extra = (uint8_t)extra;
	l->freq[symbol]++;
}

static void add_run(struct lengths *l, unsigned len, unsigned n)
{
	if (len && n)
		add_length(l, len, 0), n--;
	while (n >= 3) {
		unsigned most = len ? 6 : 138, k = n < most ? n : most;
		if (len)
			add_length(l, 16, k - 3);
		else if (k < 11)
			add_length(l, 17, k - 3);
		else
			add_length(l, 18, k - 11);
		n -= k;
	}
	while (n--)
		add_length(l, len, 0);
}

static void make_lengths(struct lengths *l, struct deflate *d)
{
	unsigned n = 0;

	*l = (struct lengths){ .n_literals = N_LITERALS, .n_distances = N_DISTANCES, .n_order = N_LENGTHS };
	while (!d->literal[l->n_literals - 1].len)
		l->n_literals--;
	while (l->n_distances > 1 && !d->distance[l->n_distances - 1].len)
		l->n_distances--;
	for (unsigned i = 0; i < l->n_literals; i++)
		d->lens[n++] = d->literal[i].len;
	for (unsigned i = 0; i < l->n_distances; i++)
		d->lens[n++] = d->distance[i].len;
	for (unsigned i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && d->lens[i + run] == d->lens[i]; run++)
			;
		add_run(l, d->lens[i], run);
	}
	huffman_lengths(l->freq, N_LENGTHS, 7, l->len);
	make_codes(l->len, N_LENGTHS, l->code);
	while (l->n_order > 4 && !l->len[order[l->n_order - 1]])
		l->n_order--;
}

static unsigned extra_bits(unsigned symbol)
{
	return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

static void put_lengths(struct bits *b, const struct lengths *l)
{
	bits_put(b, l->n_literals - 257, 5);
	bits_put(b, l->n_distances - 1, 5);
	bits_put(b, l->n_order - 4, 4);
	bits_flush(b);
	for (unsigned i = 0; i < l->n_order; i++) {
		bits_put(b, l->len[order[i]], 3);
		bits_flush(b);
	}
	for (unsigned i = 0; i < l->n; i++) {
		struct code c = l->code[l->v[i].symbol];
		bits_put(b, c.bits, c.len);
		bits_put(b, l->v[i].extra, extra_bits(l->v[i].symbol));
		bits_flush(b);
	}
}

/* ---- pieces ---- */

static void put_literals(const struct deflate *d, struct bits *b, const uint8_t *p, size_t n)
{
	/* three at a time: 45 bits */
	for (; n >= 3; n -= 3, p += 3) {
		for (int i = 0; i < 3; i++)
			bits_put(b, d->literal[p[i]].bits, d->literal[p[i]].len);
		bits_flush(b);
	}
	for (; n; n--, p++) {
		bits_put(b, d->literal[*p].bits, d->literal[*p].len);
		bits_flush(b);
	}
}

static void put_sequences(const struct deflate *d, struct bits *b, const uint8_t *p)
{
	for (size_t i = 0; i < d->lz->n; i++) {
		const struct lz_sequence *s = &d->lz->v[i];
		put_literals(d, b, p, s->literals);
		p += s->literals + s->len;
		if (!s->len)
			break;
		unsigned symbol = distance_symbol(d, s->distance);
		struct code c = d->distance[symbol];
		bits_put(b, d->match[s->len].bits, d->match[s->len].len);
		bits_put(b, c.bits, c.len);
		bits_put(b, s->distance - distance_base[symbol], distance_extra(symbol));
		bits_flush(b);
	}
	bits_put(b, d->literal[END].bits, d->literal[END].len);
	bits_flush(b);
}

static void put_stored(struct bits *b, const uint8_t *p, size_t len, bool final)
{
	do {
		size_t n = len < STORED_MAX ? len : STORED_MAX;
		bits_put(b, final && n == len, 3);
		bits_align(b);
		bits_put(b, n | (uint64_t)(n ^ 0xffff) << 16, 32);
		bits_flush(b);
		memcpy(b->at, p, n);
		b->at += n;
		p += n;
		len -= n;
	} while (len);
}

static uint64_t size_in_bits(const struct deflate *d, const struct lengths *l)
{
	uint64_t n = 3 + 14 + 3 * l->n_order;

	for (unsigned i = 0; i < l->n; i++)
		n += l->code[l->v[i].symbol].len + extra_bits(l->v[i].symbol);
	for (unsigned i = 0; i < N_LITERALS; i++)
		n += (uint64_t)d->literal_freq[i] * (d->literal[i].len + (i > END ? length_extra(i - END - 1) : 0));
	for (unsigned i = 0; i < N_DISTANCES; i++)
		n += (uint64_t)d->distance_freq[i] * (d->distance[i].len + distance_extra(i));
	return n;
}

static void put_piece(struct deflate *d, struct bits *b, const uint8_t *base, const uint8_t *p, size_t len, bool final)
{
	struct lengths l;
	uint8_t lens[N_LITERALS];

	lz_find(d->lz, base, p, p + len, DEFLATE_WINDOW, MATCH_MAX);
	count_symbols(d, p);
	at_least_two(d->distance_freq);
	huffman_lengths(d->literal_freq, N_LITERALS, HUFFMAN_BITS_MAX, lens);
	make_codes(lens, N_LITERALS, d->literal);
	huffman_lengths(d->distance_freq, N_DISTANCES, HUFFMAN_BITS_MAX, lens);
	make_codes(lens, N_DISTANCES, d->distance);
	make_lengths(&l, d);
	if (size_in_bits(d, &l) >= 8 * (uint64_t)len) {
		put_stored(b, p, len, final);
		return;
	}
	bits_put(b, final | 2 << 1, 3);
	put_lengths(b, &l);
	make_matches(d);
	put_sequences(d, b, p);
}

size_t deflate_bound(size_t len)
{
	/* stored, with up to two heads of five bytes for each piece, the end, and what is flushed beyond */
	return len + (len / PIECE + 1) * 10 + 5 + BITS_SPARE;
}

size_t deflate_block(struct deflate *d, const uint8_t *in, size_t len, size_t history, bool last, uint8_t *out)
{
	struct bits b = { .at = out };
	const uint8_t *base = in - history;

	lz_begin(d->lz, base, history);
	for (size_t at = 0; at < len; at += PIECE) {
		size_t n = len - at < PIECE ? len - at : PIECE;
		put_piece(d, &b, base, in + at, n, last && at + n == len);
	}
	if (!last || !len)
		put_stored(&b, in, 0, last);
	bits_align(&b);
	return (size_t)(b.at - out);
}

struct deflate *deflate_new(void)
{
	struct deflate *d = malloc(sizeof(*d));

	if (!d)
		return NULL;
	d->lz = lz_new(HASH_BITS, PIECE);
	if (!d->lz) {
		free(d);
		return NULL;
	}
	make_symbols(d);
	return d;
}

void deflate_free(struct deflate *d)
{
	if (d)
		lz_free(d->lz);
	free(d);
}
