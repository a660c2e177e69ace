/* SPDX-License-Identifier: Apache-2.0
 * sha512-blocks - the compression functions of SHA-512 and SHA-256 over whole blocks; padding is the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA512_BLOCK 128u
#define SHA256_BLOCK 64u

/** sha512_blocks() - @n blocks at @p into @state, by the best means of the processor; any thread may call it */
void sha512_blocks(uint64_t state[8], const void *p, size_t n);

/** sha256_blocks() - the same; false, with nothing done, where the processor has nothing better than C */
bool sha256_blocks(uint32_t state[8], const void *p, size_t n);
