/* SPDX-License-Identifier: Apache-2.0
 * erofs_layout - where everything in an index will be, before any of it is written
 *
 * Directories name the inodes of what is in them, so all numbers must be known first. Inodes follow each other in
 * the order in which they are written: a directory, then what is in it but directories, then the next one of
 * tree_next_dir(). Only the number of an inode is remembered; its shape follows from that and the node.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/store/erofs_parts.h"

#define DEVICES_AT (SUPER_OFFSET + sizeof(struct superblock))
#define SLACK        (64u << 20)

/* ---- attributes ---- */

const char *erofs_xattr_name(const char *name, uint8_t *prefix)
{
	static const struct { const char *s; uint8_t prefix; } known[] = {
		{ "user.", XATTR_USER }, { "security.", XATTR_SECURITY },
		{ "system.posix_acl_access", XATTR_ACL_ACCESS }, { "system.posix_acl_default", XATTR_ACL_DEFAULT },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t n = strlen(known[i].s);
		if (!strncmp(name, known[i].s, n)) {
			*prefix = known[i].prefix;
			return name + n;
		}
	}
	*prefix = 0;
	return NULL; /* the tree keeps no others */
}

uint32_t erofs_xattrs_len(const struct tree_node *n)
{
	uint64_t sum = sizeof(struct xattr_header);
	uint8_t prefix;

	if (!n->more || !n->more->n_xattrs)
		return 0;
	for (uint32_t i = 0; i < n->more->n_xattrs; i++) {
		const struct tar_xattr *x = &n->more->xattrs[i];
		sum += round_to(sizeof(struct xattr) + strlen(erofs_xattr_name(x->name, &prefix)) + x->len, 4);
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* counted in units of 4 bytes, in 16 bits */
static bool xattrs_fit(const struct tree_node *n)
{
	for (uint32_t i = 0; n->more && i < n->more->n_xattrs; i++)
		if (n->more->xattrs[i].len > UINT16_MAX)
			return false;
	return erofs_xattrs_len(n) < sizeof(struct xattr_header) + 4 * (UINT16_MAX - 1);
}

/* ---- directories ---- */

static int compare(const char *a, unsigned a_len, const char *b, unsigned b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c ? c : (int)a_len - (int)b_len;
}

static bool next_dent(struct dents *d, struct dent *out)
{
	static const char dots[] = "..";

	if (d->dots < 2 && (!d->next || compare(dots, d->dots + 1, d->next->s, d->next->len) < 0)) {
		*out = (struct dent){ dots, ++d->dots, d->dots == 1 ? d->dir : d->dir->u.dir.parent };
		return true;
	}
	tree_step(d->t);
	if (!d->next)
		return false;
	*out = (struct dent){ d->next->s, d->next->len, d->next->node };
	d->next = d->next->next;
	return true;
}

unsigned dents_block(struct dents *d, struct dent v[DENTS_MAX], unsigned *used)
{
	unsigned n = 0;

	*used = 0;
	for (;;) {
		struct dents before = *d;
		struct dent next;
		if (!next_dent(d, &next))
			return n;
		unsigned need = (unsigned)sizeof(struct dir_entry) + next.len;
		if (*used + need > BLOCK) {
			*d = before;
			return n;
		}
		*used += need;
		v[n++] = next;
	}
}

static uint64_t dir_size(struct tree *t, const struct tree_node *dir)
{
	struct dents d = { .t = t, .dir = dir, .next = tree_names(dir) };
	struct dent v[DENTS_MAX];
	unsigned used, last = 0;
	uint64_t blocks = 0;

	for (; dents_block(&d, v, &used); last = used)
		blocks++;
	return (blocks - 1) * BLOCK + last;
}

/* ---- inodes ---- */

/* the last part of a directory or symlink stands behind the inode, unless it would cross into another block */
static bool tail_fits(uint64_t at, uint32_t header, uint32_t tail)
{
	return (at + header) / BLOCK == (at + header + tail - 1) / BLOCK;
}

struct inode_shape erofs_shape(const struct tree_node *n, uint64_t at)
{
	struct inode_shape s = { .layout = LAYOUT_BLOCKS,
				 .header = (uint32_t)sizeof(struct inode) + erofs_xattrs_len(n) };

	if (S_ISREG(n->mode) && n->size) {
		s.layout = LAYOUT_CHUNKS;
		s.header = (uint32_t)round_to(s.header, sizeof(struct chunk));
		chunks_choose(n, &s.chunk_bits, &s.n_chunks);
	} else if (S_ISDIR(n->mode) || S_ISLNK(n->mode)) {
		s.tail = n->size % BLOCK;
		if (s.tail && tail_fits(at, s.header, s.tail))
			s.layout = LAYOUT_INLINE;
		else
			s.tail = 0;
		s.n_blocks = s.layout == LAYOUT_INLINE ? n->size / BLOCK : round_to(n->size, BLOCK) / BLOCK;
	}
	return s;
}

/* the first slot from @at on, moved on by less than a block if the tail fits behind the inode then */
static uint64_t place(const struct tree_node *n, uint64_t at)
{
	struct inode_shape s;

	at = round_to(at, SLOT);
	s = erofs_shape(n, at);
	if ((!S_ISDIR(n->mode) && !S_ISLNK(n->mode)) || s.tail || !(n->size % BLOCK))
		return at;
	uint64_t later = round_to(round_to(at + s.header, BLOCK) - s.header, SLOT);
	return tail_fits(later, s.header, n->size % BLOCK) ? later : at;
}

static int check_file(const struct tree_node *n, const struct erofs_opts *o, struct err *e)
{
	uint64_t stored = n->size;

	if (n->more && n->more->sparse) {
		const struct tree_segment *last = n->more->segments + n->more->n_segments;
		stored = n->more->n_segments ? last[-1].at + last[-1].len : 0;
	}
	if (n->source >= o->n_sources)
		return err_set(e, EINVAL, "there is no source %u", n->source);
	uint64_t bytes = o->sources[n->source].bytes;
	if (n->u.data % BLOCK || n->u.data > bytes || stored > bytes - n->u.data)
		return err_set(e, EINVAL, "a file lies outside of its archive, at byte %llu",
			       (unsigned long long)n->u.data);
	return 0;
}

/* What an archive can make us write must have a bound; 65,536 holes in a file of 1 TiB would be 1.5 GiB. */
static uint64_t max_bytes(const struct erofs_opts *o)
{
	uint64_t max = SLACK;

	for (size_t i = 0; i < o->n_sources; i++)
		max += o->sources[i].bytes;
	return max / BLOCK < UINT32_MAX ? max : (uint64_t)UINT32_MAX * BLOCK;
}

static int check_size(const struct erofs_parts *p, struct err *e)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < N_PARTS; i++)
		sum += p->end[i];
	return sum <= p->max_bytes ? 0 : err_set(e, EFBIG, "the index would be larger than the image");
}

static int add_node(struct tree *t, struct tree_node *n, const struct erofs_opts *o, struct erofs_parts *p, struct err *e)
{
	if (S_ISDIR(n->mode))
		n->size = dir_size(t, n);
	if (S_ISREG(n->mode) && n->size && check_file(n, o, e) < 0)
		return -1;
	if (!xattrs_fit(n))
		return err_set(e, EOVERFLOW, "extended attributes are too large for an index");
	uint64_t at = place(n, p->end[PART_INODES]);
	struct inode_shape s = erofs_shape(n, at);
	n->walk.number = at / SLOT;
	p->n_inodes++;
	p->end[PART_INODES] = at + s.header + s.n_chunks * sizeof(struct chunk) + s.tail;
	p->end[PART_BLOCKS] += s.n_blocks * BLOCK;
	if (s.layout == LAYOUT_CHUNKS)
		p->end[PART_DATA] += chunks_copied(n, s.chunk_bits);
	return check_size(p, e);
}

static int add_dir(struct tree *t, struct tree_node *dir, const struct erofs_opts *o, struct erofs_parts *p,
		   struct err *e)
{
	if (add_node(t, dir, o, p, e) < 0)
		return -1;
	for (const struct tree_name *n = tree_names(dir); n; n = n->next) {
		if (!S_ISDIR(n->node->mode) && !n->node->walk.number && add_node(t, n->node, o, p, e) < 0)
			return -1;
		tree_step(t);
	}
	return 0;
}

/* ---- all of it ---- */

/* until here the ends of the parts were their lengths */
static void line_up(struct erofs_parts *p)
{
	p->end[PART_INODES] = round_to(p->end[PART_INODES], BLOCK);
	p->begin[PART_INODES] = p->end[PART_HEAD];
	p->begin[PART_BLOCKS] = p->end[PART_INODES];
	p->end[PART_BLOCKS] += p->begin[PART_BLOCKS];
	p->begin[PART_DATA] = p->end[PART_BLOCKS];
	p->end[PART_DATA] += p->begin[PART_DATA];
}

int erofs_layout(struct tree *t, const struct erofs_opts *o, struct erofs_parts *p, struct err *e)
{
	*p = (struct erofs_parts){ .max_bytes = max_bytes(o) };
	p->end[PART_HEAD] = DEVICES_AT + o->n_sources * sizeof(struct device);
	/* the superblock's checksum is over the rest of its block; nothing but the head shall be there */
	if (p->end[PART_HEAD] < SUPER_OFFSET + BLOCK)
		p->end[PART_HEAD] = SUPER_OFFSET + BLOCK;
	p->end[PART_INODES] = p->end[PART_HEAD];
	for (struct tree_node *d = tree_root(t); d; d = tree_next_dir(t, d))
		if (add_dir(t, d, o, p, e) < 0)
			return -1;
	line_up(p);
	return 0;
}
