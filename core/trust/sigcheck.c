/* SPDX-License-Identifier: Apache-2.0
 * sigcheck - see sigcheck.h
 */
#include "core/trust/sigcheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/trust/armor.h"
#include "core/trust/packet.h"
#include "core/trust/pubkey.h"
#include "core/trust/signature.h"

#define FILE_MAX       (1u << 20)
#define SIGNATURES_MAX 32u
#define DIGESTS_MAX    8u /* a version 6 signature has one to itself; each costs a pass over the file */

struct sigcheck {
	struct buf        data;
	size_t            n, n_digests;
	struct signature  sigs[SIGNATURES_MAX];
	size_t            digest_of[SIGNATURES_MAX]; /* DIGESTS_MAX: it needs none, because it does not count */
	struct sha        digests[DIGESTS_MAX];
};

/* ---- reading ---- */

static int need_digest(struct sigcheck *c, struct err *e)
{
	const struct signature *s = &c->sigs[c->n];
	struct err why;
	size_t i = 0;

	c->digest_of[c->n] = DIGESTS_MAX;
	if (signature_sound(s, &why) < 0 || s->type != SIG_BINARY)
		return 0;
	while (i < c->n_digests && (s->salt_len || c->digests[i].fed || c->digests[i].kind != signature_digest(s)->sha))
		i++;
	if (i == DIGESTS_MAX)
		return err_set(e, EINVAL, "signatures over more than %u different digests", DIGESTS_MAX);
	if (i == c->n_digests)
		signature_start(s, &c->digests[c->n_digests++]);
	c->digest_of[c->n] = i;
	return 0;
}

static int add_packet(struct sigcheck *c, const struct packet *pk, struct err *e)
{
	if (pk->tag >= PACKET_OPTIONAL || pk->tag == PACKET_MARKER || pk->tag == PACKET_PADDING)
		return 0;
	if (pk->tag != PACKET_SIGNATURE)
		return err_set(e, EINVAL, "not a detached signature, but %s (gpg --detach-sign makes one)",
			       pk->tag == PACKET_PUBLIC_KEY ? "a key" : "an OpenPGP message");
	if (c->n == SIGNATURES_MAX)
		return err_set(e, EINVAL, "more than %u signatures", SIGNATURES_MAX);
	if (signature_read(pk->body, pk->len, &c->sigs[c->n], e) < 0 || need_digest(c, e) < 0)
		return -1;
	c->n++;
	return 0;
}

static int read_packets(struct sigcheck *c, struct err *e)
{
	const uint8_t *p = (const uint8_t *)c->data.data;
	size_t len = c->data.len;
	struct packet pk;
	int r;

	while ((r = packet_next(&p, &len, &pk, e)) > 0)
		if (add_packet(c, &pk, e) < 0)
			return -1;
	return r == 0 && !c->n ? err_set(e, EINVAL, "no OpenPGP signature in it") : r;
}

static int read_file(struct sigcheck *c, const char *text, size_t len, struct err *e)
{
	const char *p = text;
	size_t left = len;
	int r;

	if (len > FILE_MAX)
		return err_set(e, EINVAL, "signature file of %zu bytes, where %u are the most", len, FILE_MAX);
	while ((r = armor_decode(&p, &left, "SIGNATURE", &c->data, e)) > 0)
		;
	if (r == 0 && !c->data.len && len && text[0] & 0x80)
		buf_add(&c->data, text, len);
	if (c->data.failed)
		return err_set(e, ENOMEM, "out of memory");
	return r < 0 ? -1 : read_packets(c, e);
}

struct sigcheck *sigcheck_new(const char *text, size_t len, struct err *e)
{
	struct sigcheck *c = calloc(1, sizeof(*c));

	if (!c)
		(void)err_set(e, ENOMEM, "out of memory");
	else if (read_file(c, text, len, e) == 0)
		return c;
	sigcheck_free(c);
	return NULL;
}

void sigcheck_free(struct sigcheck *c)
{
	if (c)
		buf_free(&c->data);
	free(c);
}

/* ---- what was signed ---- */

void sigcheck_feed(struct sigcheck *c, const void *p, size_t len)
{
	for (size_t i = 0; i < c->n_digests; i++)
		sha_feed(&c->digests[i], p, len);
}

size_t sigcheck_count(const struct sigcheck *c)
{
	return c->n;
}

const char *sigcheck_issuer(const struct sigcheck *c, size_t i)
{
	return c->sigs[i].issuer;
}

/* ---- judging ---- */

/* the key of @cert that made it, *at; of several that have the same id, the one that did */
static int find_maker(const struct sigcheck *c, size_t i, const struct cert *cert, size_t *at, struct err *e)
{
	const struct signature *s = &c->sigs[i];
	const struct pubkey *k;

	for (*at = 0; (k = cert_key(cert, *at)); ++*at)
		if ((!*s->issuer || pubkey_is(k, s->issuer)) &&
		    signature_made_by(s, c->digests[c->digest_of[i]], k, e) == 0)
			return 0;
	if (*s->issuer)
		return err_wrap(e, "key %s", s->issuer);
	return err_set(e, ENOKEY, "the signature does not tell who made it, and key %s did not", cert_fingerprint(cert));
}

int sigcheck_verify(struct sigcheck *c, size_t i, const struct cert *cert, int64_t now_s, struct err *e)
{
	const struct signature *s = &c->sigs[i];
	size_t maker;

	if (*s->issuer && !cert_has(cert, s->issuer))
		return err_set(e, ENOKEY, "signature by key %s, which is none of %s", s->issuer, cert_fingerprint(cert));
	if (signature_sound(s, e) < 0)
		return -1;
	if (s->type != SIG_BINARY)
		return err_set(e, EKEYREJECTED, s->type == SIG_TEXT ? "signature over text (gpg --textmode); an image needs one over its bytes" :
				       "signature of type %u, which is none over a file", s->type);
	if (find_maker(c, i, cert, &maker, e) < 0 || signature_fresh(s, now_s, e) < 0)
		return -1;
	return cert_may_sign(cert, maker, s, now_s, e);
}
