/* SPDX-License-Identifier: Apache-2.0
 * sha - see sha.h
 *
 * FIPS 180-4, 5.1 and 5.3 (padding, initial states), and FIPS 202, 3 and 6.1 (Keccak, SHA-3).
 */
#include "core/base/sha.h"

#define MBEDTLS_ALLOW_PRIVATE_ACCESS /* the states: mbedTLS has the compression functions, but no setter for these */
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <string.h>

#if __has_include(<sha512-blocks.h>)
#include <sha512-blocks.h>
#else
#define SHA512_BLOCK 128u
#endif

typedef void blocks_fn(struct sha *s, const uint8_t *p, size_t n);

/* ---- compression functions ---- */

static void blocks_sha1(struct sha *s, const uint8_t *p, size_t n)
{
	mbedtls_sha1_context c;

	mbedtls_sha1_init(&c);
	memcpy(c.state, s->state.w32, sizeof(c.state));
	for (; n; n--, p += 64)
		(void)mbedtls_internal_sha1_process(&c, p); /* cannot fail */
	memcpy(s->state.w32, c.state, sizeof(c.state));
}

static void blocks_256(struct sha *s, const uint8_t *p, size_t n)
{
#ifdef SHA256_BLOCK
	if (sha256_blocks(s->state.w32, p, n))
		return;
#endif
	mbedtls_sha256_context c;

	mbedtls_sha256_init(&c);
	memcpy(c.state, s->state.w32, sizeof(c.state));
	for (; n; n--, p += 64)
		(void)mbedtls_internal_sha256_process(&c, p);
	memcpy(s->state.w32, c.state, sizeof(c.state));
}

#if !__has_include(<sha512-blocks.h>)
static void sha512_blocks(uint64_t state[8], const uint8_t *p, size_t n)
{
	mbedtls_sha512_context c;

	mbedtls_sha512_init(&c);
	memcpy(c.state, state, sizeof(c.state));
	for (; n; n--, p += SHA512_BLOCK)
		(void)mbedtls_internal_sha512_process(&c, p);
	memcpy(state, c.state, sizeof(c.state));
}
#endif

static void blocks_512(struct sha *s, const uint8_t *p, size_t n)
{
	sha512_blocks(s->state.w64, p, n);
}

/* ---- Keccak ---- */

static uint64_t rotate(uint64_t v, unsigned n)
{
	return n ? v << n | v >> (64 - n) : v;
}

/* FIPS 202, 3.2.5: the constant of a round comes from a shift register, seven bits for each */
static uint64_t iota(uint8_t *lfsr)
{
	uint64_t c = 0;

	for (unsigned j = 0; j < 7; j++) {
		if (*lfsr & 1)
			c |= 1ull << ((1u << j) - 1);
		*lfsr = (uint8_t)(*lfsr << 1 ^ (*lfsr & 0x80 ? 0x71 : 0));
	}
	return c;
}

static void theta(uint64_t a[25])
{
	uint64_t c[5];

	for (unsigned x = 0; x < 5; x++)
		c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (unsigned i = 0; i < 25; i++)
		a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
}

static void rho_pi(uint64_t a[25])
{
	uint64_t last = a[1];
	unsigned x = 1, y = 0, turn = 0;

	for (unsigned t = 1; t <= 24; t++) {
		unsigned to = (2 * x + 3 * y) % 5;
		x = y;
		y = to;
		turn += t;
		uint64_t v = a[x + 5 * y];
		a[x + 5 * y] = rotate(last, turn % 64);
		last = v;
	}
}

static void chi(uint64_t row[5])
{
	uint64_t b[5];

	memcpy(b, row, sizeof(b));
	for (unsigned x = 0; x < 5; x++)
		row[x] = b[x] ^ (~b[(x + 1) % 5] & b[(x + 2) % 5]);
}

static void keccak(uint64_t a[25])
{
	uint8_t lfsr = 1;

	for (unsigned round = 0; round < 24; round++) {
		theta(a);
		rho_pi(a);
		for (unsigned y = 0; y < 25; y += 5)
			chi(a + y);
		a[0] ^= iota(&lfsr);
	}
}

static size_t rate(const struct sha *s)
{
	return s->kind == SHA3_256 ? 136 : 72;
}

static void blocks_sha3(struct sha *s, const uint8_t *p, size_t n)
{
	for (; n; n--, p += rate(s)) {
		for (size_t i = 0; i < rate(s); i++)
			s->state.w64[i / 8] ^= (uint64_t)p[i] << 8 * (i % 8);
		keccak(s->state.w64);
	}
}

/* ---- what they have in common ---- */

static const struct kind {
	uint8_t    len, block, word; /* bytes; word 0: SHA-3, little-endian lanes */
	blocks_fn *blocks;
	uint64_t   initial[8];
} kinds[] = {
	[SHA_1] = { 20, 64, 4, blocks_sha1, { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } },
	[SHA_224] = { 28, 64, 4, blocks_256,
		      { 0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4 } },
	[SHA_256] = { 32, 64, 4, blocks_256,
		      { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } },
	[SHA_384] = { 48, SHA512_BLOCK, 8, blocks_512,
		      { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
			0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 } },
	[SHA_512] = { 64, SHA512_BLOCK, 8, blocks_512,
		      { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
			0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 } },
	[SHA3_256] = { 32, 136, 0, blocks_sha3, { 0 } },
	[SHA3_512] = { 64, 72, 0, blocks_sha3, { 0 } },
};

size_t sha_len(enum sha_kind kind)
{
	return kinds[kind].len;
}

void sha_start(struct sha *s, enum sha_kind kind)
{
	const struct kind *k = &kinds[kind];

	*s = (struct sha){ .kind = kind };
	for (int i = 0; i < 8; i++)
		if (k->word == 4)
			s->state.w32[i] = (uint32_t)k->initial[i];
		else
			s->state.w64[i] = k->initial[i];
}

void sha_feed(struct sha *s, const void *data, size_t len)
{
	const struct kind *k = &kinds[s->kind];
	size_t have = s->fed % k->block, n = k->block - have;
	const uint8_t *p = data;

	if (!len)
		return; /* of nothing, which may be NULL */
	s->fed += len;
	if (have && len >= n) {
		memcpy(s->part + have, p, n);
		k->blocks(s, s->part, 1);
		p += n;
		len -= n;
		have = 0;
	}
	if (!have) {
		if (len >= k->block)
			k->blocks(s, p, len / k->block);
		p += len - len % k->block;
		len %= k->block;
	}
	if (len)
		memcpy(s->part + have, p, len);
}

/* FIPS 180-4, 5.1: a one, zeros, and the length in bits in the last two words */
static void pad_sha2(struct sha *s, const struct kind *k)
{
	size_t have = s->fed % k->block;

	s->part[have++] = 0x80;
	memset(s->part + have, 0, k->block - have);
	if (have + 2u * k->word > k->block) {
		k->blocks(s, s->part, 1);
		memset(s->part, 0, k->block);
	}
	for (unsigned i = 0; i < 9 && i < 2u * k->word; i++)
		s->part[k->block - 1 - i] = (uint8_t)(i < 8 ? (s->fed << 3) >> 8 * i : s->fed >> 61);
}

/* FIPS 202, B.2 */
static void pad_sha3(struct sha *s, const struct kind *k)
{
	size_t have = s->fed % k->block;

	memset(s->part + have, 0, k->block - have);
	s->part[have] = 6;
	s->part[k->block - 1] |= 0x80;
}

void sha_final(struct sha *s, uint8_t *out)
{
	const struct kind *k = &kinds[s->kind];

	if (k->word)
		pad_sha2(s, k);
	else
		pad_sha3(s, k);
	k->blocks(s, s->part, 1);
	for (unsigned i = 0; i < k->len; i++)
		out[i] = k->word == 4 ? (uint8_t)(s->state.w32[i / 4] >> (24 - 8 * (i % 4))) :
			 k->word == 8 ? (uint8_t)(s->state.w64[i / 8] >> (56 - 8 * (i % 8))) :
					(uint8_t)(s->state.w64[i / 8] >> 8 * (i % 8));
}
