/* SPDX-License-Identifier: Apache-2.0
 * reply - what the head of an HTTP response says, as far as a client needs it that fetches one file
 *
 * Line by line, from bytes that anybody may have sent: what is malformed or too long counts as not said.
 * Source: RFC 9110 (8.8 validators, 14.4 Content-Range, 10.2.3 Retry-After), RFC 9111 (5.2.2 Cache-Control).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_ETAG_MAX 256
#define REPLY_DATE_MAX 40

struct reply {
	unsigned status;    /* 0: no status line yet */
	bool     complete;  /* the line that ends the head was there, and this is no interim response */
	bool     has_range; /* Content-Range of bytes */
	bool     no_cache;  /* no-cache or no-store: good for nothing but this request */
	uint64_t range_from, range_to; /* first and last byte */
	uint64_t range_total;          /* 0: not told */
	uint64_t length;               /* Content-Length; 0: not told */
	int64_t  max_age_s, age_s, retry_s, date_s, modified_s, expires_s; /* -1: not told */
	char     etag[REPLY_ETAG_MAX];     /* with its quotes, and W/ if it is a weak one; "": none */
	char     modified[REPLY_DATE_MAX]; /* Last-Modified as it was sent; "": none */
	char     encoding[REPLY_DATE_MAX]; /* of content or transfer, other than none and chunked; "": none */
};

/** reply_line() - one line of the head, with or without its line end; a status line begins a new head */
void reply_line(struct reply *r, const char *line, size_t len);

/**
 * reply_validator() - what If-Range can name this very sequence of bytes by, or NULL: a strong ETag, else Last-Modified
 * where that is older than the response
 */
const char *reply_validator(const struct reply *r);

/** reply_fresh_s() - for how long nobody need ask again; 0: ask always, -1: the server did not say */
int64_t reply_fresh_s(const struct reply *r);

/** reply_date() - "Sun, 06 Nov 1994 08:49:37 GMT" in seconds since 1970; -1: it is none */
int64_t reply_date(const char *s, size_t len);
