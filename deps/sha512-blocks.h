/* SPDX-License-Identifier: Apache-2.0
 * sha512-blocks - the compression function of SHA-512 over whole blocks; padding is the caller's
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA512_BLOCK 128u

/** sha512_blocks() - @n blocks at @p into @state, by the best means of the processor; any thread may call it */
void sha512_blocks(uint64_t state[8], const void *p, size_t n);
