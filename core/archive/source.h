/* SPDX-License-Identifier: Apache-2.0
 * source - bytes lent block by block; decompression, hashing, storing and parsing are chained this way,
 * so every byte is looked at where it lies and copied only where it is kept
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct source {
	/* 1: *p, *len describe the next block (len > 0), valid until the next call; 0: end; -1: *e */
	int (*next)(struct source *s, const uint8_t **p, size_t *len, struct err *e);
	/*
	 * moves ahead by at most @n bytes that nobody wants to see, without reading them; returns by how many, 0 when
	 * it cannot. May be NULL.
	 */
	uint64_t (*skip)(struct source *s, uint64_t n);
	/*
	 * does something that is left to be done with what was read, on whatever thread; whether there was anything. May
	 * be NULL.
	 */
	bool (*work)(struct source *s);
	/*
	 * leaves the memory with the block that was lent last to the caller, who frees it, and gets @m for a later one, which
	 * may be empty; false: this block has to be copied by who wants to keep it. May be NULL.
	 */
	bool (*trade)(struct source *s, struct buf *m);
	size_t *lag; /* how many bytes may wait for work(), for who calls that to set; NULL without it */
	/* releases everything including the struct */
	void (*close)(struct source *s);
};

static inline void source_cleanup(struct source **s)
{
	if (*s)
		(*s)->close(*s);
	*s = NULL;
}
static inline uint64_t source_skip(struct source *s, uint64_t n)
{
	return s->skip ? s->skip(s, n) : 0;
}

#define auto_source __attribute__((cleanup(source_cleanup)))

/** source_fd() - reads a descriptor (borrowed) in blocks of 128 KiB; from the first skip on, which takes a regular file,
 * in smaller ones */
struct source *source_fd(int fd, struct err *e);

/**
 * source_peek() - a look at the first block, which is lent again to whoever calls next()
 * @in: taken over, also on failure
 * @p, @len: the block; 0 bytes: there is none
 */
struct source *source_peek(struct source *in, const uint8_t **p, size_t *len, struct err *e);

/** source_lend() - the same source for somebody who closes what he is given: @in stays the caller's, and stays open longer */
struct source *source_lend(struct source *in, struct err *e);

/** source_drain() - reads on to the end, for those whose end says that all before it was good */
int source_drain(struct source *s, struct err *e);
