/* SPDX-License-Identifier: Apache-2.0
 * sha512-blocks - tells OpenSSL's assembly what the processor has, in the words that it reads
 *
 * The bits are those of OPENSSL_ia32cap(3) that sha512-x86_64.pl tests, and of crypto/arm_arch.h. Every
 * thread that finds them missing writes the same values, so they need no lock.
 */
#include "sha512-blocks.h"

void sha512_block_data_order(uint64_t state[8], const void *p, size_t n);
void sha256_block_data_order(uint32_t state[8], const void *p, size_t n);
void sha256_block_data_order_shaext(uint32_t state[8], const void *p, size_t n);

#ifdef __x86_64__

#include <cpuid.h>

enum { BASE, FEATURES, EXTENDED, KNOWN }; /* the last one is ours */
uint32_t OPENSSL_ia32cap_P[4];

#define INTEL   (1u << 30) /* BASE: where AVX is better than no AVX */
#define SSSE3   (1u << 9) /* FEATURES */
#define OSXSAVE (1u << 27)
#define AVX     (1u << 28)
#define VECTORS (1u << 3 | 1u << 5 | 1u << 8) /* EXTENDED: BMI1, AVX2, BMI2 */
#define SHANI   (1u << 29)
#define YMM     6u                            /* XCR0: the system keeps XMM and YMM */

static uint32_t xcr0(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void look(uint32_t out[3])
{
	uint32_t a, b, c, d, max, vendor;

	__cpuid(0, max, vendor, c, d);
	if (max >= 7) {
		__cpuid_count(7, 0, a, b, c, d);
		out[EXTENDED] = b & SHANI; /* which every system lets use that knows SSE */
	}
	__cpuid(1, a, b, c, d);
	if (!(c & OSXSAVE) || (xcr0() & YMM) != YMM)
		return;
	out[BASE] = vendor == 0x756e6547 /* "Genu" */ ? INTEL : 0;
	out[FEATURES] = c & (AVX | SSSE3);
	if (max >= 7) {
		__cpuid_count(7, 0, a, b, c, d);
		out[EXTENDED] |= b & VECTORS;
	}
}

static void look_once(void)
{
	uint32_t found[3] = { 0 };

	if (__atomic_load_n(&OPENSSL_ia32cap_P[KNOWN], __ATOMIC_ACQUIRE))
		return;
	look(found);
	for (int i = 0; i < 3; i++)
		__atomic_store_n(&OPENSSL_ia32cap_P[i], found[i], __ATOMIC_RELAXED);
	__atomic_store_n(&OPENSSL_ia32cap_P[KNOWN], 1, __ATOMIC_RELEASE);
}

bool sha256_blocks(uint32_t state[8], const void *p, size_t n)
{
	look_once();
	if (!(OPENSSL_ia32cap_P[EXTENDED] & SHANI))
		return false;
	if (n)
		sha256_block_data_order_shaext(state, p, n);
	return true;
}

#else

#include <sys/auxv.h>

#define HWCAP_OF_SHA256 (1ul << 6)
#define HWCAP_OF_SHA512 (1ul << 21)
#define ARMV7_NEON      (1u << 0) /* which every 64-bit ARM has */
#define ARMV8_SHA256    (1u << 4)
#define ARMV8_SHA512    (1u << 6)

uint32_t OPENSSL_armcap_P;

static void look_once(void)
{
	unsigned long has = getauxval(AT_HWCAP);
	uint32_t found = ARMV7_NEON | (has & HWCAP_OF_SHA256 ? ARMV8_SHA256 : 0) | (has & HWCAP_OF_SHA512 ? ARMV8_SHA512 : 0);

	__atomic_store_n(&OPENSSL_armcap_P, found, __ATOMIC_RELAXED);
}

bool sha256_blocks(uint32_t state[8], const void *p, size_t n)
{
	look_once();
	if (n)
		sha256_block_data_order(state, p, n);
	return true;
}

#endif

void sha512_blocks(uint64_t state[8], const void *p, size_t n)
{
	look_once();
	if (n)
		sha512_block_data_order(state, p, n);
}
