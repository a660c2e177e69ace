/* SPDX-License-Identifier: Apache-2.0
 * download - a URL to its end: what breaks off goes on, within a run and from one run to the next
 *
 * What passes (no connection, a cut or stalled transfer, statuses 408, 429, 500, 502 to 504) is tried again with growing
 * pauses, from where it broke off. Bytes of two files are never mixed: a range is only asked for by a strong ETag or
 * by Last-Modified, what a server sends instead of the rest is compared with what it sent before, and if that is not
 * possible or not the same, it is an error.
 *
 * In order: partial_take() (core/store/partial.h), download_open(), the import, then partial_drop() when the image is in
 * the store or its bytes were no good, else partial_close(), which keeps them for the next time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/source.h"
#include "core/base/buf.h"
#include "core/fetch/http.h"

struct partial;

struct download_info {
	unsigned status;    /* 200; 304: it is still what @etag stands for; 202 (download_small() only): come again later */
	bool     unchanged; /* status 304 */
	char     etag[REPLY_ETAG_MAX]; /* to give to download_open() the next time; "": none */
	int64_t  fresh_s;   /* nobody need ask again for so long; 0: ask always; -1: the server did not say */
	uint64_t length;    /* of all of it; 0: not known */
	uint64_t resumed;   /* bytes of it were there from an earlier run */
};

/**
 * download_open() - as a source, whose next() may be called on any thread, but never on two at once
 * @etag: of what is there already, or NULL; then the answer may be out->unchanged, and the source has no bytes
 * @p: where to keep the bytes, borrowed until the source is closed; NULL: nowhere
 * @url, @o: borrowed likewise
 *
 * Errors as of http_get(), "bad HTTP status code: N", and ESTALE: it has changed while it was downloaded.
 */
struct source *download_open(const char *url, const struct http_opts *o, const char *etag, struct partial *p,
			     struct download_info *out, struct err *e);

/**
 * download_small() - all of a signature, key or page into @b, at most @max bytes
 * @out: may be NULL; then 202 is an error as well
 */
int download_small(const char *url, const struct http_opts *o, size_t max, struct buf *b, struct download_info *out,
		   struct err *e);

/** download_may_resume() - after an error of a download or of its import: what has come may be worth keeping */
bool download_may_resume(const struct err *e);
