/* SPDX-License-Identifier: Apache-2.0
 * hash - see hash.h
 */
#include "core/base/hash.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/sha.h"

struct hash { struct sha sha; };

struct hash *hash_new(struct err *e)
{
	struct hash *h = malloc(sizeof(*h));

	if (h)
		sha_start(&h->sha, SHA_512);
	else
		err_set(e, ENOMEM, "sha512: out of memory");
	return h;
}

void hash_feed(struct hash *h, const void *data, size_t len)
{
	sha_feed(&h->sha, data, len);
}

void hash_final(struct hash *h, uint8_t out[HASH_SHA512_LEN])
{
	sha_final(&h->sha, out);
	hash_free(h);
}

void hash_free(struct hash *h)
{
	free(h);
}

void hash_hex(const uint8_t *p, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = 0;
}

bool hash_is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return len > 0;
}
