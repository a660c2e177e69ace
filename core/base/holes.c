/* SPDX-License-Identifier: Apache-2.0
 * holes - see holes.h
 */
#include "core/base/holes.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAGIC_EROFS   0xe0f5e1e2ul
#define MAGIC_OVERLAY 0x794c7630ul
#define MAGIC_RAMFS   0x858458f6ul

/* A hole that is smaller is not worth a second question. */
#define WORTH_ASKING (64 << 10)

/* by the map of extents */
static int map_next(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
	/* a map and one extent, which lies where its array of no length begins */
	_Alignas(struct fiemap) char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)] = { 0 };
	struct fiemap *map = (struct fiemap *)(void *)room;

	map->fm_start = (__u64)at;
	map->fm_length = (__u64)(size - at);
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = 1;
	if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
		return -1;
	if (!map->fm_mapped_extents)
		return 0;
	off_t begin = (off_t)map->fm_extents[0].fe_logical, end = begin + (off_t)map->fm_extents[0].fe_length;
	*from = begin < at ? at : begin;
	*to = end > size ? size : end;
	return *from < *to;
}

enum { WINDOW_PAGES = 4096, PAGE = 4096 };

/* Among the pages of the window that begins at @at: 1 data, 0 none, -1 */
static int window_next(int fd, off_t at, off_t *from, off_t *to)
{
	unsigned char there[WINDOW_PAGES];
	size_t i = 0, end, len = (size_t)WINDOW_PAGES * PAGE;
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, at);

	if (p == MAP_FAILED)
		return -1;
	int r = mincore(p, len, there);
	munmap(p, len);
	if (r < 0)
		return -1;
	while (i < WINDOW_PAGES && !(there[i] & 1))
		i++;
	for (end = i; end < WINDOW_PAGES && (there[end] & 1); end++)
		;
	*from = at + (off_t)(i * PAGE);
	*to = at + (off_t)(end * PAGE);
	return i < WINDOW_PAGES;
}

/* by what is in memory: on a ramfs, where nothing else is */
static int memory_next(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
	off_t end = 0;
	int r = 0;

	if (sysconf(_SC_PAGESIZE) != PAGE)
		return -1;
	for (off_t w = at - at % PAGE; r == 0 && w < size; w += (off_t)WINDOW_PAGES * PAGE)
		r = window_next(fd, w, from, &end);
	if (r <= 0 || *from >= size)
		return r < 0 ? -1 : 0;
	*from = *from < at ? at : *from;
	*to = end > size ? size : end;
	return 1;
}

/*
 * EROFS has holes, and in 6.12 does not tell lseek() of them; its map of extents has always been right. A ramfs tells
 * nobody, and reading a hole of GiBs there takes as much memory. Elsewhere lseek() is right, and a map may lag behind
 * what was written.
 */
static int ask_otherwise(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
	struct statfs fs;
	unsigned long type = fstatfs(fd, &fs) < 0 ? 0 : (unsigned long)fs.f_type & 0xfffffffful;

	if (type == MAGIC_EROFS || type == MAGIC_OVERLAY)
		return map_next(fd, at, size, from, to);
	return type == MAGIC_RAMFS ? memory_next(fd, at, size, from, to) : -1;
}

int holes_next(int fd, off_t at, off_t size, off_t *from, off_t *to)
{
	off_t data = at < size ? lseek(fd, at, SEEK_DATA) : size;

	if (data >= size || (data < 0 && errno == ENXIO))
		return 0;
	if (data < 0 && errno != EINVAL)
		return -1;
	off_t hole = data < 0 ? size : lseek(fd, data, SEEK_HOLE);
	if (hole < 0)
		return -1;
	data = data < 0 ? at : data;
	int r = data == at && hole >= size && size - at >= WORTH_ASKING ? ask_otherwise(fd, at, size, from, to) : -1;
	if (r >= 0)
		return r;
	*from = data;
	*to = hole > size ? size : hole;
	return 1;
}
