/* SPDX-License-Identifier: Apache-2.0
 * erofs_parts - what the files of the EROFS writer share; nobody else includes it
 */
#pragma once

#include <stdbool.h>

#include "core/base/xxh64.h"
#include "core/store/erofs.h"
#include "core/store/erofs_chunks.h"
#include "core/store/erofs_format.h"

/* The parts of an index, one behind the other; each is written from its beginning to its end. */
enum { PART_HEAD, PART_INODES, PART_BLOCKS, PART_DATA, N_PARTS };

struct erofs_parts {
	uint64_t begin[N_PARTS], end[N_PARTS];
	uint64_t n_inodes, max_bytes;
};

static inline uint64_t round_to(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) / unit * unit;
}

/* ---- erofs_layout.c: where everything will be ---- */

/** erofs_layout() - gives every node its number (node->walk.number) and sizes to directories and parts */
int erofs_layout(struct tree *t, const struct erofs_opts *o, struct erofs_parts *p, struct err *e);

/* ---- of one inode; the same answer whenever it is asked ---- */

struct inode_shape {
	enum layout layout;
	uint32_t    header;     /* bytes before what follows: the inode, attributes, padding */
	unsigned    chunk_bits;
	uint64_t    n_chunks;
	uint32_t    tail;       /* bytes that follow the header, of a directory or a symlink */
	uint64_t    n_blocks;   /* in PART_BLOCKS */
};

/** erofs_shape() - of a node that begins at byte @at */
struct inode_shape erofs_shape(const struct tree_node *n, uint64_t at);

/** erofs_xattr_name() - the part behind the prefix, whose number is in *prefix */
const char *erofs_xattr_name(const char *name, uint8_t *prefix);
uint32_t erofs_xattrs_len(const struct tree_node *n); /* 0: none */

/* ---- a directory's entries, "." and ".." among them, block by block ---- */

#define DENTS_MAX 40u /* that fit into a block */

struct dent { const char *s; unsigned len; const struct tree_node *node; };
struct dents {
	struct tree            *t;
	const struct tree_node *dir;
	const struct tree_name *next;
	unsigned                dots; /* of "." and "..", how many there were */
};

/** dents_block() - those of the next block: their number, 0 at the end; *used: bytes of it */
unsigned dents_block(struct dents *d, struct dent v[DENTS_MAX], unsigned *used);

/* ---- erofs_footer.c ---- */

/** erofs_write_footer() - behind the parts; @sums: of them. *bytes: the size of the whole file */
int erofs_write_footer(int fd, const struct erofs_opts *o, const struct erofs_parts *p, const uint64_t sums[N_PARTS],
		       uint64_t *bytes, struct err *e);
