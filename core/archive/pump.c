/* SPDX-License-Identifier: Apache-2.0
 * pump - see pump.h
 *
 * A ring of slots and two counters that only grow: filled by the reader, and taken by the consumer. One mutex
 * guards them and one condition tells of every change; the slots' bytes are touched without it, by whoever's
 * turn it is.
 */
#include "core/archive/pump.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/inflate.h"

/* libcurl and mbedTLS may be below the reader; musl would give it 128 KiB */
#define STACK_BYTES (1u << 20)

struct slot {
	size_t   len;
	uint64_t in_bytes;
	uint8_t  bytes[PUMP_BLOCK];
};

struct pump {
	struct source   base;
	struct source  *in;
	pthread_t       reader;
	pthread_mutex_t lock;
	pthread_cond_t  changed;
	/* under the lock */
	uint64_t        filled, taken;
	bool            ended, failed, quit; /* ended: nothing more will be filled; failed: because of error */
	struct err      error;
	/* the consumer's own */
	bool            lent;
	uint64_t        in_bytes;
	struct slot     slots[PUMP_SLOTS];
};

bool pump_wanted(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/* a slot that may be filled; NULL: the consumer has gone */
static struct slot *free_slot(struct pump *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->quit && p->filled - p->taken >= PUMP_SLOTS)
		pthread_cond_wait(&p->changed, &p->lock);
	struct slot *s = p->quit ? NULL : &p->slots[p->filled % PUMP_SLOTS];
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void count_filled(struct pump *p)
{
	pthread_mutex_lock(&p->lock);
	p->filled++;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* one block of the source, into as many slots as it takes; false: the consumer has gone */
static bool fill(struct pump *p, const uint8_t *from, size_t len)
{
	while (len) {
		struct slot *s = free_slot(p);
		if (!s)
			return false;
		s->len = len < PUMP_BLOCK ? len : PUMP_BLOCK;
		s->in_bytes = inflate_in_bytes(p->in);
		memcpy(s->bytes, from, s->len);
		from += s->len;
		len -= s->len;
		count_filled(p);
	}
	return true;
}

static void *run_reader(void *arg)
{
	struct pump *p = arg;
	struct err e = { .code = 0 };
	const uint8_t *from;
	size_t len;
	int r;

	while ((r = p->in->next(p->in, &from, &len, &e)) > 0)
		if (!fill(p, from, len))
			break;
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	p->failed = r < 0;
	p->error = e;
	pthread_cond_signal(&p->changed);
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
		pthread_cond_signal(&p->changed);
	}
	while (p->taken == p->filled && !p->ended)
		pthread_cond_wait(&p->changed, &p->lock);
	p->lent = p->taken < p->filled;
	if (!p->lent)
		r = p->failed ? -1 : 0;
	if (r < 0)
		*e = p->error;
	pthread_mutex_unlock(&p->lock);
	if (r > 0) {
		const struct slot *s = &p->slots[p->taken % PUMP_SLOTS];
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
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void pump_close(struct source *s)
{
	struct pump *p = (struct pump *)s;

	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->reader, NULL);
	pump_free(p);
}

/* Signals are the business of the thread that knows what to do about them. */
static int start(struct pump *p)
{
	pthread_attr_t attr;
	sigset_t all, old;

	int r = pthread_attr_init(&attr);
	if (r)
		return r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&p->reader, &attr, run_reader, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

struct source *pump_open(struct source *in, struct err *e)
{
	struct pump *p = calloc(1, sizeof(*p));

	if (!p) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	p->base = (struct source){ pump_next, pump_close };
	p->in = in;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	int r = start(p);
	if (!r)
		return &p->base;
	pump_free(p);
	errno = r;
	err_sys(e, "start a thread");
	return NULL;
}
