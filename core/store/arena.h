/* SPDX-License-Identifier: Apache-2.0
 * arena - memory that is only ever handed out, and given back all at once
 *
 * It comes in chunks that never move, so pointers into it stay good. What goes beyond a bound lies in an unlinked
 * file that is mapped: pages of it leave memory when others need it, and nobody's limit of anonymous memory is hit
 * by the size of an archive. What is mapped counts as ours all the same, and the kernel maps up to 64 KiB around any
 * byte that is looked at: so no more than a window is mapped at a time, if whoever goes from object to object says so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define ARENA_CHUNK (256u << 10)

struct arena {
	size_t          mem_max;  /* bytes of anonymous memory */
	int             dir_fd;   /* where the file is made when they are used up; borrowed; -1: never */
	int             spill_fd; /* -1: not yet */
	uint64_t        spilled;  /* bytes of the file */
	size_t          anonymous;
	struct mapping *maps;
	size_t          n_maps;
	uint8_t        *next;     /* of the newest mapping of the file: what lies beyond its end */
	size_t          room;
	uint8_t        *p;        /* what is left of the newest chunk */
	size_t          left;
	size_t          window;   /* of the file, how many bytes may be mapped; 0: all. Whoever owns the arena sets it */
	unsigned        steps;
	long            faults;   /* of this thread, when it last let go; -1: it never did */
	uint64_t        n_faults; /* until then, since the first time */
};

/** arena_init() - cannot fail; arena_free() gives everything back */
void arena_init(struct arena *a, size_t mem_max, int spill_dir_fd);
void arena_free(struct arena *a);

/** arena_step() - for every object or two that are looked at: keeps to the window; what it lets go of comes back */
void arena_step(struct arena *a);

/** arena_alloc() - @len zeroed bytes, aligned for any of our structs; NULL and *e: no memory, no room on disk */
void *arena_alloc(struct arena *a, size_t len, struct err *e);
