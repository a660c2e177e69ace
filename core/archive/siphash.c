/* SPDX-License-Identifier: Apache-2.0
 * siphash - see siphash.h
 */
#include "core/archive/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void rounds(struct state *s, unsigned n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static void feed(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	rounds(s, 2);
	s->v0 ^= m;
}

static uint64_t load(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

struct siphash siphash(const struct siphash_key *key, struct siphash prefix, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t k0 = key->k[0], k1 = key->k[1], total = len + sizeof(prefix);
	struct state s = {
		k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573,
	};
	struct siphash out;

	feed(&s, prefix.h[0]);
	feed(&s, prefix.h[1]);
	for (; len >= 8; p += 8, len -= 8)
		feed(&s, load(p, 8));
	feed(&s, load(p, len) | total << 56);
	s.v2 ^= 0xee;
	rounds(&s, 4);
	out.h[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	out.h[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return out;
}
