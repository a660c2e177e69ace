/* SPDX-License-Identifier: Apache-2.0
 * source - see source.h; here: the source at the bottom of every chain, a descriptor
 */
#include "core/archive/source.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/fd.h"

#define BLOCK (128u << 10)

struct source_of_fd {
	struct source base;
	int           fd;
	bool          ended;
	uint8_t       block[BLOCK];
};

/* Whole blocks even from a pipe, so that whoever looks at the first bytes finds them in the first block. */
static int fd_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct source_of_fd *s = (struct source_of_fd *)base;

	if (s->ended)
		return 0;
	ssize_t n = fd_read_full(s->fd, s->block, sizeof(s->block));
	if (n < 0)
		return err_sys(e, "read");
	s->ended = (size_t)n < sizeof(s->block);
	*p = s->block;
	*len = (size_t)n;
	return n > 0;
}

static void fd_source_close(struct source *s)
{
	free(s);
}

struct source *source_fd(int fd, struct err *e)
{
	struct source_of_fd *s = malloc(sizeof(*s));

	if (!s) {
		err_set(e, ENOMEM, "read: out of memory");
		return NULL;
	}
	s->base = (struct source){ fd_next, fd_source_close };
	s->fd = fd;
	s->ended = false;
	return &s->base;
}
