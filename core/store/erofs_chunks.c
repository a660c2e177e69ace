/* SPDX-License-Identifier: Apache-2.0
 * erofs_chunks - where the content of a file is: in chunks of one size, each a run of blocks of the tar, a hole,
 * or a copy in the index
 *
 * A plain file is one chunk. Of a sparse one the stored segments lie in the tar without a gap; a chunk can be
 * taken from there if one segment fills it and begins on a block there. A chunk that is partly hole, partly data
 * must be copied. Small chunks mean few of those, large ones a small table: what is smallest in sum is taken. None
 * of a sparse file is smaller than a page: an unpacked one could not have such holes.
 */
#include "core/store/erofs_parts.h"

#define PAGE_BITS 3u

static bool is_sparse(const struct tree_node *n)
{
	return n->more && n->more->sparse;
}

static uint64_t count_of(const struct tree_node *n, unsigned bits)
{
	unsigned shift = BLOCK_BITS + bits;

	return (n->size >> shift) + ((n->size & ((1ULL << shift) - 1)) != 0);
}

static uint64_t end_of(const struct tree_node *n, uint64_t begin, unsigned bits)
{
	uint64_t len = (uint64_t)BLOCK << bits;

	return n->size - begin < len ? n->size : begin + len;
}

/* in the tar, of the byte @at of the file, which lies in @s */
static uint64_t place_of(const struct tree_node *n, const struct tree_segment *s, uint64_t at)
{
	return n->u.data + s->at + (at - s->offset);
}

static bool fills(const struct tree_node *n, const struct tree_segment *s, uint64_t begin, unsigned bits)
{
	return s->offset <= begin && s->offset + s->len >= end_of(n, begin, bits) &&
	       place_of(n, s, begin) % BLOCK == 0;
}

/* bytes that have to be copied for the chunks that only this segment touches, first and last ones apart */
static uint64_t copied_inside(const struct tree_node *n, const struct tree_segment *s, unsigned bits, uint64_t first,
			      uint64_t last)
{
	uint64_t len = (uint64_t)BLOCK << bits;

	if (last - first < 2 * len || place_of(n, s, first + len) % BLOCK == 0)
		return 0;
	return last - first - len;
}

uint64_t chunks_copied(const struct tree_node *n, unsigned bits)
{
	uint64_t mask = ((uint64_t)BLOCK << bits) - 1, seen = UINT64_MAX, sum = 0;

	if (!is_sparse(n))
		return 0;
	for (uint32_t i = 0; i < n->more->n_segments; i++) {
		const struct tree_segment *s = &n->more->segments[i];
		uint64_t first = s->offset & ~mask, last = (s->offset + s->len - 1) & ~mask;
		for (unsigned k = 0; k < 2; k++) {
			uint64_t begin = k ? last : first;
			if (begin != seen && !fills(n, s, begin, bits))
				sum += round_to(end_of(n, begin, bits) - begin, BLOCK);
			seen = begin;
		}
		sum += copied_inside(n, s, bits, first, last);
	}
	return sum;
}

/* one chunk if there are chunks of that size, and the smallest that it fits in */
static unsigned plain_bits(uint64_t size)
{
	unsigned bits = size > BLOCK ? 64 - (unsigned)__builtin_clzll((size - 1) >> BLOCK_BITS) : 0;

	return bits < CHUNK_BITS_MAX ? bits : CHUNK_BITS_MAX;
}

void chunks_choose(const struct tree_node *n, unsigned *bits, uint64_t *n_chunks)
{
	uint64_t best = UINT64_MAX;

	if (!is_sparse(n)) {
		*bits = plain_bits(n->size);
		*n_chunks = count_of(n, *bits);
		return;
	}
	for (unsigned b = CHUNK_BITS_MAX + 1; b-- > PAGE_BITS;) {
		uint64_t count = count_of(n, b);
		if (count * sizeof(struct chunk) > best)
			break; /* tables only get longer from here on */
		uint64_t cost = count * sizeof(struct chunk) + chunks_copied(n, b);
		if (cost <= best) {
			best = cost;
			*bits = b;
			*n_chunks = count;
		}
	}
}

/* as sparse as it is, a file's segments are looked at once */
static enum chunk_kind sparse_next(struct chunks *c)
{
	const struct tree_more *m = c->n->more;

	while (c->segment < m->n_segments &&
	       m->segments[c->segment].offset + m->segments[c->segment].len <= c->begin)
		c->segment++;
	if (c->segment == m->n_segments || m->segments[c->segment].offset >= c->end)
		return CHUNK_HOLE;
	const struct tree_segment *s = &m->segments[c->segment];
	if (!fills(c->n, s, c->begin, c->bits))
		return CHUNK_COPIED;
	c->at = place_of(c->n, s, c->begin);
	return CHUNK_STORED;
}

enum chunk_kind chunks_next(struct chunks *c)
{
	c->begin = c->next;
	c->end = c->next = end_of(c->n, c->begin, c->bits);
	if (is_sparse(c->n))
		return sparse_next(c);
	c->at = c->n->u.data + c->begin;
	return CHUNK_STORED;
}
