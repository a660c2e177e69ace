/* SPDX-License-Identifier: Apache-2.0
 * liblzma's CRC64 with a table that is made when it is first asked for, instead of 8 KiB in the program
 *
 * ECMA-182, reflected, four bytes at a time: as fast as liblzma's own. Its way of having no table takes one byte
 * at a time, and makes the table at every start of the program.
 */
#include <endian.h>
#include <lzma.h>
#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0xC96C5795D7870F42

static uint64_t table[4][256]; /* of a byte with 0 to 3 bytes behind it */

static void make_table(void)
{
	for (int i = 0; i < 256; i++) {
		uint64_t crc = (uint64_t)i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (int behind = 1; behind < 4; behind++)
		for (int i = 0; i < 256; i++) {
			uint64_t crc = table[behind - 1][i];
			table[behind][i] = table[0][crc & 0xff] ^ crc >> 8;
		}
}

uint64_t lzma_crc64(const uint8_t *p, size_t n, uint64_t crc)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_table);
	crc = ~crc;
	for (; n >= 4; p += 4, n -= 4) {
		uint32_t x;
		memcpy(&x, p, 4);
		x = le32toh(x) ^ (uint32_t)crc;
		crc = table[3][x & 0xff] ^ table[2][x >> 8 & 0xff] ^ table[1][x >> 16 & 0xff] ^ table[0][x >> 24] ^
		      crc >> 32;
	}
	for (; n; p++, n--)
		crc = table[0][*p ^ (crc & 0xff)] ^ crc >> 8;
	return ~crc;
}
