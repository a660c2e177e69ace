/* SPDX-License-Identifier: Apache-2.0
 * compress - see compress.h
 *
 * A ring of slots and three counters that only grow: filled by the caller, claimed by a thread that compresses, written.
 * Compressing and writing are steps that the workers take; the caller takes them itself only when there are no workers,
 * so that it has the next files read while they are at it.
 *
 * One mutex guards the counters. The bytes of a slot are touched without it: filling ends before it is counted, and does
 * not begin again before the slot was written.
 */
#include "core/archive/compress.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/thread.h"

#define STACK_BYTES (256u << 10)

struct slot {
	struct encoder_block block;
	bool                 done;
	uint8_t             *bytes; /* history, then the block, then what it becomes */
};

struct worker {
	struct compress *c;
	void            *ctx; /* the encoder's */
	pthread_t        thread;
};

struct compress {
	const struct encoder *enc;
	int                   level, out_fd;
	size_t                block_size, out_room;
	unsigned              n_slots, n_workers;
	struct worker        *workers; /* without threads the first one is the caller */
	struct slot          *slots;
	size_t                at;      /* bytes in the slot that is being filled */
	pthread_mutex_t       lock;
	pthread_cond_t        changed;
	/* under the lock */
	uint64_t              filled, claimed, written;
	bool                  writing, quit, failed; /* failed: because of error */
	unsigned              waiting;
	struct encoder_sum    sum; /* belongs to whoever is writing */
	struct err            error;
};

const struct encoder *compress_find(const char *name)
{
	static const struct encoder *const all[] = { &encoder_gzip, &encoder_xz, &encoder_zstd };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

int compress_choose(const char *name, const struct encoder **out, struct err *e)
{
	*out = compress_find(name);
	if (*out || !strcmp(name, "none"))
		return 0;
	return err_set(e, EINVAL, "unknown format \"%s\": want gzip, xz, zstd or none", name);
}

/* ---- the steps; all of this is called with the lock ---- */

static void changed(struct compress *c)
{
	if (c->waiting)
		pthread_cond_broadcast(&c->changed);
}

static void wait_for_change(struct compress *c)
{
	c->waiting++;
	pthread_cond_wait(&c->changed, &c->lock);
	c->waiting--;
}

/* the first error is the one that is told */
static void give_up(struct compress *c, const struct err *e)
{
	if (!c->failed)
		c->error = *e;
	c->failed = true;
}

static void compress_one(struct compress *c, void *ctx)
{
	struct slot *s = &c->slots[c->claimed++ % c->n_slots];
	struct err e;

	pthread_mutex_unlock(&c->lock);
	int r = c->enc->run(ctx, &s->block, &e);
	pthread_mutex_lock(&c->lock);
	if (r < 0)
		give_up(c, &e);
	s->done = true;
	changed(c);
}

static int write_out(struct compress *c, const void *p, size_t len, struct err *e)
{
	return fd_write_all(c->out_fd, p, len) < 0 ? err_sys(e, "write") : 0;
}

static bool can_write(const struct compress *c)
{
	return !c->writing && c->written < c->claimed && c->slots[c->written % c->n_slots].done;
}

static void write_one(struct compress *c)
{
	struct slot *s = &c->slots[c->written % c->n_slots];
	struct err e;

	c->writing = true;
	pthread_mutex_unlock(&c->lock);
	if (c->enc->sum)
		c->enc->sum(&c->sum, &s->block);
	int r = write_out(c, s->block.out, s->block.out_len, &e);
	pthread_mutex_lock(&c->lock);
	if (r < 0)
		give_up(c, &e);
	c->writing = false;
	s->done = false;
	c->written++;
	changed(c);
}

static void do_step_or_wait(struct compress *c, void *ctx)
{
	if (can_write(c))
		write_one(c);
	else if (c->claimed < c->filled)
		compress_one(c, ctx);
	else
		wait_for_change(c);
}

/* ---- the threads ---- */

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	struct compress *c = w->c;

	pthread_mutex_lock(&c->lock);
	while (!c->quit && !c->failed)
		do_step_or_wait(c, w->ctx);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* until no more than @most blocks are on their way */
static int wait_until(struct compress *c, uint64_t most, struct err *e)
{
	pthread_mutex_lock(&c->lock);
	while (c->filled - c->written > most && !c->failed) {
		if (c->n_workers)
			wait_for_change(c);
		else
			do_step_or_wait(c, c->workers[0].ctx);
	}
	bool failed = c->failed;
	if (failed)
		*e = c->error;
	pthread_mutex_unlock(&c->lock);
	return failed ? -1 : 0;
}

/* ---- filling ---- */

static struct slot *current(struct compress *c)
{
	return &c->slots[c->filled % c->n_slots];
}

/* the slot to fill is free, and begins with the end of the one before */
static int begin_slot(struct compress *c, struct err *e)
{
	struct slot *s = current(c);
	struct encoder_block *b = &s->block;

	if (wait_until(c, c->n_slots - 1, e) < 0)
		return -1;
	*b = (struct encoder_block){ .in = s->bytes + c->enc->history, .out = s->bytes + c->enc->history + c->block_size,
		.out_room = c->out_room };
	if (c->filled && c->enc->history) {
		const struct encoder_block *before = &c->slots[(c->filled - 1) % c->n_slots].block;
		b->history_len = c->enc->history; /* blocks are longer than that, and only the last is not whole */
		memcpy(s->bytes, before->in + before->in_len - c->enc->history, c->enc->history);
	}
	b->history = b->in - b->history_len;
	return 0;
}

static void hand_over(struct compress *c, bool last)
{
	struct encoder_block *b = &current(c)->block;

	b->in_len = c->at;
	b->last = last;
	c->at = 0;
	pthread_mutex_lock(&c->lock);
	c->filled++;
	changed(c);
	pthread_mutex_unlock(&c->lock);
}

int compress_write(struct compress *c, const void *p, size_t len, struct err *e)
{
	const uint8_t *from = p;

	while (len) {
		/* a whole block stays until more comes: it may be the last one */
		if (c->at == c->block_size) {
			hand_over(c, false);
			if (begin_slot(c, e) < 0)
				return -1;
		}
		size_t n = c->block_size - c->at;
		n = n < len ? n : len;
		memcpy(current(c)->bytes + c->enc->history + c->at, from, n);
		c->at += n;
		from += n;
		len -= n;
	}
	return 0;
}

int compress_end(struct compress *c, struct err *e)
{
	uint8_t frame[ENCODER_FRAME_MAX];

	hand_over(c, true);
	if (wait_until(c, 0, e) < 0)
		return -1;
	return c->enc->end ? write_out(c, frame, c->enc->end(&c->sum, frame), e) : 0;
}

/* ---- the whole ---- */

void compress_free(struct compress *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->quit = true;
	changed(c);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n_workers; i++)
		pthread_join(c->workers[i].thread, NULL);
	for (unsigned i = 0; c->workers && i < (c->n_workers ? c->n_workers : 1); i++)
		if (c->workers[i].ctx)
			c->enc->close(c->workers[i].ctx);
	for (unsigned i = 0; c->slots && i < c->n_slots; i++)
		free(c->slots[i].bytes);
	free(c->workers);
	free(c->slots);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static size_t slot_bytes(const struct compress *c)
{
	return c->enc->history + c->block_size + c->out_room;
}

/* as many as there are processors for, and memory: two slots go with each, one to work on and one to wait */
static unsigned most_workers(const struct compress *c)
{
	uint64_t each = c->enc->memory(c->level) + 2 * slot_bytes(c), fit = COMPRESS_MEMORY_MAX / each;
	unsigned n = thread_processors();

	n = n > COMPRESS_THREADS_MAX ? COMPRESS_THREADS_MAX : n;
	return fit < n ? (unsigned)(fit ? fit : 1) : n;
}

static int open_slots(struct compress *c, unsigned n, struct err *e)
{
	c->slots = calloc(n, sizeof(*c->slots));
	for (; c->slots && c->n_slots < n; c->n_slots++) {
		c->slots[c->n_slots].bytes = malloc(slot_bytes(c));
		if (!c->slots[c->n_slots].bytes)
			break;
	}
	return c->n_slots > 1 ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* Where there is no memory or no thread for another one, those that there are do it all. */
static int open_workers(struct compress *c, unsigned n, struct err *e)
{
	struct err why;

	c->workers = calloc(n, sizeof(*c->workers));
	if (!c->workers)
		return err_set(e, ENOMEM, "out of memory");
	c->workers[0].ctx = c->enc->open(c->level, e);
	if (!c->workers[0].ctx)
		return -1;
	for (unsigned i = 0; n > 1 && i < n; i++) {
		struct worker *w = &c->workers[i];
		w->c = c;
		if (!w->ctx && !(w->ctx = c->enc->open(c->level, &why)))
			break;
		if (thread_start(&w->thread, NULL, STACK_BYTES, run_worker, w) != 0) {
			if (i)
				c->enc->close(take_ptr(w->ctx));
			break;
		}
		c->n_workers++;
	}
	return 0;
}

struct compress *compress_open(const struct encoder *format, int level, int out_fd, struct err *e)
{
	uint8_t frame[ENCODER_FRAME_MAX];
	struct compress *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	c->enc = format;
	c->level = level;
	c->out_fd = out_fd;
	c->block_size = format->block(level);
	c->out_room = format->bound(c->block_size);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	unsigned n = most_workers(c);
	if (open_slots(c, 2 * n + 1, e) == 0 && begin_slot(c, e) == 0 &&
	    (!format->begin || write_out(c, frame, format->begin(level, frame), e) == 0) &&
	    open_workers(c, n, e) == 0)
		return c;
	compress_free(c);
	return NULL;
}
