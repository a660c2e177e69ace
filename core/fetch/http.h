/* SPDX-License-Identifier: Apache-2.0
 * http - one request for a URL, over libcurl
 *
 * https always verifies chain and name unless told otherwise; http only when allowed. Redirects are followed here, not
 * by libcurl: a bounded number of them, never from https to http, and each host is sent its own credentials and nobody
 * else's. Proxies are those of the environment. What is tried again, and goes on where it broke off, is download.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/source.h"
#include "core/fetch/reply.h"

struct auth;
struct http_session;

#define HTTP_STALL_S  60u
#define HTTP_ATTEMPTS 4u
#define HTTP_MAX      (UINT64_C(1) << 40) /* no image is larger */

/* Zero-initialise for the defaults. All is borrowed, for as long as a source made with it is open. */
struct http_opts {
	bool               insecure_tls; /* no verification of certificates */
	bool               allow_http;
	const char        *ca_file;      /* --ca-file; NULL: see tls.h */
	const char        *crl_file;
	const struct auth *auth;         /* core/conf/auth.h; NULL: none */
	uint64_t           rate;         /* bytes/s at most; 0: as fast as it goes */
	uint64_t           max_bytes;    /* of a body; 0: HTTP_MAX */
	unsigned           attempts;     /* 0: HTTP_ATTEMPTS; 1: nothing is tried again */
	unsigned           stall_s;      /* given up after waiting for so long for next to nothing; 0: HTTP_STALL_S */
	unsigned           timeout_s;    /* for all of it, however often it is tried; 0: none */
	struct http_session *session;    /* NULL: connections are not kept */
	void              *ctx;
	void             (*notice)(void *ctx, const char *text); /* "trying again in 2 s: ..."; NULL: nobody is told */
};

/* Zero-initialise: all of it, whatever the server has. */
struct http_want {
	uint64_t    from;        /* from that byte on ... */
	const char *if_range;    /* ... if it is still what that validator is of; else all of it */
	const char *unless_etag; /* 304 if it is still that; NULL: no matter what it is */
	int64_t     deadline_ms; /* of clock_ms(CLOCK_MONOTONIC); 0: none */
};

/**
 * http_session_new() - keeps connections from one request to the next: a handshake, and reading the CAs, take longer than
 *	small files. For requests with the same options, of which no two may be at work at once.
 */
struct http_session *http_session_new(struct err *e);
void http_session_free(struct http_session *s); /* after all that was asked for with it is closed; NULL: nothing */

struct http;

/**
 * http_get() - connects, follows redirects, and returns when the head of the response is there, whatever its status
 *
 * Errors that may pass (http_transient()): ECONNREFUSED no connection, ECONNRESET it broke, ETIMEDOUT it stalls. Others:
 * EPROTO certificates and redirects, EPERM http is not allowed, EFBIG, ETIME the deadline.
 */
struct http *http_get(const char *url, const struct http_opts *o, const struct http_want *w, struct err *e);
const struct reply *http_reply(const struct http *h);

/** http_read() - the next block of the body as source.next(); on any thread, but never on two at once */
int http_read(struct http *h, const uint8_t **p, size_t *len, struct err *e);
/** http_trade() - source.trade() for it */
void http_trade(struct http *h, struct buf *m);
/** http_ended() - all of the body has arrived; what http_read() has not lent yet is still to be had */
bool http_ended(const struct http *h);
void http_close(struct http *h);

/** http_refused() - "bad HTTP status code: 401 ...", with what may help; EAGAIN if another time may be better; returns -1 */
int http_refused(const struct http *h, struct err *e);
bool http_transient(const struct err *e);

/** http_open() - one attempt, as a source; statuses other than 200 are errors: "bad HTTP status code: 404" */
struct source *http_open(const char *url, const struct http_opts *o, struct err *e);

/** http_is_url() - "https://..." or "http://..." */
bool http_is_url(const char *s);
