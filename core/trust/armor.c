/* SPDX-License-Identifier: Apache-2.0
 * armor - see armor.h
 */
#include "core/trust/armor.h"

#include <errno.h>
#include <mbedtls/base64.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"

#define LINE 64

/* RFC 4880, 6.1 */
static uint32_t crc24(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xb704ce;

	while (len--) {
		crc ^= (uint32_t)*p++ << 16;
		for (int i = 0; i < 8; i++)
			crc = crc << 1 ^ (crc & 0x800000 ? 0x1864cfb : 0);
	}
	return crc & 0xffffff;
}

struct line {
	const char *p;
	size_t      len; /* without the end of line and trailing blanks, which mail programs add */
};

static bool next_line(const char **text, size_t *len, struct line *l)
{
	if (!*len)
		return false;
	const char *nl = memchr(*text, '\n', *len);
	size_t n = nl ? (size_t)(nl - *text) + 1 : *len;
	*l = (struct line){ *text, n };
	while (l->len && strchr(" \t\r\n", l->p[l->len - 1]))
		l->len--;
	*text += n;
	*len -= n;
	return true;
}

static bool is_mark(const struct line *l, const char *which, const char *kind)
{
	size_t w = strlen(which), k = strlen(kind);

	return l->len == 5 + w + 5 + k + 5 && !memcmp(l->p, "-----", 5) && !memcmp(l->p + 5, which, w) &&
	       !memcmp(l->p + 5 + w, " PGP ", 5) && !memcmp(l->p + 10 + w, kind, k) &&
	       !memcmp(l->p + 10 + w + k, "-----", 5);
}

static int decode64(const char *p, size_t n, struct buf *out, struct err *e)
{
	size_t got, room = n / 4 * 3 + 3;
	auto_free uint8_t *bytes = malloc(room);

	if (!bytes)
		return err_set(e, ENOMEM, "out of memory");
	if (mbedtls_base64_decode(bytes, room, &got, (const unsigned char *)p, n))
		return err_set(e, EINVAL, "armor: malformed base64");
	buf_add(out, bytes, got);
	return out->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int check_crc(const struct line *l, const char *data, size_t len, struct err *e)
{
	auto_buf struct buf sum = { 0 };

	if (decode64(l->p + 1, l->len - 1, &sum, e) < 0)
		return -1;
	const uint8_t *s = (const uint8_t *)sum.data;
	if (sum.len != 3 || ((uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2]) !=
				    crc24((const uint8_t *)data, len))
		return err_set(e, EINVAL, "armor: wrong checksum");
	return 0;
}

/* the lines between header and END; the checksum line, if any, is the last */
static int decode_body(const char **text, size_t *len, const char *kind, struct buf *out, struct err *e)
{
	auto_buf struct buf b64 = { 0 };
	struct line l, crc = { 0 };
	size_t at = out->len; /* of several blocks each has its own checksum */

	while (next_line(text, len, &l)) {
		if (is_mark(&l, "END", kind)) {
			if (!b64.len)
				return err_set(e, EINVAL, "armor: nothing in it");
			if (decode64(b64.data, b64.len, out, e) < 0)
				return -1;
			return crc.len ? check_crc(&crc, out->data + at, out->len - at, e) : 0;
		}
		if (crc.len)
			return err_set(e, EINVAL, "armor: data after the checksum");
		if (l.len == 5 && *l.p == '=')
			crc = l;
		else
			buf_add(&b64, l.p, l.len);
		if (b64.failed)
			return err_set(e, ENOMEM, "out of memory");
	}
	return err_set(e, EINVAL, "armor: no END line");
}

int armor_decode(const char **text, size_t *len, const char *kind, struct buf *out, struct err *e)
{
	struct line l;

	do {
		if (!next_line(text, len, &l))
			return 0;
	} while (!is_mark(&l, "BEGIN", kind));
	/* "Version: ..." and the like, up to a blank line */
	do {
		if (!next_line(text, len, &l))
			return err_set(e, EINVAL, "armor: cut off in the header");
		if (l.len && !memchr(l.p, ':', l.len))
			return err_set(e, EINVAL, "armor: no blank line after the header");
	} while (l.len);
	return decode_body(text, len, kind, out, e) < 0 ? -1 : 1;
}

static int add64(const uint8_t *p, size_t len, struct buf *out, struct err *e)
{
	size_t got, room = len / 3 * 4 + 8;
	auto_free unsigned char *text = malloc(room);

	if (!text || mbedtls_base64_encode(text, room, &got, p, len))
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < got; i += LINE) {
		buf_add(out, text + i, got - i < LINE ? got - i : LINE);
		buf_str(out, "\n");
	}
	return 0;
}

int armor_encode(const uint8_t *data, size_t len, const char *kind, struct buf *out, struct err *e)
{
	uint32_t crc = crc24(data, len);
	uint8_t sum[3] = { (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc };

	buf_fmt(out, "-----BEGIN PGP %s-----\n\n", kind);
	if (add64(data, len, out, e) < 0)
		return -1;
	buf_str(out, "=");
	if (add64(sum, sizeof(sum), out, e) < 0)
		return -1;
	buf_fmt(out, "-----END PGP %s-----\n", kind);
	return out->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}
