/* SPDX-License-Identifier: Apache-2.0
 * fd_tree - see fd.h: all that is below a directory, counted or removed
 *
 * Depth first, without recursion, and with a bounded number of descriptors: those of the innermost levels are kept, so
 * the usual way back up costs nothing; from deeper down it is "..", checked against the inode that we came from, so that
 * a directory which somebody moved away meanwhile ends the walk. What is mounted inside is never entered.
 */
#include "core/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/dir.h"
#include "core/base/sys.h"

#define OPEN_LEVELS 8 /* as deep as a pod usually is */
#define RETRIES     1000 /* for directories that are filled while they are emptied */

/* a directory that is being walked; the name is its own in the level above, NULL for the first */
struct level {
	int   fd; /* -1: too far above; dev and ino tell what it was */
	dev_t dev;
	ino_t ino;
	char *name;
};

/* a directory to be walked, in the level whose number is @level (the first is 1) */
struct pending { char *name; size_t level; };

struct walk {
	/* 1: to be walked, 0: done with, -1/errno */
	int (*entry)(struct walk *w, int dir_fd, const struct dirent *de);
	/* after all that is in it; the same answers */
	int (*leave)(struct walk *w, int dir_fd, const char *name);
	bool        past_mounts; /* what is mounted is passed over; otherwise it ends the walk */
	int         retries;
	uint64_t    bytes;
	dev_t       dev;
	struct level   *v;
	struct pending *todo;
	size_t n, cap, n_todo, cap_todo;
};

/* ---- the walk ---- */

static int add_pending(struct walk *w, const char *name)
{
	if (w->n_todo == w->cap_todo) {
		size_t cap = w->cap_todo ? w->cap_todo * 2 : 16;
		struct pending *v = realloc(w->todo, cap * sizeof(*v));
		if (!v)
			return -1;
		w->todo = v;
		w->cap_todo = cap;
	}
	struct pending p = { strdup(name), w->n };
	if (!p.name)
		return -1;
	w->todo[w->n_todo++] = p;
	return 0;
}

/* gives up the descriptor, but not before it is known how to tell that we are back */
static int park(struct level *l)
{
	struct stat st;

	if (l->fd < 0)
		return 0;
	if (fstat(l->fd, &st) < 0)
		return -1;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	fd_cleanup(&l->fd);
	return 0;
}

/* takes both, whatever comes of it */
static int enter(struct walk *w, int fd, char *name)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		struct level *v = realloc(w->v, cap * sizeof(*v));
		if (!v) {
			fd_cleanup(&fd);
			free(name);
			return -1;
		}
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = (struct level){ .fd = fd, .name = name };
	return w->n > OPEN_LEVELS ? park(&w->v[w->n - 1 - OPEN_LEVELS]) : 0;
}

/* the descriptor of the level above the innermost, opened again if need be; -1/errno */
static int above(struct walk *w)
{
	const struct level *here = &w->v[w->n - 1];
	struct level *l = &w->v[w->n - 2];
	struct stat st;

	if (l->fd >= 0)
		return l->fd;
	auto_close int fd = openat(here->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_dev != l->dev || st.st_ino != l->ino) {
		errno = ESTALE;
		return -1;
	}
	return l->fd = take_fd(&fd);
}

static int read_level(struct walk *w)
{
	const struct dirent *de;
	struct dir d;

	dir_start(&d, w->v[w->n - 1].fd);
	while ((de = dir_next(&d))) {
		int r = w->entry(w, d.fd, de);
		if (r < 0 || (r && add_pending(w, de->d_name) < 0))
			return -1;
	}
	return errno ? -1 : 0;
}

/* 1: into the next one, 0: it is gone, -1/errno; EBUSY: something is mounted there */
static int descend(struct walk *w)
{
	char *name = w->todo[--w->n_todo].name;
	/* in one call, so that nothing can be mounted between a look and the opening */
	int fd = sys_open_in(w->v[w->n - 1].fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, SYS_NO_XDEV);

	if (fd >= 0)
		return enter(w, fd, name) < 0 ? -1 : 1;
	int why = errno;
	free(name);
	errno = why == EXDEV ? EBUSY : why;
	return why == ENOENT || why == ENOTDIR || why == ELOOP || (why == EXDEV && w->past_mounts) ? 0 : -1;
}

static int ascend(struct walk *w)
{
	int up = above(w);

	if (up < 0)
		return -1;
	struct level l = w->v[--w->n];
	fd_cleanup(&l.fd);
	int r = w->leave ? w->leave(w, up, l.name) : 0;
	if (r > 0)
		r = add_pending(w, l.name);
	free(l.name);
	return r;
}

static int walk_on(struct walk *w)
{
	int r = 1;

	for (;;) {
		if (r > 0 && read_level(w) < 0)
			return -1;
		if (w->n_todo && w->todo[w->n_todo - 1].level == w->n)
			r = descend(w);
		else if (w->n > 1)
			r = ascend(w);
		else
			return 0;
		if (r < 0)
			return -1;
	}
}

/* @name below @dir_fd, which is not followed; -1/errno */
static int walk(struct walk *w, int dir_fd, const char *name)
{
	struct stat st;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || enter(w, fd, NULL) < 0 || fstat(fd, &st) < 0 ? -1 : 0;

	if (r == 0) {
		w->dev = st.st_dev;
		r = walk_on(w);
	}
	int keep = errno;
	while (w->n_todo)
		free(w->todo[--w->n_todo].name);
	while (w->n) {
		fd_cleanup(&w->v[--w->n].fd);
		free(w->v[w->n].name);
	}
	free(w->todo);
	free(w->v);
	w->todo = NULL;
	w->v = NULL;
	w->cap_todo = w->cap = 0;
	errno = keep;
	return r;
}

/* ---- rm -rf ---- */

/* A directory that is a mount point is EBUSY here, and what is mounted has to keep its contents. */
static int remove_dir(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -1;
}

static int remove_entry(struct walk *w, int dir_fd, const struct dirent *de)
{
	struct stat st;
	(void)w;

	if (de->d_type != DT_DIR) {
		if (unlinkat(dir_fd, de->d_name, 0) == 0 || errno == ENOENT)
			return 0;
		/* a directory after all, of a file system that does not say so, or made there meanwhile */
		int why = errno;
		if (fstatat(dir_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
			errno = why;
			return -1;
		}
	}
	int r = remove_dir(dir_fd, de->d_name);
	/* it was a directory when it was read */
	return r < 0 && errno == ENOTDIR ? unlinkat(dir_fd, de->d_name, 0) : r;
}

static int remove_left(struct walk *w, int dir_fd, const char *name)
{
	int r = remove_dir(dir_fd, name);

	/* once more: somebody puts things there, or the file system has skipped some while others went */
	return r > 0 && ++w->retries > RETRIES ? -1 : r;
}

int fd_remove_tree(int dir_fd, const char *name, struct err *e)
{
	struct walk w = { .entry = remove_entry, .leave = remove_left };

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, "remove %s", name);
	int r = remove_dir(dir_fd, name);
	while (r > 0) {
		r = walk(&w, dir_fd, name);
		if (r == 0 || errno == ENOENT)
			r = remove_left(&w, dir_fd, name);
	}
	return r < 0 ? err_sys(e, "remove %s", name) : 0;
}

/* ---- du ---- */

static int count_entry(struct walk *w, int dir_fd, const struct dirent *de)
{
	struct stat st;

	if (fstatat(dir_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != w->dev)
		return 0;
	w->bytes += (uint64_t)st.st_blocks * 512;
	return S_ISDIR(st.st_mode);
}

int fd_dir_size(int dir_fd, const char *name, uint64_t *bytes, struct err *e)
{
	struct walk w = { .entry = count_entry, .past_mounts = true };
	int r = walk(&w, dir_fd, name);

	*bytes += w.bytes;
	return r < 0 ? err_sys(e, "read directory %s", name) : 0;
}
