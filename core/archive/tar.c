/* SPDX-License-Identifier: Apache-2.0
 * tar - see tar.h
 *
 * The input is looked at in blocks of 512 bytes, lent by the source where a whole one lies in its block and
 * put together in `block` where not. What comes before an entry (extended headers, GNU's long names) is
 * gathered first; then the entry is built from all of it, and its data is left to tar_data() or skipped.
 */
#include "core/archive/tar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/tar_parts.h"

int tar_bad(const struct tar *t, struct err *e, const char *fmt, ...)
{
	char msg[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return err_set(e, EBADMSG, "at byte %llu: %s", (unsigned long long)t->at, msg);
}

int tar_at(const struct tar *t, struct err *e)
{
	return err_wrap(e, "at byte %llu", (unsigned long long)t->at);
}

int tar_truncated(const struct tar *t, struct err *e)
{
	return err_set(e, EBADMSG, "truncated at byte %llu", (unsigned long long)t->offset);
}

/* ---- bytes ---- */

/* 1: at least one byte at t->p; 0: the stream has ended; -1 */
static int refill(struct tar *t, struct err *e)
{
	if (t->len)
		return 1;
	if (t->in_end)
		return 0;
	int r = t->in->next(t->in, &t->p, &t->len, e);
	if (r <= 0)
		t->len = 0;
	t->in_end = r == 0;
	return r;
}

static void consume(struct tar *t, size_t n)
{
	t->p += n;
	t->len -= n;
	t->offset += n;
}

static int copy(struct tar *t, void *out, size_t len, struct err *e)
{
	uint8_t *to = out;

	while (len) {
		int r = refill(t, e);
		if (r <= 0)
			return r < 0 ? -1 : tar_truncated(t, e);
		size_t n = t->len < len ? t->len : len;
		memcpy(to, t->p, n);
		consume(t, n);
		to += n;
		len -= n;
	}
	return 0;
}

static int skip(struct tar *t, uint64_t len, struct err *e)
{
	while (len) {
		uint64_t unread = t->len ? 0 : source_skip(t->in, len);
		t->offset += unread;
		len -= unread;
		int r = len ? refill(t, e) : 1;
		if (r <= 0)
			return r < 0 ? -1 : tar_truncated(t, e);
		size_t n = t->len < len ? t->len : (size_t)len;
		consume(t, n);
		len -= n;
	}
	return 0;
}

/* lends one block: 1, 0 when the stream ends right here, -1 */
int tar_block(struct tar *t, const uint8_t **block, struct err *e)
{
	int r = refill(t, e);

	if (r <= 0)
		return r;
	*block = t->p;
	if (t->len >= TAR_BLOCK_SIZE) {
		consume(t, TAR_BLOCK_SIZE);
		return 1;
	}
	*block = t->block;
	return copy(t, t->block, TAR_BLOCK_SIZE, e) < 0 ? -1 : 1;
}

bool tar_all_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* ---- what comes before an entry ---- */

/* the data of an 'L' or 'K' entry: a string with NULs behind it */
static int read_long(struct tar *t, uint64_t size, char out[TAR_PATH_MAX + 2], bool *has, struct err *e)
{
	if (*has)
		return tar_bad(t, e, "two long names for one entry");
	*has = true;
	/* GNU tar counts the NUL; a block more is no name any more */
	if (size > TAR_PATH_MAX + 2)
		return tar_bad(t, e, "long name of %llu bytes", (unsigned long long)size);
	char text[TAR_PATH_MAX + 3];
	if (copy(t, text, (size_t)size, e) < 0 || skip(t, tar_padding(size), e) < 0)
		return -1;
	text[size] = 0;
	size_t n = strlen(text);
	if (!n || n > TAR_PATH_MAX + 1 || !tar_all_zero((uint8_t *)text + n, (size_t)size - n))
		return tar_bad(t, e, "malformed long name");
	memcpy(out, text, n + 1);
	return 0;
}

static int read_pax_into(struct tar *t, struct pax *x, uint64_t size, bool global, struct err *e)
{
	if (size > TAR_PAX_MAX)
		return tar_bad(t, e, "extended header of %llu bytes, %u are allowed", (unsigned long long)size,
			       TAR_PAX_MAX);
	if (pax_room(x, (size_t)size, e) < 0)
		return -1;
	if (copy(t, x->text, (size_t)size, e) < 0 || skip(t, tar_padding(size), e) < 0)
		return -1;
	return pax_parse(x, (size_t)size, global, e) < 0 ? tar_at(t, e) : 0;
}

static int read_local(struct tar *t, uint64_t size, struct err *e)
{
	if (t->has_local)
		return tar_bad(t, e, "two extended headers for one entry");
	t->has_local = true;
	return read_pax_into(t, &t->local, size, false, e);
}

/* A global header adds to the ones before it; what it says holds until another one says otherwise. */
static int read_global(struct tar *t, uint64_t size, struct err *e)
{
	struct pax before = t->global;

	if (t->has_local || t->has_name || t->has_link)
		return tar_bad(t, e, "global header between an entry and what belongs to it");
	pax_reset(&t->global);
	if (read_pax_into(t, &t->global, size, true, e) < 0)
		return -1;
	struct pax *g = &t->global;
	if (!pax_has(g, PAX_UID))
		g->uid = before.uid;
	if (!pax_has(g, PAX_GID))
		g->gid = before.gid;
	if (!pax_has(g, PAX_MTIME)) {
		g->mtime_s = before.mtime_s;
		g->mtime_ns = before.mtime_ns;
	}
	g->has |= before.has;
	return 0;
}

/* ---- the archive ---- */

/* eight bytes at a time, as four numbers of 16 bits: 64 times two bytes are less than that takes */
static uint64_t sum_of_block(const uint8_t *p)
{
	const uint64_t every_other = 0x00ff00ff00ff00ff;
	uint64_t sums = 0, eight;

	for (size_t i = 0; i < TAR_BLOCK_SIZE; i += sizeof(eight)) {
		memcpy(&eight, p + i, sizeof(eight));
		sums += (eight & every_other) + (eight >> 8 & every_other);
	}
	return (sums & 0xffff) + (sums >> 16 & 0xffff) + (sums >> 32 & 0xffff) + (sums >> 48);
}

/* with blanks for the checksum itself */
static bool checksum_ok(const struct header *h)
{
	uint64_t sum = sum_of_block((const uint8_t *)h) + sizeof(h->checksum) * ' ';
	int64_t want;

	for (size_t i = 0; i < sizeof(h->checksum); i++)
		sum -= h->checksum[i];
	return tar_number(h->checksum, sizeof(h->checksum), true, &want) && want == (int64_t)sum;
}

static int read_variant(struct tar *t, const struct header *h, enum tar_variant *v, struct err *e)
{
	if (!memcmp(h->magic, "ustar\0" "00", 8))
		*v = TAR_USTAR;
	else if (!memcmp(h->magic, "ustar  ", 8))
		*v = TAR_GNU;
	else if (tar_all_zero(h->magic, sizeof(h->magic)))
		*v = TAR_V7;
	else
		return tar_bad(t, e, "header of an unknown kind of tar");
	return 0;
}

/* Numbers are numbers also where nobody wants them, as in front of an extended header. */
static int check_numbers(struct tar *t, const struct header *h, enum tar_variant v, struct err *e)
{
	const struct { const char *what; const uint8_t *field; size_t len; } numbers[] = {
		{ "mode", h->mode, sizeof(h->mode) }, { "uid", h->uid, sizeof(h->uid) },
		{ "gid", h->gid, sizeof(h->gid) }, { "mtime", h->mtime, sizeof(h->mtime) },
		{ "device number", h->devmajor, sizeof(h->devmajor) }, { "device number", h->devminor, sizeof(h->devminor) },
	};
	size_t n = sizeof(numbers) / sizeof(*numbers) - (v == TAR_V7 ? 2 : 0); /* which had other things there */
	int64_t unused;

	for (size_t i = 0; i < n; i++)
		if (!tar_number(numbers[i].field, numbers[i].len, false, &unused))
			return tar_bad(t, e, "bad %s in a header", numbers[i].what);
	return 0;
}

static void forget_entry(struct tar *t)
{
	pax_reset(&t->local);
	t->segments.n = 0;
	t->has_local = t->has_name = t->has_link = false;
	t->entry = (struct tar_entry){ 0 };
}

enum { BELONGS_TO_NEXT, ENTRY, PASSED_OVER };

/*
 * An entry that all programs would find the end of, though they might disagree about the rest: what stands behind a
 * header that has its size and is of a file, or of something without content.
 */
static int pass_over(struct tar *t, char type, uint64_t size, const struct err *e)
{
	bool file = !type || type == '0' || type == '7';

	if (!t->fault || e->code == ENOMEM || type == 'S' || (size && !file) || t->entry.sparse ||
	    size > INT64_MAX - t->offset - TAR_BLOCK_SIZE)
		return -1;
	t->fault(t->fault_ctx, t->at, e);
	t->data_left = size;
	t->padding = tar_padding(size);
	return PASSED_OVER;
}

static int read_entry(struct tar *t, const struct header *h, enum tar_variant v, uint64_t size, struct err *e)
{
	char type = (char)h->type; /* the header is only lent */

	if (tar_entry_set(t, h, v, size, e) == 0)
		return ENTRY;
	return pass_over(t, type, pax_has(&t->local, PAX_SIZE) ? t->local.size : size, e);
}

/* one header, or -1 */
static int read_header(struct tar *t, const struct header *h, struct err *e)
{
	enum tar_variant v = TAR_V7;
	uint64_t size = 0;

	if (!checksum_ok(h))
		return tar_bad(t, e, "bad checksum of a header");
	if (read_variant(t, h, &v, e) < 0 || check_numbers(t, h, v, e) < 0 ||
	    TAR_FIELD(t, h->size, true, INT64_MAX, "size", &size, e) < 0)
		return -1;
	switch (h->type) {
	case 'x':
	case 'X': /* Solaris, before there was a standard */
		return read_local(t, size, e);
	case 'g':
		return read_global(t, size, e);
	case 'L':
		return read_long(t, size, t->long_name, &t->has_name, e);
	case 'K':
		return read_long(t, size, t->long_link, &t->has_link, e);
	default:
		return read_entry(t, h, v, size, e);
	}
}

/* behind the first block of zeros: nothing but more of them, whole ones, and not for ever */
static int read_end(struct tar *t, struct err *e)
{
	uint64_t end = t->offset;
	int r;

	if (t->has_local || t->has_name || t->has_link)
		return tar_bad(t, e, "extended header or long name without an entry");
	while ((r = refill(t, e)) > 0) {
		size_t i = 0;
		if (!tar_all_zero(t->p, t->len)) {
			while (!t->p[i])
				i++;
			t->at = t->offset + i;
			return tar_bad(t, e, "data after the end of the archive");
		}
		consume(t, t->len);
		if (t->offset - end > TAR_END_MAX)
			return tar_bad(t, e, "more than %u MiB of zeros after the end of the archive", TAR_END_MAX >> 20);
	}
	if (r < 0)
		return -1;
	if (t->offset % TAR_BLOCK_SIZE)
		return tar_truncated(t, e);
	t->done = true;
	return 0;
}

/* behind what is left of the entry at hand */
static int leave_entry(struct tar *t, struct err *e)
{
	if (skip(t, t->data_left + t->padding, e) < 0)
		return -1;
	t->data_left = t->padding = 0;
	forget_entry(t);
	return 0;
}

static int next_entry(struct tar *t, struct err *e)
{
	const uint8_t *block;
	uint64_t header_offset = 0;
	bool first = true;

	if (leave_entry(t, e) < 0)
		return -1;
	for (;;) {
		t->at = t->offset;
		if (first)
			header_offset = t->offset;
		int r = tar_block(t, &block, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, EBADMSG, "truncated at byte %llu: no end-of-archive marker",
				       (unsigned long long)t->offset);
		if (tar_all_zero(block, TAR_BLOCK_SIZE))
			return read_end(t, e);
		r = read_header(t, (const struct header *)block, e);
		if (r < 0)
			return -1;
		t->entry.header_offset = header_offset;
		if (r == ENTRY)
			return 1;
		if (r == PASSED_OVER && leave_entry(t, e) < 0)
			return -1;
		first = !(t->has_local || t->has_name || t->has_link); /* a global header belongs to no entry */
	}
}

int tar_next(struct tar *t, const struct tar_entry **entry, struct err *e)
{
	if (t->failed) {
		*e = t->error;
		return -1;
	}
	if (t->done)
		return 0;
	int r = next_entry(t, e);
	if (r < 0) {
		t->failed = true;
		t->error = *e;
	}
	*entry = &t->entry;
	return r;
}

int tar_data(struct tar *t, const uint8_t **p, size_t *len, struct err *e)
{
	if (t->failed) {
		*e = t->error;
		return -1;
	}
	if (!t->data_left)
		return 0;
	int r = refill(t, e);
	if (r <= 0) {
		t->failed = true;
		if (r == 0)
			tar_truncated(t, e);
		t->error = *e;
		return -1;
	}
	*p = t->p;
	*len = t->len < t->data_left ? t->len : (size_t)t->data_left;
	t->data_left -= *len;
	consume(t, *len);
	return 1;
}

void tar_forgive(struct tar *t, void (*fault)(void *ctx, uint64_t offset, const struct err *e), void *ctx)
{
	t->fault = fault;
	t->fault_ctx = ctx;
}

uint64_t tar_offset(const struct tar *t)
{
	return t->offset;
}

struct tar *tar_open(struct source *in, struct err *e)
{
	struct tar *t = calloc(1, sizeof(*t));

	if (!t) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	t->in = in;
	return t;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	pax_free(&t->global);
	pax_free(&t->local);
	segments_free(&t->segments);
	free(t->xattrs);
	free(t->acls[0]);
	free(t->acls[1]);
	free(t);
}
