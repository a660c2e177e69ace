/* SPDX-License-Identifier: Apache-2.0
 * fuzz decrypt - encrypted messages; and, since none would ever come by a right proof of integrity, what is in them
 *
 * The first byte: how the source hands out the rest, and whether that is a message or is to be put into one.
 */
#include <mbedtls/aes.h>
#include <mbedtls/md.h>

#include "core/trust/decrypt_parts.h"
#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ENOUGH  (4u << 20)
#define PREFIX  18u
#define S2K_FEW 300000u /* bytes: the passphrase is hashed for a millisecond */

static const uint8_t skesk[] = "\xc3\x0c\x04\x07\x01\x08" "saltsalt"; /* AES-128, salted SHA-256 */

static void seal(struct buf *b, const uint8_t *p, size_t len)
{
	uint8_t key[32], iv[16] = { 0 }, n[4];
	size_t all = PREFIX + len + 22, at = 0;
	uint8_t *plain = calloc(1, all);
	mbedtls_aes_context c;

	mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const uint8_t *)"saltsaltsecret", 14, key);
	memcpy(plain + PREFIX, p, len);
	memcpy(plain + PREFIX + len, "\xd3\x14", 2);
	mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), plain, all - 20, plain + all - 20);
	mbedtls_aes_init(&c);
	mbedtls_aes_setkey_enc(&c, key, 128);
	mbedtls_aes_crypt_cfb128(&c, MBEDTLS_AES_ENCRYPT, all, &at, iv, plain, plain);
	mbedtls_aes_free(&c);
	buf_add(b, skesk, sizeof(skesk) - 1);
	for (int i = 0; i < 4; i++)
		n[i] = (uint8_t)((all + 1) >> (24 - 8 * i));
	buf_add(b, "\xd2\xff", 2);
	buf_add(b, n, 4);
	buf_add(b, "\1", 1);
	buf_add(b, plain, all);
	free(plain);
}

static int run(const uint8_t *p, size_t len, size_t piece, uint64_t *sum)
{
	struct err e;
	auto_source struct source *s = decrypt_open_within(kit_source(p, len, piece), "secret", 6, S2K_FEW, &e);
	const uint8_t *q;
	size_t n, total = 0;
	int r = -1;

	while (s && total < ENOUGH && (r = s->next(s, &q, &n, &e)) > 0) {
		if (!n)
			__builtin_trap();
		total += n;
		for (size_t i = 0; i < n; i++)
			*sum = (*sum ^ q[i]) * 0x100000001b3;
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_buf struct buf b = { 0 };
	uint64_t one = 0, other = 0;

	if (!len)
		return 0;
	(void)decrypt_wanted(data + 1, len - 1);
	if (data[0] & 1)
		buf_add(&b, data + 1, len - 1);
	else
		seal(&b, data + 1, len - 1);
	/* however it comes, it is the same */
	size_t piece = 40u + data[0];
	if (run((uint8_t *)b.data, b.len, piece, &one) != run((uint8_t *)b.data, b.len, 1u << 20, &other) || one != other)
		__builtin_trap();
	return 0;
}
