/* SPDX-License-Identifier: Apache-2.0
 * arena - memory that is only ever handed out, and given back all at once
 *
 * It comes in chunks that never move, so pointers into it stay good. What goes beyond a bound lies in an unlinked
 * file that is mapped: pages of it leave memory when others need it, and nobody's limit of anonymous memory is hit
 * by the size of an archive.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define ARENA_CHUNK (256u << 10)

struct arena {
	size_t        mem_max;  /* bytes of anonymous memory */
	int           dir_fd;   /* where the file is made when they are used up; borrowed; -1: never */
	int           spill_fd; /* -1: not yet */
	uint64_t      spilled;  /* bytes of the file */
	size_t        anonymous;
	struct chunk *chunks;
	size_t        n_chunks;
	uint8_t      *p;        /* what is left of the newest */
	size_t        left;
};

/** arena_init() - cannot fail; arena_free() gives everything back */
void arena_init(struct arena *a, size_t mem_max, int spill_dir_fd);
void arena_free(struct arena *a);

/** arena_rest() - lets go of the file's pages, which come back when they are touched; done by itself now and then */
void arena_rest(const struct arena *a);

/** arena_alloc() - @len zeroed bytes, aligned for any of our structs; NULL and *e: no memory, no room on disk */
void *arena_alloc(struct arena *a, size_t len, struct err *e);
