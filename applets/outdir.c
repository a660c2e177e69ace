/* SPDX-License-Identifier: Apache-2.0
 * outdir - see outdir.h
 */
#include "applets/outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/base/fd.h"

struct fill {
	outdir_fill *fn;
	void        *ctx;
};

struct place {
	int  parent_fd;
	char name[NAME_MAX + 1], tmp[NAME_MAX + 1];
};

/* "a/b/" -> the directory "a", "b" */
static int find_place(const char *dir, struct place *p, struct err *e)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	auto_free char *parent = xasprintf("%.*s", (int)len, dir);
	char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : parent;
	if (len && !*name)
		return err_set(e, EINVAL, "%s: this would delete your root filesystem. Refusing", dir);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(e, EINVAL, "\"%s\": give the output directory a name of its own", dir);
	int n = snprintf(p->name, sizeof(p->name), "%s", name);
	int m = snprintf(p->tmp, sizeof(p->tmp), ".%s.tmp.%d", name, (int)getpid());
	if (n >= (int)sizeof(p->name) || m >= (int)sizeof(p->tmp))
		return err_set(e, ENAMETOOLONG, "%s: name too long", dir);
	if (slash)
		slash[slash == parent] = 0; /* "/b" is in "/" */
	p->parent_fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->parent_fd < 0 ? err_sys(e, "open directory %s", slash ? parent : ".") : 0;
}

static int check_place(const struct place *p, bool overwrite, const char *dir, struct err *e)
{
	struct stat st;

	if (fstatat(p->parent_fd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", dir);
	if (!overwrite)
		return err_set(e, EEXIST, "%s: output directory exists (try --overwrite)", dir);
	return 0;
}

static int move_there(const struct place *p, bool overwrite, struct err *e)
{
	if (overwrite && fd_remove_tree(p->parent_fd, p->name, e) < 0)
		return -1;
	if (renameat(p->parent_fd, p->tmp, p->parent_fd, p->name) < 0)
		return err_sys(e, "rename to %s", p->name);
	return 0;
}

/* ---- interruption ---- */

static void our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

static void fill_in_child(const struct fill *f, const struct place *p, int report_fd, const sigset_t *old)
{
	struct err e;

	sigprocmask(SIG_SETMASK, old, NULL);
	if (f->fn(f->ctx, p->parent_fd, p->tmp, &e) == 0)
		_exit(0);
	_exit(write(report_fd, &e, sizeof(e)) == sizeof(e) ? 1 : 2);
}

/* which of them came while nobody waited for one; 0: none */
static int pending_signal(const sigset_t *set)
{
	const struct timespec now = { 0 };
	int s;

	do
		s = sigtimedwait(set, NULL, &now);
	while (s == SIGCHLD || (s < 0 && errno == EINTR));
	return s < 0 ? 0 : s;
}

/* whoever interrupts us does not wait for the child */
static int wait_for_child(pid_t child, const sigset_t *set, int *signal_nr)
{
	int status, s;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if ((s = sigwaitinfo(set, NULL)) <= 0 || s == SIGCHLD)
			continue;
		*signal_nr = s;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		return -1;
	}
	/* Ctrl-C on a terminal goes to both of us */
	if (WIFSIGNALED(status) && sigismember(set, WTERMSIG(status)))
		*signal_nr = WTERMSIG(status);
	/* or to us, just when the child was done */
	else
		*signal_nr = pending_signal(set);
	return !*signal_nr && WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

static int fill_interruptibly(const struct fill *f, const struct place *p, const sigset_t *set,
			      const sigset_t *old, int *signal_nr, struct err *e)
{
	int pipe_fd[2];

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	auto_close int from = pipe_fd[0], to = pipe_fd[1];
	pid_t child = fork();
	if (child == 0)
		fill_in_child(f, p, to, old);
	fd_cleanup(&to);
	if (child < 0)
		return err_sys(e, "fork");
	if (wait_for_child(child, set, signal_nr) == 0)
		return 0;
	if (*signal_nr || fd_read_full(from, e, sizeof(*e)) != sizeof(*e))
		err_set(e, EINTR, "interrupted");
	return -1;
}

/*
 * The work is done by a child, so that this process is free to clean up after it at once, whatever ends it:
 * unpacking can take minutes.
 */
int outdir_write(const char *dir, bool overwrite, outdir_fill *fill, void *ctx, struct err *e)
{
	const struct fill f = { fill, ctx };
	struct place p = { .parent_fd = -1 };
	struct err ignored;
	sigset_t set, old;
	int signal_nr = 0;

	if (find_place(dir, &p, e) < 0)
		return -1;
	auto_close int parent_fd = p.parent_fd;
	if (check_place(&p, overwrite, dir, e) < 0)
		return -1;
	our_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	int r = fill_interruptibly(&f, &p, &set, &old, &signal_nr, e);
	if (r == 0)
		r = move_there(&p, overwrite, e);
	if (r < 0)
		fd_remove_tree(parent_fd, p.tmp, &ignored);
	if (signal_nr)
		raise(signal_nr);
	sigprocmask(SIG_SETMASK, &old, NULL); /* and here we die of it */
	return r < 0 ? err_wrap(e, "%s", dir) : 0;
}
