/* SPDX-License-Identifier: Apache-2.0
 * place - see place.h
 *
 * Entries that are not directories with a UUID for a name are none of ours and are passed over.
 */
#include "core/pod/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/lock.h"

static const char *const place_text[N_PLACES] = {
	[PLACE_EMBRYO] = "embryo",
	[PLACE_PREPARE] = "prepare",
	[PLACE_PREPARED] = "prepared",
	[PLACE_RUN] = "run",
	[PLACE_EXITED_GARBAGE] = "exited-garbage",
	[PLACE_GARBAGE] = "garbage",
};

#define POD_DIR_MODE 0750

static int open_pods_dir(const char *dir, bool create, struct err *e)
{
	struct buf path = { 0 };
	int fd = -1;

	buf_fmt(&path, "%s/pods", dir);
	if (path.failed)
		return err_set(e, ENOMEM, "out of memory");
	/* followed: whoever administers the host may keep pods on another disk */
	fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		if (fd_mkdirs(AT_FDCWD, path.data, POD_DIR_MODE, e) < 0) {
			buf_free(&path);
			return -1;
		}
		fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		err_sys(e, "open %s", path.data);
	if (fd < 0 && e->code == EACCES && geteuid() != 0)
		err_set(e, EACCES, "open %s: Permission denied: " PODS_REMEDY, path.data);
	buf_free(&path);
	return fd;
}

/* as rkt install leaves it */
static bool is_shared(int dir_fd)
{
	struct stat sb;

	return fstat(dir_fd, &sb) == 0 && (sb.st_mode & S_ISGID);
}

struct pods *pods_open(const char *dir, bool create, struct err *e)
{
	struct err why = { .code = 0 };
	struct pods *ps = malloc(sizeof(*ps));

	if (!ps) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	for (int i = 0; i < N_PLACES; i++)
		ps->fd[i] = -1;
	ps->dir_fd = open_pods_dir(dir, create, &why);
	if (ps->dir_fd < 0 && (create || why.code != ENOENT)) {
		*e = why;
		pods_close(ps);
		return NULL;
	}
	ps->shared = create && is_shared(ps->dir_fd);
	for (enum place at = 0; create && at < N_PLACES; at++)
		if (place_fd(ps, at, true, e) < 0) {
			pods_close(ps);
			return NULL;
		}
	return ps;
}

bool pods_exist(const struct pods *ps)
{
	return ps->dir_fd >= 0;
}

void pods_close(struct pods *ps)
{
	if (!ps)
		return;
	for (int i = 0; i < N_PLACES; i++)
		fd_cleanup(&ps->fd[i]);
	fd_cleanup(&ps->dir_fd);
	free(ps);
}

int place_fd(struct pods *ps, enum place at, bool create, struct err *e)
{
	if (ps->fd[at] >= 0)
		return ps->fd[at];
	if (ps->dir_fd < 0)
		return err_set(e, ENOENT, "there are no pods");
	ps->fd[at] = openat(ps->dir_fd, place_text[at], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ps->fd[at] < 0 && errno == ENOENT && create) {
		if (mkdirat(ps->dir_fd, place_text[at], POD_DIR_MODE) < 0 && errno != EEXIST)
			return err_sys(e, "create directory pods/%s", place_text[at]);
		ps->fd[at] = openat(ps->dir_fd, place_text[at], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return ps->fd[at] < 0 ? err_sys(e, "open pods/%s", place_text[at]) : ps->fd[at];
}

/* ---- lists ---- */

static int add_name(struct place_names *l, const char *uuid, enum place at, struct err *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct place_name *v = realloc(l->v, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		l->v = v;
		l->cap = cap;
	}
	memcpy(l->v[l->n].uuid, uuid, UUID_LEN + 1);
	l->v[l->n++].at = at;
	return 0;
}

static int read_place(int fd, enum place at, const char *prefix, struct place_names *l, struct err *e)
{
	auto_dir DIR *d = fd_list(fd);
	size_t len = strlen(prefix);
	struct dirent *de;

	if (!d)
		return err_sys(e, "read pods/%s", place_text[at]);
	while (errno = 0, (de = readdir(d))) {
		if (strncmp(de->d_name, prefix, len) || !uuid_ok(de->d_name) ||
		    (de->d_type != DT_DIR && de->d_type != DT_UNKNOWN))
			continue;
		if (add_name(l, de->d_name, at, e) < 0)
			return -1;
	}
	return errno ? err_sys(e, "read pods/%s", place_text[at]) : 0;
}

static int by_uuid_then_place(const void *a, const void *b)
{
	const struct place_name *x = a, *y = b;
	int r = memcmp(x->uuid, y->uuid, UUID_LEN);

	return r ? r : (int)x->at - (int)y->at;
}

/* a pod that moved while we read was seen at two places: the later one is where it is */
static void keep_last(struct place_names *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (n && !memcmp(l->v[n - 1].uuid, l->v[i].uuid, UUID_LEN))
			n--;
		l->v[n++] = l->v[i];
	}
	l->n = n;
}

int place_names(struct pods *ps, const char *prefix, struct place_names *out, struct err *e)
{
	struct place_names l = { 0 };

	for (enum place at = 0; at < N_PLACES; at++) {
		struct err why;
		int fd = place_fd(ps, at, false, &why);
		if (fd < 0 && why.code == ENOENT)
			continue;
		if (fd < 0)
			*e = why;
		if (fd < 0 || read_place(fd, at, prefix, &l, e) < 0) {
			free(l.v);
			return -1;
		}
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_uuid_then_place);
	keep_last(&l);
	*out = l;
	return 0;
}

/* ---- states ---- */

static const enum pod_state state_of[N_PLACES][2] = {
	/*                         unlocked             locked */
	[PLACE_EMBRYO]         = { POD_EMBRYO,          POD_EMBRYO },
	[PLACE_PREPARE]        = { POD_ABORTED_PREPARE, POD_PREPARING },
	[PLACE_PREPARED]       = { POD_PREPARED,        POD_PREPARED },
	[PLACE_RUN]            = { POD_EXITED,          POD_RUNNING },
	[PLACE_EXITED_GARBAGE] = { POD_EXITED_GARBAGE,  POD_DELETING },
	[PLACE_GARBAGE]        = { POD_GARBAGE,         POD_DELETING },
};

static bool same_dir(int fd, int at_fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(at_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool place_is(struct pod *p, enum place at)
{
	struct err none;
	int at_fd = place_fd(p->pods, at, false, &none);

	return at_fd >= 0 && same_dir(p->dir_fd, at_fd, p->uuid);
}

/* 1: *s; 0: the pod moved on between open and look; -1 */
static int look(int at_fd, enum place at, const char *uuid, int fd, enum pod_state *s, struct err *e)
{
	int free_lock = 1;

	/* where the lock has no meaning it is not touched, so that nobody who wants it finds us in the way */
	if (state_of[at][0] != state_of[at][1]) {
		free_lock = lock_try(fd, LOCK_SHARED, e);
		if (free_lock < 0)
			return -1;
		if (free_lock)
			lock_drop(fd);
	}
	/* unlocked because it went on to "prepared", not because its maker died */
	if (at == PLACE_PREPARE && free_lock && !same_dir(fd, at_fd, uuid))
		return 0;
	*s = state_of[at][!free_lock];
	return 1;
}

int place_locate(struct pods *ps, const char *uuid, enum place from, struct pod *p, enum place *at, struct err *e)
{
	struct err why = { .code = 0 };

	for (enum place i = from; i < N_PLACES; i++) {
		enum pod_state s;
		int at_fd = place_fd(ps, i, false, &why);
		if (at_fd < 0 && why.code == ENOENT)
			continue;
		if (at_fd < 0) {
			*e = why;
			return -1;
		}
		auto_close int fd = openat(at_fd, uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (fd < 0)
			return err_sys(e, "open pod %s", uuid);
		int r = look(at_fd, i, uuid, fd, &s, e);
		if (r < 0)
			return err_wrap(e, "pod %s", uuid);
		if (!r)
			continue;
		*p = (struct pod){ .state = s, .dir_fd = take_fd(&fd), .pods = ps };
		memcpy(p->uuid, uuid, UUID_LEN);
		*at = i;
		return 1;
	}
	return 0;
}

/* where a pod in that state lay, or before: and pods only move forward */
static const enum place place_before[] = {
	[POD_EMBRYO]          = PLACE_EMBRYO,
	[POD_PREPARING]       = PLACE_PREPARE,
	[POD_ABORTED_PREPARE] = PLACE_PREPARE,
	[POD_PREPARED]        = PLACE_PREPARED,
	[POD_RUNNING]         = PLACE_RUN,
	[POD_EXITED]          = PLACE_RUN,
	[POD_DELETING]        = PLACE_EXITED_GARBAGE,
	[POD_EXITED_GARBAGE]  = PLACE_EXITED_GARBAGE,
	[POD_GARBAGE]         = PLACE_GARBAGE,
};

int place_of(struct pod *p, enum place *at, struct err *e)
{
	struct pod now;
	int r = place_locate(p->pods, p->uuid, place_before[p->state], &now, at, e);

	if (r < 0)
		return -1;
	if (!r)
		return err_set(e, ENOENT, "pod %s is not there any more", p->uuid);
	p->state = now.state;
	if (p->dir_fd < 0)
		p->dir_fd = take_fd(&now.dir_fd);
	pod_close(&now);
	return 0;
}

int place_move(struct pod *p, enum place from, enum place to, struct err *e)
{
	int from_fd = place_fd(p->pods, from, false, e);
	int to_fd = from_fd < 0 ? -1 : place_fd(p->pods, to, true, e);

	if (to_fd < 0)
		return -1;
	if (renameat(from_fd, p->uuid, to_fd, p->uuid) < 0)
		return err_sys(e, "move pod %s from %s to %s", p->uuid, place_text[from], place_text[to]);
	return 0;
}
