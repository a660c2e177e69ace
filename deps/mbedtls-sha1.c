/* SPDX-License-Identifier: Apache-2.0
 * mbedtls-sha1 - the compression function of SHA-1 as loops: 300 bytes, where mbedTLS's own has 80 rounds, one after the
 * other, in 4,700
 *
 * Source: FIPS 180-4, 6.1.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t load(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct state {
	uint32_t a, b, c, d, e;
};

static inline struct state step(struct state s, uint32_t f, uint32_t w)
{
	return (struct state){ rotate(s.a, 5) + f + s.e + w, s.a, rotate(s.b, 30), s.c, s.d };
}

static struct state rounds(struct state s, const uint32_t w[80])
{
	unsigned i = 0;

	for (; i < 20; i++)
		s = step(s, (s.d ^ (s.b & (s.c ^ s.d))) + 0x5a827999, w[i]);
	for (; i < 40; i++)
		s = step(s, (s.b ^ s.c ^ s.d) + 0x6ed9eba1, w[i]);
	for (; i < 60; i++)
		s = step(s, ((s.b & s.c) | (s.d & (s.b | s.c))) + 0x8f1bbcdc, w[i]);
	for (; i < 80; i++)
		s = step(s, (s.b ^ s.c ^ s.d) + 0xca62c1d6, w[i]);
	return s;
}

int mbedtls_internal_sha1_process(mbedtls_sha1_context *ctx, const unsigned char data[64])
{
	uint32_t *h = ctx->state;
	uint32_t w[80];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load(data + 4 * i);
	for (unsigned i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	struct state s = rounds((struct state){ h[0], h[1], h[2], h[3], h[4] }, w);
	h[0] += s.a;
	h[1] += s.b;
	h[2] += s.c;
	h[3] += s.d;
	h[4] += s.e;
	mbedtls_platform_zeroize(w, sizeof(w));
	return 0;
}
