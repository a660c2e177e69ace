/* SPDX-License-Identifier: Apache-2.0
 * openpgp - see openpgp.h
 */
#include "core/trust/openpgp.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/hash.h"

enum tag { TAG_SECRET_KEY = 5, TAG_PUBLIC_KEY = 6, TAG_SECRET_SUBKEY = 7, TAG_USER_ID = 13 };

#define KEY_MAX 65535u /* a version 4 fingerprint counts the length in 16 bits */

static uint32_t be(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* RFC 9580, 4.2.1: new format. Partial lengths are for data packets, which do not stand in keys. */
static int new_length(const uint8_t *p, size_t len, size_t *head, size_t *body, struct err *e)
{
	if (len && p[0] < 192) {
		*head = 1;
		*body = p[0];
	} else if (len > 1 && p[0] < 224) {
		*head = 2;
		*body = (size_t)(p[0] - 192) * 256 + p[1] + 192;
	} else if (len > 4 && p[0] == 255) {
		*head = 5;
		*body = be(p + 1, 4);
	} else {
		return err_set(e, EINVAL, len && p[0] >= 224 && p[0] < 255 ? "OpenPGP packet of partial length" :
									      "OpenPGP packet is cut off");
	}
	return 0;
}

/* RFC 9580, 4.2.2: old format */
static int old_length(unsigned type, const uint8_t *p, size_t len, size_t *head, size_t *body, struct err *e)
{
	if (type == 3)
		return err_set(e, EINVAL, "OpenPGP packet of unknown length");
	*head = (size_t)1 << type;
	if (len < *head)
		return err_set(e, EINVAL, "OpenPGP packet is cut off");
	*body = be(p, *head);
	return 0;
}

int openpgp_packet(const uint8_t **p, size_t *len, struct openpgp_packet *out, struct err *e)
{
	const uint8_t *b = *p;
	size_t head = 0, body = 0;

	if (!*len)
		return 0;
	if (!(b[0] & 0x80))
		return err_set(e, EINVAL, "not an OpenPGP packet");
	bool is_new = b[0] & 0x40;
	out->tag = is_new ? b[0] & 0x3f : (b[0] >> 2) & 15;
	if ((is_new ? new_length(b + 1, *len - 1, &head, &body, e) :
		      old_length(b[0] & 3, b + 1, *len - 1, &head, &body, e)) < 0)
		return -1;
	if (body > *len - 1 - head)
		return err_set(e, EINVAL, "OpenPGP packet is cut off");
	out->body = b + 1 + head;
	out->len = body;
	*p = out->body + body;
	*len -= 1 + head + body;
	return 1;
}

/* RFC 9580, 5.5.4: over a header byte, the length, and the packet's body */
static int fingerprint(const struct openpgp_packet *pk, struct openpgp_key *k, struct err *e)
{
	const uint8_t v4[] = { 0x99, (uint8_t)(pk->len >> 8), (uint8_t)pk->len };
	const uint8_t v6[] = { 0x9b, 0, 0, (uint8_t)(pk->len >> 8), (uint8_t)pk->len };
	const mbedtls_md_info_t *md =
		mbedtls_md_info_from_type(k->version == 4 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256);
	uint8_t digest[32];
	mbedtls_md_context_t c;

	mbedtls_md_init(&c);
	int bad = !md || mbedtls_md_setup(&c, md, 0) || mbedtls_md_starts(&c) ||
		  mbedtls_md_update(&c, k->version == 4 ? v4 : v6, k->version == 4 ? sizeof(v4) : sizeof(v6)) ||
		  mbedtls_md_update(&c, pk->body, pk->len) || mbedtls_md_finish(&c, digest);
	mbedtls_md_free(&c);
	if (bad)
		return err_set(e, ENOMEM, "out of memory");
	hash_hex(digest, k->version == 4 ? 20 : 32, k->fingerprint);
	return 0;
}

static int public_key(const struct openpgp_packet *pk, struct openpgp_key *k, struct err *e)
{
	if (pk->len < 6 || pk->len > KEY_MAX)
		return err_set(e, EINVAL, "OpenPGP key of %zu bytes", pk->len);
	k->version = pk->body[0];
	if (k->version != 4 && k->version != 6)
		return err_set(e, ENOTSUP, "OpenPGP key of version %u; only 4 and 6 are secure", k->version);
	k->created = be(pk->body + 1, 4);
	k->algorithm = pk->body[5];
	size_t mpi = k->version == 4 ? 6 : 10; /* version 6 counts the key material first */
	if (k->algorithm <= 3 || k->algorithm == 17) {
		if (pk->len < mpi + 2)
			return err_set(e, EINVAL, "OpenPGP key is cut off");
		k->bits = be(pk->body + mpi, 2);
	}
	return fingerprint(pk, k, e);
}

static void user_id(const struct openpgp_packet *pk, struct openpgp_key *k)
{
	if (k->n_uids == OPENPGP_UIDS_MAX)
		return;
	k->uid[k->n_uids].text = (const char *)pk->body;
	k->uid[k->n_uids++].len = pk->len;
}

int openpgp_key(const uint8_t **p, size_t *len, struct openpgp_key *k, struct err *e)
{
	struct openpgp_packet pk;

	*k = (struct openpgp_key){ .data = *p };
	while (*len) {
		const uint8_t *next = *p;
		size_t left = *len;
		if (openpgp_packet(&next, &left, &pk, e) < 0)
			return -1;
		if (pk.tag == TAG_SECRET_KEY || pk.tag == TAG_SECRET_SUBKEY)
			return err_set(e, EPERM, "this is a secret key; only public keys belong in a keystore");
		if (!k->version && pk.tag != TAG_PUBLIC_KEY)
			return err_set(e, EINVAL, "does not begin with a public key");
		if (k->version && pk.tag == TAG_PUBLIC_KEY)
			break; /* the next key's */
		if (!k->version && public_key(&pk, k, e) < 0)
			return -1;
		if (pk.tag == TAG_USER_ID)
			user_id(&pk, k);
		*p = next;
		*len = left;
	}
	k->data_len = (size_t)(*p - k->data);
	return k->version ? 1 : 0;
}

const char *openpgp_algorithm(uint8_t algorithm)
{
	switch (algorithm) {
	case 1:
	case 2:
	case 3:
		return "RSA";
	case 17:
		return "DSA";
	case 19:
		return "ECDSA";
	case 22:
	case 27:
		return "Ed25519";
	case 28:
		return "Ed448";
	default:
		return "unknown algorithm";
	}
}
