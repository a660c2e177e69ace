/* SPDX-License-Identifier: Apache-2.0
 * isal-dispatch - which variant of its assembly ISA-L's inflate uses
 *
 * The program asks for ISA-L only where there are SSE4.2 and carry-less multiplication, and reads gzip headers
 * itself (ISAL_GZIP_NO_HDR_VER), so that neither functions in C for older processors nor those for headers and
 * zlib's checksum are needed: they have names here, for the linker, and nobody calls them.
 */
#include <cpuid.h>
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

#define OSXSAVE (1u << 27)
#define YMM     6u                            /* XCR0: the system keeps XMM and YMM */
#define WANTED  (1u << 3 | 1u << 5 | 1u << 8) /* BMI1, AVX2, BMI2 */

enum { UNKNOWN, OLD, NEW };

static int look(void)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE))
		return OLD;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & YMM) != YMM || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return OLD;
	return (b & WANTED) == WANTED ? NEW : OLD;
}

/*
 * Asked when it is needed, and once: __builtin_cpu_supports() does it at every start of a program, and each question is
 * a trap into the hypervisor where there is one. Threads that find it unknown write the same answer.
 */
static int processor(void)
{
	static int known;
	int p = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (p == UNKNOWN) {
		p = look();
		__atomic_store_n(&known, p, __ATOMIC_RELAXED);
	}
	return p;
}

int decode_huffman_code_block_stateless(struct inflate_state *s, uint8_t *start)
{
	if (processor() == NEW)
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
