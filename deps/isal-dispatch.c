/* SPDX-License-Identifier: Apache-2.0
 * isal-dispatch - which variant of its code ISA-L uses
 *
 * All variants of what deflate takes give the same bytes. The program asks for inflate only where there are SSE4.2 and
 * carry-less multiplication, for no level of deflate but 1, and reads and writes gzip headers itself
 * (ISAL_GZIP_NO_HDR_VER, IGZIP_DEFLATE), so that neither functions in C for older processors nor those for level 0 and
 * zlib's checksum are needed: they have names here, for the linker, and nobody calls them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "encode_df.h"
#include "igzip_lib.h"
#include "isal-level1.h"

void isal_deflate_icf_body(struct isal_zstream *s);
void isal_deflate_icf_finish_lvl1(struct isal_zstream *s);
void isal_deflate_hash_lvl1(uint16_t *table, uint32_t mask, uint32_t at, uint8_t *dict, uint32_t len);
struct deflate_icf *encode_deflate_icf_base(struct deflate_icf *from, struct deflate_icf *end, struct BitBuf2 *out,
	struct hufftables_icf *codes);

#ifdef ASSEMBLY

#include <cpuid.h>

int decode_huffman_code_block_stateless(struct inflate_state *s, uint8_t *start);
int decode_huffman_code_block_stateless_01(struct inflate_state *s, uint8_t *start);
int decode_huffman_code_block_stateless_04(struct inflate_state *s, uint8_t *start);
uint32_t crc32_gzip_refl_by8(uint32_t crc, const unsigned char *p, uint64_t len);
void isal_deflate_icf_body_hash_hist_01(struct isal_zstream *s);
void isal_deflate_icf_finish_hash_hist_01(struct isal_zstream *s);
void isal_deflate_hash_crc_01(uint16_t *table, uint32_t mask, uint32_t at, uint8_t *dict, uint32_t len);
struct deflate_icf *encode_deflate_icf_04(struct deflate_icf *from, struct deflate_icf *end, struct BitBuf2 *out,
	struct hufftables_icf *codes);

#define OSXSAVE (1u << 27)
#define YMM     6u                            /* XCR0: the system keeps XMM and YMM */
#define WANTED  (1u << 3 | 1u << 5 | 1u << 8) /* BMI1, AVX2, BMI2 */

int isal_processor;

static int look(void)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_2))
		return ISAL_OTHER;
	if (!(c & OSXSAVE))
		return ISAL_SSE;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & YMM) != YMM || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return ISAL_SSE;
	return (b & WANTED) == WANTED ? ISAL_AVX2 : ISAL_SSE;
}

/*
 * Asked when it is needed, and once: __builtin_cpu_supports() does it at every start of a program, and each question is
 * a trap into the hypervisor where there is one. Threads that find it unknown write the same answer.
 */
static int processor(void)
{
	int p = __atomic_load_n(&isal_processor, __ATOMIC_RELAXED);

	if (p == ISAL_UNKNOWN) {
		p = look();
		__atomic_store_n(&isal_processor, p, __ATOMIC_RELAXED);
	}
	return p;
}

#define SINCE(what, assembly, otherwise) (processor() >= (what) ? (assembly) : (otherwise))

int decode_huffman_code_block_stateless(struct inflate_state *s, uint8_t *start)
{
	return SINCE(ISAL_AVX2, decode_huffman_code_block_stateless_04, decode_huffman_code_block_stateless_01)(s, start);
}

uint32_t crc32_gzip_refl(uint32_t crc, const unsigned char *p, uint64_t len)
{
	return crc32_gzip_refl_by8(crc, p, len);
}

#else

int isal_processor = ISAL_OTHER;

#define SINCE(what, assembly, otherwise) (otherwise)

uint32_t crc32_gzip_refl(uint32_t crc, const unsigned char *p, uint64_t len)
{
	(void)crc, (void)p, (void)len;
	abort();
}

#endif

void isal_deflate_icf_body(struct isal_zstream *s)
{
	SINCE(ISAL_SSE, isal_deflate_icf_body_hash_hist_01, isal_level1_body)(s);
}

void isal_deflate_icf_finish_lvl1(struct isal_zstream *s)
{
	SINCE(ISAL_SSE, isal_deflate_icf_finish_hash_hist_01, isal_level1_finish)(s);
}

void isal_deflate_hash_lvl1(uint16_t *table, uint32_t mask, uint32_t at, uint8_t *dict, uint32_t len)
{
	SINCE(ISAL_SSE, isal_deflate_hash_crc_01, isal_level1_hash)(table, mask, at, dict, len);
}

struct deflate_icf *encode_deflate_icf(struct deflate_icf *from, struct deflate_icf *end, struct BitBuf2 *out,
				       struct hufftables_icf *codes)
{
	return SINCE(ISAL_AVX2, encode_deflate_icf_04, encode_deflate_icf_base)(from, end, out, codes);
}

/* ---- what is not called ---- */

struct isal_hufftables hufftables_default, hufftables_static; /* all zero: no block begins like igzip's own */
const uint8_t gzip_hdr[1], zlib_hdr[1];
const uint32_t gzip_hdr_bytes, gzip_trl_bytes, zlib_hdr_bytes, zlib_trl_bytes;

void isal_deflate_body(struct isal_zstream *s);
void isal_deflate_finish(struct isal_zstream *s);
uint32_t isal_adler32(uint32_t sum, const unsigned char *p, uint64_t len);

void isal_deflate_body(struct isal_zstream *s)
{
	(void)s;
	abort();
}

void isal_deflate_finish(struct isal_zstream *s)
{
	(void)s;
	abort();
}

uint32_t isal_adler32(uint32_t sum, const unsigned char *p, uint64_t len)
{
	(void)sum, (void)p, (void)len;
	abort();
}
