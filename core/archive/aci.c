/* SPDX-License-Identifier: Apache-2.0
 * aci - see aci.h
 *
 * A chain of sources: the caller's, inflate, the pump where there are processors for it, and here the tee, which
 * counts and hands on every block before the tar reader sees it. The pump's follower hashes, or the tee does. What the
 * reader says of each entry is checked against the rules, and what passes them goes to the handler.
 */
#include "core/archive/aci.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/aci_parts.h"
#include "core/archive/audit.h"
#include "core/archive/paths.h"
#include "core/archive/pump.h"
#include "core/archive/tar_parts.h"
#include "core/base/defence.h"
#include "core/base/thread.h"

#define MAX_BYTES   (1ULL << 40)
#define MAX_ENTRIES 10000000u
#define ABSURD_RATIO 200u

struct pass {
	struct source             tee, lent; /* lent: the caller's source, which inflate must not close */
	struct source            *in, *plain, *pump; /* NULL: all is done on this thread */
	struct tar               *tar;
	const struct aci_handler *h;
	struct aci_bounds         bounds;
	enum aci_mode             mode;
	bool                      only_manifest;
	struct aci_result        *out;
	struct findings          *f;
	struct hash              *hash;
	struct paths             *paths;
	bool                      stream_failed;  /* below the tar reader */
	bool                      in_failed;      /* the caller's source: no finding, as all that is no fault of the image */
	bool                      handler_failed; /* the caller's own trouble: likewise */
	bool                      told;           /* what ended the pass is a finding */
	bool                      has_manifest, has_rootfs;
	bool                      manifest_first; /* the first error is about what the manifest says */
	struct tar_xattr         *xattrs;
	struct audit              audit; /* with ACI_ALL: of who stores an image nobody wants to know */
	size_t                    faults; /* rules that entries broke, whatever that counts for */
};

/* ---- the chain ---- */

static void hash_block(void *ctx, const uint8_t *p, size_t len)
{
	if (ctx) /* NULL: nobody wants the digest */
		hash_feed(ctx, p, len);
}

static int lent_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct pass *a = (struct pass *)((char *)s - offsetof(struct pass, lent));

	int r = a->in->next(a->in, p, len, e);
	if (r < 0)
		a->in_failed = true;
	return r;
}

static uint64_t lent_skip(struct source *s, uint64_t n)
{
	struct pass *a = (struct pass *)((char *)s - offsetof(struct pass, lent));

	return source_skip(a->in, n);
}

static void not_ours(struct source *s)
{
	(void)s;
}

static int beyond(struct pass *a, const char *what, uint64_t bound, struct err *e)
{
	a->told = true;
	findings_add(a->f, FINDING_ERROR, "aci-bounds", ACI_OURS, "", a->out->tar_bytes, "more than %llu %s",
		     (unsigned long long)bound, what);
	return err_set(e, EFBIG, "more than %llu %s", (unsigned long long)bound, what);
}

static int check_bounds(struct pass *a, struct err *e)
{
	const struct aci_result *r = a->out;

	if (r->tar_bytes > a->bounds.max_bytes)
		return beyond(a, "bytes uncompressed", a->bounds.max_bytes, e);
	if (r->tar_bytes > ACI_RATIO_FROM && r->tar_bytes / a->bounds.max_ratio > r->in_bytes)
		return beyond(a, "times the size of the compressed file", a->bounds.max_ratio, e);
	return 0;
}

static int tee_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct pass *a = (struct pass *)((char *)s - offsetof(struct pass, tee));
	struct source *from = a->pump ? a->pump : a->plain;
	int r = from->next(from, p, len, e);

	if (r > 0 || !a->pump)
		a->out->in_bytes = a->pump ? pump_in_bytes(a->pump) : inflate_in_bytes(a->plain);
	if (r <= 0) {
		a->stream_failed = r < 0;
		return r;
	}
	a->out->tar_bytes += *len;
	if (check_bounds(a, e) < 0)
		return -1;
	if (a->hash && !a->pump)
		hash_feed(a->hash, *p, *len);
	if (a->h->tap && a->h->tap(a->h->ctx, *p, *len, e) < 0) {
		a->handler_failed = true;
		return -1;
	}
	if (a->h->progress)
		a->h->progress(a->h->ctx, a->out->in_bytes);
	return 1;
}

/* what nobody hashes, keeps or decompresses need not be read */
static uint64_t tee_skip(struct source *s, uint64_t n)
{
	struct pass *a = (struct pass *)((char *)s - offsetof(struct pass, tee));

	if (a->hash || a->pump || a->h->tap)
		return 0;
	n = source_skip(a->plain, n);
	a->out->tar_bytes += n;
	a->out->in_bytes = inflate_in_bytes(a->plain);
	return n;
}

/* ---- findings ---- */

__attribute__((format(printf, 4, 5))) static void error(struct pass *a, const char *rule,
							 const struct tar_entry *en, const char *fmt, ...);

static void error(struct pass *a, const char *rule, const struct tar_entry *en, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->faults += DEFENCE(rule);
	aci_report(a->f, FINDING_ERROR, rule, en, "%s", text);
}

/* the stream or the tar in it could not be read on */
static void broken(struct pass *a, const struct err *e)
{
	if (a->handler_failed || a->in_failed || a->told || e->code == ENOMEM)
		return;
	a->told = true;
	if (a->stream_failed)
		aci_report(a->f, FINDING_ERROR, "aci-stream", NULL, "%s", e->msg);
	else
		findings_add(a->f, FINDING_ERROR, "aci-tar", ACI_ARCHIVES, "", tar_offset(a->tar), "tar: %s",
			     e->msg);
}

/* of an entry that the reader passes over; its path may be what is wrong, so the message has it */
static void on_entry_fault(void *ctx, uint64_t offset, const struct err *e)
{
	struct pass *a = ctx;

	a->faults++;
	findings_add(a->f, FINDING_ERROR, "aci-entry", ACI_ARCHIVES, "", offset, "tar: %s", e->msg);
}

static void on_fault(void *ctx, enum paths_fault what, const char *path, uint64_t offset, uint64_t other)
{
	const struct tar_entry en = { .path = path, .header_offset = offset };
	unsigned long long at = other;

	switch (what) {
	case PATHS_TWICE:
		error(ctx, "aci-duplicate", &en, "has an entry already, at byte %llu", at);
		break;
	case PATHS_BELOW_OTHER:
		error(ctx, "aci-parent", &en, "lies below an entry that is no directory, at byte %llu", at);
		break;
	case PATHS_ABOVE_OTHER:
		error(ctx, "aci-parent", &en, "is no directory, but has entries below it, the first at byte %llu",
		      at);
		break;
	case PATHS_LINK_NOWHERE:
		error(ctx, "aci-link", &en, "is a hard link to a path that has no entry before it");
		break;
	case PATHS_LINK_OTHER:
		error(ctx, "aci-link", &en, "is a hard link to what is no regular file, at byte %llu", at);
		break;
	}
}

/* ---- the manifest ---- */

static int read_text(struct pass *a, const struct tar_entry *en, struct err *e)
{
	struct aci_result *r = a->out;
	const uint8_t *p;
	size_t len;
	int more;

	r->manifest_text = malloc((size_t)en->data_size + 1);
	if (!r->manifest_text)
		return err_set(e, ENOMEM, "out of memory");
	while ((more = tar_data(a->tar, &p, &len, e)) > 0) {
		memcpy(r->manifest_text + r->manifest_len, p, len);
		r->manifest_len += len;
	}
	r->manifest_text[r->manifest_len] = 0;
	if (more < 0)
		broken(a, e);
	return more;
}

static int take_manifest(struct pass *a, const struct tar_entry *en, struct err *e)
{
	if (a->has_manifest)
		return 0; /* paths tells of it */
	a->has_manifest = true;
	if (en->type != TAR_FILE || en->sparse) {
		error(a, "aci-manifest", en, "is not a regular file");
		return 0;
	}
	if (en->data_size > APPC_MANIFEST_MAX) {
		error(a, "aci-manifest", en, "has %llu bytes, %u are allowed",
		      (unsigned long long)en->data_size, APPC_MANIFEST_MAX);
		return 0;
	}
	a->out->manifest_at = (struct aci_place){
		.begin = en->header_offset, .end = en->data_offset + en->data_size + tar_padding(en->data_size),
		.mode = en->mode, .uid = en->uid, .gid = en->gid, .mtime_s = en->mtime_s,
	};
	if (read_text(a, en, e) < 0)
		return -1;
	size_t before = a->f->errors, first = a->f->n;
	image_manifest_parse(a->out->manifest_text, a->out->manifest_len, &a->out->manifest, a->f);
	if (a->mode == ACI_ALL)
		manifest_locate(a->out->manifest_text, a->out->manifest_len, a->f, first, en->data_offset);
	a->manifest_first = !before && a->f->errors;
	return 0;
}

/* ---- what lies below rootfs ---- */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* @en's attributes but for those that belong to the host's kernel */
static int strip_xattrs(struct pass *a, struct tar_entry *en, struct err *e)
{
	size_t n = 0;

	if (!en->n_xattrs)
		return 0;
	struct tar_xattr *kept = realloc(a->xattrs, en->n_xattrs * sizeof(*kept));
	if (!kept)
		return err_set(e, ENOMEM, "out of memory");
	a->xattrs = kept;
	for (size_t i = 0; i < en->n_xattrs; i++)
		if (xattr_class(en->xattrs[i].name) >= XATTR_KEPT || !DEFENCE("xattrs"))
			kept[n++] = en->xattrs[i];
	en->xattrs = kept;
	en->n_xattrs = n;
	return 0;
}

/* the part of @path below rootfs, "" for rootfs itself, NULL when it is neither */
static const char *below_rootfs(const char *path)
{
	if (!begins(path, "rootfs"))
		return NULL;
	return path[6] == '/' ? path + 7 : path[6] ? NULL : path + 6;
}

static bool links_out(const struct tar_entry *en)
{
	const char *target = below_rootfs(en->link);

	return !target || !*target;
}

static void check_below(struct pass *a, const struct tar_entry *en)
{
	if (en->type == TAR_HARDLINK && links_out(en))
		error(a, "aci-link", en, "is a hard link to \"%.200s\", which is not below rootfs", en->link);
	if (a->mode == ACI_ALL)
		audit_entry(&a->audit, en);
}

/* an entry that has passed all checks, as the handler sees it */
static int hand_out(struct pass *a, const struct tar_entry *en, struct err *e)
{
	struct tar_entry inner = *en;
	struct aci_result *r = a->out;

	inner.path = below_rootfs(en->path);
	if (en->type == TAR_HARDLINK)
		inner.link = below_rootfs(en->link);
	if (en->type == TAR_FILE)
		r->content_bytes += en->size < UINT64_MAX - r->content_bytes ? en->size :
									       UINT64_MAX - r->content_bytes;
	if (strip_xattrs(a, &inner, e) < 0)
		return -1;
	if (a->h->entry && a->h->entry(a->h->ctx, &inner, a->tar, e) < 0) {
		a->handler_failed = true;
		return -1;
	}
	return 0;
}

/* ---- the pass ---- */

static int take_entry(struct pass *a, const struct tar_entry *en, struct err *e)
{
	const char *below = below_rootfs(en->path);
	struct tar_entry seen = *en;
	size_t faults = a->faults;

	if (++a->out->n_entries > a->bounds.max_entries)
		return beyond(a, "entries", a->bounds.max_entries, e);
	if (en->uid == UINT32_MAX || en->gid == UINT32_MAX)
		error(a, "aci-owner", en, "belongs to user %u and group %u", en->uid, en->gid);
	if (!strcmp(en->path, "manifest"))
		return paths_add(a->paths, en, e) < 0 ? -1 : take_manifest(a, en, e);
	if (below)
		check_below(a, en);
	else if (*en->path || en->type != TAR_DIR) /* "./" is the top itself */
		error(a, "aci-toplevel", en, "is neither manifest nor rootfs");
	if (below && !*below) {
		a->has_rootfs = true;
		if (en->type != TAR_DIR)
			error(a, "aci-rootfs", en, "is not a directory");
	}
	if (en->type == TAR_HARDLINK && links_out(en))
		seen.type = TAR_FILE; /* its target has been complained of already */
	if (paths_add(a->paths, &seen, e) < 0)
		return -1;
	return below && a->faults == faults ? hand_out(a, en, e) : 0;
}

static void check_ratio(struct pass *a)
{
	const struct aci_result *r = a->out;

	if (r->tar_bytes > ACI_RATIO_FROM && r->tar_bytes / ABSURD_RATIO > r->in_bytes)
		aci_report(a->f, FINDING_WARNING, "aci-ratio", NULL, "%llu bytes come out of %llu",
			   (unsigned long long)r->tar_bytes, (unsigned long long)r->in_bytes);
}

static int read_entries(struct pass *a, struct err *e)
{
	const struct tar_entry *en;
	int r;

	while ((r = tar_next(a->tar, &en, e)) > 0) {
		if (take_entry(a, en, e) < 0)
			return -1;
		if (a->mode == ACI_STRICT && a->f->errors)
			return 0;
	}
	if (r < 0) {
		broken(a, e);
		return -1;
	}
	if (paths_finish(a->paths, e) < 0)
		return -1;
	if (!a->has_manifest)
		error(a, "aci-manifest", NULL, "there is no manifest");
	if (!a->has_rootfs)
		error(a, "aci-rootfs", NULL, "there is no rootfs");
	audit_finish(&a->audit);
	if (a->pump)
		pump_finish(a->pump); /* the digest is of all bytes */
	source_cleanup(&a->pump);
	a->out->in_bytes = inflate_in_bytes(a->plain); /* with what stands behind the last byte of content */
	if (a->hash)
		hash_final(a->hash, a->out->digest);
	a->hash = NULL;
	if (a->mode == ACI_ALL)
		check_ratio(a);
	return 0;
}

static int read_manifest(struct pass *a, struct err *e)
{
	const struct tar_entry *en;
	int r;

	while ((r = tar_next(a->tar, &en, e)) > 0)
		if (!strcmp(en->path, "manifest"))
			return take_manifest(a, en, e);
	if (r < 0)
		broken(a, e);
	else
		error(a, "aci-manifest", NULL, "there is no manifest");
	return r;
}

static int open_chain(struct pass *a, struct err *e)
{
	const struct paths_handler on = { a, on_fault };

	a->tee = (struct source){ .next = tee_next, .skip = tee_skip, .close = not_ours };
	a->lent = (struct source){ .next = lent_next, .skip = lent_skip, .close = not_ours };
	a->plain = inflate_open(&a->lent, e);
	if (!a->plain) {
		a->stream_failed = true;
		broken(a, e);
		return -1;
	}
	a->out->format = inflate_format(a->plain);
	a->tar = tar_open(&a->tee, e);
	if (!a->tar)
		return -1;
	if (a->mode == ACI_ALL)
		tar_forgive(a->tar, on_entry_fault, a);
	if (a->only_manifest)
		return 0;
	if (!a->h->undigested && !(a->hash = hash_new(e)))
		return -1;
	a->paths = paths_new(&on, a->h->no_files, e);
	if (!a->paths)
		return -1;
	const struct pump_follower hasher = { a->hash, hash_block };
	struct err no_thread; /* then it takes longer, that is all */
	unsigned threads = a->bounds.threads ? a->bounds.threads : thread_processors();
	if (threads > 1 && (a->hash || a->out->format != INFLATE_NONE))
		a->pump = pump_open(a->plain, a->in, threads, &hasher, &no_thread);
	return 0;
}

static void close_chain(struct pass *a)
{
	source_cleanup(&a->pump); /* first: it uses the others */
	paths_free(a->paths);
	hash_free(a->hash);
	tar_free(a->tar);
	source_cleanup(&a->plain);
	free(a->xattrs);
	audit_free(&a->audit);
}

static int run(struct pass *a, struct err *e)
{
	*a->out = (struct aci_result){ 0 };
	int r = open_chain(a, e);
	if (r == 0)
		r = a->only_manifest ? read_manifest(a, e) : read_entries(a, e);
	close_chain(a);
	/* the caller's own failure, or want of memory, is not the image's */
	a->out->unread = r < 0 && !a->told;
	if (a->out->unread)
		return -1;
	if (findings_err(a->f, e) == 0)
		return 0;
	return a->manifest_first ? err_wrap(e, "manifest") : -1;
}

int aci_read(struct source *in, const struct aci_bounds *bounds, enum aci_mode mode, const struct aci_handler *h,
	     struct aci_result *out, struct findings *f, struct err *e)
{
	struct pass a = { .in = in, .h = h, .mode = mode, .out = out, .f = f, .audit = { .f = f } };

	a.bounds = (struct aci_bounds){
		.max_bytes = bounds->max_bytes ? bounds->max_bytes : MAX_BYTES,
		.max_entries = bounds->max_entries ? bounds->max_entries : MAX_ENTRIES,
		.max_ratio = bounds->max_ratio ? bounds->max_ratio : ACI_RATIO_MAX,
		.threads = bounds->threads,
	};
	return run(&a, e);
}

int aci_read_manifest(struct source *in, struct aci_result *out, struct findings *f, struct err *e)
{
	static const struct aci_handler nobody = { 0 };
	struct pass a = {
		.in = in, .h = &nobody, .out = out, .f = f, .only_manifest = true,
		.bounds = { MAX_BYTES, MAX_ENTRIES, ACI_RATIO_MAX, 1 },
	};

	return run(&a, e);
}

void aci_result_free(struct aci_result *r)
{
	free(r->manifest_text);
	image_manifest_free(&r->manifest);
	*r = (struct aci_result){ 0 };
}
