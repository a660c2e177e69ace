/* SPDX-License-Identifier: Apache-2.0
 * libsodium-rest - what its verifier of Ed25519 asks of the rest of libsodium, made of what the program has anyway
 *
 * OpenPGP signs digests, so key, R and message are 128 bytes at most: SHA-512 takes them at once, from mbedTLS.
 */
#include <mbedtls/sha512.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_hash_sha512.h"
#include "sign_ed25519_ref10.h"
#include "utils.h"

void _crypto_sign_ed25519_ref10_hinit(crypto_hash_sha512_state *hs, int prehashed)
{
	if (prehashed)
		abort(); /* Ed25519ph, which nothing here asks for */
	hs->count[0] = 0;
}

int crypto_hash_sha512_update(crypto_hash_sha512_state *hs, const unsigned char *in, unsigned long long len)
{
	if (len > sizeof(hs->buf) - hs->count[0])
		abort();
	memcpy(hs->buf + hs->count[0], in, len);
	hs->count[0] += len;
	return 0;
}

int crypto_hash_sha512_final(crypto_hash_sha512_state *hs, unsigned char *out)
{
	return mbedtls_sha512(hs->buf, hs->count[0], out, 0);
}

/* libsodium compares twice, by two means; nothing here is secret */
int sodium_memcmp(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) ? -1 : 0;
}

int sodium_is_zero(const unsigned char *n, size_t len)
{
	unsigned char any = 0;

	while (len)
		any |= n[--len];
	return !any;
}
