/* SPDX-License-Identifier: Apache-2.0
 * download - see download.h
 */
#include "core/fetch/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/store/partial.h"

#define BLOCK       (128u << 10)
#define PAUSE_MAX_S 30
#define RETRY_MAX_S 120         /* a server that wants to be left alone for longer is */
#define PROGRESS    (1u << 20)  /* after so much more, it is a new failure and not the same again */

struct download {
	struct source           s;
	const char             *url;
	const struct http_opts *o;
	const char             *etag; /* of what the caller has */
	struct partial         *p;
	struct http            *h;
	struct partial_of       of;    /* what the bytes are of */
	uint64_t                at;    /* bytes lent */
	uint64_t                old;   /* the first of which are those of an earlier run */
	uint64_t                pos;   /* where the response is; before @at: it is being compared */
	bool                    begun; /* this is what the partial file is of */
	bool                    deferred; /* 202 is an answer */
	unsigned                tries;
	uint64_t                tried_at;
	int64_t                 deadline_ms;
	unsigned                retry_s;
	uint8_t                *block;
};

static const char *validator(const struct download *d)
{
	return *d->of.etag ? d->of.etag : *d->of.modified ? d->of.modified : NULL;
}

/* ---- answers ---- */

static bool same_file(const struct download *d, const struct reply *r)
{
	return !*r->etag || !*d->of.etag || !strcmp(r->etag, d->of.etag);
}

/* A server that knows ranges but not If-Range must not make one file of two, so its answer has to say again what it is of. */
static bool still_that(const struct download *d, const struct reply *r)
{
	return *d->of.etag ? !strcmp(r->etag, d->of.etag) : !strcmp(r->modified, d->of.modified);
}

static bool fits(const struct download *d, const struct reply *r, uint64_t from)
{
	return r->status == 206 && r->has_range && r->range_from == from && still_that(d, r) &&
	       (!r->range_total || !d->of.length || r->range_total == d->of.length);
}

static void set_of(struct download *d, const struct reply *r)
{
	const char *v = reply_validator(r);

	d->of = (struct partial_of){ .length = r->length };
	if (v)
		snprintf(*v == '"' ? d->of.etag : d->of.modified, PARTIAL_TEXT, "%s", v);
}

/* All of it, once more. What was lent cannot be taken back, so it must be the same. */
static int start_over(struct download *d, const struct reply *r, struct err *e)
{
	d->pos = 0;
	if (!d->at) {
		d->old = 0;
		d->begun = false;
		set_of(d, r);
		return 0;
	}
	if (!same_file(d, r) || (r->length && d->of.length && r->length != d->of.length))
		return err_set(e, ESTALE, "the file has changed at the server while it was downloaded; try again");
	if (partial_size(d->p) < d->at)
		return err_set(e, ESTALE, "the server cannot go on at byte %llu where the transfer broke off, and there was no room to keep "
			       "what it sent; try again", (unsigned long long)d->at);
	return 0;
}

/* 1: @plain is to be asked for instead */
static int judge(struct download *d, const struct reply *r, uint64_t from, struct err *e)
{
	if (r->status == 200)
		return start_over(d, r, e);
	if (from && fits(d, r, from)) {
		d->pos = from;
		return 0;
	}
	if (from && (r->status == 206 || r->status == 416))
		return 1;
	if ((r->status == 304 && d->etag && !d->at) || (r->status == 202 && d->deferred))
		return 0;
	d->retry_s = r->retry_s > 0 ? (unsigned)r->retry_s : 0;
	return http_refused(d->h, e);
}

static int ask(struct download *d, struct err *e)
{
	uint64_t from = d->at ? d->at : d->old;
	int r = 1;

	if (!validator(d))
		from = 0;
	d->retry_s = 0;
	for (; r > 0; from = 0) {
		const struct http_want w = {
			.from = from, .if_range = validator(d), .unless_etag = d->at ? NULL : d->etag, .deadline_ms = d->deadline_ms,
		};
		http_close(d->h);
		d->h = http_get(d->url, d->o, &w, e);
		r = d->h ? judge(d, http_reply(d->h), from, e) : -1;
	}
	return r;
}

/* ---- patience ---- */

/* a connection that brought something and then broke is the network's fault rather than the server's: no pause at first */
static unsigned pause_s(const struct download *d, bool progress)
{
	unsigned s = d->tries > 5 ? PAUSE_MAX_S : 1u << (d->tries - 1);

	s = d->tries == 1 && progress ? 0 : s;
	return d->retry_s > s ? d->retry_s : s;
}

/* whether to try again, after a while */
static bool wait_to_retry(struct download *d, struct err *e)
{
	unsigned attempts = d->o->attempts ? d->o->attempts : HTTP_ATTEMPTS;
	bool progress = d->at > d->tried_at;
	char text[sizeof(e->msg) + 64];

	if (!http_transient(e))
		return false;
	if (d->at - d->tried_at >= PROGRESS)
		d->tries = 0;
	d->tried_at = d->at;
	if (++d->tries >= attempts)
		return false;
	unsigned s = pause_s(d, progress);
	if (s > RETRY_MAX_S) {
		err_wrap(e, "the server wants to be asked again in %u s, not before", s);
		return false;
	}
	if (d->deadline_ms && clock_ms(CLOCK_MONOTONIC) + s * 1000LL >= d->deadline_ms)
		return false;
	snprintf(text, sizeof(text), "trying again in %u s: %s", s, e->msg);
	if (s && d->o->notice)
		d->o->notice(d->o->ctx, text);
	struct timespec t = { .tv_sec = s };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
	return true;
}

static int ask_patiently(struct download *d, struct err *e)
{
	int r;

	while ((r = ask(d, e)) < 0 && wait_to_retry(d, e))
		;
	return r;
}

/* ---- bytes ---- */

static int lend_old(struct download *d, const uint8_t **p, size_t *len, struct err *e)
{
	size_t n = d->old - d->at < BLOCK ? (size_t)(d->old - d->at) : BLOCK;

	if (!d->block && !(d->block = malloc(BLOCK)))
		return err_set(e, ENOMEM, "out of memory");
	if (partial_read(d->p, d->at, d->block, n) != n) {
		partial_begin(d->p, &(struct partial_of){ .length = 0 });
		return err_set(e, EIO, "what was downloaded earlier cannot be read; try again");
	}
	d->at += n;
	*p = d->block;
	*len = n;
	return 1;
}

/* what was lent already, from the front of a block */
static int compare(struct download *d, const uint8_t **p, size_t *len, struct err *e)
{
	size_t n = d->at - d->pos < *len ? (size_t)(d->at - d->pos) : *len;

	if (!d->block && !(d->block = malloc(BLOCK)))
		return err_set(e, ENOMEM, "out of memory");
	for (size_t done = 0, part; done < n; done += part) {
		part = n - done < BLOCK ? n - done : BLOCK;
		if (partial_read(d->p, d->pos, d->block, part) != part || memcmp(d->block, *p + done, part) != 0)
			return err_set(e, ESTALE, "the file has changed at the server while it was downloaded; try again");
		d->pos += part;
	}
	*p += n;
	*len -= n;
	return 0;
}

static int lend(struct download *d, const uint8_t *p, size_t len, struct err *e)
{
	uint64_t max = d->o->max_bytes ? d->o->max_bytes : HTTP_MAX;

	if (d->of.length && d->at + len > d->of.length)
		return err_set(e, EPROTO, "the server sends more than the %llu bytes that it announced", (unsigned long long)d->of.length);
	if (d->at + len > max)
		return err_set(e, EFBIG, "is larger than %llu bytes", (unsigned long long)max);
	/* what comes in one piece need not be kept */
	if (!d->begun && d->at == 0 && !http_ended(d->h)) {
		partial_begin(d->p, &d->of);
		d->begun = true;
	}
	if (d->begun)
		partial_write(d->p, d->at, p, len);
	d->at += len;
	d->pos = d->at;
	return 1;
}

/* the next block that was not lent before; 0: the response has ended, as it should or too early */
static int fresh(struct download *d, const uint8_t **p, size_t *len, struct err *e)
{
	int r;

	while ((r = http_read(d->h, p, len, e)) > 0) {
		if (d->pos < d->at && compare(d, p, len, e) < 0)
			return -1;
		if (*len)
			return lend(d, *p, *len, e);
	}
	if (r == 0 && (d->pos < d->at || (d->of.length && d->at < d->of.length)))
		return err_set(e, ECONNRESET, "the transfer was cut off at byte %llu", (unsigned long long)d->at);
	return r;
}

static int download_next(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	struct download *d = (struct download *)s;
	int r;

	if (d->at < d->old)
		return lend_old(d, p, len, e);
	while ((r = fresh(d, p, len, e)) < 0)
		if (!wait_to_retry(d, e) || ask_patiently(d, e) < 0)
			return -1;
	return r;
}

/* what an earlier run left is lent from a block of ours */
static bool download_trade(struct source *s, struct buf *m)
{
	struct download *d = (struct download *)s;

	if (d->at <= d->old)
		return false;
	http_trade(d->h, m);
	return true;
}

static int no_bytes(struct source *s, const uint8_t **p, size_t *len, struct err *e)
{
	(void)s, (void)p, (void)len, (void)e;
	return 0;
}

static void download_close(struct source *s)
{
	struct download *d = (struct download *)s;

	http_close(d->h);
	free(d->block);
	free(d);
}

/* ---- beginning ---- */

static void inform(const struct download *d, struct download_info *out)
{
	const struct reply *r = http_reply(d->h);

	*out = (struct download_info){
		.status = r->status == 206 ? 200 : r->status, .unchanged = r->status == 304, .fresh_s = reply_fresh_s(r),
		.length = d->of.length, .resumed = d->old,
	};
	snprintf(out->etag, sizeof(out->etag), "%s", *r->etag ? r->etag : d->old ? d->of.etag : r->status == 304 ? d->etag : "");
}

static struct download *start(const char *url, const struct http_opts *o, const char *etag, struct partial *p, bool deferred,
			      struct download_info *out, struct err *e)
{
	struct download *d = calloc(1, sizeof(*d));

	if (!d) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	*d = (struct download){
		.s = { .next = download_next, .trade = download_trade, .close = download_close }, .url = url, .o = o, .p = p, .deferred = deferred,
		.etag = etag && *etag ? etag : NULL, .deadline_ms = o->timeout_s ? clock_ms(CLOCK_MONOTONIC) + o->timeout_s * 1000LL : 0,
	};
	d->old = partial_have(p, &d->of);
	d->begun = d->old > 0;
	/* a server has no byte behind the last one to give; that one is fetched again */
	if (d->old && d->old == d->of.length)
		d->old--;
	if (ask_patiently(d, e) < 0) {
		download_close(&d->s);
		return NULL;
	}
	if (http_reply(d->h)->status != 200 && http_reply(d->h)->status != 206)
		d->s.next = no_bytes;
	inform(d, out);
	return d;
}

struct source *download_open(const char *url, const struct http_opts *o, const char *etag, struct partial *p,
			     struct download_info *out, struct err *e)
{
	struct download *d = start(url, o, etag, p, false, out, e);

	return d ? &d->s : NULL;
}

int download_small(const char *url, const struct http_opts *o, size_t max, struct buf *b, struct download_info *out,
		   struct err *e)
{
	struct http_opts small = *o;
	struct download_info ignored;
	const uint8_t *p;
	size_t len;
	int r;

	small.max_bytes = max;
	struct download *d = start(url, &small, NULL, NULL, out, out ? out : &ignored, e);
	if (!d)
		return -1;
	while ((r = d->s.next(&d->s, &p, &len, e)) > 0)
		buf_add(b, p, len);
	download_close(&d->s);
	return r == 0 && b->failed ? err_set(e, ENOMEM, "out of memory") : r;
}

/* What an import says of bytes that are no image is none of these, and neither is that they have changed. */
bool download_may_resume(const struct err *e)
{
	return http_transient(e) || e->code == ETIME || e->code == EIO || e->code == EPROTO || e->code == ENOSPC ||
	       e->code == EDQUOT || e->code == ENOMEM || e->code == EINTR;
}
