/* SPDX-License-Identifier: Apache-2.0
 * listing - see listing.h
 *
 * An entry and all its strings are one piece of memory. While the image is read, a hard link is an entry whose target is
 * the name that it links to; when all are there and sorted, it becomes what that one is.
 */
#include "core/archive/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/tar_parts.h"

#define ROOT  "rootfs"
#define PIECE 4096u /* what is all zeros is left out, in pieces of this size */

struct reader {
	struct listing *l;
	void          (*progress)(void *ctx, uint64_t in_bytes);
	void           *ctx;
};

/* ---- content ---- */

struct content {
	struct hash *hash;
	uint64_t     piece; /* which one is in `bytes` */
	uint8_t      bytes[PIECE];
};

static void end_piece(struct content *c)
{
	uint8_t number[8];

	if (tar_all_zero(c->bytes, PIECE))
		return;
	for (int i = 0; i < 8; i++)
		number[i] = (uint8_t)(c->piece >> 8 * i);
	hash_feed(c->hash, number, sizeof(number));
	hash_feed(c->hash, c->bytes, PIECE);
	memset(c->bytes, 0, PIECE);
}

static void add_bytes(struct content *c, uint64_t at, const uint8_t *p, size_t len)
{
	while (len) {
		size_t in_piece = (size_t)(at % PIECE), n = PIECE - in_piece < len ? PIECE - in_piece : len;
		if (at / PIECE != c->piece) {
			end_piece(c);
			c->piece = at / PIECE;
		}
		memcpy(c->bytes + in_piece, p, n);
		at += n;
		p += n;
		len -= n;
	}
}

/* what is stored, at the places where it belongs */
static int read_content(struct content *c, const struct tar_entry *en, struct tar *t, struct err *e)
{
	const struct tar_segment whole = { 0, en->data_size };
	const struct tar_segment *s = en->sparse ? en->segments : &whole;
	size_t n_segments = en->sparse ? en->n_segments : 1, i = 0, len;
	uint64_t done = 0; /* of segment i */
	const uint8_t *p;
	int r;

	while ((r = tar_data(t, &p, &len, e)) > 0)
		while (len && i < n_segments) {
			size_t n = s[i].len - done < len ? (size_t)(s[i].len - done) : len;
			add_bytes(c, s[i].offset + done, p, n);
			p += n;
			len -= n;
			done += n;
			if (done == s[i].len) {
				i++;
				done = 0;
			}
		}
	end_piece(c);
	return r;
}

static void short_digest(struct hash *h, uint8_t out[LISTING_DIGEST])
{
	uint8_t digest[HASH_SHA512_LEN];

	hash_final(h, digest);
	memcpy(out, digest, LISTING_DIGEST);
}

static int digest_content(const struct tar_entry *en, struct tar *t, uint8_t out[LISTING_DIGEST], struct err *e)
{
	struct content c = { .hash = hash_new(e) };

	if (!c.hash)
		return -1;
	if (read_content(&c, en, t, e) < 0) {
		hash_free(c.hash);
		return -1;
	}
	short_digest(c.hash, out);
	return 0;
}

/* ---- entries ---- */

static char *put_string(char **room, const char *prefix, const char *s)
{
	char *begin = *room;
	size_t n = strlen(prefix), len = strlen(s);

	memcpy(begin, prefix, n);
	memcpy(begin + n, s, len + 1);
	*room += n + len + 1;
	return begin;
}

/* its path and target as they are in the archive */
static const char *root_prefix(const char *below)
{
	return *below ? ROOT "/" : ROOT;
}

static struct listing_entry *make_entry(const struct tar_entry *en, struct err *e)
{
	size_t size = sizeof(struct listing_entry) + en->n_xattrs * sizeof(struct listing_xattr) +
		      2 * sizeof(ROOT "/") + strlen(en->path) + 1 + (en->link ? strlen(en->link) + 1 : 0);

	for (size_t i = 0; i < en->n_xattrs; i++)
		size += strlen(en->xattrs[i].name) + 1;
	struct listing_entry *x = calloc(1, size);
	if (!x) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	*x = (struct listing_entry){
		.type = en->type, .mode = en->mode, .uid = en->uid, .gid = en->gid, .mtime_s = en->mtime_s,
		.mtime_ns = en->mtime_ns, .size = en->type == TAR_FILE ? en->size : 0, .rdev_major = en->rdev_major,
		.rdev_minor = en->rdev_minor, .xattrs = (struct listing_xattr *)(x + 1), .n_xattrs = en->n_xattrs,
	};
	char *room = (char *)(x->xattrs + en->n_xattrs);
	x->path = put_string(&room, root_prefix(en->path), en->path);
	if (en->link)
		x->target = put_string(&room, en->type == TAR_HARDLINK ? root_prefix(en->link) : "", en->link);
	for (size_t i = 0; i < en->n_xattrs; i++)
		x->xattrs[i].name = put_string(&room, "", en->xattrs[i].name);
	return x;
}

static int by_xattr(const void *a, const void *b)
{
	return strcmp(((const struct listing_xattr *)a)->name, ((const struct listing_xattr *)b)->name);
}

static int digest_xattrs(struct listing_entry *x, const struct tar_entry *en, struct err *e)
{
	for (size_t i = 0; i < en->n_xattrs; i++) {
		struct hash *h = hash_new(e);
		if (!h)
			return -1;
		hash_feed(h, en->xattrs[i].value, en->xattrs[i].len);
		short_digest(h, x->xattrs[i].digest);
		x->xattrs[i].len = en->xattrs[i].len;
	}
	if (x->n_xattrs)
		qsort(x->xattrs, x->n_xattrs, sizeof(*x->xattrs), by_xattr);
	return 0;
}

static int keep(struct listing *l, struct listing_entry *x, struct err *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct listing_entry **v = reallocarray(l->v, cap, sizeof(struct listing_entry *));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = x;
	return 0;
}

static int on_entry(void *ctx, const struct tar_entry *en, struct tar *t, struct err *e)
{
	struct reader *r = ctx;
	struct listing_entry *x = make_entry(en, e);

	if (!x)
		return -1;
	if (digest_xattrs(x, en, e) == 0 && (en->type != TAR_FILE || digest_content(en, t, x->content, e) == 0) &&
	    keep(r->l, x, e) == 0)
		return 0;
	free(x);
	return -1;
}

static void on_progress(void *ctx, uint64_t in_bytes)
{
	struct reader *r = ctx;

	if (r->progress)
		r->progress(r->ctx, in_bytes);
}

/* ---- hard links ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct listing_entry *const *)a)->path, (*(struct listing_entry *const *)b)->path);
}

static struct listing_entry *find(const struct listing *l, const char *path)
{
	const struct listing_entry key = { .path = path }, *at = &key;
	struct listing_entry **x = bsearch(&at, l->v, l->n, sizeof(struct listing_entry *), by_path);

	return x ? *x : NULL;
}

/* what @x links to, perhaps through other links: each names one that came before it in the archive */
static struct listing_entry *file_of(const struct listing *l, const struct listing_entry *x)
{
	struct listing_entry *of = find(l, x->target);

	while (of && of->type == TAR_HARDLINK)
		of = find(l, of->target);
	return of;
}

static void become(struct listing_entry *x)
{
	const struct listing_entry *of = x->file;
	const char *path = x->path;

	*x = *of;
	x->path = path;
}

/* Links are looked at in order, so the first one of a file decides whether the file itself has its first name. */
static int resolve_links(struct listing *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct listing_entry *x = l->v[i];
		if (x->type != TAR_HARDLINK)
			continue;
		struct listing_entry *of = file_of(l, x);
		if (!of || of->type != TAR_FILE) /* aci has seen to that */
			return err_set(e, EBADMSG, "%.300s: is a hard link to nothing", x->path);
		if (!of->first_name)
			of->first_name = strcmp(x->path, of->path) < 0 ? x->path : of->path;
		x->file = of;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i]->file)
			become(l->v[i]);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i]->first_name && !strcmp(l->v[i]->first_name, l->v[i]->path))
			l->v[i]->first_name = NULL;
	return 0;
}

int listing_read(struct listing *l, struct source *in, void (*progress)(void *ctx, uint64_t in_bytes), void *ctx,
		 struct findings *f, struct err *e)
{
	struct reader r = { l, progress, ctx };
	const struct aci_handler h = { .ctx = &r, .entry = on_entry, .progress = on_progress };
	const struct aci_bounds bounds = { 0 };

	if (aci_read(in, &bounds, ACI_ALL, &h, &l->res, f, e) < 0)
		return -1;
	if (l->n)
		qsort(l->v, l->n, sizeof(struct listing_entry *), by_path);
	return resolve_links(l, e);
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	aci_result_free(&l->res);
	*l = (struct listing){ 0 };
}
