/* SPDX-License-Identifier: Apache-2.0
 * siphash - SipHash-2-4 with 128 bits of output: nobody without the key can make two inputs collide
 *
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", and their extension to 128 bits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key { uint64_t k[2]; };
struct siphash { uint64_t h[2]; };

/** siphash() - of @prefix (as 16 little-endian bytes) followed by @len bytes at @p */
struct siphash siphash(const struct siphash_key *key, struct siphash prefix, const void *p, size_t len);
