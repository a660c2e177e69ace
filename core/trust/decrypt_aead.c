/* SPDX-License-Identifier: Apache-2.0
 * decrypt_aead - the three modes of authenticated encryption that OpenPGP has, as far as decryption goes; and CFB
 *
 * OCB and EAX need the cipher alone, so mbedTLS, which has neither of them, gives us that. A block of theirs is read as a
 * number with the first byte on top; doubling one is a multiplication in GF(2^128).
 * Source: RFC 7253 (OCB); Bellare, Rogaway, Wagner: "The EAX Mode of Operation"; RFC 9580, 13.9 (CFB).
 */
#include <string.h>

#include <mbedtls/version.h>

#include "core/trust/decrypt_parts.h"

enum { EAX = 1, OCB = 2, GCM = 3 };
enum { ZERO, TWICE, FOUR_TIMES }; /* of aead.l: OCB's L_*, L_$ and L_0; EAX's B and P are the last two */

static void encrypt(mbedtls_aes_context *c, const uint8_t *in, uint8_t *out)
{
	(void)mbedtls_aes_crypt_ecb(c, MBEDTLS_AES_ENCRYPT, in, out); /* cannot fail with a key that was set */
}

static void mix(uint8_t *to, const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	x[0] ^= y[0];
	x[1] ^= y[1];
	memcpy(to, x, sizeof(x));
}

static void twice(uint8_t *to, const uint8_t *from)
{
	unsigned carry = from[0] >> 7;

	for (unsigned i = 0; i < AES_BLOCK - 1; i++)
		to[i] = (uint8_t)(from[i] << 1 | from[i + 1] >> 7);
	to[AES_BLOCK - 1] = (uint8_t)(from[AES_BLOCK - 1] << 1 ^ carry * 0x87);
}

void cfb_decrypt(mbedtls_aes_context *enc, uint8_t last[AES_BLOCK], uint8_t *p, size_t n)
{
	uint8_t pad[AES_BLOCK];

	for (; n >= AES_BLOCK; n -= AES_BLOCK, p += AES_BLOCK) {
		encrypt(enc, last, pad);
		memcpy(last, p, AES_BLOCK);
		mix(p, p, pad);
	}
	encrypt(enc, last, pad);
	for (size_t i = 0; i < n; i++)
		p[i] ^= pad[i];
}

size_t aead_nonce_len(unsigned mode)
{
	return mode == EAX ? 16 : mode == OCB ? 15 : mode == GCM ? 12 : 0;
}

void aead_init(struct aead *a, unsigned mode, const uint8_t *key, size_t key_len)
{
	unsigned bits = (unsigned)key_len * 8;

	a->mode = mode;
	mbedtls_aes_init(&a->enc);
	mbedtls_aes_init(&a->dec);
	mbedtls_gcm_init(&a->gcm);
	if (mode == GCM) {
		(void)mbedtls_gcm_setkey(&a->gcm, MBEDTLS_CIPHER_ID_AES, key, bits);
		return;
	}
	(void)mbedtls_aes_setkey_enc(&a->enc, key, bits);
	(void)mbedtls_aes_setkey_dec(&a->dec, key, bits);
	memset(a->l[ZERO], 0, AES_BLOCK);
	encrypt(&a->enc, a->l[ZERO], a->l[ZERO]);
	for (size_t i = 1; i < sizeof(a->l) / sizeof(*a->l); i++)
		twice(a->l[i], a->l[i - 1]);
}

void aead_free(struct aead *a)
{
	mbedtls_aes_free(&a->enc);
	mbedtls_aes_free(&a->dec);
	mbedtls_gcm_free(&a->gcm);
}

/* ---- EAX: a MAC of nonce, header and cipher text, each with a number of its own; the first is where counting starts ---- */

static void mac_add(struct aead *a, const uint8_t *p, size_t n)
{
	for (; n; n--) {
		if (a->n_sum == AES_BLOCK) {
			encrypt(&a->enc, a->sum, a->sum);
			a->n_sum = 0;
		}
		a->sum[a->n_sum++] ^= *p++;
	}
}

static void mac_start(struct aead *a, uint8_t number)
{
	memset(a->sum, 0, AES_BLOCK);
	a->sum[AES_BLOCK - 1] = number;
	a->n_sum = AES_BLOCK;
}

static void mac_end(struct aead *a, uint8_t *out)
{
	if (a->n_sum < AES_BLOCK)
		a->sum[a->n_sum] ^= 0x80;
	mix(a->sum, a->sum, a->l[a->n_sum < AES_BLOCK ? FOUR_TIMES : TWICE]);
	encrypt(&a->enc, a->sum, out);
}

static void eax_start(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len)
{
	mac_start(a, 0);
	mac_add(a, nonce, AES_BLOCK);
	mac_end(a, a->offset);
	mac_start(a, 1);
	mac_add(a, ad, ad_len);
	mac_end(a, a->ad);
	mix(a->ad, a->ad, a->offset);
	mac_start(a, 2);
}

static void eax_decrypt(struct aead *a, uint8_t *p, size_t n)
{
	uint8_t pad[AES_BLOCK];

	while (n) {
		size_t len = n < AES_BLOCK ? n : AES_BLOCK;
		mac_add(a, p, len);
		encrypt(&a->enc, a->offset, pad);
		for (size_t i = 0; i < len; i++)
			p[i] ^= pad[i];
		for (unsigned i = AES_BLOCK; i-- && !++a->offset[i];)
			;
		p += len;
		n -= len;
	}
}

/* ---- OCB ---- */

static void next_offset(struct aead *a)
{
	mix(a->offset, a->offset, a->l[FOUR_TIMES + __builtin_ctzll(++a->n)]);
}

/* what is less than a block gets a bit behind it */
static void pad_block(uint8_t *block, const uint8_t *p, size_t n)
{
	memset(block, 0, AES_BLOCK);
	memcpy(block, p, n);
	block[n] = 0x80;
}

static void ocb_header(struct aead *a, const uint8_t *p, size_t n)
{
	uint8_t block[AES_BLOCK];

	memset(a->offset, 0, AES_BLOCK);
	memset(a->ad, 0, AES_BLOCK);
	for (a->n = 0; n >= AES_BLOCK; n -= AES_BLOCK, p += AES_BLOCK) {
		next_offset(a);
		mix(block, p, a->offset);
		encrypt(&a->enc, block, block);
		mix(a->ad, a->ad, block);
	}
	if (!n)
		return;
	mix(a->offset, a->offset, a->l[ZERO]);
	pad_block(block, p, n);
	mix(block, block, a->offset);
	encrypt(&a->enc, block, block);
	mix(a->ad, a->ad, block);
}

static void ocb_start(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len)
{
	uint8_t top[AES_BLOCK + 8] = { 1 };

	ocb_header(a, ad, ad_len);
	memcpy(top + 1, nonce, AES_BLOCK - 1);
	unsigned bottom = top[AES_BLOCK - 1] & 63, bytes = bottom / 8, bits = bottom % 8;
	top[AES_BLOCK - 1] &= 0xc0;
	encrypt(&a->enc, top, top);
	for (unsigned i = 0; i < 8; i++)
		top[AES_BLOCK + i] = top[i] ^ top[i + 1];
	for (unsigned i = 0; i < AES_BLOCK; i++)
		a->offset[i] = (uint8_t)(top[bytes + i] << bits | top[bytes + i + 1] >> (8 - bits));
	memset(a->sum, 0, AES_BLOCK);
	a->n = 0;
}

static void ocb_decrypt(struct aead *a, uint8_t *p, size_t n)
{
	uint8_t block[AES_BLOCK];

	for (; n >= AES_BLOCK; n -= AES_BLOCK, p += AES_BLOCK) {
		next_offset(a);
		mix(block, p, a->offset);
		(void)mbedtls_aes_crypt_ecb(&a->dec, MBEDTLS_AES_DECRYPT, block, block);
		mix(p, block, a->offset);
		mix(a->sum, a->sum, p);
	}
	if (!n)
		return;
	mix(a->offset, a->offset, a->l[ZERO]);
	encrypt(&a->enc, a->offset, block);
	for (size_t i = 0; i < n; i++)
		p[i] ^= block[i];
	pad_block(block, p, n);
	mix(a->sum, a->sum, block);
}

/* ---- one of the three; mbedTLS 3 has other parameters than 2 ---- */

static void gcm_start(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len)
{
#if MBEDTLS_VERSION_MAJOR < 3
	(void)mbedtls_gcm_starts(&a->gcm, MBEDTLS_GCM_DECRYPT, nonce, aead_nonce_len(GCM), ad, ad_len);
#else
	(void)mbedtls_gcm_starts(&a->gcm, MBEDTLS_GCM_DECRYPT, nonce, aead_nonce_len(GCM));
	(void)mbedtls_gcm_update_ad(&a->gcm, ad, ad_len);
#endif
}

static void gcm_decrypt(struct aead *a, uint8_t *p, size_t n)
{
#if MBEDTLS_VERSION_MAJOR < 3
	(void)mbedtls_gcm_update(&a->gcm, n, p, p);
#else
	(void)mbedtls_gcm_update(&a->gcm, p, n, p, n, &n);
#endif
}

static void gcm_end(struct aead *a, uint8_t *tag)
{
#if MBEDTLS_VERSION_MAJOR < 3
	(void)mbedtls_gcm_finish(&a->gcm, tag, AES_BLOCK);
#else
	size_t none;
	(void)mbedtls_gcm_finish(&a->gcm, NULL, 0, &none, tag, AES_BLOCK);
#endif
}

void aead_start(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len)
{
	(a->mode == EAX ? eax_start : a->mode == OCB ? ocb_start : gcm_start)(a, nonce, ad, ad_len);
}

void aead_decrypt(struct aead *a, uint8_t *p, size_t n)
{
	(a->mode == EAX ? eax_decrypt : a->mode == OCB ? ocb_decrypt : gcm_decrypt)(a, p, n);
}

bool aead_end(struct aead *a, const uint8_t tag[AES_BLOCK])
{
	uint8_t is[AES_BLOCK] = { 0 };
	unsigned differ = 0;

	if (a->mode == GCM) {
		gcm_end(a, is);
	} else if (a->mode == EAX) {
		mac_end(a, is);
		mix(is, is, a->ad);
	} else {
		mix(is, a->sum, a->offset);
		mix(is, is, a->l[TWICE]);
		encrypt(&a->enc, is, is);
		mix(is, is, a->ad);
	}
	for (unsigned i = 0; i < AES_BLOCK; i++)
		differ |= is[i] ^ tag[i];
	return !differ;
}
