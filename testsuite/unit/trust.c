/* SPDX-License-Identifier: Apache-2.0
 * unit trust - armor and the packets of public keys, with a key whose fingerprint gpg says
 */
#include "testsuite/unit/unit.h"

#include <errno.h>

#include "core/base/fd.h"
#include "core/trust/armor.h"
#include "core/trust/openpgp.h"

#define KIND "PUBLIC KEY BLOCK"
static const char data[] = "The quick brown fox jumps over the lazy dog; ten times over and over again, 64.";

TEST(round_trip, "armor: what is encoded decodes to the same bytes, for every length")
{
	for (size_t n = 1; n < sizeof(data); n++) {
		auto_buf struct buf text = { 0 }, back = { 0 };
		struct err e;
		REQUIRE(armor_encode((const uint8_t *)data, n, KIND, &text, &e) == 0);
		const char *p = text.data;
		size_t len = text.len;
		CHECK_INT(armor_decode(&p, &len, KIND, &back, &e), 1);
		CHECK(back.len == n && !memcmp(back.data, data, n));
		CHECK_INT(len, 0);
	}
}

TEST(append, "armor: several blocks into one buffer, each with a checksum of its own")
{
	auto_buf struct buf text = { 0 }, back = { 0 };
	struct err e;

	for (int i = 0; i < 3; i++)
		REQUIRE(armor_encode((const uint8_t *)data, sizeof(data), KIND, &text, &e) == 0);
	const char *p = text.data;
	size_t len = text.len;
	for (int i = 0; i < 3; i++)
		CHECK_INT(armor_decode(&p, &len, KIND, &back, &e), 1);
	CHECK_INT(back.len, 3 * sizeof(data));
}

static int decode(const char *text, struct err *e)
{
	auto_buf struct buf back = { 0 };
	size_t len = strlen(text);

	return armor_decode(&text, &len, KIND, &back, e);
}

TEST(armor_bad, "armor: refuses a wrong checksum, bad base64, missing lines; ignores text around")
{
	struct err e;

	CHECK_INT(decode("no key here\n", &e), 0);
	CHECK_INT(decode("hello\n-----BEGIN PGP " KIND "-----\r\nVersion: 1\r\n\r\nQUJD\r\n=9rT7\r\n-----END PGP " KIND
			 "-----\r\nbye\n", &e), -1); /* the checksum of ABC is not 9rT7 */
	CHECK_STR(e.msg, "armor: wrong checksum");
	CHECK_INT(decode("-----BEGIN PGP " KIND "-----\n\nQUJD\n-----END PGP " KIND "-----\n", &e), 1);
	CHECK_INT(decode("-----BEGIN PGP " KIND "-----\n\nQU*D\n-----END PGP " KIND "-----\n", &e), -1);
	CHECK_INT(decode("-----BEGIN PGP " KIND "-----\nQUJD\n-----END PGP " KIND "-----\n", &e), -1);
	CHECK_INT(decode("-----BEGIN PGP " KIND "-----\n\nQUJD\n", &e), -1);
	CHECK_INT(decode("-----BEGIN PGP " KIND "-----\n\n-----END PGP " KIND "-----\n", &e), -1);
	CHECK_INT(decode("-----BEGIN PGP SIGNATURE-----\n\nQUJD\n-----END PGP SIGNATURE-----\n", &e), 0);
}

/* made by gpg --quick-generate-key; gpg --show-keys says the fingerprint */
static const char key[] =
	"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	"\n"
	"mDMEawITBhYJKwYBBAHaRw8BAQdA0QDuvuqytfyFPjbdVYtjIQEh0UVFWUI0QGHs\n"
	"Ml/rVpC0EWEgPGFAZXhhbXBsZS5jb20+iJAEExYIADgWIQS6Imk+5imeI7yQqoHX\n"
	"tAv5XrKozQUCawITBgIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDXtAv5\n"
	"XrKozWciAP9wgdXNoZajNKzgpaAii8K5kCMDxNwFRNJIjVrSpp5bJgEAyjx2ksNf\n"
	"JHyJc7NXWVUkI+pHPd77T16MqavEwetGqg8=\n"
	"=9JmB\n"
	"-----END PGP PUBLIC KEY BLOCK-----\n"
	;

TEST(fingerprint, "openpgp: fingerprint and user id are those that gpg says")
{
	auto_buf struct buf bytes = { 0 };
	const char *p = key;
	size_t len = strlen(key);
	struct openpgp_key k;
	struct err e;

	REQUIRE(armor_decode(&p, &len, KIND, &bytes, &e) == 1);
	const uint8_t *b = (const uint8_t *)bytes.data;
	size_t left = bytes.len;
	REQUIRE(openpgp_key(&b, &left, &k, &e) == 1);
	CHECK_STR(k.fingerprint, "ba22693ee6299e23bc90aa81d7b40bf95eb2a8cd");
	CHECK_STR(openpgp_algorithm(k.algorithm), "Ed25519");
	CHECK_INT(k.n_uids, 1);
	CHECK(k.uid[0].len == 17 && !memcmp(k.uid[0].text, "a <a@example.com>", 17));
	CHECK_INT(k.data_len, bytes.len);
	CHECK_INT(openpgp_key(&b, &left, &k, &e), 0);
	for (size_t cut = 1; cut < bytes.len; cut++) { /* every prefix but the whole is an error or a shorter key */
		b = (const uint8_t *)bytes.data;
		left = cut;
		if (openpgp_key(&b, &left, &k, &e) == 1)
			CHECK(k.data_len <= cut);
	}
}

TEST(hostile, "openpgp: refuses secret keys, version 3 and 5, partial lengths, lengths past the end")
{
	static const struct { const char *bytes; size_t len; int code; } cases[] = {
		{ "\xc5\x06\x04\0\0\0\0\x16", 8, EPERM },
		{ "\xc6\x06\x03\0\0\0\0\x16", 8, ENOTSUP },
		{ "\xc6\x06\x05\0\0\0\0\x16", 8, ENOTSUP },
		{ "\xc6\xe1\x04\0\0\0\0\x16", 8, EINVAL },
		{ "\xc6\xff\xff\xff\xff\xff\x04", 7, EINVAL },
		{ "\x9b\x04", 2, EINVAL },
		{ "\xc6\x02\x04\0", 4, EINVAL },
		{ "\x06", 1, EINVAL },
		{ "\xcd\x01" "a", 3, EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint8_t *p = (const uint8_t *)cases[i].bytes;
		size_t len = cases[i].len;
		struct openpgp_key k;
		struct err e = { .code = 0 };
		CHECK_INT(openpgp_key(&p, &len, &k, &e), -1);
		CHECK_INT(e.code, cases[i].code);
	}
}

UNIT_MAIN(round_trip, append, armor_bad, fingerprint, hostile)
