/* SPDX-License-Identifier: Apache-2.0
 * cert - an OpenPGP transferable public key: the primary key, subkeys, user ids, and what it says of them itself
 *
 * Parsing proves nothing; signatures of the key over its own parts are verified when the answer hangs on them.
 * Signatures by others are passed over.
 * Source: RFC 9580, 10.1 (what follows what), 5.2.1 (kinds of signatures), 5.2.3.31 (reasons of revocation).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct cert;
struct pubkey;
struct signature;

/**
 * cert_parse() - binary, one key; copied
 *
 * EINVAL malformed, or beyond what a key may hold (1 MiB, 512 subkeys and user ids, 512 signatures of its own);
 * ENOTSUP version 3; EPERM a secret key.
 */
struct cert *cert_parse(const uint8_t *data, size_t len, struct err *e);
void cert_free(struct cert *c); /* NULL is fine */

/** cert_fingerprint() - of the primary key, lower-case hex */
const char *cert_fingerprint(const struct cert *c);

/** cert_has() - @issuer: fingerprint or 16-digit key id, lower-case hex, of the primary key or a subkey */
bool cert_has(const struct cert *c, const char *issuer);

/** cert_key() - the @i-th key, the primary first; NULL: there are no more */
const struct pubkey *cert_key(const struct cert *c, size_t i);

/**
 * cert_may_sign() - whether its @i-th key could make the signature @s, at @now_s
 *
 * EKEYREVOKED; EKEYEXPIRED; EKEYREJECTED when the key was not there yet, is not bound to the primary by valid
 * signatures in both directions, or is not for signing.
 */
int cert_may_sign(const struct cert *c, size_t i, const struct signature *s, int64_t now_s, struct err *e);

/** cert_expires() - when its @i-th key ceases to be valid by itself or by the primary, in s since 1970; 0: never */
int64_t cert_expires(const struct cert *c, size_t i, int64_t now_s);
