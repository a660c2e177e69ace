/* SPDX-License-Identifier: Apache-2.0
 * xz-sha256 - mbedTLS's SHA-256 under the names that liblzma knows from libraries of BSDs, where this is <sha256.h>
 */
#pragma once

#include <mbedtls/sha256.h>

typedef mbedtls_sha256_context SHA256_CTX;

static inline void SHA256Init(SHA256_CTX *c)
{
	mbedtls_sha256_init(c);
	mbedtls_sha256_starts(c, 0);
}

static inline void SHA256Update(SHA256_CTX *c, const void *p, size_t n)
{
	mbedtls_sha256_update(c, p, n);
}

static inline void SHA256Final(unsigned char out[32], SHA256_CTX *c)
{
	mbedtls_sha256_finish(c, out);
}
