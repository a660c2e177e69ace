/* SPDX-License-Identifier: Apache-2.0
 * isal-dispatch - which variant of its assembly ISA-L's inflate uses
 *
 * The program asks for ISA-L only where there are SSE4.2 and carry-less multiplication, and reads gzip headers
 * itself (ISAL_GZIP_NO_HDR_VER), so that neither functions in C for older processors nor those for headers and
 * zlib's checksum are needed: they have names here, for the linker, and nobody calls them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "igzip_lib.h"

int decode_huffman_code_block_stateless(struct inflate_state *s, uint8_t *start);
int decode_huffman_code_block_stateless_01(struct inflate_state *s, uint8_t *start);
int decode_huffman_code_block_stateless_04(struct inflate_state *s, uint8_t *start);
uint32_t crc32_gzip_refl(uint32_t crc, const unsigned char *p, uint64_t len);
uint32_t crc32_gzip_refl_by8(uint32_t crc, const unsigned char *p, uint64_t len);
uint32_t isal_adler32_bam1(uint32_t sum, const unsigned char *p, uint64_t len);

struct isal_hufftables hufftables_default; /* all zero: no block begins like igzip's own */

int decode_huffman_code_block_stateless(struct inflate_state *s, uint8_t *start)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
		return decode_huffman_code_block_stateless_04(s, start);
	return decode_huffman_code_block_stateless_01(s, start);
}

uint32_t crc32_gzip_refl(uint32_t crc, const unsigned char *p, uint64_t len)
{
	return crc32_gzip_refl_by8(crc, p, len);
}

uint32_t isal_adler32_bam1(uint32_t sum, const unsigned char *p, uint64_t len)
{
	(void)sum, (void)p, (void)len;
	abort();
}

void isal_gzip_header_init(struct isal_gzip_header *h)
{
	(void)h;
	abort();
}

void isal_zlib_header_init(struct isal_zlib_header *h)
{
	(void)h;
	abort();
}
