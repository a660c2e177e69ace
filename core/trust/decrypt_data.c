/* SPDX-License-Identifier: Apache-2.0
 * decrypt_data - encrypted data that proves its integrity at its end, block by block
 *
 * What ends the data, an MDC or two tags, is only known to be that when the packet ends: so as many bytes always stay
 * behind. With AEAD each chunk has a tag of its own, and the last tag is about how many bytes there were.
 */
#include <errno.h>
#include <string.h>

#include <mbedtls/platform_util.h>

#include "core/trust/decrypt_parts.h"

#define MDC      22u              /* a packet header of two bytes, and SHA-1 */
#define PREFIX   (AES_BLOCK + 2u) /* random bytes, and the last two of them again */
#define FEW      4096u            /* more than that left: not worth moving them for more */
#define CHUNK_MAX 56u             /* LibrePGP's bound; RFC 9580 has 16 */

static int damaged(const struct unseal *u, struct err *e)
{
	return err_set(e, EBADMSG, u->unproven ? "the passphrase does not fit, or the message is damaged" :
		       "the message is damaged: its integrity protection says so");
}

/* @hold bytes are there, and unless that is the end some more; the number of all */
static int fill(struct unseal *u, size_t hold, struct err *e)
{
	if (!u->ended && u->len < hold + FEW) {
		memmove(u->buf, u->buf + u->at, u->len);
		u->at = 0;
		size_t room = sizeof(u->buf) - u->len;
		ssize_t n = packet_some(u->body, u->buf + u->len, room, e);
		if (n < 0)
			return -1;
		u->ended = (size_t)n < room;
		u->len += (size_t)n;
	}
	return 0;
}

static uint8_t *use(struct unseal *u, size_t n)
{
	uint8_t *p = u->buf + u->at;

	u->at += n;
	u->len -= n;
	return p;
}

/* ---- CFB and MDC: RFC 9580, 5.13.1 ---- */

static int mdc_next(struct unseal *u, const uint8_t **p, size_t *len, struct err *e)
{
	uint8_t digest[20];

	if (fill(u, MDC, e) < 0)
		return -1;
	if (u->len < MDC + u->skip)
		return err_set(e, EBADMSG, "the message is cut off");
	size_t n = u->len - MDC;
	n = u->ended ? n : n / AES_BLOCK * AES_BLOCK;
	size_t hashed = u->ended ? n + 2 : n;
	uint8_t *q = use(u, n);
	cfb_decrypt(&u->aes, u->last, q, u->ended ? n + MDC : n);
	(void)mbedtls_md_update(&u->sha1, q, hashed);
	if (u->ended) {
		(void)mbedtls_md_finish(&u->sha1, digest);
		if (q[n] != 0xd3 || q[n + 1] != 0x14 || memcmp(q + hashed, digest, sizeof(digest)) != 0)
			return damaged(u, e);
		u->done = true;
	}
	*p = q + u->skip;
	*len = n - u->skip;
	u->skip = 0;
	return *len > 0;
}

/* whether the two bytes that stand there twice say that this is the key */
static bool mdc_fits(const struct session *s, const uint8_t *data)
{
	uint8_t last[AES_BLOCK] = { 0 }, copy[PREFIX];
	mbedtls_aes_context c;

	mbedtls_aes_init(&c);
	(void)mbedtls_aes_setkey_enc(&c, s->key, (unsigned)aes_key_len(s->cipher) * 8);
	memcpy(copy, data, PREFIX);
	cfb_decrypt(&c, last, copy, PREFIX);
	mbedtls_aes_free(&c);
	return !memcmp(copy + PREFIX - 4, copy + PREFIX - 2, 2);
}

static int mdc_init(struct unseal *u, struct err *e)
{
	const struct session *s = u->keys->v, *end = s + u->keys->n;

	if (fill(u, MDC, e) < 0)
		return -1;
	if (u->len < PREFIX + MDC)
		return err_set(e, EBADMSG, "the message is cut off");
	while (s < end && (s->version == 6 || !mdc_fits(s, u->buf)))
		s++;
	if (s == end)
		return keys_none(u->keys, e);
	(void)mbedtls_aes_setkey_enc(&u->aes, s->key, (unsigned)aes_key_len(s->cipher) * 8);
	if (mbedtls_md_setup(&u->sha1, mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), 0) || mbedtls_md_starts(&u->sha1))
		return err_set(e, ENOMEM, "out of memory");
	u->skip = PREFIX;
	return 0;
}

/* ---- AEAD: RFC 9580, 5.13.2; LibrePGP, 5.16 ---- */

static void put64(uint8_t *p, uint64_t n)
{
	for (unsigned i = 8; i--; n >>= 8)
		p[i] = (uint8_t)n;
}

/* @final: of the tag at the very end */
static void start_chunk(struct unseal *u, bool final)
{
	uint8_t nonce[AES_BLOCK], number[8];
	size_t n = 5;

	memcpy(nonce, u->nonce, sizeof(nonce));
	put64(number, u->index);
	for (unsigned i = 0; i < 8; i++)
		nonce[u->nonce_len - 8 + i] ^= number[i];
	if (u->libre) {
		put64(u->head + n, u->index);
		n += 8;
	}
	if (final) {
		put64(u->head + n, u->total);
		n += 8;
	}
	aead_start(&u->aead, nonce, u->head, n);
	u->chunk_left = u->chunk;
	u->started = true;
}

static int check_tag(struct unseal *u, struct err *e)
{
	if (!aead_end(&u->aead, use(u, AES_BLOCK)))
		return damaged(u, e);
	u->unproven = u->started = false;
	u->index++;
	return 0;
}

static int check_final(struct unseal *u, struct err *e)
{
	start_chunk(u, true);
	u->done = true;
	return check_tag(u, e);
}

static int aead_next(struct unseal *u, const uint8_t **p, size_t *len, struct err *e)
{
	if (fill(u, 2 * AES_BLOCK, e) < 0)
		return -1;
	if (u->len == AES_BLOCK && !u->started)
		return check_final(u, e);
	if (u->len < 2 * AES_BLOCK)
		return err_set(e, EBADMSG, "the message is cut off");
	if (!u->started)
		start_chunk(u, false);
	size_t n = u->len - 2 * AES_BLOCK;
	bool last = u->ended && n <= u->chunk_left;
	n = n > u->chunk_left ? (size_t)u->chunk_left : u->ended ? n : n / AES_BLOCK * AES_BLOCK;
	*p = use(u, n);
	*len = n;
	aead_decrypt(&u->aead, u->buf + u->at - n, n);
	u->total += n;
	u->chunk_left -= n;
	if ((last || !u->chunk_left) && check_tag(u, e) < 0)
		return -1;
	if (last && check_final(u, e) < 0)
		return -1;
	return n > 0;
}

static const struct session *aead_choose(const struct unseal *u, unsigned cipher)
{
	for (size_t i = 0; i < u->keys->n; i++)
		if (u->keys->v[i].cipher == cipher && (u->keys->v[i].version == 6) != u->libre)
			return &u->keys->v[i];
	return NULL;
}

/* its version has been read: cipher, mode, size of chunks, and a nonce or the salt that gives one */
static int aead_open(struct unseal *u, struct err *e)
{
	uint8_t salt[32], derived[32 + AES_BLOCK];

	if (packet_bytes(u->body, u->head + 2, 3, e) < 0)
		return -1;
	unsigned cipher = u->head[2], mode = u->head[3];
	size_t key_len = aes_key_len(cipher);
	u->nonce_len = aead_nonce_len(mode);
	if (!key_len || !u->nonce_len || u->head[4] > CHUNK_MAX)
		return err_set(e, ENOTSUP, "is encrypted with cipher %u in mode %u; AES (7 to 9) with EAX, OCB or GCM (1 to 3) "
			       "is read", cipher, mode);
	if (packet_bytes(u->body, salt, u->libre ? u->nonce_len : sizeof(salt), e) < 0)
		return -1;
	const struct session *s = aead_choose(u, cipher);
	if (!s)
		return keys_none(u->keys, e);
	if (u->libre) {
		memcpy(derived, s->key, key_len);
		memcpy(u->nonce, salt, u->nonce_len);
	} else {
		hkdf_key(salt, sizeof(salt), s->key, key_len, u->head, 5, derived, key_len + u->nonce_len - 8);
		memcpy(u->nonce, derived + key_len, u->nonce_len - 8);
	}
	aead_init(&u->aead, mode, derived, key_len);
	mbedtls_platform_zeroize(derived, sizeof(derived));
	u->chunk = 1ULL << (u->head[4] + 6);
	u->unproven = s->version == 4;
	return 0;
}

/* ---- either ---- */

static int unseal_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct unseal *u = (struct unseal *)base;

	if (u->done)
		return 0;
	return u->is_aead ? aead_next(u, p, len, e) : mdc_next(u, p, len, e);
}

static void not_ours(struct source *s)
{
	(void)s;
}

int unseal_init(struct unseal *u, struct packet *body, const struct keys *keys, struct err *e)
{
	u->body = body;
	u->keys = keys;
	u->libre = body->tag == TAG_AEAD;
	u->base = (struct source){ .next = unseal_next, .close = not_ours };
	mbedtls_md_init(&u->sha1);
	mbedtls_aes_init(&u->aes);
	u->head[0] = (uint8_t)(0xc0 | body->tag);
	if (packet_bytes(body, u->head + 1, 1, e) < 0)
		return -1;
	u->is_aead = u->libre || u->head[1] == 2;
	if (u->head[1] != (u->is_aead && !u->libre ? 2 : 1))
		return err_set(e, ENOTSUP, "its data is of version %u of packet %u", u->head[1], body->tag);
	return u->is_aead ? aead_open(u, e) : mdc_init(u, e);
}

void unseal_free(struct unseal *u)
{
	mbedtls_md_free(&u->sha1);
	mbedtls_aes_free(&u->aes);
	if (u->is_aead)
		aead_free(&u->aead);
}
