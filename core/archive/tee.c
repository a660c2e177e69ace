/* SPDX-License-Identifier: Apache-2.0
 * tee - see tee.h
 *
 * One thread at a time reads, and one at a time sees, the oldest block first. So two counters and the mutex of the
 * seeing are all that is needed: nobody ever waits, for a reader who finds the ring full sees a block himself.
 *
 * A block is not copied into the ring when the source lets go of its memory: it gets that of an older one instead. An
 * empty ring is filled from its beginning again. So as long as the blocks are seen in time, only a few of its slots have
 * memory, which is in a cache.
 */
#include "core/archive/tee.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/thread.h"

#define BLOCK (64u << 10) /* and more, as the source lends them */
#define SLOTS (TEE_LAG_MOST / BLOCK)

struct slot { struct buf memory; const uint8_t *p; size_t len; };

struct tee {
	struct source        base;
	struct source       *in;
	struct pump_follower follow;
	uint64_t             bytes;
	bool                 ended;
	pthread_mutex_t      seeing;
	atomic_uint          filled, seen; /* only grow */
	unsigned             first;        /* the block that is in the first slot; changed only when there is nothing to be seen */
	size_t               lag;
	bool                 keeps; /* false: the reader sees for himself */
	struct slot          slots[SLOTS];
};

static struct slot *slot_of(struct tee *t, unsigned block)
{
	return &t->slots[(block - t->first) % SLOTS];
}

/* with the lock, which it lets go; whether there was a block to be seen */
static bool see_oldest(struct tee *t)
{
	unsigned at = t->seen;
	bool any = at != t->filled;
	if (any) {
		const struct slot *x = slot_of(t, at);
		t->follow.see(t->follow.ctx, x->p, x->len);
		t->seen = at + 1;
	}
	pthread_mutex_unlock(&t->seeing);
	return any;
}

static bool tee_work(struct source *s)
{
	struct tee *t = (struct tee *)s;

	/* one is at it, or most of the time there is nothing to be seen */
	return t->seen != t->filled && pthread_mutex_trylock(&t->seeing) == 0 && see_oldest(t);
}

static bool see_now(struct tee *t)
{
	pthread_mutex_lock(&t->seeing);
	return see_oldest(t);
}

static bool take(struct tee *t, struct slot *x, const uint8_t *p, size_t len)
{
	bool traded = t->in->trade && t->in->trade(t->in, &x->memory);

	if (!traded) {
		x->memory.len = 0;
		buf_add(&x->memory, p, len);
	}
	x->p = traded ? p : (const uint8_t *)x->memory.data;
	x->len = len;
	return !x->memory.failed;
}

static int keep(struct tee *t, const uint8_t *p, size_t len, struct err *e)
{
	unsigned at = t->filled, most = (unsigned)(t->lag / BLOCK);

	while (at - t->seen >= most)
		see_now(t);
	if (at == t->seen)
		t->first = at;
	if (!take(t, slot_of(t, at), p, len))
		return err_set(e, ENOMEM, "read: out of memory");
	t->filled = at + 1;
	return 1;
}

static int tee_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct tee *t = (struct tee *)s;
	int r = t->in->next(t->in, p, len, e);

	t->ended = r == 0;
	if (r <= 0)
		return r;
	t->bytes += *len;
	if (t->keeps)
		return keep(t, *p, *len, e);
	if (t->follow.see)
		t->follow.see(t->follow.ctx, *p, *len);
	return 1;
}

int tee_finish(struct source *s, struct err *e)
{
	struct tee *t = (struct tee *)s;
	const uint8_t *p;
	size_t len;
	int r = t->ended ? 0 : t->in->next(t->in, &p, &len, e);

	while (see_now(t))
		;
	return r > 0 ? err_set(e, EBADMSG, "bytes after the end of the image") : r;
}

uint64_t tee_bytes(const struct source *s)
{
	return ((const struct tee *)s)->bytes;
}

static void tee_close(struct source *s)
{
	struct tee *t = (struct tee *)s;

	pthread_mutex_destroy(&t->seeing);
	for (unsigned i = 0; i < SLOTS; i++)
		buf_free(&t->slots[i].memory);
	free(t);
}

struct source *tee_open(struct source *in, const struct pump_follower *f, struct err *e)
{
	struct tee *t = calloc(1, sizeof(*t));

	if (!t) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	t->base = (struct source){ .next = tee_next, .work = tee_work, .lag = &t->lag, .close = tee_close };
	t->lag = TEE_LAG;
	t->in = in;
	if (f)
		t->follow = *f;
	pthread_mutex_init(&t->seeing, NULL);
	t->keeps = f && thread_processors() > 1;
	return &t->base;
}
