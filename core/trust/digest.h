/* SPDX-License-Identifier: Apache-2.0
 * digest - the digests that OpenPGP signatures may be made over
 *
 * Source: RFC 9580, 9.5 (numbers, salts) and 5.2.3.1 (how a v4 RSA signature names them, in RFC 4880 5.2.2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/sha.h"

struct digest_kind {
	uint8_t       id;
	bool          weak; /* good for nothing but old fingerprints and old revocations */
	enum sha_kind sha;
	uint8_t       salt; /* bytes of it in a version 6 signature */
	uint8_t       oid;  /* the last part of 2.16.840.1.101.3.4.2.x */
};

/** digest_kind() - of OpenPGP's number; NULL for what is not computed here (see digest_name()) */
const struct digest_kind *digest_kind(uint8_t id);

/** digest_name() - "SHA256", "MD5"; "" if nobody knows it */
const char *digest_name(uint8_t id);

/** digest_info() - the bytes before the digest in an RSA signature (RFC 8017, 9.2, note 1); how many; @out: 19 */
size_t digest_info(const struct digest_kind *d, uint8_t *out);
