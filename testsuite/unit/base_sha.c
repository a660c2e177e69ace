/* SPDX-License-Identifier: Apache-2.0
 * base_sha - unit tests of core/base/sha.c: every kind against mbedTLS, SHA-3 against the answers of FIPS 202's authors
 */
#include "core/base/sha.h"

#include <mbedtls/md.h>

#include "core/base/hash.h"
#include "testsuite/unit/unit.h"

#define HEX_MAX (2 * SHA_LEN_MAX + 1)

static const struct { enum sha_kind kind; mbedtls_md_type_t md; } sha2[] = {
	{ SHA_1, MBEDTLS_MD_SHA1 },	{ SHA_224, MBEDTLS_MD_SHA224 }, { SHA_256, MBEDTLS_MD_SHA256 },
	{ SHA_384, MBEDTLS_MD_SHA384 }, { SHA_512, MBEDTLS_MD_SHA512 },
};

static void sum(enum sha_kind kind, const uint8_t *p, size_t len, size_t piece, uint8_t *out)
{
	struct sha s;

	sha_start(&s, kind);
	for (size_t at = 0; at < len; at += piece)
		sha_feed(&s, p + at, len - at < piece ? len - at : piece);
	sha_final(&s, out);
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + i / 256);
}

/* padding fills one block or begins another; the message may end anywhere in either */
static void all_lengths(void)
{
	uint8_t data[601], got[SHA_LEN_MAX], want[SHA_LEN_MAX];

	fill(data, sizeof(data));
	for (size_t k = 0; k < sizeof(sha2) / sizeof(*sha2); k++)
		for (size_t len = 0; len <= 600; len++) {
			sum(sha2[k].kind, data + len % 2, len, 1 + len % 200, got);
			REQUIRE(!mbedtls_md(mbedtls_md_info_from_type(sha2[k].md), data + len % 2, len, want));
			if (memcmp(got, want, sha_len(sha2[k].kind)) != 0)
				CHECK_INT(len, -1 - (long long)k);
		}
}

TEST(lengths, "sha: SHA-1 and SHA-2 of any length up to several blocks, in pieces, are mbedTLS'")
{
	all_lengths();
}

static const char *hex(enum sha_kind kind, const char *text, size_t repeat, char out[HEX_MAX])
{
	uint8_t digest[SHA_LEN_MAX];
	struct sha s;

	sha_start(&s, kind);
	while (repeat--)
		sha_feed(&s, text, strlen(text));
	sha_final(&s, digest);
	hash_hex(digest, sha_len(kind), out);
	return out;
}

TEST(sha3, "sha: SHA-3 of known texts")
{
	char out[HEX_MAX];

	CHECK_STR(hex(SHA3_256, "", 1, out), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
	CHECK_STR(hex(SHA3_256, "abc", 1, out), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
	CHECK_STR(hex(SHA3_256, "a", 1000000, out), "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1");
	CHECK_STR(hex(SHA3_512, "", 1, out),
		  "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
		  "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
	CHECK_STR(hex(SHA3_512, "a", 1000000, out),
		  "3c3a876da14034ab60627c077bb98f7e120a2a5370212dffb3385a18d4f38859"
		  "ed311d0a9d5141ce9cc5c66ee689b266a8aa18ace8282a0e0db596c90b0a7b87");
}

TEST(sha3_pieces, "sha: SHA-3 is the same in pieces, around the ends of blocks as well")
{
	uint8_t data[600], got[SHA_LEN_MAX], want[SHA_LEN_MAX];

	fill(data, sizeof(data));
	for (int kind = SHA3_256; kind <= SHA3_512; kind++)
		for (size_t len = 1; len < sizeof(data); len++) {
			sum(kind, data, len, len, want);
			sum(kind, data, len, 1 + len % 137, got);
			if (memcmp(got, want, sha_len(kind)) != 0)
				CHECK_INT(len, -1);
		}
}

TEST(copies, "sha: what is under way can be copied and ended twice")
{
	uint8_t a[SHA_LEN_MAX], b[SHA_LEN_MAX];
	struct sha s, copy;

	sha_start(&s, SHA_256);
	sha_feed(&s, "some", 4);
	copy = s;
	sha_feed(&copy, " text", 5);
	sha_final(&copy, a);
	sha_feed(&s, " text", 5);
	sha_final(&s, b);
	CHECK(!memcmp(a, b, 32));
}

#if __has_include(<sha512-blocks.h>) && defined(__x86_64__)

#include <cpuid.h>

extern uint32_t OPENSSL_ia32cap_P[4]; /* deps/sha512-blocks.c: what the assembly goes by */
#define SHANI (1u << 29)

TEST(variants, "sha: SHA-256 with the processor's instructions for it and without them")
{
	uint32_t a, b = 0, c, d;

	__cpuid_count(7, 0, a, b, c, d);
	all_lengths();
	CHECK_INT(OPENSSL_ia32cap_P[2] & SHANI, b & SHANI); /* what there is, is used */
	OPENSSL_ia32cap_P[2] &= ~SHANI;
	all_lengths();
}

#else

TEST(variants, "sha: SHA-256 with the processor's instructions for it and without them")
{
	SKIP("no assembly in this build");
}

#endif

UNIT_MAIN(lengths, sha3, sha3_pieces, copies, variants)
