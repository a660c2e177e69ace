/* SPDX-License-Identifier: Apache-2.0
 * openpgp - what an OpenPGP transferable public key shows of itself: fingerprint, algorithm, user ids
 *
 * Nothing is verified here; cert.h does that.
 * Source: RFC 9580, 5.5 (key material), 10.1 (transferable public keys).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/trust/pubkey.h"

#define OPENPGP_UIDS_MAX 32

struct openpgp_key {
	unsigned       version;                    /* 4 or 6 */
	char           fingerprint[FINGERPRINT_MAX + 1]; /* lower-case hex */
	uint8_t        algorithm;                  /* RFC 9580, 9.1 */
	unsigned       bits;                       /* of an RSA or DSA modulus; 0 for curves */
	uint32_t       created;                    /* seconds since 1970 */
	const uint8_t *data;                       /* the whole key with ids, subkeys and signatures */
	size_t         data_len;
	struct { const char *text; size_t len; } uid[OPENPGP_UIDS_MAX]; /* untrusted bytes */
	size_t         n_uids;                     /* those beyond the array are left out */
};

/**
 * openpgp_key() - the transferable key at *p, which moves to the next one
 *
 * Everything points into the caller's bytes. 1, 0 at the end, -1: EINVAL malformed, ENOTSUP version 3 keys,
 * EPERM a secret key, which has no business in a keystore.
 */
int openpgp_key(const uint8_t **p, size_t *len, struct openpgp_key *out, struct err *e);

const char *openpgp_algorithm(uint8_t algorithm); /* "RSA", "Ed25519" ... */
