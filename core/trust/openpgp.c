/* SPDX-License-Identifier: Apache-2.0
 * openpgp - see openpgp.h
 */
#include "core/trust/openpgp.h"

#include <errno.h>
#include <string.h>

#include "core/trust/packet.h"

static int public_key(const struct packet *pk, struct openpgp_key *k, struct err *e)
{
	struct pubkey key;

	if (pubkey_read(pk, &key, e) < 0)
		return -1;
	k->version = key.version;
	k->created = key.created;
	k->algorithm = key.algorithm;
	memcpy(k->fingerprint, key.fingerprint, sizeof(k->fingerprint));
	if (k->algorithm > 3 && k->algorithm != 17) /* a curve */
		return 0;
	k->bits = read_number(&key.material, 2);
	return key.material.failed ? err_set(e, EINVAL, "OpenPGP key is cut off") : 0;
}

static void user_id(const struct packet *pk, struct openpgp_key *k)
{
	if (k->n_uids == OPENPGP_UIDS_MAX)
		return;
	k->uid[k->n_uids].text = (const char *)pk->body;
	k->uid[k->n_uids++].len = pk->len;
}

int openpgp_key(const uint8_t **p, size_t *len, struct openpgp_key *k, struct err *e)
{
	struct packet pk;

	*k = (struct openpgp_key){ .data = *p };
	while (*len) {
		const uint8_t *next = *p;
		size_t left = *len;
		if (packet_next(&next, &left, &pk, e) < 0)
			return -1;
		if (pk.tag == PACKET_SECRET_KEY || pk.tag == PACKET_SECRET_SUBKEY)
			return err_set(e, EPERM, "this is a secret key; only public keys belong in a keystore");
		if (!k->version && pk.tag != PACKET_PUBLIC_KEY)
			return err_set(e, EINVAL, "does not begin with a public key");
		if (k->version && pk.tag == PACKET_PUBLIC_KEY)
			break; /* the next key's */
		if (!k->version && public_key(&pk, k, e) < 0)
			return -1;
		if (pk.tag == PACKET_USER_ID)
			user_id(&pk, k);
		*p = next;
		*len = left;
	}
	k->data_len = (size_t)(*p - k->data);
	return k->version ? 1 : 0;
}

const char *openpgp_algorithm(uint8_t algorithm)
{
	return pubkey_algorithm(algorithm);
}
