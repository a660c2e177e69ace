/* SPDX-License-Identifier: Apache-2.0
 * signature - see signature.h
 */
#include "core/trust/signature.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/hash.h"

#define CLOCK_SKEW_S 300 /* clocks differ: from here on a signature is from the future */

enum subpacket {
	SUB_CREATED = 2, SUB_EXPIRES = 3, SUB_KEY_EXPIRES = 9, SUB_ISSUER = 16, SUB_NOTATION = 20, SUB_PRIMARY = 25,
	SUB_FLAGS = 27, SUB_REASON = 29, SUB_EMBEDDED = 32, SUB_ISSUER_FPR = 33
};

/*
 * Subpackets that say nothing against a signature that is verified as we do: those above, and exportable, revocable,
 * preferences, revocation key, policy, signer's user id, features. Not among them: trust, regular expression, target,
 * intended recipient.
 */
#define BIT(n) (1ull << (n))
static const uint64_t known = BIT(2) | BIT(3) | BIT(4) | BIT(7) | BIT(9) | BIT(11) | BIT(12) | BIT(16) | BIT(20) | BIT(21) |
			      BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(30) |
			      BIT(32) | BIT(33) | BIT(34) | BIT(39);

const char *date_text(int64_t time_s, char out[DATE_LEN])
{
	struct tm tm;
	time_t t = (time_t)time_s;

	if (!gmtime_r(&t, &tm) || !strftime(out, DATE_LEN, "%Y-%m-%d", &tm))
		return "?";
	return out;
}

/* ---- reading ---- */

static const char *key_id(const char *issuer)
{
	return strlen(issuer) == 40 ? issuer + 40 - KEY_ID_LEN : issuer;
}

/* A fingerprint says more than a key id; that they speak of different keys is noticed wherever they stand. */
static void note_issuer(struct signature *s, const uint8_t *p, size_t len)
{
	char hex[FINGERPRINT_MAX + 1];

	hash_hex(p, len, hex);
	if (*s->issuer && strncmp(key_id(s->issuer), key_id(hex), KEY_ID_LEN) != 0)
		s->issuers_differ = true;
	if (strlen(hex) > strlen(s->issuer))
		memcpy(s->issuer, hex, sizeof(hex));
}

static void note_notation(struct signature *s, struct reader r)
{
	read_number(&r, 4);
	s->notation_len = read_number(&r, 2);
	read_number(&r, 2);
	s->notation = read_bytes(&r, s->notation_len);
	s->has_notation = true;
}

/* what may stand in either area */
static void subpacket_any(struct signature *s, unsigned type, struct reader *r)
{
	if (type == SUB_ISSUER && r->left == 8) {
		note_issuer(s, r->p, 8);
	} else if (type == SUB_ISSUER_FPR && (r->left == 21 || r->left == 33)) {
		if (r->p[0] != s->version || r->left != (s->version == 4 ? 21u : 33u))
			s->issuers_differ = true;
		note_issuer(s, r->p + 1, r->left - 1);
	} else if (type == SUB_EMBEDDED) {
		s->embedded = r->p;
		s->embedded_len = r->left;
	}
}

static void subpacket_hashed(struct signature *s, unsigned type, bool critical, struct reader *r)
{
	if (critical && (type >= 64 || !(known & BIT(type))))
		s->critical = (uint8_t)type;
	switch (type) {
	case SUB_CREATED:
		s->created = read_number(r, 4);
		s->has_created = true;
		break;
	case SUB_EXPIRES:
		s->lasts = read_number(r, 4);
		break;
	case SUB_KEY_EXPIRES:
		s->key_lasts = read_number(r, 4);
		break;
	case SUB_NOTATION:
		if (critical)
			note_notation(s, *r);
		break;
	case SUB_PRIMARY:
		s->is_primary = read_number(r, 1);
		break;
	case SUB_FLAGS:
		s->flags = r->left ? *r->p : 0;
		s->has_flags = true;
		break;
	case SUB_REASON:
		s->reason = (uint8_t)read_number(r, 1);
		break;
	default:
		break;
	}
}

/* RFC 9580, 5.2.3.7 */
static bool read_subpackets(struct signature *s, struct reader area, bool hashed)
{
	while (area.left && !area.failed) {
		size_t len = read_number(&area, 1);
		if (len == 255)
			len = read_number(&area, 4);
		else if (len >= 192)
			len = (len - 192) * 256 + read_number(&area, 1) + 192;
		struct reader r = { read_bytes(&area, len), len, false };
		if (!r.p)
			return false;
		uint32_t type = read_number(&r, 1);
		subpacket_any(s, type & 0x7f, &r);
		if (hashed)
			subpacket_hashed(s, type & 0x7f, type & 0x80, &r);
		if (r.failed)
			return false;
	}
	return !area.failed;
}

static struct reader read_area(struct reader *r, size_t count)
{
	size_t len = read_number(r, count);

	return (struct reader){ read_bytes(r, len), len, false };
}

/* RFC 9580, 5.2.2: so much is known of version 3 that it can be told whose it is */
static void read_v3(struct signature *s, struct reader *r)
{
	read_number(r, 1);
	s->type = (uint8_t)read_number(r, 1);
	s->created = read_number(r, 4);
	s->has_created = true;
	const uint8_t *id = read_bytes(r, 8);
	if (id)
		note_issuer(s, id, 8);
}

static int read_v4(struct signature *s, struct reader *r, const uint8_t *body, struct err *e)
{
	size_t count = s->version == 6 ? 4 : 2;

	s->type = (uint8_t)read_number(r, 1);
	s->algorithm = (uint8_t)read_number(r, 1);
	s->digest = (uint8_t)read_number(r, 1);
	struct reader hashed = read_area(r, count);
	s->hashed = body;
	s->hashed_len = r->failed ? 0 : (size_t)(r->p - body);
	struct reader unhashed = read_area(r, count);
	const uint8_t *left = read_bytes(r, sizeof(s->left));
	if (s->version == 6) {
		struct reader salt = read_area(r, 1);
		s->salt = salt.p;
		s->salt_len = salt.left;
	}
	if (r->failed || !read_subpackets(s, hashed, true) || !read_subpackets(s, unhashed, false))
		return err_set(e, EINVAL, "malformed OpenPGP signature");
	memcpy(s->left, left, sizeof(s->left));
	s->numbers = *r;
	return 0;
}

int signature_read(const uint8_t *body, size_t len, struct signature *s, struct err *e)
{
	struct reader r = { body, len, false };

	*s = (struct signature){ .version = (uint8_t)read_number(&r, 1) };
	if (s->version == 4 || s->version == 6)
		return read_v4(s, &r, body, e);
	if (s->version == 2 || s->version == 3)
		read_v3(s, &r);
	return r.failed ? err_set(e, EINVAL, "malformed OpenPGP signature") : 0;
}

/* ---- judging ---- */

const struct digest_kind *signature_digest(const struct signature *s)
{
	const struct digest_kind *d = digest_kind(s->digest);

	return (s->version == 4 || s->version == 6) && d && (s->version == 4 || s->salt_len == d->salt) ? d : NULL;
}

static int insists(const struct signature *s, struct err *e)
{
	auto_buf struct buf name = { 0 };

	if (s->critical)
		return err_set(e, EKEYREJECTED, "signature with a critical subpacket of type %u, which is not known here",
			       s->critical);
	if (s->notation)
		buf_clean(&name, (const char *)s->notation, s->notation_len);
	return err_set(e, EKEYREJECTED, "signature with a critical notation, which is not known here: %.200s",
		       name.data ? name.data : "");
}

int signature_sound(const struct signature *s, struct err *e)
{
	const struct digest_kind *d = digest_kind(s->digest);
	const char *name = digest_name(s->digest);

	if (s->version != 4 && s->version != 6)
		return err_set(e, ENOTSUP, "signature of version %u; only 4 and 6 are secure", s->version);
	if (!d && !*name)
		return err_set(e, ENOTSUP, "signature over a digest that is not known here (%u)", s->digest);
	if (!d || d->weak)
		return err_set(e, EKEYREJECTED, "signature over %s, which is too weak; SHA-2 and SHA-3 are taken", name);
	if (!signature_digest(s))
		return err_set(e, EKEYREJECTED, "signature with %zu bytes of salt; %s needs %u", s->salt_len, name, d->salt);
	if (s->issuers_differ)
		return err_set(e, EKEYREJECTED, "signature that contradicts itself about its key");
	if (!s->has_created)
		return err_set(e, EKEYREJECTED, "signature that does not say when it was made");
	return s->critical || s->has_notation ? insists(s, e) : 0;
}

int signature_fresh(const struct signature *s, int64_t now_s, struct err *e)
{
	char date[DATE_LEN];

	if (s->created > now_s + CLOCK_SKEW_S)
		return err_set(e, EKEYREJECTED, "signature from the future (%s); is the clock right?", date_text(s->created, date));
	if (s->lasts && (int64_t)s->created + s->lasts <= now_s)
		return err_set(e, EKEYEXPIRED, "signature expired on %s", date_text((int64_t)s->created + s->lasts, date));
	return 0;
}

/* ---- verification ---- */

void signature_start(const struct signature *s, struct sha *h)
{
	sha_start(h, signature_digest(s)->sha);
	sha_feed(h, s->salt, s->salt_len);
}

/* RFC 9580, 5.2.4 */
int signature_made_by(const struct signature *s, struct sha h, const struct pubkey *k, struct err *e)
{
	const uint8_t end[] = { s->version, 0xff, (uint8_t)(s->hashed_len >> 24), (uint8_t)(s->hashed_len >> 16),
				(uint8_t)(s->hashed_len >> 8), (uint8_t)s->hashed_len };
	uint8_t digest[SHA_LEN_MAX];

	sha_feed(&h, s->hashed, s->hashed_len);
	sha_feed(&h, end, sizeof(end));
	sha_final(&h, digest);
	if (s->version != k->version || s->algorithm != k->algorithm)
		return err_set(e, EKEYREJECTED, "signature of another version or algorithm than the key's");
	if (memcmp(digest, s->left, sizeof(s->left)) != 0)
		return err_set(e, EBADMSG, "the signature does not match");
	return pubkey_verify(k, signature_digest(s), digest, s->numbers, e);
}
