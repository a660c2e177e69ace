/* SPDX-License-Identifier: Apache-2.0
 * hash - see hash.h
 *
 * Where deps/sha512.dep has assembly for this architecture, blocks go there, and what SHA-512 is besides
 * (FIPS 180-4, 5.1.2 and 5.3.5: padding and initial state) stands here; elsewhere all of it is mbedTLS'.
 */
#include "core/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<sha512-blocks.h>)

#include <sha512-blocks.h>

#define LENGTH_BYTES 16u /* of the message's length, at the end of the last block */

struct hash {
	uint64_t state[8], fed;
	uint8_t  part[SHA512_BLOCK]; /* fed % SHA512_BLOCK bytes of it wait for the rest */
};

struct hash *hash_new(struct err *e)
{
	static const uint64_t initial[8] = {
		0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
		0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
	};
	struct hash *h = calloc(1, sizeof(*h));

	if (h)
		memcpy(h->state, initial, sizeof(initial));
	else
		err_set(e, ENOMEM, "sha512: out of memory");
	return h;
}

void hash_feed(struct hash *h, const void *data, size_t len)
{
	size_t have = h->fed % SHA512_BLOCK;
	const uint8_t *p = data;

	h->fed += len;
	if (have && len >= SHA512_BLOCK - have) {
		memcpy(h->part + have, p, SHA512_BLOCK - have);
		sha512_blocks(h->state, h->part, 1);
		p += SHA512_BLOCK - have;
		len -= SHA512_BLOCK - have;
		have = 0;
	}
	if (!have) {
		sha512_blocks(h->state, p, len / SHA512_BLOCK);
		p += len - len % SHA512_BLOCK;
		len %= SHA512_BLOCK;
	}
	if (len)
		memcpy(h->part + have, p, len);
}

static void put_big(uint64_t v, uint8_t out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

void hash_final(struct hash *h, uint8_t out[HASH_SHA512_LEN])
{
	uint8_t end[2 * SHA512_BLOCK] = { 0 };
	size_t have = h->fed % SHA512_BLOCK;
	size_t blocks = have + 1 + LENGTH_BYTES > SHA512_BLOCK ? 2 : 1;

	memcpy(end, h->part, have);
	end[have] = 0x80;
	put_big(h->fed >> 61, end + blocks * SHA512_BLOCK - 16);
	put_big(h->fed << 3, end + blocks * SHA512_BLOCK - 8);
	sha512_blocks(h->state, end, blocks);
	for (size_t i = 0; i < 8; i++)
		put_big(h->state[i], out + 8 * i);
	hash_free(h);
}

void hash_free(struct hash *h)
{
	free(h);
}

#else

#include <mbedtls/md.h>

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

#endif

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
