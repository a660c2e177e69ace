/* SPDX-License-Identifier: Apache-2.0
 * buf - see buf.h
 */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

static bool grow(struct buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (more < b->cap - b->len)
		return true;
	size_t cap = b->cap ? b->cap : 128;
	while (cap - b->len <= more && cap < (size_t)-1 / 4)
		cap *= 2;
	char *p = cap - b->len > more ? realloc(b->data, cap) : NULL;
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!grow(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = 0;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t room = b->failed ? 0 : b->cap - b->len;

	/* mostly there is room already */
	va_start(ap, fmt);
	int n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		b->len += (size_t)n;
		return;
	}
	if (room)
		b->data[b->len] = 0;
	if (n < 0 || !grow(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

static size_t plain_len(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f)
		n++;
	return n;
}

void buf_clean(struct buf *b, const char *s, size_t len)
{
	for (;;) {
		size_t n = plain_len(s, len);
		buf_add(b, s, n);
		s += n;
		len -= n;
		if (!len)
			return;
		n = utf8_len(s, len);
		bool printable = n > 1 ? !utf8_is_control(s, n) : n == 1 && (unsigned char)*s >= 0x20 && *s != 0x7f;
		if (printable)
			buf_add(b, s, n);
		else
			buf_add(b, "?", 1);
		n = n ? n : 1;
		s += n;
		len -= n;
	}
}
