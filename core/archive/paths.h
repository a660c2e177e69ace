/* SPDX-License-Identifier: Apache-2.0
 * paths - which path of an archive is what, in bounded memory: finds duplicates, entries below something that
 * is no directory, and hard links to something that is no file
 *
 * Paths are known by a keyed 128-bit hash, so two different ones are taken for the same with a probability
 * under n^2 / 2^128: for ten million entries 2^-81, and no archive can be made to raise it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/tar.h"
#include "core/base/err.h"

enum paths_fault {
	PATHS_TWICE,        /* the path had an entry already */
	PATHS_BELOW_OTHER,  /* something above it has an entry, which is no directory */
	PATHS_ABOVE_OTHER,  /* it is no directory, but there were entries below it */
	PATHS_LINK_NOWHERE, /* hard link to something that had no entry before */
	PATHS_LINK_OTHER,   /* hard link to something that is no regular file */
};

struct paths_handler {
	void *ctx;
	/* @path, @offset: of the entry at fault; @other: offset of the entry it quarrels with, or UINT64_MAX */
	void (*fault)(void *ctx, enum paths_fault fault, const char *path, uint64_t offset, uint64_t other);
};

struct paths;

/** paths_new() - @no_files: what does not fit is kept in memory all the same, about 100 bytes of each path */
struct paths *paths_new(const struct paths_handler *h, bool no_files, struct err *e);
void paths_free(struct paths *p);

/**
 * paths_add() - one entry, in the order of the archive
 *
 * Faults are reported at once while all paths fit into memory (about 14,000), else by paths_finish(). Then
 * they go to unlinked temporary files in $TMPDIR, /var/tmp or /tmp, or to memory. -1: those could not be written.
 */
int paths_add(struct paths *p, const struct tar_entry *entry, struct err *e);

/** paths_finish() - reports what is left, in order of offset */
int paths_finish(struct paths *p, struct err *e);
