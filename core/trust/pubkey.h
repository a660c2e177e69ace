/* SPDX-License-Identifier: Apache-2.0
 * pubkey - the public key in an OpenPGP packet, and whether it made a signature
 *
 * Source: RFC 9580, 5.5 (keys), 5.2.3 (signatures), 9.1 and 9.2 (algorithms and curves).
 */
#pragma once

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/sha.h"
#include "core/trust/digest.h"
#include "core/trust/packet.h"

#define FINGERPRINT_MAX 64 /* hex digits: 40 for version 4 keys, 64 for version 6 */
#define KEY_ID_LEN      16

struct pubkey {
	uint8_t        version, algorithm; /* version 4 or 6 */
	uint32_t       created;            /* seconds since 1970 */
	const uint8_t *body;               /* of the packet; the caller's bytes */
	size_t         len;
	struct reader  material;
	char           fingerprint[FINGERPRINT_MAX + 1]; /* lower-case hex */
};

/** pubkey_read() - EINVAL malformed, ENOTSUP a version that we do not take; the algorithm may be any */
int pubkey_read(const struct packet *pk, struct pubkey *k, struct err *e);

/** pubkey_is() - @issuer: fingerprint or key id, lower-case hex */
bool pubkey_is(const struct pubkey *k, const char *issuer);

/** pubkey_feed() - the key as fingerprints and signatures over keys take it in */
void pubkey_feed(const struct pubkey *k, struct sha *s);

/** pubkey_algorithm() - "RSA", "Ed25519" ... */
const char *pubkey_algorithm(uint8_t algorithm);

/**
 * pubkey_verify() - @sig: what an OpenPGP signature packet ends with
 *
 * EBADMSG no match; ENOTSUP an algorithm or curve that we do not take; EKEYREJECTED a key that is too weak or too
 * large, or a digest too short for it; EINVAL malformed key.
 */
int pubkey_verify(const struct pubkey *k, const struct digest_kind *d, const uint8_t *digest, struct reader sig, struct err *e);
