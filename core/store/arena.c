/* SPDX-License-Identifier: Apache-2.0
 * arena - see arena.h
 */
#include "core/store/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/fd.h"

#define ALIGN 8u

struct chunk {
	void  *p;
	size_t len;
	bool   spilled;
};

void arena_init(struct arena *a, size_t mem_max, int spill_dir_fd)
{
	*a = (struct arena){ .mem_max = mem_max, .dir_fd = spill_dir_fd, .spill_fd = -1 };
}

void arena_free(struct arena *a)
{
	for (size_t i = 0; i < a->n_chunks; i++)
		munmap(a->chunks[i].p, a->chunks[i].len);
	free(a->chunks);
	fd_cleanup(&a->spill_fd);
	arena_init(a, a->mem_max, a->dir_fd);
}

static int open_spill(struct arena *a, struct err *e)
{
	a->spill_fd = openat(a->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (a->spill_fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		a->spill_fd = memfd_create("arena", MFD_CLOEXEC); /* no O_TMPFILE here: swap will have to do */
	return a->spill_fd < 0 ? err_sys(e, "create a temporary file") : 0;
}

/* Blocks that a mapped file lacks are a SIGBUS when they are touched: so they are asked for before. */
static int grow_spill(struct arena *a, size_t len, struct err *e)
{
	static const uint8_t zeros[65536];

	if (a->spill_fd < 0 && open_spill(a, e) < 0)
		return -1;
	int why = posix_fallocate(a->spill_fd, (off_t)a->spilled, (off_t)len);
	for (size_t at = 0; why == EOPNOTSUPP && at < len; at += sizeof(zeros))
		if (pwrite(a->spill_fd, zeros, sizeof(zeros), (off_t)(a->spilled + at)) != (ssize_t)sizeof(zeros))
			why = errno ? errno : ENOSPC;
	errno = why;
	return why && why != EOPNOTSUPP ? err_sys(e, "extend a temporary file") : 0;
}

void arena_rest(const struct arena *a)
{
	for (size_t i = 0; i < a->n_chunks; i++)
		if (a->chunks[i].spilled)
			madvise(a->chunks[i].p, a->chunks[i].len, MADV_DONTNEED);
}

/* kept apart from the chunks: to go through all of them must not bring them back */
static int make_room(struct arena *a, struct err *e)
{
	size_t cap = a->n_chunks ? 2 * a->n_chunks : 8;

	if (a->n_chunks & (a->n_chunks - 1) || (a->n_chunks && a->n_chunks < 8))
		return 0;
	struct chunk *v = realloc(a->chunks, cap * sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	a->chunks = v;
	return 0;
}

static void *map_chunk(struct arena *a, size_t len, struct err *e)
{
	bool spill = a->dir_fd >= 0 && a->anonymous + len > a->mem_max;
	void *p;

	if (make_room(a, e) < 0)
		return NULL;
	if (spill && grow_spill(a, len, e) < 0)
		return NULL;
	p = spill ? mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, a->spill_fd, (off_t)a->spilled) :
		    mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	a->spilled += spill ? len : 0;
	a->anonymous += spill ? 0 : len;
	if (spill)
		arena_rest(a);
	a->chunks[a->n_chunks++] = (struct chunk){ p, len, spill };
	return p;
}

void *arena_alloc(struct arena *a, size_t len, struct err *e)
{
	len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (len > a->left) {
		size_t size = len < ARENA_CHUNK ? ARENA_CHUNK : (len + 65535) & ~(size_t)65535;
		uint8_t *c = map_chunk(a, size, e);
		if (!c)
			return NULL;
		a->p = c;
		a->left = size;
	}
	void *p = a->p;
	a->p += len;
	a->left -= len;
	return p;
}
