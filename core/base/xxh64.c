/* SPDX-License-Identifier: Apache-2.0
 * xxh64 - see xxh64.h
 */
#include "core/base/xxh64.h"

#include <endian.h>
#include <string.h>

#define P1 0x9e3779b185ebca87u
#define P2 0xc2b2ae3d27d4eb4fu
#define P3 0x165667b19e3779f9u
#define P4 0x85ebca77c2b2ae63u
#define P5 0x27d4eb2f165667c5u
#define STRIPE 32u

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t round64(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * P2, 31) * P1;
}

void xxh64_init(struct xxh64 *x)
{
	*x = (struct xxh64){ .v = { P1 + P2, P2, 0, 0 - P1 } };
}

static void stripe(struct xxh64 *x, const uint8_t *p)
{
	for (unsigned i = 0; i < 4; i++)
		x->v[i] = round64(x->v[i], get64(p + 8 * i));
}

void xxh64_add(struct xxh64 *x, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t have = (size_t)(x->len % STRIPE);

	x->len += len;
	if (have + len < STRIPE) {
		if (len)
			memcpy(x->tail + have, p, len);
		return;
	}
	if (have) {
		size_t fill = STRIPE - have;
		memcpy(x->tail + have, p, fill);
		stripe(x, x->tail);
		p += fill;
		len -= fill;
	}
	for (; len >= STRIPE; p += STRIPE, len -= STRIPE)
		stripe(x, p);
	if (len)
		memcpy(x->tail, p, len);
}

static uint64_t converge(const struct xxh64 *x)
{
	const uint64_t *v = x->v;

	if (x->len < STRIPE)
		return v[2] + P5;
	uint64_t acc = rotl(v[0], 1) + rotl(v[1], 7) + rotl(v[2], 12) + rotl(v[3], 18);
	for (unsigned i = 0; i < 4; i++)
		acc = (acc ^ round64(0, v[i])) * P1 + P4;
	return acc;
}

uint64_t xxh64_get(const struct xxh64 *x)
{
	const uint8_t *p = x->tail;
	size_t left = (size_t)(x->len % STRIPE);
	uint64_t acc = converge(x) + x->len;

	for (; left >= 8; p += 8, left -= 8)
		acc = rotl(acc ^ round64(0, get64(p)), 27) * P1 + P4;
	if (left >= 4) {
		acc = rotl(acc ^ get32(p) * P1, 23) * P2 + P3;
		p += 4;
		left -= 4;
	}
	for (; left; p++, left--)
		acc = rotl(acc ^ *p * P5, 11) * P1;
	acc = (acc ^ acc >> 33) * P2;
	acc = (acc ^ acc >> 29) * P3;
	return acc ^ acc >> 32;
}
