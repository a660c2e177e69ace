/* SPDX-License-Identifier: Apache-2.0
 * decrypt_key - from a passphrase to the keys that may be the one of the data
 *
 * A key of version 4 says nothing of whether it is right; those of version 5 and 6 have a tag.
 */
#include <errno.h>
#include <string.h>

#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include "core/trust/decrypt_parts.h"

#define SKESK_MAX 256u

size_t aes_key_len(unsigned cipher)
{
	return cipher >= 7 && cipher <= 9 ? 16 + 8 * (cipher - 7) : 0;
}

/* RFC 9580, 9.3; LibrePGP has the same */
const char *cipher_name(unsigned cipher)
{
	static const char *const names[] = { NULL, "IDEA", "3DES", "CAST5", "Blowfish", NULL, NULL, "AES-128", "AES-192",
		"AES-256", "Twofish", "Camellia-128", "Camellia-192", "Camellia-256" };

	return cipher < sizeof(names) / sizeof(*names) ? names[cipher] : NULL;
}

static int only_aes(unsigned cipher, struct err *e)
{
	const char *name = cipher_name(cipher);

	return aes_key_len(cipher) ? 0 : err_set(e, ENOTSUP, "is encrypted with %s, not with AES (gpg: --cipher-algo AES256)",
						 name ? name : "an unknown cipher");
}

/* HKDF (RFC 5869) with SHA-256 */
void hkdf_key(const uint8_t *salt, size_t salt_len, const uint8_t *key, size_t key_len, const uint8_t *info,
	      size_t info_len, uint8_t *out, size_t out_len)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	uint8_t secret[32], text[32 + 5 + 1], block[32];
	size_t had = 0; /* of the block before */

	(void)mbedtls_md_hmac(md, salt, salt_len, key, key_len, secret);
	for (uint8_t i = 1; out_len; i++) {
		memcpy(text + had, info, info_len);
		text[had + info_len] = i;
		(void)mbedtls_md_hmac(md, secret, sizeof(secret), text, had + info_len + 1, block);
		memcpy(text, block, had = sizeof(block));
		size_t n = out_len < sizeof(block) ? out_len : sizeof(block);
		memcpy(out, block, n);
		out += n;
		out_len -= n;
	}
	mbedtls_platform_zeroize(secret, sizeof(secret));
	mbedtls_platform_zeroize(text, sizeof(text));
	mbedtls_platform_zeroize(block, sizeof(block));
}

/* ---- string to key: RFC 9580, 3.7 ---- */

struct s2k {
	const mbedtls_md_info_t *md;
	const uint8_t           *salt;
	uint64_t                 count; /* bytes to be hashed for as much of a key as the digest is long */
};

static const mbedtls_md_info_t *s2k_hash(unsigned hash)
{
	static const uint8_t known[][2] = { { 2, MBEDTLS_MD_SHA1 }, { 8, MBEDTLS_MD_SHA256 }, { 9, MBEDTLS_MD_SHA384 },
		{ 10, MBEDTLS_MD_SHA512 }, { 11, MBEDTLS_MD_SHA224 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i][0] == hash)
			return mbedtls_md_info_from_type((mbedtls_md_type_t)known[i][1]);
	return NULL;
}

/* how long the specifier is; 0: it is not one that is read */
static size_t s2k_read(struct s2k *s, const uint8_t *p, size_t len, struct err *e)
{
	size_t n = len && p[0] == 3 ? 11 : 10;

	if (len && p[0] == 4)
		err_set(e, ENOTSUP, "the passphrase is hashed with Argon2, which is not read (gpg, sq and rnp do without)");
	else if (len && !p[0])
		err_set(e, ENOTSUP, "the passphrase is hashed without salt, which does not protect it (gpg: --s2k-mode 3)");
	else if (len < n || (p[0] != 1 && p[0] != 3))
		err_set(e, ENOTSUP, "the passphrase is hashed in an unknown way");
	else if (!(s->md = s2k_hash(p[1])))
		err_set(e, ENOTSUP, "the passphrase is hashed with algorithm %u; SHA-1 and SHA-2 are read", p[1]);
	else {
		s->salt = p + 2;
		s->count = p[0] == 1 ? 0 : (uint64_t)(16 + (p[10] & 15)) << ((p[10] >> 4) + 6);
		return n;
	}
	return 0;
}

/* one digest of salt and passphrase, again and again; @zeros before them tell the parts of a long key apart */
static int s2k_digest(const struct s2k *s, const struct keys *k, unsigned zeros, uint8_t *out)
{
	uint8_t text[8 * 1024 + 512];
	size_t unit = 8 + k->len, all = 0;
	mbedtls_md_context_t c;

	mbedtls_md_init(&c);
	int r = mbedtls_md_setup(&c, s->md, 0);
	r = r ? r : mbedtls_md_starts(&c);
	for (; zeros; zeros--)
		r = r ? r : mbedtls_md_update(&c, (const uint8_t *)"", 1);
	for (; all + unit <= sizeof(text); all += unit) {
		memcpy(text + all, s->salt, 8);
		memcpy(text + all + 8, k->passphrase, k->len);
	}
	for (uint64_t left = s->count > unit ? s->count : unit; left && !r;) {
		size_t n = left < all ? (size_t)left : all;
		r = mbedtls_md_update(&c, text, n);
		left -= n;
	}
	r = r ? r : mbedtls_md_finish(&c, out);
	mbedtls_md_free(&c);
	mbedtls_platform_zeroize(text, sizeof(text));
	return r;
}

static int s2k_run(const struct s2k *s, struct keys *k, uint8_t *key, size_t len, struct err *e)
{
	uint8_t digest[MBEDTLS_MD_MAX_SIZE];
	size_t each = mbedtls_md_get_size(s->md);
	uint64_t cost = (s->count + 8 + k->len) * ((len + each - 1) / each);
	int r = 0;

	if (cost > k->s2k_left)
		return err_set(e, ENOTSUP, "there are too many keys to try the passphrase on");
	k->s2k_left -= cost;
	for (size_t at = 0; at < len && !r; at += each) {
		r = s2k_digest(s, k, (unsigned)(at / each), digest);
		memcpy(key + at, digest, len - at < each ? len - at : each);
	}
	mbedtls_platform_zeroize(digest, sizeof(digest));
	return r ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* ---- encrypted session keys: RFC 9580, 5.3; LibrePGP, 5.3 for version 5 ---- */

/* the rest of a packet of version 4: nothing, or a cipher and its key */
static bool open_v4(struct keys *k, struct session *s, const uint8_t *kek, uint8_t *p, size_t len)
{
	uint8_t last[AES_BLOCK] = { 0 };
	mbedtls_aes_context c;

	if (!len)
		return true;
	mbedtls_aes_init(&c);
	(void)mbedtls_aes_setkey_enc(&c, kek, (unsigned)aes_key_len(s->cipher) * 8);
	cfb_decrypt(&c, last, p, len);
	mbedtls_aes_free(&c);
	s->cipher = p[0];
	if (!aes_key_len(p[0]) && cipher_name(p[0]))
		k->other = p[0]; /* or the passphrase is wrong */
	if (!aes_key_len(p[0]) || len != 1 + aes_key_len(p[0]))
		return false;
	memcpy(s->key, p + 1, len - 1);
	return true;
}

/* of version 5 and 6: nonce, key, tag */
static bool open_aead(struct session *s, unsigned mode, const uint8_t *kek, uint8_t *p, size_t len)
{
	size_t nonce_len = aead_nonce_len(mode), key_len = aes_key_len(s->cipher);
	const uint8_t head[] = { 0xc0 | TAG_SKESK, (uint8_t)s->version, (uint8_t)s->cipher, (uint8_t)mode };
	uint8_t derived[32];
	struct aead a;

	if (!nonce_len || len != nonce_len + key_len + AES_BLOCK)
		return false;
	memcpy(derived, kek, key_len);
	if (s->version == 6)
		hkdf_key(kek, 0, kek, key_len, head, sizeof(head), derived, key_len);
	aead_init(&a, mode, derived, key_len);
	aead_start(&a, p, head, sizeof(head));
	p += nonce_len;
	aead_decrypt(&a, p, key_len);
	bool good = aead_end(&a, p + key_len);
	aead_free(&a);
	mbedtls_platform_zeroize(derived, sizeof(derived));
	memcpy(s->key, p, key_len);
	return good;
}

/* 1: s may be it; 0: the passphrase is not for this one; -1: it cannot be tried */
static int try_key(struct keys *k, struct session *s, uint8_t *p, size_t len, struct err *e)
{
	/* version 6 has lengths of what follows, version 5 and 6 a mode */
	size_t at = p[0] == 4 ? 2 : p[0] == 5 ? 3 : 5;
	uint8_t kek[32];
	struct s2k s2k;

	if (p[0] < 4 || p[0] > 6 || len < at)
		return err_set(e, ENOTSUP, "its session key is of version %u; 4 to 6 are read", p[0]);
	s->version = p[0];
	s->cipher = p[s->version == 6 ? 2 : 1];
	unsigned mode = p[s->version == 6 ? 3 : 2];
	if (only_aes(s->cipher, e) < 0)
		return -1;
	size_t n = s2k_read(&s2k, p + at, len - at, e);
	if (!n || s2k_run(&s2k, k, kek, aes_key_len(s->cipher), e) < 0)
		return -1;
	if (s->version == 6 && (p[1] != 3 + n + aead_nonce_len(mode) || p[4] != n))
		return err_set(e, EBADMSG, "malformed: its session key has other lengths than it says");
	memcpy(s->key, kek, sizeof(kek));
	at += n;
	k->n_tried++;
	bool may_be = s->version == 4 ? open_v4(k, s, kek, p + at, len - at) : open_aead(s, mode, kek, p + at, len - at);
	mbedtls_platform_zeroize(kek, sizeof(kek));
	return may_be;
}

int keys_add(struct keys *k, struct packet *p, struct err *e)
{
	uint8_t body[SKESK_MAX] = { 0 };
	struct session s = { 0 };

	if (p->tag == TAG_PKESK) {
		k->n_public++;
		return packet_skip(p, e);
	}
	ssize_t n = packet_some(p, body, sizeof(body), e);
	if (n < 0)
		return -1;
	if (!n || n == sizeof(body))
		return err_set(e, EBADMSG, "malformed: a session key of %s bytes", n ? "too many" : "no");
	int r = try_key(k, &s, body, (size_t)n, &k->why);
	if (r > 0 && k->n < KEYS_MAX)
		k->v[k->n++] = s;
	mbedtls_platform_zeroize(&s, sizeof(s));
	mbedtls_platform_zeroize(body, sizeof(body));
	return r < 0 && k->why.code == ENOMEM ? err_set(e, ENOMEM, "out of memory") : 0;
}

int keys_none(const struct keys *k, struct err *e)
{
	if (k->n_tried)
		return err_set(e, EACCES, "the passphrase does not fit, or the file's first bytes are damaged%s%s%s",
			       k->other ? ", or the cipher is not AES but " : "", k->other ? cipher_name(k->other) : "",
			       k->n_public ? " (public keys that fit as well are not used here)" : "");
	if (k->why.code)
		return err_set(e, k->why.code, "%s", k->why.msg);
	return err_set(e, ENOTSUP, k->n_public ? "is encrypted with public keys only; images are encrypted with a "
		       "passphrase (gpg --symmetric)" : "has no key that a passphrase could give");
}
