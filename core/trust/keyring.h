/* SPDX-License-Identifier: Apache-2.0
 * keyring - the public keys in a file, as gpg --export writes it: armored, in any number of blocks, or binary
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/trust/openpgp.h"

/** @k: points into bytes that are gone afterwards; 0 to go on, 1 to end it, -1 with *e */
typedef int keyring_key(void *ctx, const struct openpgp_key *k, struct err *e);

/** keyring_each() - calls @fn for each key, in order; -1: @fn's error, EINVAL malformed or no key, those of openpgp_key() */
int keyring_each(const char *text, size_t len, keyring_key *fn, void *ctx, struct err *e);

/**
 * keyring_file() - calls @fn for the first key in the file at @path
 * -1 also with EBADMSG when @fingerprint, after which the file is named, is not the key's; all errors name the file
 */
int keyring_file(const char *path, const char *fingerprint, keyring_key *fn, void *ctx, struct err *e);

/**
 * keyring_usable() - whether the key, or a subkey, could make a signature now that counts
 * @expires_s: receives when that ends, since 1970; 0: never, or not known
 * -1: EKEYREVOKED, EKEYEXPIRED, EKEYREJECTED weak or not for signing, ENOTSUP algorithm, EINVAL malformed
 */
int keyring_usable(const struct openpgp_key *k, int64_t now_s, int64_t *expires_s, struct err *e);
