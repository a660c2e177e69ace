/* SPDX-License-Identifier: Apache-2.0
 * base_hash - unit tests of core/base/{hash,lock}.c
 */
#include "core/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/md.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "testsuite/unit/unit.h"

static void digest(const char *text, size_t repeat, char hex[HASH_SHA512_HEX + 1])
{
	struct err e = { 0 };
	uint8_t out[HASH_SHA512_LEN];
	struct hash *h = hash_new(&e);

	if (!h)
		abort();
	while (repeat--)
		hash_feed(h, text, strlen(text));
	hash_final(h, out);
	hash_hex(out, sizeof(out), hex);
}

/* FIPS 180-2, appendix C, and the empty string */
TEST(sha512, "hash: sha512 of known texts")
{
	char hex[HASH_SHA512_HEX + 1];

	digest("", 1, hex);
	CHECK_STR(hex, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
		       "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
	digest("abc", 1, hex);
	CHECK_STR(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
	       "mnopqrstnopqrstu", 1, hex);
	CHECK_STR(hex, "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
		       "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
	digest("a", 1000000, hex);
	CHECK_STR(hex, "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
		       "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

TEST(pieces, "hash: pieces of any size give the same digest, and an unfinished one is freed")
{
	char whole[HASH_SHA512_HEX + 1], hex[HASH_SHA512_HEX + 1], text[1000];
	struct err e = { 0 };
	uint8_t out[HASH_SHA512_LEN];

	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	digest(text, 1, whole);
	for (size_t step = 1; step < 300; step += 37) {
		struct hash *h = hash_new(&e);
		REQUIRE(h != NULL);
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			hash_feed(h, text + at, at + step < sizeof(text) - 1 ? step : sizeof(text) - 1 - at);
		hash_final(h, out);
		hash_hex(out, sizeof(out), hex);
		CHECK_STR(hex, whole);
	}
	hash_free(hash_new(&e));
	hash_free(NULL);
}

static void by_mbedtls(const uint8_t *p, size_t len, uint8_t out[HASH_SHA512_LEN])
{
	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), p, len, out))
		abort();
}

static struct hash *new_hash(void)
{
	struct err e = { 0 };
	struct hash *h = hash_new(&e);

	if (!h)
		abort();
	return h;
}

/* padding fills one block or begins another; the message may end anywhere in either */
TEST(lengths, "hash: any length up to several blocks hashes as mbedTLS does it")
{
	uint8_t data[601], out[HASH_SHA512_LEN], want[HASH_SHA512_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t len = 0; len <= 600; len++) {
		struct hash *h = new_hash();
		hash_feed(h, data + len % 2, len); /* aligned or not */
		hash_final(h, out);
		by_mbedtls(data + len % 2, len, want);
		if (memcmp(out, want, sizeof(out)))
			CHECK_INT(len, -1);
	}
}

TEST(splits, "hash: fed in random pieces, an image's worth of blocks hashes as mbedTLS does it")
{
	enum { LEN = 1 << 20 };
	uint8_t *data = malloc(LEN), out[HASH_SHA512_LEN], want[HASH_SHA512_LEN];
	uint32_t x = 1;

	REQUIRE(data != NULL);
	for (size_t i = 0; i < LEN; i++)
		data[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	by_mbedtls(data, LEN, want);
	for (int round = 0; round < 40; round++) {
		uint32_t most = 1u << (round % 20 + 1);
		struct hash *h = new_hash();
		for (size_t at = 0, n; at < LEN; at += n) {
			n = (x = x * 1664525 + 1013904223) % most;
			n = n < LEN - at ? n : LEN - at;
			hash_feed(h, data + at, n);
		}
		hash_final(h, out);
		CHECK(!memcmp(out, want, sizeof(out)));
	}
	free(data);
}

/* beyond 2^32 bits; the count of bits has to carry */
TEST(long_text, "hash: half a gigabyte and a byte hashes as mbedTLS does it")
{
	uint8_t block[65536], out[HASH_SHA512_LEN], want[HASH_SHA512_LEN];
	mbedtls_md_context_t md;
	struct hash *h = new_hash();

	memset(block, 'x', sizeof(block));
	mbedtls_md_init(&md);
	REQUIRE(!mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), 0) && !mbedtls_md_starts(&md));
	for (int i = 0; i < 8192; i++) {
		hash_feed(h, block, sizeof(block));
		mbedtls_md_update(&md, block, sizeof(block));
	}
	hash_feed(h, "y", 1);
	mbedtls_md_update(&md, (const uint8_t *)"y", 1);
	hash_final(h, out);
	mbedtls_md_finish(&md, want);
	mbedtls_md_free(&md);
	CHECK(!memcmp(out, want, sizeof(out)));
}

#if __has_include(<sha512-blocks.h>) && defined(__x86_64__)

extern uint32_t OPENSSL_ia32cap_P[4]; /* deps/sha512-blocks.c: what the assembly goes by, and "known" */

static bool variant_agrees(uint32_t base, uint32_t features, uint32_t extended)
{
	const uint32_t caps[4] = { base, features, extended, 1 };
	uint8_t data[128 * 9 + 5], out[HASH_SHA512_LEN], want[HASH_SHA512_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + i / 128);
	by_mbedtls(data, sizeof(data), want);
	memcpy(OPENSSL_ia32cap_P, caps, sizeof(caps));
	struct hash *h = new_hash();
	hash_feed(h, data, sizeof(data));
	hash_final(h, out);
	return !memcmp(out, want, sizeof(out));
}

TEST(variants, "hash: each variant of SHA-512 that this processor has hashes as mbedTLS does it")
{
	hash_free(new_hash());
	CHECK(variant_agrees(0, 0, 0));
	if (__builtin_cpu_supports("avx"))
		CHECK(variant_agrees(1u << 30, 1u << 28 | 1u << 9, 0));
	if (__builtin_cpu_supports("xop"))
		CHECK(variant_agrees(0, 1u << 11, 0));
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
		CHECK(variant_agrees(0, 0, 1u << 3 | 1u << 5 | 1u << 8));
	memset(OPENSSL_ia32cap_P, 0, sizeof(OPENSSL_ia32cap_P)); /* look again */
}

#else

TEST(variants, "hash: each variant of SHA-512 that this processor has hashes as mbedTLS does it")
{
	SKIP("there are none in this build");
}

#endif

TEST(hex, "hash: hexadecimal is lower case and not empty")
{
	char out[9];

	hash_hex((const uint8_t[]){ 0x00, 0x0f, 0xa0, 0xff }, 4, out);
	CHECK_STR(out, "000fa0ff");
	CHECK(hash_is_hex("0123456789abcdef", 16));
	CHECK(!hash_is_hex("", 0));
	CHECK(!hash_is_hex("0A", 2));
	CHECK(!hash_is_hex("0g", 2));
	CHECK(!hash_is_hex("0 ", 2));
	CHECK(!hash_is_hex("0\0", 2));
}

/* ---- lock ---- */

TEST(locks, "lock: shared and exclusive, between open files")
{
	struct err e = { 0 };
	char path[] = "/tmp/rktbox-unit-XXXXXX";
	auto_close int a = open(mkdtemp(path) ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int b = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(a >= 0 && b >= 0);
	CHECK_INT(lock_try(a, LOCK_SHARED, &e), 1);
	CHECK_INT(lock_try(b, LOCK_SHARED, &e), 1);
	CHECK_INT(lock_try(b, LOCK_EXCLUSIVE, &e), 0);
	lock_drop(a);
	CHECK_INT(lock_try(b, LOCK_EXCLUSIVE, &e), 1);
	CHECK_INT(lock_try(a, LOCK_SHARED, &e), 0);
	CHECK_INT(lock_try(a, LOCK_EXCLUSIVE, &e), 0);
	fd_cleanup(&b);
	CHECK_INT(lock_wait(a, LOCK_EXCLUSIVE, &e), 0);
	CHECK_INT(lock_try(-1, LOCK_SHARED, &e), -1);
	CHECK_INT(e.code, EBADF);
	CHECK_INT(lock_wait(-1, LOCK_SHARED, &e), -1);
	rmdir(path);
}

TEST(lock_dies, "lock: dies with its holder, and wakes who waits")
{
	struct err e = { 0 };
	char path[] = "/tmp/rktbox-unit-XXXXXX", byte;
	int ready[2];

	REQUIRE(mkdtemp(path) && pipe2(ready, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (!pid) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_exit(lock_try(fd, LOCK_EXCLUSIVE, &e) == 1 && write(ready[1], "x", 1) == 1 ? (pause(), 0) : 1);
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(lock_try(fd, LOCK_SHARED, &e), 0);
	kill(pid, SIGKILL);
	CHECK_INT(lock_wait(fd, LOCK_EXCLUSIVE, &e), 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(ready[0]);
	close(ready[1]);
	rmdir(path);
}

UNIT_MAIN(sha512, pieces, lengths, splits, long_text, variants, hex, locks, lock_dies)
