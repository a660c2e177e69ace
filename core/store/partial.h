/* SPDX-License-Identifier: Apache-2.0
 * partial - what has come of a download, until the image is in the store
 *
 * cas/partial/KEY, KEY being that of the URL: one block that says what server and file the bytes are of, then the bytes,
 * appended as they come and never synced. So they are good for the boot they were written in, and after a kill -9.
 * The file is also the URL's lock, which dies with its process: one downloads, the others wait and then find the image.
 * It is a convenience: where it cannot be made, or written any longer, downloads go on without. store_gc() removes those
 * that nobody has locked and that are a day old.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/store/store.h"

#define PARTIAL_DIR   "partial"
#define PARTIAL_TEXT  257
#define PARTIAL_DAY_S (24 * 3600)

/* by what a server's answer is known to be the same bytes */
struct partial_of {
	char     etag[PARTIAL_TEXT];     /* a strong one, or "" */
	char     modified[PARTIAL_TEXT]; /* or Last-Modified, as it came; both "": cannot be resumed later */
	uint64_t length;                 /* of the whole file; 0: not known */
};

struct partial;

/**
 * partial_take() - waits until nobody else downloads that URL, and keeps others waiting
 * @waiting: called once if there is somebody to wait for; may be NULL. Whoever was made to wait should look again
 *	whether the store has what he wants.
 *
 * NULL, and *e, only when memory ran out. On a file system that cannot be written, or in a file that is somebody else's,
 * nothing is kept and nobody waits.
 */
struct partial *partial_take(struct store *st, const char *url, void (*waiting)(void *ctx), void *ctx, struct err *e);
/** partial_close() - lets the URL go; what has come is kept for the next time. partial_drop() - it is not. NULL is fine. */
void partial_close(struct partial *p);
void partial_drop(struct partial *p);

/** partial_have() - bytes there are of an earlier download that can be told to be of the same file; 0: none */
uint64_t partial_have(const struct partial *p, struct partial_of *of);

/** partial_begin() - from now on of this; what was there is gone */
void partial_begin(struct partial *p, const struct partial_of *of);
/** partial_write() - at @at, which is at most what is there. When it fails the file is given up, which costs nobody anything. */
void partial_write(struct partial *p, uint64_t at, const void *data, size_t len);
/** partial_size() - bytes there are, whosever; partial_read() - of them; fewer than @len: the disk fails */
uint64_t partial_size(const struct partial *p);
size_t partial_read(const struct partial *p, uint64_t at, void *out, size_t len);

/** partial_is_old() - so old that nobody will go on with it */
bool partial_is_old(int dir_fd, const char *name);

/** partial_parse() - the block at the beginning of a file; false: it is not of this boot, or not whole */
bool partial_parse(const char *block, size_t len, const char *boot, struct partial_of *of);
