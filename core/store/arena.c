/* SPDX-License-Identifier: Apache-2.0
 * arena - see arena.h
 */
#include "core/store/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/fd.h"

#define ALIGN 8u

#define AROUND  (64u << 10) /* what the kernel maps at one page fault, at most */
#define STEPS   4u          /* that go by before anybody asks how many faults there were */
#define MAP_MIN (1u << 20)
#define MAP_MAX (64u << 20)

struct mapping {
	void  *p;
	size_t len;
	bool   spilled;
};

void arena_init(struct arena *a, size_t mem_max, int spill_dir_fd)
{
	*a = (struct arena){ .mem_max = mem_max, .dir_fd = spill_dir_fd, .spill_fd = -1, .faults = -1 };
}

void arena_free(struct arena *a)
{
	for (size_t i = 0; i < a->n_maps; i++)
		munmap(a->maps[i].p, a->maps[i].len);
	free(a->maps);
	fd_cleanup(&a->spill_fd);
	arena_init(a, a->mem_max, a->dir_fd);
}

/* ---- the window ---- */

static long count_faults(void)
{
	struct rusage u;

	return getrusage(RUSAGE_THREAD, &u) < 0 ? 0 : u.ru_minflt + u.ru_majflt;
}

static void rest(const struct arena *a)
{
	for (size_t i = 0; i < a->n_maps; i++)
		if (a->maps[i].spilled)
			madvise(a->maps[i].p, a->maps[i].len, MADV_DONTNEED);
}

void arena_step(struct arena *a)
{
	if (!a->spilled || !a->window || ++a->steps % STEPS)
		return;
	long now = count_faults();
	if (a->faults >= 0 && (uint64_t)(now - a->faults) * AROUND < a->window)
		return;
	rest(a);
	a->n_faults += a->faults < 0 ? 0 : (uint64_t)(now - a->faults);
	a->faults = now;
}

/* ---- memory ---- */

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
	const uint8_t zeros[4096] = { 0 };

	if (a->spill_fd < 0 && open_spill(a, e) < 0)
		return -1;
	int why = posix_fallocate(a->spill_fd, (off_t)a->spilled, (off_t)len);
	for (size_t at = 0; why == EOPNOTSUPP && at < len; at += sizeof(zeros))
		if (pwrite(a->spill_fd, zeros, sizeof(zeros), (off_t)(a->spilled + at)) != (ssize_t)sizeof(zeros))
			why = errno ? errno : ENOSPC;
	errno = why;
	return why && why != EOPNOTSUPP ? err_sys(e, "extend a temporary file") : 0;
}

static int make_room(struct arena *a, struct err *e)
{
	size_t cap = a->n_maps ? 2 * a->n_maps : 8;

	if (a->n_maps & (a->n_maps - 1) || (a->n_maps && a->n_maps < 8))
		return 0;
	struct mapping *v = realloc(a->maps, cap * sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	a->maps = v;
	return 0;
}

/* @fd -1: anonymous */
static void *map(struct arena *a, size_t len, int fd, struct err *e)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	if (make_room(a, e) < 0)
		return NULL;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : (off_t)a->spilled);
	if (p == MAP_FAILED) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	a->maps[a->n_maps++] = (struct mapping){ p, len, fd >= 0 };
	return p;
}

/* Mapped far beyond the end of the file, which follows as it is needed: few mappings are quickly let go of. */
static int map_further(struct arena *a, size_t len, struct err *e)
{
	size_t size = a->spilled < MAP_MIN ? MAP_MIN : a->spilled < MAP_MAX ? (size_t)a->spilled : MAP_MAX;

	if (size < len)
		size = len;
	a->next = map(a, size, a->spill_fd, e);
	a->room = a->next ? size : 0;
	return a->next ? 0 : -1;
}

static void *spill(struct arena *a, size_t len, struct err *e)
{
	if (grow_spill(a, len, e) < 0 || (a->room < len && map_further(a, len, e) < 0))
		return NULL;
	void *p = a->next;
	a->next += len;
	a->room -= len;
	a->spilled += len;
	return p;
}

static void *new_chunk(struct arena *a, size_t len, struct err *e)
{
	if (a->dir_fd >= 0 && a->anonymous + len > a->mem_max)
		return spill(a, len, e);
	void *p = map(a, len, -1, e);
	a->anonymous += p ? len : 0;
	return p;
}

void *arena_alloc(struct arena *a, size_t len, struct err *e)
{
	len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (len > a->left) {
		size_t size = len < ARENA_CHUNK ? ARENA_CHUNK : (len + 65535) & ~(size_t)65535;
		uint8_t *c = new_chunk(a, size, e);
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
