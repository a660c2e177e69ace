/* SPDX-License-Identifier: Apache-2.0
 * cert - see cert.h
 *
 * A revocation is believed more easily than anything else: neither SHA-1, nor what it insists on, nor a date takes
 * from its force, since the mistake that costs nothing is to refuse.
 */
#include "core/trust/cert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/trust/packet.h"
#include "core/trust/pubkey.h"
#include "core/trust/signature.h"

#define CERT_MAX  (1u << 20)
#define PARTS_MAX 512u
#define SIGS_MAX  512u
#define ID_MAX    4096u

struct part {
	unsigned       tag; /* PACKET_PUBLIC_KEY, _SUBKEY, _USER_ID, _ATTRIBUTE; 0: a subkey that we do not take */
	const uint8_t *body;
	size_t         len;
	struct pubkey  key;
};

struct own { /* a signature of the primary key, if it is what it says */
	size_t           part;
	struct signature sig;
};

struct cert {
	uint8_t     *data;
	struct part *parts; /* the first one is the primary key */
	struct own  *own;
	size_t       n_parts, n_own;
};

/* ---- parsing ---- */

/* room for one more in an array that doubles */
static void *more(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);
}

static int add_part(struct cert *c, const struct packet *pk, struct err *e)
{
	struct part p = { .tag = pk->tag, .body = pk->body, .len = pk->len };
	bool is_key = pk->tag == PACKET_PUBLIC_KEY || pk->tag == PACKET_PUBLIC_SUBKEY;

	if (c->n_parts == PARTS_MAX)
		return err_set(e, EINVAL, "OpenPGP key with more than %u subkeys and user ids", PARTS_MAX);
	if (pk->tag == PACKET_USER_ID && pk->len > ID_MAX)
		return err_set(e, EINVAL, "OpenPGP key with a user id of %zu bytes, where %u are the most", pk->len, ID_MAX);
	struct part *v = more(c->parts, c->n_parts, sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	c->parts = v;
	if (is_key && pubkey_read(pk, &p.key, e) < 0) {
		if (!c->n_parts || e->code != ENOTSUP)
			return -1;
		p.tag = 0;
	} else if (is_key && c->n_parts && p.key.version != v[0].key.version) {
		p.tag = 0;
	}
	v[c->n_parts++] = p;
	return 0;
}

static int add_signature(struct cert *c, const struct packet *pk, struct err *e)
{
	struct own o = { .part = c->n_parts - 1 };
	struct err why;

	/* anybody can hang a signature on a key: what cannot be read is not the key's fault */
	if (signature_read(pk->body, pk->len, &o.sig, &why) < 0 || !signature_digest(&o.sig) ||
	    (*o.sig.issuer && !pubkey_is(&c->parts[0].key, o.sig.issuer)))
		return 0;
	if (c->n_own == SIGS_MAX)
		return err_set(e, EINVAL, "OpenPGP key with more than %u signatures of its own", SIGS_MAX);
	struct own *v = more(c->own, c->n_own, sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	if (o.sig.type == SIG_DIRECT || o.sig.type == SIG_REVOKE_KEY)
		o.part = 0; /* wherever they stand */
	c->own = v;
	v[c->n_own++] = o;
	return 0;
}

static int add_packet(struct cert *c, const struct packet *pk, struct err *e)
{
	switch (pk->tag) {
	case PACKET_SECRET_KEY:
	case PACKET_SECRET_SUBKEY:
		return err_set(e, EPERM, "this is a secret key; only public keys belong in a keystore");
	case PACKET_MARKER:
	case PACKET_TRUST:
	case PACKET_PADDING:
		return 0;
	case PACKET_PUBLIC_KEY:
		return c->n_parts ? err_set(e, EINVAL, "more than one OpenPGP key") : add_part(c, pk, e);
	case PACKET_PUBLIC_SUBKEY:
	case PACKET_USER_ID:
	case PACKET_ATTRIBUTE:
	case PACKET_SIGNATURE:
		if (!c->n_parts)
			return err_set(e, EINVAL, "does not begin with a public key");
		return pk->tag == PACKET_SIGNATURE ? add_signature(c, pk, e) : add_part(c, pk, e);
	default:
		return pk->tag >= PACKET_OPTIONAL ? 0 : err_set(e, EINVAL, "OpenPGP packet of type %u in a key", pk->tag);
	}
}

static int parse(struct cert *c, size_t len, struct err *e)
{
	const uint8_t *p = c->data;
	struct packet pk;
	int r;

	while ((r = packet_next(&p, &len, &pk, e)) > 0)
		if (add_packet(c, &pk, e) < 0)
			return -1;
	return r == 0 && !c->n_parts ? err_set(e, EINVAL, "no OpenPGP key") : r;
}

struct cert *cert_parse(const uint8_t *data, size_t len, struct err *e)
{
	struct cert *c = len <= CERT_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (len > CERT_MAX) {
		(void)err_set(e, EINVAL, "OpenPGP key of %zu bytes, where %u are the most", len, CERT_MAX);
		return NULL;
	}
	if (!c || !(c->data = malloc(len + 1))) {
		free(c);
		(void)err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(c->data, data, len);
	if (parse(c, len, e) == 0)
		return c;
	cert_free(c);
	return NULL;
}

void cert_free(struct cert *c)
{
	if (!c)
		return;
	free(c->data);
	free(c->parts);
	free(c->own);
	free(c);
}

/* ---- its keys ---- */

/* the part that the @i-th key is; 0, the primary, when there are not so many */
static size_t part_of(const struct cert *c, size_t i)
{
	for (size_t n = 1; i && n < c->n_parts; n++)
		if (c->parts[n].tag == PACKET_PUBLIC_SUBKEY && !--i)
			return n;
	return 0;
}

const struct pubkey *cert_key(const struct cert *c, size_t i)
{
	size_t n = part_of(c, i);

	return i && !n ? NULL : &c->parts[n].key;
}

const char *cert_fingerprint(const struct cert *c)
{
	return c->parts[0].key.fingerprint;
}

bool cert_has(const struct cert *c, const char *issuer)
{
	const struct pubkey *k;

	for (size_t i = 0; (k = cert_key(c, i)); i++)
		if (pubkey_is(k, issuer))
			return true;
	return false;
}

/* ---- what it says of itself ---- */

/* RFC 9580, 5.2.4: a signature of @key over the primary key and a part of it */
static int made_over(const struct cert *c, const struct signature *s, size_t part, const struct pubkey *key, struct err *e)
{
	const struct part *p = &c->parts[part];
	const uint8_t size[] = { p->tag == PACKET_USER_ID ? 0xb4 : 0xd1, (uint8_t)(p->len >> 24), (uint8_t)(p->len >> 16),
				 (uint8_t)(p->len >> 8), (uint8_t)p->len };
	struct sha h;

	signature_start(s, &h);
	pubkey_feed(&c->parts[0].key, &h);
	if (p->tag == PACKET_PUBLIC_SUBKEY) {
		pubkey_feed(&p->key, &h);
	} else if (p->tag != PACKET_PUBLIC_KEY) {
		sha_feed(&h, size, sizeof(size));
		sha_feed(&h, p->body, p->len);
	}
	return signature_made_by(s, h, key, e);
}

static bool is_kind(const struct signature *s, unsigned type)
{
	return type == SIG_CERTIFICATION ? (s->type & ~3u) == type : s->type == type;
}

/* The newest valid one of that type over the part; NULL and why the last one that was looked at is not, if any was */
static const struct signature *newest(const struct cert *c, size_t part, unsigned type, int64_t now_s, struct err *why)
{
	const struct signature *best = NULL;

	for (size_t i = 0; i < c->n_own; i++) {
		const struct signature *s = &c->own[i].sig;
		if (c->own[i].part == part && is_kind(s, type) && (!best || s->created >= best->created) &&
		    signature_sound(s, why) == 0 && signature_fresh(s, now_s, why) == 0 &&
		    made_over(c, s, part, &c->parts[0].key, why) == 0)
			best = s;
	}
	return best;
}

static bool is_soft(const struct signature *revocation)
{
	return revocation->reason == 1 || revocation->reason == 3; /* superseded; retired */
}

/* a key's: for good, unless it was given up in good order, and then what it signed before stays; an id's: until it is
 * certified again */
static bool counts(const struct signature *revocation, uint32_t created)
{
	if (revocation->type == SIG_REVOKE_ID)
		return revocation->created >= created;
	return !is_soft(revocation) || revocation->created <= created;
}

/* The revocation of a part that counts against what was made at @created; NULL: there is none */
static const struct signature *revocation(const struct cert *c, size_t part, unsigned type, uint32_t created)
{
	struct err e;

	for (size_t i = 0; i < c->n_own; i++) {
		const struct signature *s = &c->own[i].sig;
		if (c->own[i].part == part && s->type == type && s->has_created && counts(s, created) &&
		    made_over(c, s, part, &c->parts[0].key, &e) == 0)
			return s;
	}
	return NULL;
}

static int check_revoked(const struct cert *c, size_t part, unsigned type, uint32_t created, struct err *e)
{
	static const char reasons[][16] = { "no reason given", "superseded", "compromised", "retired" };
	const struct signature *r = revocation(c, part, type, created);
	char date[DATE_LEN];

	return !r ? 0 : err_set(e, EKEYREVOKED, "revoked on %s (%s)", date_text(r->created, date),
				reasons[r->reason < 4 ? r->reason : 0]);
}

static int check_expired(const struct pubkey *k, const struct signature *s, int64_t now_s, struct err *e)
{
	int64_t end = (int64_t)k->created + s->key_lasts;
	char date[DATE_LEN];

	return !s->key_lasts || end > now_s ? 0 : err_set(e, EKEYEXPIRED, "expired on %s", date_text(end, date));
}

/* of the user ids that are not revoked, the primary one, or else the one certified last */
static const struct signature *best_id(const struct cert *c, int64_t now_s, struct err *why)
{
	const struct signature *best = NULL;

	for (size_t i = 1; i < c->n_parts; i++) {
		if (c->parts[i].tag != PACKET_USER_ID)
			continue;
		const struct signature *s = newest(c, i, SIG_CERTIFICATION, now_s, why);
		if (s && revocation(c, i, SIG_REVOKE_ID, s->created)) {
			(void)err_set(why, EKEYREVOKED, "its user id is revoked");
			continue;
		}
		if (s && (!best || s->is_primary > best->is_primary ||
			  (s->is_primary == best->is_primary && s->created > best->created)))
			best = s;
	}
	return best;
}

/*
 * The signature that says what the primary key is good for, and how long. A version 6 key has it over itself; an
 * older one over itself or a user id, and the newer one counts, if it speaks of that.
 */
static const struct signature *standing(const struct cert *c, int64_t now_s, struct err *e)
{
	struct err why = { .msg = "there is none" };
	const struct signature *direct = newest(c, 0, SIG_DIRECT, now_s, &why);
	const struct signature *id = c->parts[0].key.version == 4 ? best_id(c, now_s, &why) : NULL;

	if (!direct && !id)
		(void)err_set(e, EKEYREJECTED, "no valid signature of the key over itself: %s", why.msg);
	if (direct && id)
		return (direct->has_flags || direct->key_lasts) && direct->created > id->created ? direct : id;
	return direct ? direct : id;
}

/* RFC 9580, 5.2.1.9: a subkey that signs consents to belong to the primary, else anybody could adopt it */
static int check_consent(const struct cert *c, size_t part, const struct signature *binding, int64_t now_s, struct err *e)
{
	struct signature back;

	if (!binding->embedded)
		return err_set(e, EKEYREJECTED, "subkey without a signature of its own that binds it to the primary key");
	if (signature_read(binding->embedded, binding->embedded_len, &back, e) < 0 || signature_sound(&back, e) < 0 ||
	    signature_fresh(&back, now_s, e) < 0 || made_over(c, &back, part, &c->parts[part].key, e) < 0 ||
	    back.type != SIG_PRIMARY) {
		struct err why = *e;
		return err_set(e, EKEYREJECTED, "subkey that is not bound to the primary key by itself: %s",
			       back.type == SIG_PRIMARY ? why.msg : "wrong type of signature");
	}
	return 0;
}

static int check_subkey(const struct cert *c, size_t part, uint32_t created, int64_t now_s, const struct signature **binding,
			struct err *e)
{
	struct err why = { .msg = "there is none" };
	const struct signature *s = newest(c, part, SIG_SUBKEY, now_s, &why);

	if (!s)
		return err_set(e, EKEYREJECTED, "subkey that is not bound to the primary key: %s", why.msg);
	if (check_revoked(c, part, SIG_REVOKE_SUBKEY, created, e) < 0 ||
	    check_expired(&c->parts[part].key, s, now_s, e) < 0 || check_consent(c, part, s, now_s, e) < 0)
		return -1;
	*binding = s;
	return 0;
}

static int may_sign(const struct cert *c, size_t part, const struct signature *s, int64_t now_s, struct err *e)
{
	const struct pubkey *primary = &c->parts[0].key;
	const struct signature *says = NULL;

	if (check_revoked(c, 0, SIG_REVOKE_KEY, s->created, e) < 0 || !(says = standing(c, now_s, e)) ||
	    check_expired(primary, says, now_s, e) < 0)
		return err_wrap(e, "key %s", primary->fingerprint);
	if (part && check_subkey(c, part, s->created, now_s, &says, e) < 0)
		return err_wrap(e, "key %s of %s", c->parts[part].key.fingerprint, primary->fingerprint);
	if (s->created < c->parts[part].key.created)
		return err_set(e, EKEYREJECTED, "signature older than its key %s", c->parts[part].key.fingerprint);
	if (says->has_flags && !(says->flags & KEY_FLAG_SIGN))
		return err_set(e, EKEYREJECTED, "key %s is not for signing", c->parts[part].key.fingerprint);
	return 0;
}

int cert_may_sign(const struct cert *c, size_t i, const struct signature *s, int64_t now_s, struct err *e)
{
	return may_sign(c, part_of(c, i), s, now_s, e);
}

static int64_t end_of(const struct pubkey *k, const struct signature *s)
{
	return s && s->key_lasts ? (int64_t)k->created + s->key_lasts : 0;
}

int64_t cert_expires(const struct cert *c, size_t i, int64_t now_s)
{
	size_t part = part_of(c, i);
	struct err why;
	int64_t all = end_of(&c->parts[0].key, standing(c, now_s, &why));
	int64_t own = part ? end_of(&c->parts[part].key, newest(c, part, SIG_SUBKEY, now_s, &why)) : 0;

	return own && (!all || own < all) ? own : all;
}
