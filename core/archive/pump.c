/* SPDX-License-Identifier: Apache-2.0
 * pump - see pump.h
 *
 * A ring of slots and three counters that only grow: filled from the source, taken by the consumer, seen by the
 * follower. Filling and seeing are steps, each of which one thread at a time may do; which one does is nobody's in
 * particular. The workers do nothing else, and the consumer does one when it would have to wait. So there are never more
 * threads than processors to run on, and none idles while there is a step to do.
 *
 * One mutex guards the counters. The slots' bytes are touched without it: filling ends before it is counted, and does
 * not begin before both others have counted.
 */
#include "core/archive/pump.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/archive/inflate.h"
#include "core/base/thread.h"

/* libcurl and mbedTLS may be below the source; musl would give it 128 KiB */
#define STACK_BYTES (1u << 20)
#define MAX_WORKERS 2u /* as many as there are steps */

struct slot {
	size_t   len;
	uint64_t in_bytes;
	uint8_t  bytes[PUMP_BLOCK];
};

struct pump {
	struct source        base;
	struct source       *in, *below; /* below: NULL: there is no work there */
	struct pump_follower follow;
	pthread_t            workers[MAX_WORKERS];
	unsigned             n_workers;
	pthread_mutex_t      lock;
	pthread_cond_t       changed;
	/* under the lock */
	uint64_t             filled, taken, seen;
	bool                 filling, seeing; /* somebody is at it */
	bool                 work;            /* there may be some below */
	unsigned             waiting;         /* threads */
	bool                 ended, failed, quit; /* ended: nothing more will be filled; failed: because of error */
	struct err           error;
	/* the consumer's own */
	bool                 lent;
	uint64_t             in_bytes;
	unsigned             n_slots;
	size_t               block; /* of each slot that is used; what is not is no memory */
	struct slot          slots[];
};

/* ---- the steps; all of this is called with the lock ---- */

static void changed(struct pump *p)
{
	if (p->waiting)
		pthread_cond_broadcast(&p->changed);
}

static void wait_for_change(struct pump *p)
{
	p->waiting++;
	pthread_cond_wait(&p->changed, &p->lock);
	p->waiting--;
}

static bool can_fill(const struct pump *p)
{
	uint64_t done = p->taken < p->seen ? p->taken : p->seen;

	return !p->filling && !p->ended && p->filled - done < p->n_slots;
}

static bool can_see(const struct pump *p)
{
	return !p->seeing && p->seen < p->filled;
}

static void fill(struct pump *p)
{
	struct slot *s = &p->slots[p->filled % p->n_slots];
	struct err e;

	p->filling = true;
	pthread_mutex_unlock(&p->lock);
	ssize_t n = inflate_read(p->in, s->bytes, p->block, &e);
	uint64_t in_bytes = inflate_in_bytes(p->in);
	pthread_mutex_lock(&p->lock);
	p->filling = false;
	p->work = p->below;
	if (n > 0) {
		s->len = (size_t)n;
		s->in_bytes = in_bytes;
		p->filled++;
	} else {
		p->ended = true;
		p->failed = n < 0;
		if (n < 0)
			p->error = e;
	}
	changed(p);
}

static void see(struct pump *p)
{
	const struct slot *s = &p->slots[p->seen % p->n_slots];

	p->seeing = true;
	pthread_mutex_unlock(&p->lock);
	p->follow.see(p->follow.ctx, s->bytes, s->len);
	pthread_mutex_lock(&p->lock);
	p->seeing = false;
	p->seen++;
	changed(p);
}

static void work(struct pump *p)
{
	p->work = false;
	pthread_mutex_unlock(&p->lock);
	bool more = p->below->work(p->below);
	pthread_mutex_lock(&p->lock);
	p->work |= more;
}

/*
 * Seeing comes first only when it is about to hold up the filling, which everything waits for. What is left below, whoever
 * fills has to do if nobody else does, and on the way he does it nobody can decompress.
 */
static void do_step_or_wait(struct pump *p)
{
	bool behind = p->filled - p->seen > p->n_slots / 2;

	if (can_see(p) && (behind || !can_fill(p)))
		see(p);
	else if (can_fill(p))
		fill(p);
	else if (p->work)
		work(p);
	else
		wait_for_change(p);
}

/* ---- the threads ---- */

static void *run_worker(void *arg)
{
	struct pump *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->quit && !(p->ended && p->seen == p->filled))
		do_step_or_wait(p);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int pump_next(struct source *base, const uint8_t **out, size_t *len, struct err *e)
{
	struct pump *p = (struct pump *)base;
	int r = 1;

	pthread_mutex_lock(&p->lock);
	if (p->lent) {
		p->taken++;
		changed(p);
	}
	while (p->taken == p->filled && !p->ended)
		do_step_or_wait(p);
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

void pump_finish(struct source *s)
{
	struct pump *p = (struct pump *)s;

	pthread_mutex_lock(&p->lock);
	while (p->seen < p->filled)
		do_step_or_wait(p);
	pthread_mutex_unlock(&p->lock);
}

static void pump_close(struct source *s)
{
	struct pump *p = (struct pump *)s;

	pthread_mutex_lock(&p->lock);
	p->quit = true;
	changed(p);
	pthread_mutex_unlock(&p->lock);
	while (p->n_workers)
		pthread_join(p->workers[--p->n_workers], NULL);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct source *pump_open(struct source *in, struct source *below, unsigned threads, const struct pump_follower *f,
			 struct err *e)
{
	unsigned n = inflate_is_small(inflate_format(in)) ? PUMP_SLOTS : PUMP_SLOTS_FEW;
	unsigned n_workers = threads ? threads - 1 : 0;
	struct pump *p = calloc(1, sizeof(*p) + n * sizeof(struct slot));

	if (!p) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	p->base = (struct source){ .next = pump_next, .close = pump_close };
	p->in = in;
	p->below = below && below->work ? below : NULL;
	if (p->below && n == PUMP_SLOTS)
		*p->below->lag = PUMP_LAG;
	p->n_slots = n;
	p->block = n == PUMP_SLOTS ? PUMP_BLOCK : PUMP_BLOCK_FEW;
	p->follow = *f;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (n_workers > MAX_WORKERS)
		n_workers = MAX_WORKERS;
	/* with fewer than that, or none, the others do more */
	while (p->n_workers < n_workers &&
	       thread_start(&p->workers[p->n_workers], NULL, STACK_BYTES, run_worker, p) == 0)
		p->n_workers++;
	return &p->base;
}
