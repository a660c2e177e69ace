/* SPDX-License-Identifier: Apache-2.0
 * tee - see tee.h
 *
 * One thread at a time reads, and one at a time sees, the oldest block first. So two counters and the mutex of the
 * seeing are all that is needed: nobody ever waits, for a reader who finds the ring full sees a block himself.
 *
 * An empty ring is filled from its beginning again. So as long as the blocks are seen in time, only a few of its slots are
 * memory, and in a cache.
 */
#include "core/archive/tee.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/thread.h"

#define BLOCK (16u << 10) /* as of TLS */
#define SLOTS (TEE_LAG_MOST / BLOCK)

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
	size_t               len[SLOTS];
	uint8_t             *slots; /* NULL: the reader sees for himself */
};

static unsigned slot_of(const struct tee *t, unsigned block)
{
	return (block - t->first) % SLOTS;
}

/* with the lock, which it lets go; whether there was a block to be seen */
static bool see_oldest(struct tee *t)
{
	unsigned at = t->seen;
	bool any = at != t->filled;
	if (any) {
		unsigned slot = slot_of(t, at);
		t->follow.see(t->follow.ctx, t->slots + (size_t)slot * BLOCK, t->len[slot]);
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

static void keep(struct tee *t, const uint8_t *p, size_t len)
{
	unsigned most = (unsigned)(t->lag / BLOCK);

	while (len) {
		unsigned at = t->filled;
		size_t n = len < BLOCK ? len : BLOCK;
		while (at - t->seen >= most)
			see_now(t);
		if (at == t->seen)
			t->first = at;
		unsigned slot = slot_of(t, at);
		memcpy(t->slots + (size_t)slot * BLOCK, p, n);
		t->len[slot] = n;
		t->filled = at + 1;
		p += n;
		len -= n;
	}
}

static int tee_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct tee *t = (struct tee *)s;
	int r = t->in->next(t->in, p, len, e);

	t->ended = r == 0;
	if (r <= 0)
		return r;
	t->bytes += *len;
	if (t->slots)
		keep(t, *p, *len);
	else if (t->follow.see)
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
	free(t->slots);
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
	if (f && thread_processors() > 1)
		t->slots = malloc((size_t)SLOTS * BLOCK); /* or it takes a little longer */
	return &t->base;
}
