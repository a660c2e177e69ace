/* SPDX-License-Identifier: Apache-2.0
 * blob - a large file that gets its name when all of it is on disk
 *
 * Written without a name (O_TMPFILE), so that whatever ends the process takes the bytes along. Where the file
 * system cannot do that, under a name that begins with STORE_TMP and under a lock, which tells store_gc()
 * that the file is in use.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct blob {
	int      dir_fd; /* where it is written; borrowed */
	int      fd;
	uint64_t bytes, started, dropped; /* written; of these, on their way to the disk; there, and not cached */
	bool     synced;   /* all of it is on disk */
	bool     keep;     /* in the page cache, for who reads it soon */
	char     tmp[64]; /* "" while it has no name */
};

/** blob_create() - @named: do not even try without a name (for tests) */
int blob_create(struct blob *b, int dir_fd, bool named, struct err *e);
int blob_write(struct blob *b, const void *data, size_t len, struct err *e);
/** blob_start() - has all of it on its way to the disk, and waits for nothing: what comes until blob_sync() costs no time */
void blob_start(struct blob *b);
/** blob_sync() - all of it on disk, and none of it in the page cache unless it shall stay there; done twice it does nothing */
int blob_sync(struct blob *b, struct err *e);
/**
 * blob_protect() - after blob_sync(): where the file system has fs-verity, the file is made unchangeable
 * Gives it a temporary name and reads all of it. What hinders it is no error; done twice it does nothing.
 */
void blob_protect(struct blob *b);
/** blob_publish() - as @name in @to_fd, on the same file system, replacing what is there; not yet durable */
int blob_publish(struct blob *b, int to_fd, const char *name, struct err *e);
/** blob_drop() - closes, and removes what has no final name; harmless on a zeroed or dropped one */
void blob_drop(struct blob *b);
