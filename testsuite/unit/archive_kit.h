/* SPDX-License-Identifier: Apache-2.0
 * archive_kit - archives made byte by byte, and sources that hand them out in pieces of any size
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/source.h"
#include "core/archive/tar.h"
#include "core/base/buf.h"

/* ---- a source over memory ---- */

struct kit_source {
	struct source  base;
	const uint8_t *p;
	size_t         len, piece;
	uint8_t       *lent; /* a copy of just that piece: reading past it is a bug that ASan sees */
};

static inline int kit_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct kit_source *s = (struct kit_source *)base;

	(void)e;
	free(s->lent);
	s->lent = NULL;
	if (!s->len)
		return 0;
	*len = s->len < s->piece ? s->len : s->piece;
	s->lent = malloc(*len);
	if (!s->lent)
		abort();
	memcpy(s->lent, s->p, *len);
	*p = s->lent;
	s->p += *len;
	s->len -= *len;
	return 1;
}

static inline void kit_close(struct source *base)
{
	free(((struct kit_source *)base)->lent);
	free(base);
}

static inline struct source *kit_source(const void *p, size_t len, size_t piece)
{
	struct kit_source *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*s = (struct kit_source){ { .next = kit_next, .close = kit_close }, p, len, piece, NULL };
	return &s->base;
}

/* ---- tar ---- */

enum { H_NAME = 0, H_MODE = 100, H_UID = 108, H_GID = 116, H_SIZE = 124, H_MTIME = 136, H_SUM = 148, H_TYPE = 156,
	H_LINK = 157, H_MAGIC = 257, H_MAJOR = 329, H_MINOR = 337, H_PREFIX = 345, H_SPARSE = 386, H_EXTENDED = 482,
	H_REALSIZE = 483 };

/* @width digits and what is left of a field of width + 1 */
static inline void kit_octal(char *field, int width, uint64_t v)
{
	while (width--) {
		field[width] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

/* of the header that begins at @at in @b */
static inline void kit_sum(struct buf *b, size_t at)
{
	unsigned sum = 0;

	memset(b->data + at + H_SUM, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)b->data[at + i];
	kit_octal(b->data + at + H_SUM, 6, sum);
	b->data[at + H_SUM + 6] = 0;
}

/* for fuzzers, which would hardly ever hit a checksum: makes those of all that look like headers right */
static inline void kit_resum(struct buf *b)
{
	for (size_t at = 0; at + 512 <= b->len; at += 512)
		if (!memcmp(b->data + at + H_MAGIC, "ustar", 5))
			kit_sum(b, at);
}

/* a ustar header; returns where it begins, so that fields can be changed (and kit_sum() called again) */
static inline size_t kit_header(struct buf *b, const char *name, char type, const char *link, uint64_t size)
{
	char h[512] = { 0 };
	size_t at = b->len;

	strncpy(h + H_NAME, name, 100);
	kit_octal(h + H_MODE, 7, type == '5' ? 0755 : 0644);
	kit_octal(h + H_UID, 7, 0);
	kit_octal(h + H_GID, 7, 0);
	kit_octal(h + H_SIZE, 11, size);
	kit_octal(h + H_MTIME, 11, 0);
	h[H_TYPE] = type;
	if (link)
		strncpy(h + H_LINK, link, 100);
	memcpy(h + H_MAGIC, "ustar\0" "00", 8);
	if (type == '3' || type == '4') {
		kit_octal(h + H_MAJOR, 7, 1);
		kit_octal(h + H_MINOR, 7, 3);
	}
	buf_add(b, h, sizeof(h));
	kit_sum(b, at);
	return at;
}

static inline void kit_data(struct buf *b, const void *data, size_t len)
{
	static const char zeros[512];

	buf_add(b, data, len);
	buf_add(b, zeros, -len & 511);
}

static inline size_t kit_file(struct buf *b, const char *name, const char *text)
{
	size_t at = kit_header(b, name, '0', NULL, strlen(text));

	kit_data(b, text, strlen(text));
	return at;
}

/* "LENGTH KEY=VALUE\n" */
static inline void kit_record(struct buf *b, const char *key, const void *value, size_t len)
{
	size_t n = strlen(key) + len + 3, digits = 1;

	for (size_t p = 10; n + digits >= p; p *= 10)
		digits++;
	buf_fmt(b, "%zu %s=", n + digits, key);
	buf_add(b, value, len);
	buf_add(b, "\n", 1);
}

/* an extended header of type @type: key, value, ..., NULL */
static inline void kit_pax(struct buf *b, int type, ...)
{
	struct buf r = { 0 };
	const char *key;
	va_list ap;

	va_start(ap, type);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		kit_record(&r, key, value, strlen(value));
	}
	va_end(ap);
	kit_header(b, "x", (char)type, NULL, r.len);
	kit_data(b, r.data, r.len);
	buf_free(&r);
}

static inline void kit_raw_pax(struct buf *b, const void *text, size_t len)
{
	kit_header(b, "x", 'x', NULL, len);
	kit_data(b, text, len);
}

static inline void kit_long(struct buf *b, char type, const char *text)
{
	kit_header(b, "././@LongLink", type, NULL, strlen(text) + 1);
	kit_data(b, text, strlen(text) + 1);
}

static inline void kit_end(struct buf *b)
{
	static const char zeros[1024];

	buf_add(b, zeros, sizeof(zeros));
}
