/* SPDX-License-Identifier: Apache-2.0
 * unit trust_decrypt - encrypted messages that others have made, and what is wrong with them when a byte is
 *
 * The samples: RFC 9580, A.9 to A.12; draft-koch-openpgp-2015-rfc4880bis, A.3 and A.4; and the OpenPGP interoperability
 * test suite. All have the passphrase "password".
 */
#include "testsuite/unit/unit.h"

#include <errno.h>

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/trust/decrypt_parts.h"
#include "testsuite/unit/archive_kit.h"

struct sample {
	const char *name, *hex, *text;
	const char *key; /* of the data. Those that have one hash 65 MB to find it out, which is too long to do it often */
};

static const struct sample samples[] = {
	{ "version 6, EAX",
	  "c340061e07010b0308a5ae579d1fc5d82bff69224f919993b3506fa3b59a6a73cff8c5efc5f41c57fb54e1c226815d78"
	  "28f5f92c454eb65ebe00ab5986c68e6e7c55d269020701069ff90e3b321964f3a42913c8dcc6619325015227efb7eaea"
	  "a49f04c2e674175d4a3d226ed6afcb9ca9ac122c1470e11c63d4c0ab241c6a938ad48bf99a5a99b90bba8325de610475"
	  "40258ab7959a95ad051dda96eb15431dfef5f5e2255ca78261546e339a", "Hello, world!",
	  "3881bafe985412459b86c36f98cb9a5e" },
	{ "version 6, OCB",
	  "c33f061d07020b030856a298d2f5e36453ffcfcc5c11664edb9db42590d7dc46b07241b612c3812cfffbea00f2347b25"
	  "641123f887ae60d4fd614e0837d819d36cd2690207020620a661f731fc9a3032b5623326027e3a5d8db5748ebeff0b0c"
	  "5910d09ecdd641ff9fd38562758035bc49754ce1bf3fffa7dad0a3b8104f5133cf42a4100a83eef4ca1b4801a8846bf4"
	  "2bcda7c8ce9d65e212f301cbcd98fdcade694a877ad4247323f6e857", "Hello, world!",
	  "28e79ab82397d3c63de24ac217d7b791" },
	{ "version 6, GCM",
	  "c33c061a07030b0308e9d39785b2070008ffb42e7c483ef4884457cb3726b9b3db9ff776e5f4d9a40952e2447298851a"
	  "bfff7526df2dd554417579a7799fd26902070306fcb94490bcb98bbdc9d106c6090266940f72e89edc21b5596b1576b1"
	  "01ed0f9ffc6fc6d65bbfd24dcd0790966e6d1e85a30053784cb1d8b6a0699ef12155a7b2ad6258531b57651fd7777912"
	  "fa95e35d9b40216f69a4c248db28ff4331f1632907399e6ff9", "Hello, world!",
	  "1936fc8568980274bb900d8319360c77" },
	{ "version 5, EAX",
	  "c33e0507010308cd5a9f70fbe0bc6590bc669e34e500dcaedc5b32aa2dab02359dee19d07c3446c4312a34ae1967a2fb"
	  "7e928ea5b4fa8012bd456d1738c63c36d44a0107010eb732379f73c4928de25facfe6517ec105dc11a81dc0cb8a2f6f3"
	  "d90016384a56fc821ae11ae8dbcb49862655dea88d06a81486801b0ff387bd2eab013de1259586906eab2476",
	  "Hello, world!\n", NULL },
	{ "version 5, OCB",
	  "c33d05070203089f0b7da3e5ea64779099e326e5400a90936cefb4e8eba08c6773716d1f2714540a38fcac529949dac5"
	  "29d3de31e15b4aeb729e330033dbedd4490107020e5ed2bc1e470abe8f1d644c7a6c8a567b0f7701196611a154ba9c25"
	  "74cd056284a8ef68035c623d93cc708a43211bb6eaf2b27f7c18d571bcd83b20add3a08b73af15b9a098",
	  "Hello, world!\n", NULL },
	{ "version 4, MDC",
	  "c32e0409030873616c7a6967657200080674a0d96a4a6e122b1d5bbaa3fac117b9cbb46c7e38f12967386b57e2f79d11"
	  "d23f01cee77ceed8544e6d52c78bd33c81bd366c8673b68955ddbd1ade98fe6a9b4e27ae54cd10dda7cd3a4637f44e0e"
	  "ad895ebebdcf0c679f1342745628f104e7", "Hello World :)", NULL },
};

#define N_SAMPLES (sizeof(samples) / sizeof(*samples))

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned v = 0;
		if (sscanf(hex + 2 * i, "%2x", &v) != 1)
			abort();
		out[i] = (uint8_t)v;
	}
	return n;
}

/* 0: the end was told; -1. What came out is in @out, whatever it is worth. */
static int decrypt(const uint8_t *p, size_t len, size_t piece, const char *passphrase, struct buf *out, struct err *e)
{
	auto_source struct source *s = decrypt_open(kit_source(p, len, piece), passphrase, strlen(passphrase), e);
	const uint8_t *q;
	size_t n;
	int r = -1;

	while (s && (r = s->next(s, &q, &n, e)) > 0)
		buf_add(out, q, n);
	if (s && r < 0) {
		struct err again;
		CHECK_INT(s->next(s, &q, &n, &again), -1); /* and never an end after an error */
	}
	return r;
}

TEST(reads_samples, "decrypt: reads the samples of the specifications, in pieces of any size")
{
	static const size_t pieces[] = { 17, 1, 2, 3, 7, 16, 64, 1000 };
	uint8_t data[300];
	struct err e = { 0 };

	for (size_t i = 0; i < N_SAMPLES; i++)
		for (size_t k = 0; k < (samples[i].key ? 1 : sizeof(pieces) / sizeof(*pieces)); k++) {
			auto_buf struct buf out = { 0 };
			size_t len = unhex(samples[i].hex, data);
			CHECK(decrypt_wanted(data, len));
			CHECK_INT(decrypt(data, len, pieces[k], "password", &out, &e), 0);
			CHECK_STR(out.data ? out.data : e.msg, samples[i].text);
		}
}

TEST(wrong_passphrase, "decrypt: tells a wrong passphrase from damage")
{
	static const char *const wrong[] = { "passwor", "", "password\n", "Password" };
	uint8_t data[300];
	struct err e;

	for (size_t i = 0; i < N_SAMPLES; i++)
		for (size_t k = 0; k < (samples[i].key ? 1 : sizeof(wrong) / sizeof(*wrong)); k++) {
			auto_buf struct buf out = { 0 };
			e.code = 0;
			CHECK_INT(decrypt(data, unhex(samples[i].hex, data), 1000, wrong[k], &out, &e), -1);
			CHECK_INT(e.code, EACCES);
			CHECK_HAS(e.msg, "the passphrase does not fit");
			CHECK_INT(out.len, 0);
		}
}

/* likewise, but only the packet with the data, whose key is known */
static int decrypt_data(const struct sample *c, const uint8_t *p, size_t len, size_t piece)
{
	static struct unseal u;
	struct keys keys = { .n = 1, .v = { { .version = 6, .cipher = 7 } } };
	auto_source struct source *s = kit_source(p, len, piece);
	struct flow f = { .from = s };
	struct packet k;
	const uint8_t *q;
	struct err e;
	size_t n;

	u = (struct unseal){ 0 };
	unhex(c->key, keys.v[0].key);
	int r = message_packet(&k, &f, &e) == 1 && (k.tag == TAG_SEIPD) ? unseal_init(&u, &k, &keys, &e) : -1;
	if (r == 0) {
		do
			r = u.base.next(&u.base, &q, &n, &e);
		while (r > 0);
		r = r < 0 || flow_fill(&f, &e) ? -1 : 0;
	}
	if (u.body)
		unseal_free(&u);
	return r;
}

static int try(const struct sample *c, const uint8_t *p, size_t len)
{
	auto_buf struct buf out = { 0 };
	struct err e;

	return c->key ? decrypt_data(c, p, len, 1000) : decrypt(p, len, 1000, "password", &out, &e);
}

/* each of them, by each of three values */
TEST(every_byte, "decrypt: takes no message with a byte changed, added, or cut off")
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	uint8_t all[301];

	for (size_t i = 0; i < N_SAMPLES; i++) {
		size_t len = unhex(samples[i].hex, all), skip = samples[i].key ? all[1] + 2u : 0;
		uint8_t *data = all + skip;
		len -= skip;
		CHECK_INT(try(&samples[i], data, len), 0);
		for (size_t at = 0; at < len; at++)
			for (size_t k = 0; k < sizeof(flips); k++) {
				data[at] ^= flips[k];
				if (!unit_check(try(&samples[i], data, len) < 0, __FILE__, __LINE__, samples[i].name))
					printf("# byte %zu of %zu with %02x\n", at, len, flips[k]);
				data[at] ^= flips[k];
			}
		for (size_t cut = 0; cut < len; cut++)
			CHECK_INT(try(&samples[i], data, cut), -1);
		data[len] = 0;
		CHECK_INT(try(&samples[i], data, len + 1), -1);
	}
}

struct refusal {
	const char *name, *hex, *why;
};

TEST(refusals, "decrypt: refuses by name what it does not read")
{
	static const struct refusal v[] = {
		{ "Argon2",
		  "c3270407049c52f83c27f95e50d535440ecdff31360104159e52fcad22cf3f956542cba794ef840b11d23e019818a63e"
		  "609cf8bba17e0c394304eaf9351417b7f28921fe26e263a52b20bfbaa2dba672c964c9d3ab7a3bf46c414dd21d3b3847"
		  "5df037a6a578993cc5", "hashed with Argon2" },
		{ "without salt", "c30404090008d20101", "hashed without salt" },
		{ "MD5", "c30d0409030100000000000000006" "0d20101", "hashed with algorithm 1" },
		{ "3DES", "c30d0402030800000000000000006" "0d20101", "is encrypted with 3DES" },
		{ "CAST5", "c30d0403030800000000000000006" "0d20101", "is encrypted with CAST5" },
		{ "version 7", "c30d0709030800000000000000006" "0d20101", "version 7" },
		{ "public keys", "c10c030000000000000000010000" "d20101", "public keys only" },
		{ "no key", "d20101", "no key that a passphrase could give" },
		{ "no integrity protection", "c30d0409030800000000000000006" "0c90101", "has no integrity protection" },
		{ "no data", "c30d0409030800000000000000006" "0", "no encrypted data" },
		{ "garbage", "c30d0409030800000000000000006" "000", "no OpenPGP packet" },
		{ "a user id", "cd0141", "packet 13 has no business there" },
	};
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		auto_buf struct buf out = { 0 };
		struct err e = { 0 };
		CHECK_INT(decrypt(data, unhex(v[i].hex, data), 1000, "password", &out, &e), -1);
		CHECK_HAS(e.msg, v[i].why);
	}
}

TEST(bounded, "decrypt: hashes no more for hostile keys than its bound")
{
	uint8_t key[15], data[40 * sizeof(key) + 3];
	size_t n = 0;
	struct err e = { 0 };

	unhex("c30d04090308000000000000000060", key);
	for (int i = 0; i < 40; i++, n += sizeof(key))
		memcpy(data + n, key, sizeof(key));
	memcpy(data + n, "\xd2\x01\x01", 3);
	/* each costs 65,536 + 16 bytes: so three can be tried */
	auto_source struct source *s = decrypt_open_within(kit_source(data, sizeof(data), 1000), "password", 8, 200000, &e);
	CHECK(!s);
	CHECK_INT(e.code, EBADMSG);
	struct keys k = { .passphrase = (const uint8_t *)"password", .len = 8, .s2k_left = 200000 };
	auto_source struct source *from = kit_source(data, sizeof(data), 1000);
	struct flow f = { .from = from };
	struct packet p;
	for (int i = 0; i < 40; i++)
		CHECK(message_packet(&p, &f, &e) == 1 && keys_add(&k, &p, &e) == 0);
	CHECK_INT(k.n_tried, 3);
	CHECK_HAS(k.why.msg, "too many keys");
}

static const char armored[] =
	"\n-----BEGIN PGP MESSAGE-----\nComment: one\r\n\r\n"
	"wz8GHQcCCwMIVqKY0vXjZFP/z8xcEWZO2520JZDX3EawckG2EsOBLP/76gDyNHsl\n"
	"ZBEj+IeuYNT9YU4IN9gZ02zSaQIHAgYgpmH3MfyaMDK1YjMmAn46XY21dI6+/wsM\n"
	"WRDQns3WQf+f04VidYA1vEl1TOG/P/+n2tCjuBBPUTPPQqQQCoPu9MobSAGohGv0\n"
	"K82nyM6dZeIS8wHLzZj9yt5pSod61CRzI/boVw==\n"
	"=aaaa\n"
	"-----END PGP MESSAGE-----\n";

TEST(reads_armor, "decrypt: reads armored messages, in pieces of any size")
{
	static const size_t pieces[] = { 40, 41, 64, 1000 };

	for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
		auto_buf struct buf out = { 0 };
		struct err e = { 0 };
		CHECK(decrypt_wanted((const uint8_t *)armored, pieces[k]));
		CHECK_INT(decrypt((const uint8_t *)armored, strlen(armored), pieces[k], "password", &out, &e), 0);
		CHECK_STR(out.data ? out.data : e.msg, "Hello, world!");
	}
}

TEST(bad_armor, "decrypt: refuses armor that is cut off, or has something behind it or within")
{
	static const char *const without[] = { "-----END PGP MESSAGE-----\n", "=aaaa\n-----END PGP MESSAGE-----\n", "/boVw==\n",
		"==\n", "\r\n\r\n", "Comment: one\r\n\r\n" };
	char text[sizeof(armored) + 8];
	struct err e;

	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
		auto_buf struct buf out = { 0 };
		strcpy(text, armored);
		char *at = strstr(text, without[i]);
		REQUIRE(at);
		memmove(at, at + strlen(without[i]), strlen(at + strlen(without[i])) + 1);
		CHECK_INT(decrypt((const uint8_t *)text, strlen(text), 1000, "password", &out, &e), -1);
		CHECK_INT(e.code, EBADMSG);
	}
	static const char *const at[] = { "WRDQ", "-----END", "=aaaa", "K82n" };
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		auto_buf struct buf out = { 0 };
		strcpy(text, armored);
		*strstr(text, at[i]) = '*';
		CHECK_INT(decrypt((const uint8_t *)text, strlen(text), 1000, "password", &out, &e), -1);
		CHECK_INT(e.code, EBADMSG);
	}
	auto_buf struct buf out = { 0 };
	strcpy(text, armored);
	strcat(text, "x\n");
	CHECK_INT(decrypt((const uint8_t *)text, strlen(text), 1000, "password", &out, &e), -1);
	CHECK_INT(e.code, EBADMSG);
}

TEST(is_wanted, "decrypt: tells messages from images and manifests by their first bytes")
{
	static const struct { const char *p; bool wanted; } v[] = {
		{ "\x1f\x8b\x08", false }, { "BZh9", false }, { "\xfd" "7zXZ", false }, { "\x28\xb5\x2f\xfd", false },
		{ "{", false }, { "manifest", false }, { "rootfs/", false }, { "", false }, { "-----BEGIN PGP SIGNATURE-----", false },
		{ "\xef\xbb\xbf{", false }, { "\x8c\x0d", true }, { "\xc3\x0d", true }, { "\x85\x01", true }, { "\xd2", true },
		{ "\xd4", true }, { "\xa4", true }, { " \n-----BEGIN PGP MESSAGE-----", true },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		CHECK_INT(decrypt_wanted((const uint8_t *)v[i].p, strlen(v[i].p)), v[i].wanted);
}

UNIT_MAIN(reads_samples, wrong_passphrase, every_byte, refusals, bounded, reads_armor, bad_armor, is_wanted)
