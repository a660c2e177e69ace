/* SPDX-License-Identifier: Apache-2.0
 * zeros - holes of a file to be packed: by what is in it, not by what the file system has allocated
 *
 * Equal trees make equal archives, and which zeros take up space on a disk is a matter of how they came there and of
 * the size of the file system's blocks. So a hole is 1 MiB of zeros or more, from one multiple of 4 KiB to another or
 * to the end. Programs have less in a row, as a rule, and stay what every reader of tar understands.
 */
#pragma once

#include <sys/types.h>

#define ZEROS_BLOCK 4096
#define ZEROS_MIN   (1 << 20)

/**
 * zeros_next() - the first hole that begins at @at or after it
 * @at: where the one before ended, or 0
 * @from, @to: receive where it begins and ends
 *
 * 1 found, 0 there is none, -1/errno. Reads 4 KiB of each MiB, and of zeros only those that the file system has. Moves
 * the descriptor's position.
 */
int zeros_next(int fd, off_t at, off_t size, off_t *from, off_t *to);
