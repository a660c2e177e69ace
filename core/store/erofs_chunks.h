/* SPDX-License-Identifier: Apache-2.0
 * erofs_chunks - which parts of a file an index has data for, and which are holes
 *
 * Unpacking asks as well, so that an app finds the same holes whichever way its image is rendered.
 */
#pragma once

#include "core/store/tree.h"

/** chunks_choose() - the size of a file's chunks (2^bits blocks) for the smallest index */
void chunks_choose(const struct tree_node *n, unsigned *bits, uint64_t *n_chunks);

/** chunks_copied() - bytes of chunks of that size that blocks of the tar cannot be */
uint64_t chunks_copied(const struct tree_node *n, unsigned bits);

/* what a chunk is, when they are looked at one after the other */
enum chunk_kind { CHUNK_HOLE, CHUNK_STORED, CHUNK_COPIED };
struct chunks {
	const struct tree_node *n;
	unsigned bits;
	uint32_t segment; /* the first that may lie in the next chunk */
	uint64_t next;    /* byte of the file */
	/* of the last one */
	uint64_t begin, end; /* in the file */
	uint64_t at;         /* in the tar, when CHUNK_STORED */
};
enum chunk_kind chunks_next(struct chunks *c);
