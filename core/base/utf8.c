/* SPDX-License-Identifier: Apache-2.0
 * utf8 - see utf8.h
 */
#include "core/base/utf8.h"

#include <stdint.h>

static uint32_t decode(const unsigned char *p, size_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

size_t utf8_len(const char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;

	if (!len)
		return 0;
	size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	uint32_t c = decode(p, n);
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

size_t utf8_bad(const char *s, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = utf8_len(s + at, len - at);
		if (!n)
			return at;
		at += n;
	}
	return len;
}

bool utf8_is_control(const char *s, size_t n)
{
	uint32_t c = decode((const unsigned char *)s, n);

	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}
