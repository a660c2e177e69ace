/* SPDX-License-Identifier: Apache-2.0
 * source - see source.h; here: the source at the bottom of every chain, a descriptor; and one to look ahead with
 */
#include "core/archive/source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"

#define BLOCK (128u << 10)

/* whoever skips what comes between wants a header and no more */
#define BLOCK_SKIPPING (4u << 10)

struct source_of_fd {
	struct source base;
	int           fd;
	bool          ended;
	size_t        room;
	off_t         size; /* of a regular file, once something was skipped */
	struct buf    block;
};

static int need_block(struct source_of_fd *s, struct err *e)
{
	if (s->block.cap >= BLOCK)
		return 0;
	buf_free(&s->block);
	s->block.data = malloc(BLOCK);
	s->block.cap = s->block.data ? BLOCK : 0;
	return s->block.data ? 0 : err_set(e, ENOMEM, "read: out of memory");
}

/* Whole blocks even from a pipe, so that whoever looks at the first bytes finds them in the first block. */
static int fd_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct source_of_fd *s = (struct source_of_fd *)base;

	if (s->ended)
		return 0;
	if (need_block(s, e) < 0)
		return -1;
	ssize_t n = fd_read_full(s->fd, s->block.data, s->room);
	if (n < 0)
		return err_sys(e, "read");
	s->ended = (size_t)n < s->room;
	*p = (const uint8_t *)s->block.data;
	*len = (size_t)n;
	return n > 0;
}

/* never beyond the end, so that a file that is cut off ends where it ends */
static uint64_t fd_skip(struct source *base, uint64_t n)
{
	struct source_of_fd *s = (struct source_of_fd *)base;
	struct stat st;

	if (s->room == BLOCK) {
		s->size = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
		s->room = s->size ? BLOCK_SKIPPING : BLOCK;
	}
	off_t at = s->size && !s->ended ? lseek(s->fd, 0, SEEK_CUR) : -1;
	if (at < 0 || at >= s->size)
		return 0;
	if (n > (uint64_t)(s->size - at))
		n = (uint64_t)(s->size - at);
	return lseek(s->fd, (off_t)n, SEEK_CUR) < 0 ? 0 : n;
}

static bool fd_trade(struct source *base, struct buf *m)
{
	buf_swap(&((struct source_of_fd *)base)->block, m);
	return true;
}

static void fd_source_close(struct source *base)
{
	buf_free(&((struct source_of_fd *)base)->block);
	free(base);
}

struct source *source_fd(int fd, struct err *e)
{
	struct source_of_fd *s = malloc(sizeof(*s));

	if (!s) {
		err_set(e, ENOMEM, "read: out of memory");
		return NULL;
	}
	*s = (struct source_of_fd){
		.base = { .next = fd_next, .skip = fd_skip, .trade = fd_trade, .close = fd_source_close }, .fd = fd, .room = BLOCK,
	};
	return &s->base;
}

/* ---- a look ahead ---- */

struct peek {
	struct source  base;
	struct source *in;
	const uint8_t *p; /* the first block, while it waits; NULL: it was lent */
	size_t         len;
};

static int peek_next(struct source *base, const uint8_t **p, size_t *len, struct err *e)
{
	struct peek *k = (struct peek *)base;

	if (!k->p)
		return k->in->next(k->in, p, len, e);
	*p = k->p;
	*len = k->len;
	k->p = NULL;
	return 1;
}

static uint64_t peek_skip(struct source *base, uint64_t n)
{
	struct peek *k = (struct peek *)base;

	return k->p ? 0 : source_skip(k->in, n);
}

static bool peek_work(struct source *base)
{
	struct source *in = ((struct peek *)base)->in;

	return in->work(in);
}

static void peek_close(struct source *base)
{
	struct peek *k = (struct peek *)base;

	k->in->close(k->in);
	free(k);
}

struct source *source_peek(struct source *in, const uint8_t **p, size_t *len, struct err *e)
{
	struct peek *k = malloc(sizeof(*k));

	if (!k) {
		in->close(in);
		err_set(e, ENOMEM, "read: out of memory");
		return NULL;
	}
	*k = (struct peek){ .base = { .next = peek_next, .skip = peek_skip, .close = peek_close }, .in = in };
	k->base.work = in->work ? peek_work : NULL;
	k->base.lag = in->lag;
	int r = in->next(in, &k->p, &k->len, e);
	if (r < 0) {
		peek_close(&k->base);
		return NULL;
	}
	*p = r ? k->p : NULL;
	*len = r ? k->len : 0;
	k->p = *p;
	return &k->base;
}

static void peek_let_go(struct source *base)
{
	free(base);
}

struct source *source_lend(struct source *in, struct err *e)
{
	struct peek *k = calloc(1, sizeof(*k));

	if (!k) {
		err_set(e, ENOMEM, "read: out of memory");
		return NULL;
	}
	k->in = in;
	k->base = (struct source){
		.next = peek_next, .skip = peek_skip, .work = in->work ? peek_work : NULL, .lag = in->lag,
		.close = peek_let_go,
	};
	return &k->base;
}

int source_drain(struct source *s, struct err *e)
{
	const uint8_t *p;
	size_t len;
	int r;

	do
		r = s->next(s, &p, &len, e);
	while (r > 0);
	return r;
}
