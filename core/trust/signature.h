/* SPDX-License-Identifier: Apache-2.0
 * signature - an OpenPGP signature packet: what it says, and whether it is one that we go by
 *
 * Only the hashed subpackets count. Of the others the issuer is a hint where to look for the key, and an embedded
 * signature proves itself.
 * Source: RFC 9580, 5.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/trust/pubkey.h"

enum signature_type {
	SIG_BINARY = 0x00, SIG_TEXT = 0x01, SIG_CERTIFICATION = 0x10 /* to 0x13 */, SIG_SUBKEY = 0x18, SIG_PRIMARY = 0x19,
	SIG_DIRECT = 0x1f, SIG_REVOKE_KEY = 0x20, SIG_REVOKE_SUBKEY = 0x28, SIG_REVOKE_ID = 0x30
};

#define KEY_FLAG_CERTIFY 0x01
#define KEY_FLAG_SIGN    0x02

struct signature {
	uint8_t        version, type, algorithm, digest;
	uint8_t        critical;    /* a hashed critical subpacket that we do not know; 0: none */
	bool           has_notation; /* and one of these: a critical notation */
	bool           has_created, has_flags, is_primary, issuers_differ;
	uint8_t        flags;       /* of the key, the first byte */
	uint8_t        reason;      /* of a revocation; 0: none given */
	uint32_t       created;     /* seconds since 1970 */
	uint32_t       lasts, key_lasts; /* seconds after the creation of the signature, of the key; 0: for ever */
	char           issuer[FINGERPRINT_MAX + 1]; /* hex of the fingerprint or key id; "": it does not tell */
	const uint8_t *hashed, *salt, *notation;
	size_t         hashed_len, salt_len, notation_len; /* of the packet, up to the end of the hashed subpackets */
	uint8_t        left[2];     /* of the digest */
	struct reader  numbers;
	const uint8_t *embedded;
	size_t         embedded_len;
};

/** signature_read() - EINVAL malformed; versions and digests that we do not go by are read as far as they can be */
int signature_read(const uint8_t *body, size_t len, struct signature *s, struct err *e);

/** signature_sound() - whether we go by it at all: ENOTSUP version; EKEYREJECTED weak digest, what it insists on */
int signature_sound(const struct signature *s, struct err *e);

/** signature_fresh() - at the time @now_s: EKEYREJECTED from the future; EKEYEXPIRED */
int signature_fresh(const struct signature *s, int64_t now_s, struct err *e);

/** signature_digest() - what it is a signature over; NULL: a digest that is not computed here */
const struct digest_kind *signature_digest(const struct signature *s);

/** signature_start() - @h is ready for what is signed */
void signature_start(const struct signature *s, struct sha *h);

/** signature_made_by() - @h: has been fed what is signed. Errors: those of pubkey_verify() */
int signature_made_by(const struct signature *s, struct sha h, const struct pubkey *k, struct err *e);

#define DATE_LEN 16
/** date_text() - "2026-11-29" in @out, which it returns */
const char *date_text(int64_t time_s, char out[DATE_LEN]);
