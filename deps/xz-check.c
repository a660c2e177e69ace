/* SPDX-License-Identifier: Apache-2.0
 * xz-check - the checksums of liblzma, without tables of their own in the program
 *
 * CRC-32 is zlib's. The table for CRC-64 is made when the first sum is asked for: 10 microseconds, and 8 KiB less. It
 * takes the place of check/crc32_fast.c and crc64_fast.c. For SHA-256 there is xz-sha256.h.
 */
#include <string.h>
#include <zlib.h>

#include "check.h"

#define POLYNOMIAL UINT64_C(0xc96c5795d7870f42) /* ECMA-182, bits reversed */

/* The encoder takes hashes from it, and no byte is encoded before the head of the stream has its checksum. */
uint32_t lzma_crc32_table[1][256];

static uint64_t crc64[4][256]; /* of a byte that so many others follow */
static int made;

static void make(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
		crc64[0][i] = c;
	}
	for (unsigned n = 1; n < 4; n++)
		for (unsigned i = 0; i < 256; i++)
			crc64[n][i] = crc64[n - 1][i] >> 8 ^ crc64[0][crc64[n - 1][i] & 255];
	memcpy(lzma_crc32_table[0], get_crc_table(), sizeof(lzma_crc32_table[0]));
}

/* threads that are at it at the same time write the same */
static void make_once(void)
{
	if (__atomic_load_n(&made, __ATOMIC_ACQUIRE))
		return;
	make();
	__atomic_store_n(&made, 1, __ATOMIC_RELEASE);
}

uint32_t lzma_crc32(const uint8_t *p, size_t n, uint32_t crc)
{
	make_once();
	return (uint32_t)crc32_z(crc, p, n);
}

uint64_t lzma_crc64(const uint8_t *p, size_t n, uint64_t crc)
{
	make_once();
	crc = ~crc;
	for (; n >= 4; n -= 4, p += 4) {
		uint32_t x = (uint32_t)crc ^ (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
		crc = crc64[3][x & 255] ^ crc64[2][x >> 8 & 255] ^ crc64[1][x >> 16 & 255] ^ crc64[0][x >> 24] ^ crc >> 32;
	}
	while (n--)
		crc = crc64[0][(*p++ ^ crc) & 255] ^ crc >> 8;
	return ~crc;
}
