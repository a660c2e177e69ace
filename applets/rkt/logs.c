/* SPDX-License-Identifier: Apache-2.0
 * rkt logs - what the apps of a pod wrote
 *
 * Stage 1 writes logs/APP and, when that is full, renames it to logs/APP.1 and begins anew. A file is followed by
 * its descriptor, so what was written to it before the renaming is read to its end, and the next one from its
 * beginning: nothing is printed twice, and nothing is left out that is still on disk.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"

#define BLOCK     65536
#define ALL       UINT64_MAX
#define DENIED_MAX (1 << 20)
#define PATIENCE  250 /* ms between looks at whether the pod still runs */

struct logs_opts {
	struct rkt_globals g;
	bool               follow, prefix, denied;
	uint64_t           tail;
	const char        *app, *uuid_file;
};

static const struct opt logs_opts[] = {
	OPT_BOOL('f', "follow", struct logs_opts, follow, "go on until the pod has ended"),
	OPT_NUM('n', "tail", "N", struct logs_opts, tail, "begin with the last N lines of each app"),
	OPT_TEXT(0, "app", "NAME", struct logs_opts, app, "only this app"),
	OPT_BOOL(0, "prefix", struct logs_opts, prefix, "put \"APP: \" before lines even if there is only one app"),
	OPT_BOOL(0, "denied", struct logs_opts, denied,
		 "the system calls that the seccomp filter denied, and how often, instead of logs"),
	OPT_TEXT(0, "uuid-file", "FILE", struct logs_opts, uuid_file, "read the pod's UUID from FILE"),
	OPT_PART("Global options", rkt_globals_opts, struct logs_opts, g),
	OPT_END
};

static void logs_init(void *opts)
{
	((struct logs_opts *)opts)->tail = ALL;
}

struct log {
	const struct pod *pod;
	const char       *app;
	bool              prefix;
	int               fd;   /* what is being read; -1: nothing yet */
	struct buf        line; /* the beginning of a line that is not complete; only with a prefix */
};

/* ---- output ---- */

static int put(const void *data, size_t len, struct err *e)
{
	return fd_write_all(1, data, len) < 0 ? err_sys(e, "write to standard output") : 0;
}

static int put_line(struct log *l, struct err *e)
{
	struct buf out = { 0 };

	buf_fmt(&out, "%s: ", l->app);
	buf_add(&out, l->line.data, l->line.len);
	if (l->line.data[l->line.len - 1] != '\n')
		buf_add(&out, "\n", 1);
	l->line.len = 0;
	return ui_out(&out, e);
}

static int put_block(struct log *l, const char *p, size_t len, struct err *e)
{
	if (!l->prefix)
		return put(p, len, e);
	while (len) {
		const char *end = memchr(p, '\n', len);
		size_t n = end ? (size_t)(end - p) + 1 : len;
		buf_add(&l->line, p, n);
		if (l->line.failed)
			return err_set(e, ENOMEM, "out of memory");
		/* a line without end is cut, not collected */
		if ((end || l->line.len > BLOCK) && put_line(l, e) < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static int copy(struct log *l, int fd, struct err *e)
{
	char block[BLOCK / 4];
	ssize_t n;

	while ((n = fd_read_full(fd, block, sizeof(block))) > 0)
		if (put_block(l, block, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? err_sys(e, "read the log of %s", l->app) : 0;
}

/* ---- files ---- */

static int open_log(const struct log *l, const char *suffix, struct err *e)
{
	char *path = xasprintf("logs/%s%s", l->app, suffix);
	int fd = pod_file(l->pod, path, e);

	free(path);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	if (a < 0 || b < 0)
		return a < 0 && b < 0;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* the current file and the one before it, as they are at one moment; -1 in either: not there */
static int open_pair(const struct log *l, int *now, int *before, struct err *e)
{
	struct err why = { .code = 0 };

	for (int tries = 0; tries < 100; tries++) {
		*now = open_log(l, "", &why);
		if (*now < 0 && why.code != ENOENT)
			break;
		*before = open_log(l, ".1", &why);
		auto_close int again = open_log(l, "", &why);
		if (same_file(*now, again))
			return 0;
		fd_cleanup(now);
		fd_cleanup(before);
		err_set(&why, EAGAIN, "logs/%s is renamed faster than it can be read", l->app);
	}
	*e = why;
	return -1;
}

/* ---- the last lines ---- */

/* positions @fd where its last *n lines begin; *n becomes the number of lines that it lacks */
static int seek_lines(int fd, uint64_t *n, struct err *e)
{
	char block[BLOCK / 4];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "read log");
	off_t start = st.st_size;
	for (off_t at = start; at > 0 && *n;) {
		size_t len = at < (off_t)sizeof(block) ? (size_t)at : sizeof(block);
		at -= (off_t)len;
		if (pread(fd, block, len, at) != (ssize_t)len)
			return err_sys(e, "read log");
		for (size_t i = len; i-- > 0 && *n; start = *n ? at + (off_t)i : start)
			/* the newline at the very end belongs to the last line */
			*n -= block[i] == '\n' && at + (off_t)i + 1 < st.st_size;
	}
	if (*n && st.st_size)
		--*n; /* the first line has no newline before it */
	return lseek(fd, start, SEEK_SET) < 0 ? err_sys(e, "read log") : 0;
}

static bool ends_in_line(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

static int seek_tail(int now, int before, uint64_t n, struct err *e)
{
	struct stat st;

	if (now >= 0 && seek_lines(now, &n, e) < 0)
		return -1;
	if (before < 0)
		return 0;
	/* a line may begin in one file and end in the next */
	if (now >= 0 && fstat(now, &st) == 0 && st.st_size && lseek(now, 0, SEEK_CUR) == 0 && ends_in_line(before))
		n++;
	return seek_lines(before, &n, e);
}

/* ---- reading ---- */

/* what is there when the command starts */
static int start(struct log *l, uint64_t tail, struct err *e)
{
	auto_close int now = -1, before = -1;

	if (open_pair(l, &now, &before, e) < 0)
		return -1;
	if (tail != ALL && seek_tail(now, before, tail, e) < 0)
		return -1;
	if (before >= 0 && copy(l, before, e) < 0)
		return -1;
	/* in the middle of a renaming: go on from the one that was renamed */
	l->fd = now >= 0 ? take_fd(&now) : take_fd(&before);
	return l->fd >= 0 ? copy(l, l->fd, e) : 0;
}

/* all that was added since */
static int drain(struct log *l, struct err *e)
{
	for (;;) {
		auto_close int now = -1, before = -1;
		if (l->fd >= 0 && copy(l, l->fd, e) < 0)
			return -1;
		if (open_pair(l, &now, &before, e) < 0)
			return -1;
		if (now < 0 || same_file(now, l->fd))
			return 0;
		/* nothing is written to the old one any more: once to its end, then what came between, if any */
		if (l->fd >= 0 && copy(l, l->fd, e) < 0)
			return -1;
		if (before >= 0 && !same_file(before, l->fd) && copy(l, before, e) < 0)
			return -1;
		fd_cleanup(&l->fd);
		l->fd = take_fd(&now);
	}
}

static bool over(const struct pod *p)
{
	return podref_after_run(p) || p->state == POD_ABORTED_PREPARE;
}

static int watch_dir(const struct pod *p)
{
	char path[64];
	auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(path, sizeof(path), "/proc/self/fd/%d/logs", p->dir_fd);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVE | IN_ONLYDIR | IN_DONT_FOLLOW) < 0)
		return -1;
	return take_fd(&fd);
}

/* false: whoever read our output is gone */
static bool wait_for_more(const struct pod *p, int *watch_fd)
{
	char events[4096];

	if (*watch_fd < 0)
		*watch_fd = watch_dir(p);
	struct pollfd fds[] = { { .fd = 1 }, { .fd = *watch_fd, .events = POLLIN } };
	if (poll(fds, 2, PATIENCE) > 0 && (fds[0].revents & (POLLERR | POLLHUP)))
		return false;
	while (*watch_fd >= 0 && read(*watch_fd, events, sizeof(events)) > 0)
		;
	return true;
}

static int follow(struct pod *p, struct log *l, size_t n, struct err *e)
{
	auto_close int watch_fd = -1;
	struct err gone;

	for (;;) {
		/* asked before the last look at the files, so that nothing can be written in between */
		bool last = pod_refresh(p, &gone) < 0 || over(p);
		for (size_t i = 0; i < n; i++)
			if (drain(&l[i], e) < 0)
				return -1;
		if (last || !wait_for_more(p, &watch_fd))
			return 0;
	}
}

static int print_logs(const struct logs_opts *o, struct pod *p, struct log *l, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (start(&l[i], o->tail, e) < 0)
			return -1;
	if (o->follow && follow(p, l, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (l[i].line.len && put_line(&l[i], e) < 0)
			return -1;
	return 0;
}

static int of_apps(const struct logs_opts *o, struct pod *p, const struct pod_manifest *m, struct err *e)
{
	const struct appc_runtime_app *one = o->app ? podref_app(m, o->app, "logs", e) : NULL;
	size_t n = o->app ? 1 : m->apps.n;

	if (o->app && !one)
		return -1;
	struct log *l = xmalloc(n * sizeof(*l));
	for (size_t i = 0; i < n; i++)
		l[i] = (struct log){ .pod = p, .app = one ? one->name : m->apps.v[i].name, .fd = -1,
				     .prefix = o->prefix || n > 1 };
	int r = print_logs(o, p, l, n, e);
	for (size_t i = 0; i < n; i++) {
		fd_cleanup(&l[i].fd);
		buf_free(&l[i].line);
	}
	free(l);
	return r;
}

/* ---- what was denied ---- */

/* "APP NAME COUNT" in a line that stage 1 wrote */
static int put_denied(const struct logs_opts *o, bool prefix, char *line, struct err *e)
{
	struct buf out = { 0 };
	char *call = strchr(line, ' ');

	if (!call)
		return err_set(e, EINVAL, "the list of denied calls is damaged: \"%s\"", line);
	*call++ = 0;
	if (o->app && strcmp(line, o->app) != 0)
		return 0;
	if (prefix)
		buf_fmt(&out, "%s: ", line);
	buf_fmt(&out, "%s\n", call);
	return ui_out(&out, e);
}

static int print_denied(const struct logs_opts *o, const struct pod *p, const struct pod_manifest *m, struct err *e)
{
	bool prefix = o->prefix || (m->apps.n > 1 && !o->app);
	auto_free char *text = NULL;
	size_t len;

	if (o->app && !podref_app(m, o->app, "logs", e))
		return -1;
	/* it comes to be with the first call */
	if (fd_read_file(p->dir_fd, "denied", DENIED_MAX, &text, &len, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) && *line;)
		if (put_denied(o, prefix, line, e) < 0)
			return -1;
	return 0;
}

static int logs_run(void *opts, int argc, char **argv, struct err *e)
{
	struct logs_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	auto_free char *owned = NULL;
	struct pod_manifest m;
	const char *uuid;

	if (o->denied && (o->follow || o->tail != ALL))
		return err_set(e, EINVAL, "--denied excludes --follow and --tail");
	if (podref_one(argc, argv, o->uuid_file, &uuid, &owned, e) < 0 || podref_find(&r, &o->g, uuid, e) < 0)
		return -1;
	if (!podref_after_run(&r.pod) && r.pod.state != POD_RUNNING && !o->follow)
		return err_set(e, ESRCH, "pod \"%s\" has not run yet: it is %s (-f waits for it)", r.pod.uuid,
			       pod_state_name(r.pod.state));
	if (pod_manifest(&r.pod, &m, e) < 0)
		return -1;
	int result = o->denied ? print_denied(o, &r.pod, &m, e) : of_apps(o, &r.pod, &m, e);
	pod_manifest_free(&m);
	return result;
}

const struct cmd rkt_logs_cmd = {
	.name = "logs", .args = "UUID", .summary = "Print what the apps of a pod wrote.",
	.more = "Lines of a pod of several apps begin with \"APP: \". Logs are kept with the pod\n"
		"and limited in size: of an app that wrote very much, the oldest part is gone.\n",
	.opts = logs_opts, .opts_size = sizeof(struct logs_opts), .init = logs_init, .inherits = true, .run = logs_run,
};
