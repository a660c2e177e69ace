/* SPDX-License-Identifier: Apache-2.0
 * pump - see pump.h
 *
 * A ring of slots and three counters that only grow: filled by the reader, taken by the consumer, seen by the
 * follower. One mutex guards them; `more` tells both consumers of a change, `room` tells the reader. The slots'
 * bytes are touched without it: the reader writes before it counts, and not before both others have counted.
 */
#include "core/archive/pump.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/archive/inflate.h"
#include "core/base/thread.h"

/* libcurl and mbedTLS may be below the reader; musl would give it 128 KiB */
#define STACK_BYTES (1u << 20)

struct slot {
	size_t   len;
	uint64_t in_bytes;
	uint8_t  bytes[PUMP_BLOCK];
};

struct pump {
	struct source        base;
	struct source       *in;
	struct pump_follower follow;
	pthread_t            reader, follower;
	pthread_mutex_t      lock;
	pthread_cond_t       more, room;
	/* under the lock */
	uint64_t             filled, taken, seen;
	bool                 ended, failed, quit; /* ended: nothing more will be filled; failed: because of error */
	struct err           error;
	/* the consumer's own */
	bool                 lent, finished; /* finished: the follower was joined */
	uint64_t             in_bytes;
	unsigned             n_slots;
	struct slot          slots[];
};

/* ---- the reader ---- */

static bool full(const struct pump *p)
{
	return p->filled - (p->taken < p->seen ? p->taken : p->seen) >= p->n_slots;
}

/* a slot that may be filled; NULL: the consumer has gone */
static struct slot *free_slot(struct pump *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->quit && full(p))
		pthread_cond_wait(&p->room, &p->lock);
	struct slot *s = p->quit ? NULL : &p->slots[p->filled % p->n_slots];
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void count_filled(struct pump *p)
{
	pthread_mutex_lock(&p->lock);
	p->filled++;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
}

static void *run_reader(void *arg)
{
	struct pump *p = arg;
	struct err e = { .code = 0 };
	struct slot *s;
	ssize_t n = 0;

	while ((s = free_slot(p)) && (n = inflate_read(p->in, s->bytes, PUMP_BLOCK, &e)) > 0) {
		s->len = (size_t)n;
		s->in_bytes = inflate_in_bytes(p->in);
		count_filled(p);
	}
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	p->failed = n < 0;
	p->error = e;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the follower ---- */

/* counts the block that was seen; the next one, or NULL when there will be none */
static const struct slot *follow_next(struct pump *p, bool seen)
{
	const struct slot *s = NULL;

	pthread_mutex_lock(&p->lock);
	if (seen) {
		p->seen++;
		pthread_cond_signal(&p->room);
	}
	while (p->seen == p->filled && !p->ended && !p->quit)
		pthread_cond_wait(&p->more, &p->lock);
	if (p->seen < p->filled && !p->quit)
		s = &p->slots[p->seen % p->n_slots];
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void *run_follower(void *arg)
{
	struct pump *p = arg;

	for (const struct slot *s = follow_next(p, false); s; s = follow_next(p, true))
		p->follow.see(p->follow.ctx, s->bytes, s->len);
	return NULL;
}

/* ---- the consumer ---- */

static int pump_next(struct source *base, const uint8_t **out, size_t *len, struct err *e)
{
	struct pump *p = (struct pump *)base;
	int r = 1;

	pthread_mutex_lock(&p->lock);
	if (p->lent) {
		p->taken++;
		pthread_cond_signal(&p->room);
	}
	while (p->taken == p->filled && !p->ended)
		pthread_cond_wait(&p->more, &p->lock);
	p->lent = p->taken < p->filled;
	if (!p->lent)
		r = p->failed ? -1 : 0;
	if (r < 0)
		*e = p->error;
	pthread_mutex_unlock(&p->lock);
	if (r > 0) {
		const struct slot *s = &p->slots[p->taken % p->n_slots];
		*out = s->bytes;
		*len = s->len;
		p->in_bytes = s->in_bytes;
	}
	return r;
}

uint64_t pump_in_bytes(const struct source *s)
{
	return ((const struct pump *)s)->in_bytes;
}

static void pump_free(struct pump *p)
{
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->room);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void quit(struct pump *p)
{
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->more);
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

/* The follower ends by itself after the last block; it is joined once, here or when the pump is closed. */
void pump_finish(struct source *s)
{
	struct pump *p = (struct pump *)s;

	if (!p->finished)
		pthread_join(p->follower, NULL);
	p->finished = true;
}

static void pump_close(struct source *s)
{
	struct pump *p = (struct pump *)s;

	quit(p);
	pthread_join(p->reader, NULL);
	pump_finish(s);
	pump_free(p);
}

/* The reader comes last: once it has taken the first bytes, there is no way back to doing without threads. */
static int start_both(struct pump *p)
{
	int r = thread_start(&p->follower, STACK_BYTES, run_follower, p);
	if (r)
		return r;
	r = thread_start(&p->reader, STACK_BYTES, run_reader, p);
	if (r) {
		quit(p);
		pthread_join(p->follower, NULL);
	}
	return r;
}

struct source *pump_open(struct source *in, const struct pump_follower *f, struct err *e)
{
	unsigned n = inflate_is_small(inflate_format(in)) ? PUMP_SLOTS : PUMP_SLOTS_FEW;
	struct pump *p = calloc(1, sizeof(*p) + n * sizeof(struct slot));

	if (!p) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	p->base = (struct source){ pump_next, pump_close };
	p->in = in;
	p->n_slots = n;
	p->follow = *f;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->room, NULL);
	int r = start_both(p);
	if (!r)
		return &p->base;
	pump_free(p);
	errno = r;
	err_sys(e, "start a thread");
	return NULL;
}
