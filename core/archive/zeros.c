/* SPDX-License-Identifier: Apache-2.0
 * zeros - see zeros.h
 */
#include "core/archive/zeros.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/base/holes.h"

/* -1/errno; a file that has become shorter has no zeros there: who packs it will find out */
static int is_zero(int fd, off_t at, off_t size)
{
	char block[ZEROS_BLOCK];
	size_t want = size - at < ZEROS_BLOCK ? (size_t)(size - at) : ZEROS_BLOCK;
	ssize_t n;

	do
		n = pread(fd, block, want, at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	return (size_t)n == want && !block[0] && !memcmp(block, block + 1, want - 1);
}

/* from a block of zeros back to the first of them, not before @least */
static int find_begin(int fd, off_t least, off_t size, off_t *begin)
{
	int r = 1;

	while (*begin > least && (r = is_zero(fd, *begin - ZEROS_BLOCK, size)) > 0)
		*begin -= ZEROS_BLOCK;
	return r < 0 ? -1 : 0;
}

/* forward to the first block with something else; over what the file system says is a hole in one step */
static int find_end(int fd, off_t size, off_t *end)
{
	off_t data, hole;
	int r = 1;

	while (r > 0 && *end < size) {
		int known = holes_next(fd, *end, size, &data, &hole);
		if (known < 0)
			return -1;
		if (!known)
			hole = data = size;
		if (data - data % ZEROS_BLOCK > *end)
			*end = data == size ? size : data - data % ZEROS_BLOCK;
		while (*end < hole && (r = is_zero(fd, *end, size)) > 0)
			*end += ZEROS_BLOCK;
	}
	*end = *end > size ? size : *end;
	return r < 0 ? -1 : 0;
}

int zeros_next(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
	/* every run that is long enough has one of these in it */
	for (off_t probe = (at + ZEROS_MIN - 1) / ZEROS_MIN * ZEROS_MIN; probe < size; probe += ZEROS_MIN) {
		int r = is_zero(fd, probe, size);
		if (r < 0)
			return -1;
		if (!r)
			continue;
		off_t begin = probe, end = probe + ZEROS_BLOCK;
		if (find_begin(fd, at, size, &begin) < 0 || find_end(fd, size, &end) < 0)
			return -1;
		if (end - begin >= ZEROS_MIN) {
			*from = begin;
			*to = end;
			return 1;
		}
		probe = end - end % ZEROS_MIN;
	}
	return 0;
}
