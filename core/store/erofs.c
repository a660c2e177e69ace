/* SPDX-License-Identifier: Apache-2.0
 * erofs - see erofs.h: what is where was decided before; here it is written, each part from its beginning to its end
 */
#include "core/store/erofs.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/erofs_parts.h"

#define BUFFER 32768u

/* ---- parts as streams, which keep their first error ---- */

struct part {
	int          fd, failed; /* failed: an errno value */
	uint64_t     at;         /* in the index, of the next byte to be added */
	struct xxh64 sum;
	size_t       n;          /* bytes in buf */
	uint8_t      buf[BUFFER];
};

struct writer {
	struct tree              *t;
	const struct erofs_opts  *o;
	const struct erofs_parts *p;
	struct part parts[N_PARTS];
	uint32_t    n_inodes;
};

static void flush(struct part *p)
{
	size_t done = 0;

	xxh64_add(&p->sum, p->buf, p->n);
	while (!p->failed && done < p->n) {
		ssize_t n = pwrite(p->fd, p->buf + done, p->n - done, (off_t)(p->at - p->n + done));
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			p->failed = n < 0 ? errno : ENOSPC;
	}
	p->n = 0;
}

static void add(struct part *p, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t n = BUFFER - p->n < len ? BUFFER - p->n : len;
		memcpy(p->buf + p->n, from, n);
		p->n += n;
		p->at += n;
		from += n;
		len -= n;
		if (p->n == BUFFER)
			flush(p);
	}
}

static void pad_to(struct part *p, uint64_t at)
{
	static const uint8_t zeros[BLOCK];

	while (p->at < at)
		add(p, zeros, at - p->at < sizeof(zeros) ? (size_t)(at - p->at) : sizeof(zeros));
}

/* ---- attributes ---- */

static void add_xattrs(struct part *p, const struct tree_more *m)
{
	const struct xattr_header head = { 0 };

	add(p, &head, sizeof(head));
	for (uint32_t i = 0; i < m->n_xattrs; i++) {
		const struct tar_xattr *from = &m->xattrs[i];
		struct xattr x = { .value_len = htole16((uint16_t)from->len) };
		const char *name = erofs_xattr_name(from->name, &x.prefix);
		x.name_len = (uint8_t)strlen(name);
		add(p, &x, sizeof(x));
		add(p, name, x.name_len);
		add(p, from->value, from->len);
		pad_to(p, round_to(p->at, 4));
	}
}

/* ---- files ---- */

/* bytes of the source, from @at on; -1 and *e */
static int copy_stored(struct writer *w, const struct tree_node *n, uint64_t at, uint64_t len, struct err *e)
{
	uint8_t buf[4096];

	while (len) {
		size_t want = len < sizeof(buf) ? (size_t)len : sizeof(buf);
		ssize_t got = pread(w->o->fds[n->source], buf, want, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? err_sys(e, "read the image") : err_set(e, EBADMSG, "the image is cut off");
		add(&w->parts[PART_DATA], buf, (size_t)got);
		at += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return 0;
}

/* a chunk that is partly hole, or that does not lie on blocks */
static int copy_chunk(struct writer *w, const struct chunks *c, struct err *e)
{
	struct part *p = &w->parts[PART_DATA];
	const struct tree_more *m = c->n->more;
	uint64_t at = p->at;

	for (uint32_t i = c->segment; i < m->n_segments && m->segments[i].offset < c->end; i++) {
		const struct tree_segment *s = &m->segments[i];
		uint64_t from = s->offset > c->begin ? s->offset : c->begin;
		uint64_t to = s->offset + s->len < c->end ? s->offset + s->len : c->end;
		pad_to(p, at + from - c->begin);
		if (copy_stored(w, c->n, c->n->u.data + s->at + (from - s->offset), to - from, e) < 0)
			return -1;
	}
	pad_to(p, at + round_to(c->end - c->begin, BLOCK));
	return 0;
}

static int add_chunks(struct writer *w, const struct tree_node *n, const struct inode_shape *s, struct err *e)
{
	struct chunks c = { .n = n, .bits = s->chunk_bits };

	for (uint64_t i = 0; i < s->n_chunks; i++) {
		struct chunk out = { .block = htole32(NO_BLOCK) };
		switch (chunks_next(&c)) {
		case CHUNK_HOLE:
			break;
		case CHUNK_STORED:
			out.device = htole16((uint16_t)(n->source + 1));
			out.block = htole32((uint32_t)(c.at / BLOCK));
			break;
		case CHUNK_COPIED:
			out.block = htole32((uint32_t)(w->parts[PART_DATA].at / BLOCK));
			if (copy_chunk(w, &c, e) < 0)
				return -1;
			break;
		}
		add(&w->parts[PART_INODES], &out, sizeof(out));
	}
	return 0;
}

/* ---- directories and symlinks ---- */

static uint8_t type_of(const struct tree_node *n)
{
	switch (n->mode & S_IFMT) {
	case S_IFREG:
		return TYPE_FILE;
	case S_IFDIR:
		return TYPE_DIR;
	case S_IFCHR:
		return TYPE_CHAR;
	case S_IFBLK:
		return TYPE_BLOCK;
	case S_IFIFO:
		return TYPE_FIFO;
	default:
		return TYPE_SYMLINK;
	}
}

static void fill_block(struct tree *t, uint8_t block[BLOCK], const struct dent *v, unsigned n)
{
	size_t name_at = n * sizeof(struct dir_entry);

	memset(block, 0, BLOCK);
	for (unsigned i = 0; i < n; i++) {
		const uint64_t number = v[i].node->walk.number;
		const struct dir_entry d = {
			.inode_low = htole32((uint32_t)number), .inode_high = htole32((uint32_t)(number >> 32)),
			.name_at = htole16((uint16_t)name_at), .type = type_of(v[i].node),
		};
		memcpy(block + i * sizeof(d), &d, sizeof(d));
		memcpy(block + name_at, v[i].s, v[i].len);
		name_at += v[i].len;
		tree_step(t);
	}
}

static void add_dents(struct writer *w, const struct tree_node *dir, const struct inode_shape *s)
{
	struct dents d = { .t = w->t, .dir = dir, .next = tree_names(dir) };
	struct dent v[DENTS_MAX];
	uint8_t block[BLOCK];
	unsigned used;
	uint64_t blocks = 0;

	for (unsigned n; (n = dents_block(&d, v, &used)) != 0; blocks++) {
		fill_block(w->t, block, v, n);
		if (blocks < s->n_blocks)
			add(&w->parts[PART_BLOCKS], block, BLOCK);
		else
			add(&w->parts[PART_INODES], block, used);
	}
}

static void add_target(struct writer *w, const struct tree_node *n, const struct inode_shape *s)
{
	struct part *p = &w->parts[PART_BLOCKS];
	size_t len = (size_t)(n->size - s->tail);

	add(p, n->u.target, len);
	pad_to(p, round_to(p->at, BLOCK));
	add(&w->parts[PART_INODES], n->u.target + len, s->tail);
}

/* ---- inodes ---- */

/* as the kernel packs device numbers */
static uint32_t device_number(const struct tree_node *n)
{
	uint32_t major = n->u.rdev.major, minor = n->u.rdev.minor;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static uint32_t where(const struct writer *w, const struct tree_node *n, const struct inode_shape *s)
{
	if (s->layout == LAYOUT_CHUNKS)
		return s->chunk_bits | CHUNK_INDEXED;
	if (S_ISCHR(n->mode) || S_ISBLK(n->mode))
		return device_number(n);
	return s->n_blocks ? (uint32_t)(w->parts[PART_BLOCKS].at / BLOCK) : NO_BLOCK;
}

static int add_node(struct writer *w, const struct tree_node *n, struct err *e)
{
	struct part *p = &w->parts[PART_INODES];
	const uint64_t at = n->walk.number * SLOT;
	const struct inode_shape s = erofs_shape(n, at);
	const uint32_t xattrs = erofs_xattrs_len(n);
	const struct inode i = {
		.format = htole16((uint16_t)(1u | (unsigned)s.layout << 1)),
		.xattr_count = htole16((uint16_t)(xattrs ? (xattrs - sizeof(struct xattr_header)) / 4 + 1 : 0)),
		.mode = htole16(n->mode), .size = htole64(n->size), .where = htole32(where(w, n, &s)),
		.number = htole32(++w->n_inodes), .uid = htole32(n->uid), .gid = htole32(n->gid),
		.mtime_s = htole64((uint64_t)n->mtime_s), .mtime_ns = htole32(n->mtime_ns), .nlink = htole32(n->nlink),
	};

	pad_to(p, at);
	add(p, &i, sizeof(i));
	if (xattrs)
		add_xattrs(p, n->more);
	pad_to(p, at + s.header);
	if (s.layout == LAYOUT_CHUNKS)
		return add_chunks(w, n, &s, e);
	if (S_ISDIR(n->mode))
		add_dents(w, n, &s);
	else if (S_ISLNK(n->mode))
		add_target(w, n, &s);
	return 0;
}

static int add_dir(struct writer *w, const struct tree_node *dir, struct err *e)
{
	if (add_node(w, dir, e) < 0)
		return -1;
	for (const struct tree_name *n = tree_names(dir); n; n = n->next) {
		/* what lies before was written under another of its names */
		bool written = n->node->walk.number * SLOT < w->parts[PART_INODES].at;
		if (!S_ISDIR(n->node->mode) && !written && add_node(w, n->node, e) < 0)
			return -1;
		tree_step(w->t);
	}
	return 0;
}

/* ---- the head ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* the first bytes of the digest: overlayfs needs a UUID for inode numbers that stay */
static int uuid_of(const char *id, uint8_t uuid[16], struct err *e)
{
	const char *hex = id ? strrchr(id, '-') : NULL;

	for (unsigned i = 0; i < 16; i++) {
		int high = hex ? hex_digit(hex[1 + 2 * i]) : -1;
		int low = high < 0 ? -1 : hex_digit(hex[2 + 2 * i]);
		if (low < 0)
			return err_set(e, EINVAL, "\"%.20s\" is no ID", id ? id : "");
		uuid[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t c = UINT32_MAX;

	while (len--) {
		c ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			c = c >> 1 ^ (0x82f63b78u & (0u - (c & 1)));
	}
	return c;
}

static struct device device_of(const struct erofs_source *s)
{
	struct device d = { .n_blocks = htole32((uint32_t)(round_to(s->bytes, BLOCK) / BLOCK)) };

	memcpy(d.tag, s->id.s, sizeof(d.tag));
	return d;
}

/* the block of the superblock, with its checksum over all of it; says how many devices found room */
static size_t fill_super(uint8_t block[BLOCK], const struct superblock *s, const struct erofs_opts *o)
{
	size_t n = 0;

	memset(block, 0, BLOCK);
	memcpy(block, s, sizeof(*s));
	for (size_t at = sizeof(*s); n < o->n_sources && at < BLOCK; n++, at += sizeof(struct device)) {
		const struct device d = device_of(&o->sources[n]);
		memcpy(block + at, &d, sizeof(d));
	}
	const uint32_t sum = htole32(crc32c(block, BLOCK));
	memcpy(block + offsetof(struct superblock, checksum), &sum, sizeof(sum));
	return n;
}

static int add_head(struct writer *w, const struct tree_node *root, struct err *e)
{
	struct part *p = &w->parts[PART_HEAD];
	struct superblock s = {
		.magic = htole32(SUPER_MAGIC), .compat = htole32(COMPAT_CHECKSUM | COMPAT_MTIME),
		.block_bits = BLOCK_BITS, .root = htole16((uint16_t)root->walk.number),
		.n_inodes = htole64(w->p->n_inodes), .n_blocks = htole32((uint32_t)(w->p->end[PART_DATA] / BLOCK)),
		.incompat = htole32(INCOMPAT_CHUNKED | INCOMPAT_DEVICES), .n_devices = htole16((uint16_t)w->o->n_sources),
		.devices_at = htole16((SUPER_OFFSET + sizeof(s)) / sizeof(struct device)),
	};
	uint8_t block[BLOCK];

	if (uuid_of(w->o->id, s.uuid, e) < 0)
		return -1;
	pad_to(p, SUPER_OFFSET);
	size_t n = fill_super(block, &s, w->o);
	add(p, block, sizeof(block));
	for (; n < w->o->n_sources; n++) {
		const struct device d = device_of(&w->o->sources[n]);
		add(p, &d, sizeof(d));
	}
	return 0;
}

/* ---- all of it ---- */

static int write_parts(struct writer *w, struct err *e)
{
	if (add_head(w, tree_root(w->t), e) < 0)
		return -1;
	for (const struct tree_node *d = tree_root(w->t); d; d = tree_next_dir(w->t, d))
		if (add_dir(w, d, e) < 0)
			return -1;
	pad_to(&w->parts[PART_INODES], w->p->end[PART_INODES]);
	return 0;
}

static int finish(struct writer *w, uint64_t *bytes, struct err *e)
{
	uint64_t sums[N_PARTS], size;

	for (unsigned i = 0; i < N_PARTS; i++) {
		struct part *p = &w->parts[i];
		flush(p);
		errno = p->failed;
		if (p->failed)
			return err_sys(e, "write the index");
		assert(p->at == w->p->end[i]);
		sums[i] = xxh64_get(&p->sum);
	}
	if (erofs_write_footer(w->parts[0].fd, w->o, w->p, sums, &size, e) < 0)
		return -1;
	if (bytes)
		*bytes = size;
	return 0;
}

static int check_opts(const struct erofs_opts *o, struct err *e)
{
	if (o->n_sources > EROFS_SOURCES_MAX)
		return err_set(e, EINVAL, "more than %u archives in one index", EROFS_SOURCES_MAX);
	for (size_t i = 0; i < o->n_sources; i++)
		if (o->sources[i].bytes / BLOCK >= UINT32_MAX)
			return err_set(e, EFBIG, "an archive of more than 2 TiB");
	return 0;
}

int erofs_write(struct tree *t, const struct erofs_opts *o, int fd, uint64_t *bytes, struct err *e)
{
	struct erofs_parts p;

	tree_reset_walk(t);
	if (check_opts(o, e) < 0 || erofs_layout(t, o, &p, e) < 0)
		return -1;
	auto_free struct writer *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ENOMEM, "write the index: out of memory");
	w->t = t;
	w->o = o;
	w->p = &p;
	for (unsigned i = 0; i < N_PARTS; i++) {
		w->parts[i].fd = fd;
		w->parts[i].at = p.begin[i];
		xxh64_init(&w->parts[i].sum);
	}
	return write_parts(w, e) < 0 ? -1 : finish(w, bytes, e);
}
