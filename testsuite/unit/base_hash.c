/* SPDX-License-Identifier: Apache-2.0
 * base_hash - unit tests of core/base/{hash,lock}.c
 */
#include "core/base/hash.h"

#include <errno.h>
#include <fcntl.h>
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

UNIT_MAIN(sha512, pieces, hex, locks, lock_dies)
