/* SPDX-License-Identifier: Apache-2.0
 * hash - see hash.h
 */
#include "core/base/hash.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <stdlib.h>

struct hash {
	mbedtls_md_context_t md;
};

struct hash *hash_new(struct err *e)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (h) {
		mbedtls_md_init(&h->md);
		if (mbedtls_md_setup(&h->md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), 0) == 0 &&
		    mbedtls_md_starts(&h->md) == 0)
			return h;
		hash_free(h);
	}
	err_set(e, ENOMEM, "sha512: out of memory");
	return NULL;
}

/* the only failure of update and finish is a context that was not set up, which hash_new() excludes */
void hash_feed(struct hash *h, const void *data, size_t len)
{
	if (mbedtls_md_update(&h->md, data, len))
		abort();
}

void hash_final(struct hash *h, uint8_t out[HASH_SHA512_LEN])
{
	if (mbedtls_md_finish(&h->md, out))
		abort();
	hash_free(h);
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	mbedtls_md_free(&h->md);
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
