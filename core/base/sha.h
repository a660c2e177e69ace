/* SPDX-License-Identifier: Apache-2.0
 * sha - SHA-1, SHA-2 and SHA-3 of bytes that come in pieces; plain values, so that what is under way can be copied
 *
 * Where deps/sha512.dep has assembly for this architecture, blocks go there; the rest is mbedTLS' and, for SHA-3, ours.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA_LEN_MAX   64
#define SHA_BLOCK_MAX 136

enum sha_kind { SHA_1, SHA_224, SHA_256, SHA_384, SHA_512, SHA3_256, SHA3_512 };

struct sha {
	enum sha_kind kind;
	uint64_t      fed;
	union { uint32_t w32[8]; uint64_t w64[25]; } state;
	uint8_t       part[SHA_BLOCK_MAX]; /* what is there of a block waits for the rest */
};

void sha_start(struct sha *s, enum sha_kind kind);
void sha_feed(struct sha *s, const void *data, size_t len);
/** sha_final() - sha_len(kind) bytes; @s is used up */
void sha_final(struct sha *s, uint8_t *out);
size_t sha_len(enum sha_kind kind);
