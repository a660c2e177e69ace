/* SPDX-License-Identifier: Apache-2.0
 * cgroup - see cgroup.h
 */
#include "stage1-init/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/host/cgroup_find.h"
#include "stage1-init/cgroup_io.h"
#include "stage1-init/devices.h"

#define LIST_MAX  65536
#define CPU_PERIOD_US 100000
#define REMOVE_TRIES  101 /* a millisecond apart */

_Static_assert(CGROUP_HIERARCHIES_MAX <= PLAN_CGROUPS_MAX, "an app can be in all of them");

/* the pod's group in a hierarchy */
struct group {
	const struct hierarchy *h;
	char                    path[PATH_MAX]; /* h->own/rkt-UUID */
};

struct setup {
	struct plan       *p;
	int                pod_fd;
	pid_t              pid1;
	struct hierarchies l;
	struct group       groups[CGROUP_HIERARCHIES_MAX]; /* [l.n] */
};

/* ---- which limits ---- */

static int wants(const struct appc_limits *l)
{
	return (l->memory_bytes != APPC_UNLIMITED || l->memory_request ? CGROUP_MEMORY : 0) |
	       (l->block_bps != APPC_UNLIMITED || l->block_iops != APPC_UNLIMITED ? CGROUP_IO : 0) |
	       (l->cpu_millis != APPC_UNLIMITED || l->cpu_request_millis || l->cpu_shares
			       ? CGROUP_CPU
			       : 0) |
	       (l->pids != APPC_UNLIMITED ? CGROUP_PIDS : 0);
}

static int64_t shares(const struct appc_limits *l)
{
	int64_t s = l->cpu_shares ? l->cpu_shares : l->cpu_request_millis * 1024 / 1000;

	return s && s < 2 ? 2 : s > 262144 ? 262144 : s;
}

/* ---- making ---- */

static int put(const char *dir, const char *file, const char *value, struct err *e)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	auto_close int fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "write %s to %s", value, path);
	return 0;
}

__attribute__((format(printf, 4, 5)))
static int put_fmt(const char *dir, const char *file, struct err *e, const char *fmt, ...)
{
	char value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return put(dir, file, value, e);
}

/* what is reclaimed last when others want memory, too */
static int put_request(const char *dir, const char *file, const struct appc_limits *l, struct err *e)
{
	if (l->memory_request && put_fmt(dir, file, e, "%lld", (long long)l->memory_request) < 0)
		return err_wrap(e, "memory request");
	return 0;
}

static int put_v1(const char *dir, int uses, const struct appc_limits *l, struct err *e)
{
	if ((uses & CGROUP_MEMORY) && put_request(dir, "memory.soft_limit_in_bytes", l, e) < 0)
		return -1;
	if ((uses & CGROUP_MEMORY) && l->memory_bytes != APPC_UNLIMITED &&
	    put_fmt(dir, "memory.limit_in_bytes", e, "%lld", (long long)l->memory_bytes) < 0)
		return err_wrap(e, "memory limit");
	if ((uses & CGROUP_CPU) && l->cpu_millis != APPC_UNLIMITED &&
		(put_fmt(dir, "cpu.cfs_period_us", e, "%d", CPU_PERIOD_US) < 0 ||
			put_fmt(dir, "cpu.cfs_quota_us", e, "%lld",
				(long long)(l->cpu_millis < 10
						    ? 1000
						    : l->cpu_millis * (CPU_PERIOD_US / 1000))) < 0))
		return err_wrap(e, "cpu limit");
	if ((uses & CGROUP_CPU) && shares(l) &&
		put_fmt(dir, "cpu.shares", e, "%lld", (long long)shares(l)) < 0)
		return err_wrap(e, "cpu shares");
	if ((uses & CGROUP_PIDS) && l->pids != APPC_UNLIMITED &&
		put_fmt(dir, "pids.max", e, "%lld", (long long)l->pids) < 0)
		return err_wrap(e, "pids limit");
	return 0;
}

static int put_v2(const char *dir, int uses, const struct appc_limits *l, struct err *e)
{
	if ((uses & CGROUP_MEMORY) && put_request(dir, "memory.low", l, e) < 0)
		return -1;
	if ((uses & CGROUP_MEMORY) && l->memory_bytes != APPC_UNLIMITED &&
	    put_fmt(dir, "memory.max", e, "%lld", (long long)l->memory_bytes) < 0)
		return err_wrap(e, "memory limit");
	if ((uses & CGROUP_CPU) && l->cpu_millis != APPC_UNLIMITED &&
		put_fmt(dir, "cpu.max", e, "%lld %d",
			(long long)(l->cpu_millis < 10 ? 1000
						       : l->cpu_millis * (CPU_PERIOD_US / 1000)),
			CPU_PERIOD_US) < 0)
		return err_wrap(e, "cpu limit");
	/* 2..262144 shares onto 1..10000 of weight, as the kernel's users agreed to */
	if ((uses & CGROUP_CPU) && shares(l) &&
		put_fmt(dir, "cpu.weight", e, "%lld",
			(long long)(1 + (shares(l) - 2) * 9999 / 262142)) < 0)
		return err_wrap(e, "cpu shares");
	if ((uses & CGROUP_PIDS) && l->pids != APPC_UNLIMITED &&
		put_fmt(dir, "pids.max", e, "%lld", (long long)l->pids) < 0)
		return err_wrap(e, "pids limit");
	return 0;
}

/* where we ourselves may have to go: beside the pod's group, so that its limits do not count us */
#define OWN_LEAF ".host"

static int make_own_leaf(const struct group *g, pid_t pid1, struct err *e)
{
	char leaf[PATH_MAX + 8];

	snprintf(leaf, sizeof(leaf), "%s" OWN_LEAF, g->path);
	if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "create %s", leaf);
	if (put(leaf, "cgroup.procs", "0", e) < 0)
		return -1;
	return put_fmt(leaf, "cgroup.procs", e, "%d", (int)pid1);
}

static int enable_all(const char *dir, int uses, struct err *e)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if ((uses & cgroup_controllers[i].bit) &&
			put_fmt(dir, "cgroup.subtree_control", e, "+%s",
				cgroup_controllers[i].name) < 0)
			return -1;
	return 0;
}

/*
 * Version 2 passes controllers only to groups below a group without processes. We and PID 1 are
 * such processes: so if that is in the way we move down, beside the pod's group. Others in our
 * caller's group are not ours to move.
 */
static int enable_v2(const struct group *g, pid_t pid1, struct err *e)
{
	const struct hierarchy *h = g->h;

	if (!h->uses)
		return 0;
	if (cgroup_check_offered(h, e) < 0)
		return -1;
	if (enable_all(h->own, h->uses, e) < 0) {
		if (e->code != EBUSY)
			return -1;
		if (make_own_leaf(g, pid1, e) < 0)
			return -1;
		if (enable_all(h->own, h->uses, e) < 0)
			return e->code != EBUSY
				       ? -1
				       : err_set(e, EBUSY,
						 "limits: other processes are in the cgroup %s, so "
						 "it cannot pass controllers on: "
						 "start rkt in a group of its own (systemd-run "
						 "--scope -p Delegate=yes rkt ...)",
						 h->own);
	}
	return 0;
}

static int make_dir(const char *dir, struct err *e)
{
	return mkdir(dir, 0755) < 0 && errno != EEXIST ? err_sys(e, "create cgroup %s", dir) : 0;
}

static int open_for_app(
	const struct hierarchy *h, const char *dir, struct plan_app *a, struct err *e)
{
	struct plan_cgroup *c = &a->cgroups[a->n_cgroups];
	struct sys_mount_attr ro = { .set = (DEFENCE("cgroup-read-only") ? SYS_ATTR_RDONLY : 0) | SYS_ATTR_NOSUID | SYS_ATTR_NODEV |
					    SYS_ATTR_NOEXEC,
		.propagation = SYS_PROPAGATION_PRIVATE };
	char path[PATH_MAX + 300];

	snprintf(c->name, sizeof(c->name), "%s", h->name);
	c->tasks_fd = -1;
	c->mount_fd = sys_open_tree(AT_FDCWD, dir, SYS_TREE_CLONE);
	if (c->mount_fd < 0 || sys_mount_setattr(c->mount_fd, "", AT_EMPTY_PATH, &ro) < 0)
		return err_sys(e, "open cgroup %s", dir);
	a->n_cgroups++;
	if (h->v2) {
		a->cgroup_fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return a->cgroup_fd < 0 ? err_sys(e, "open cgroup %s", dir) : 0;
	}
	/* one thread joins, so "tasks" will do, and it spares the kernel a lock over all processes
	 */
	snprintf(path, sizeof(path), "%s/tasks", dir);
	c->tasks_fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	return c->tasks_fd < 0 ? err_sys(e, "open %s", path) : 0;
}

static int put_limits(
	const struct hierarchy *h, const char *dir, const struct appc_limits *l, struct err *e)
{
	if ((h->v2 ? put_v2 : put_v1)(dir, h->uses, l, e) < 0)
		return -1;
	return h->uses & CGROUP_IO ? cgroup_put_io(dir, h->v2, l, e) : 0;
}

/* where apps have groups of their own, below the pod's: rules for devices must stand above the apps' reach */
static bool nested(const struct setup *s, const struct group *g)
{
	return s->p->n_apps > 1 || g->h->devices;
}

static int make_app_group(
	struct setup *s, const struct group *g, struct plan_app *a, struct err *e)
{
	char dir[PATH_MAX + 256];

	if (!nested(s, g))
		snprintf(dir, sizeof(dir), "%s", g->path);
	else
		snprintf(dir, sizeof(dir), "%s/%s", g->path, a->name);
	if (make_dir(dir, e) < 0 || put_limits(g->h, dir, &a->limits, e) < 0 ||
	    (g->h->devices && s->p->n_apps > 1 && devices_limit(s->p, a, dir, g->h->v2, e) < 0))
		return -1;
	return open_for_app(g->h, dir, a, e);
}

static int make_groups(struct setup *s, const struct group *g, struct err *e)
{
	if (g->h->v2 && enable_v2(g, s->pid1, e) < 0)
		return -1;
	if (nested(s, g)) {
		if (make_dir(g->path, e) < 0 || put_limits(g->h, g->path, &s->p->limits, e) < 0 ||
		    (g->h->devices && devices_limit(s->p, NULL, g->path, g->h->v2, e) < 0))
			return -1;
		if (g->h->v2 && enable_all(g->path, g->h->uses, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->p->n_apps; i++)
		if (make_app_group(s, g, &s->p->apps[i], e) < 0)
			return -1;
	return 0;
}

/* the record: too much for a stack; there is one caller at a time, and one thread */
static char list[LIST_MAX + 1];
static ssize_t list_len = -1; /* -1: it is in the file only */

/* parents first; gc goes through it from the end */
static int record(struct setup *s, struct err *e)
{
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < s->l.n; i++) {
		const char *pod = s->groups[i].path;
		if (s->l.v[i].v2 && s->l.v[i].uses)
			buf_fmt(&b, "%s" OWN_LEAF "\n", pod);
		buf_fmt(&b, "%s\n", pod);
		for (size_t j = 0; j < s->p->n_apps && nested(s, &s->groups[i]); j++)
			buf_fmt(&b, "%s/%s\n", pod, s->p->apps[j].name);
	}
	if (b.failed || b.len > LIST_MAX)
		return err_set(e, ENOMEM, "cgroup: list too long");
	auto_close int fd = openat(
		s->pod_fd, "cgroup", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, b.data, b.len) < 0 || fd_close(&fd) < 0)
		return err_sys(e, "write cgroup");
	memcpy(list, b.data, b.len + 1);
	list_len = (ssize_t)b.len;
	return 0;
}

static struct setup work; /* too much for a stack, and needed once */

static bool is_pure_v2(void)
{
	struct statfs fs;

	return statfs(CGROUP_ROOT, &fs) == 0 && fs.f_type == SYS_MAGIC_CGROUP2;
}

static void drop(struct plan *p)
{
	for (size_t i = 0; i < p->n_apps; i++) {
		struct plan_app *a = &p->apps[i];
		for (size_t j = 0; j < a->n_cgroups; j++) {
			fd_cleanup(&a->cgroups[j].mount_fd);
			fd_cleanup(&a->cgroups[j].tasks_fd);
		}
		a->n_cgroups = 0;
		fd_cleanup(&a->cgroup_fd);
	}
}

static int setup(struct setup *s, int wanted, struct err *e)
{
	if (cgroup_find(&s->l, wanted, e) < 0)
		return -1;
	for (size_t i = 0; i < s->l.n; i++) {
		struct group *g = &s->groups[i];
		g->h = &s->l.v[i];
		if ((size_t)snprintf(g->path, sizeof(g->path), "%s/rkt-%s", g->h->own, s->p->uuid) >=
			sizeof(g->path))
			return err_set(e, ENAMETOOLONG, "cgroup path too long");
	}
	if (s->l.n && record(s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->l.n; i++)
		if (make_groups(s, &s->groups[i], e) < 0)
			return -1;
	return 0;
}

int cgroup_setup(struct plan *p, int pod_fd, pid_t pid1, struct err *e)
{
	int wanted = wants(&p->limits) | (devices_wanted(p) ? CGROUP_DEVICES : 0);

	for (size_t i = 0; i < p->n_apps; i++)
		wanted |= wants(&p->apps[i].limits);
	if (!wanted && !is_pure_v2())
		return 0;
	work.p = p;
	work.pod_fd = pod_fd;
	work.pid1 = pid1;
	int r = setup(&work, wanted, e);
	if (r < 0 && wanted)
		return err_point(e, "cgroup cgroup-memory cgroup-cpu cgroup-pids%s",
				 wanted & CGROUP_DEVICES ? " cgroup-devices" : "");
	if (r == 0)
		return 0;
	/* without limits the groups are only there to be seen: a read-only cgroupfs is no reason
	 * not to start */
	struct err ignored;
	drop(p);
	cgroup_remove(pod_fd, &ignored);
	return 0;
}

/* ---- the record ---- */

/* callers take it apart, so what is in memory serves one of them */
static ssize_t read_record(int pod_fd)
{
	if (list_len >= 0) {
		ssize_t len = list_len;
		list_len = -1;
		return len;
	}
	auto_close int fd = openat(pod_fd, "cgroup", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, list, LIST_MAX);

	if (n >= 0)
		list[n] = 0;
	return n;
}

/* Only what can be ours: an absolute path with a group rkt-UUID in it. The file could have been
 * damaged. */
static bool plausible(const char *path)
{
	return *path == '/' && strstr(path, "/rkt-") && !strstr(path, "/../");
}

static void leave_own_leaf(char *leaf)
{
	struct err e;
	char *pod = strstr(leaf, "/rkt-");
	size_t n = strlen(leaf), len = strlen(OWN_LEAF);

	if (!pod || n < len || strcmp(leaf + n - len, OWN_LEAF))
		return;
	*pod = 0;
	/* our caller's group can take us back once it passes nothing on any more; other pods may
	 * still need that */
	if (put(leaf, "cgroup.procs", "0", &e) < 0 &&
		put(leaf, "cgroup.subtree_control", "-memory", &e) == 0) {
		put(leaf, "cgroup.subtree_control", "-cpu", &e);
		put(leaf, "cgroup.subtree_control", "-pids", &e);
		put(leaf, "cgroup.subtree_control", "-io", &e);
		put(leaf, "cgroup.procs", "0", &e);
	}
	*pod = '/';
}

/* The kernel is done with a process a moment before it is done with its group. */
static int remove_dir(const char *dir, int tries)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 1; rmdir(dir) < 0; i++) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		if (errno != EBUSY || i >= tries)
			return -1;
		nanosleep(&ms, NULL);
	}
	return 0;
}

/* from the end of the list: what is inside before what it is in */
static int remove_listed(ssize_t n, int tries, struct err *e)
{
	int r = 0;

	while (n > 0) {
		while (n > 0 && list[n - 1] == '\n')
			list[--n] = 0;
		while (n > 0 && list[n - 1] != '\n')
			n--;
		if (!plausible(list + n))
			continue;
		leave_own_leaf(list + n);
		if (remove_dir(list + n, tries) < 0)
			r = err_sys(e, "remove cgroup %s", list + n);
	}
	return r;
}

int cgroup_remove(int pod_fd, struct err *e)
{
	ssize_t n = read_record(pod_fd);

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read cgroup");
	return remove_listed(n, REMOVE_TRIES, e);
}

bool cgroup_remove_early(int pod_fd)
{
	struct err ignored;
	ssize_t n = read_record(pod_fd);

	/* where we had to go into a group beside the pod's, PID 1 is there as well */
	return n >= 0 && !strstr(list, OWN_LEAF "\n") && remove_listed(n, 1, &ignored) == 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), len = strlen(end);

	return n >= len && !strcmp(s + n - len, end);
}

/* whether the next line of the record is about a group in this one */
static bool has_below(const char *dir, const char *next)
{
	size_t n = strlen(dir);

	return next && !strncmp(next, dir, n) && next[n] == '/';
}

int cgroup_join(int pod_fd, const char *uuid, const char *app, bool only_app, struct err *e)
{
	char pod[UUID_LEN + 8], group[UUID_LEN + 300];
	ssize_t n = read_record(pod_fd);
	char *save = NULL;

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read cgroup");
	snprintf(pod, sizeof(pod), "/rkt-%s", uuid);
	snprintf(group, sizeof(group), "%s/%.255s", pod, app);
	for (char *dir = strtok_r(list, "\n", &save); dir; dir = strtok_r(NULL, "\n", &save)) {
		bool apps = ends_with(dir, group) || (only_app && ends_with(dir, pod) && !has_below(dir, save));
		if (apps && plausible(dir) && put(dir, "cgroup.procs", "0", e) < 0)
			return -1;
	}
	return 0;
}
