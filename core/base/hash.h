/* SPDX-License-Identifier: Apache-2.0
 * hash - message digests and hexadecimal
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define HASH_SHA512_LEN 64
#define HASH_SHA512_HEX 128

struct hash; /* a sha512 under way */

/** hash_new() - NULL and ENOMEM in *e, or a digest to be fed; freed by hash_final() or hash_free() */
struct hash *hash_new(struct err *e);
void hash_feed(struct hash *h, const void *data, size_t len);
/** hash_final() - the digest of all that was fed; frees @h */
void hash_final(struct hash *h, uint8_t out[HASH_SHA512_LEN]);
void hash_free(struct hash *h);

/** hash_hex() - lower-case digits and a NUL: 2 * len + 1 bytes */
void hash_hex(const uint8_t *p, size_t len, char *out);

/** hash_is_hex() - only [0-9a-f], and at least one */
bool hash_is_hex(const char *s, size_t len);
