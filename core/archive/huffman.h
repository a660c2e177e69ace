/* SPDX-License-Identifier: Apache-2.0
 * huffman - prefix codes of limited length for symbols of known frequency
 */
#pragma once

#include <stdint.h>

#define HUFFMAN_SYMBOLS_MAX 288u
#define HUFFMAN_BITS_MAX    15u

/**
 * huffman_lengths() - how many bits each symbol gets: 0 those that do not occur, at most @max_bits the others
 * @freq: of @n symbols; their sum must fit 32 bits
 * @len: receives the lengths: a complete code, or one bit for an only symbol. The same everywhere.
 */
void huffman_lengths(const uint32_t *freq, unsigned n, unsigned max_bits, uint8_t *len);
