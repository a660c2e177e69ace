/* SPDX-License-Identifier: Apache-2.0
 * images_output - an image as a directory for people; see images_output.h
 *
 * It grows beside its final place under a temporary name and is renamed when it is complete, so a failure or
 * Ctrl-C never leaves half an image under the name that was asked for, nor takes away what was there before.
 */
#include "applets/rkt/images_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/rkt/images.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/store/render.h"

const struct opt images_output_opts_table[] = {
	OPT_BOOL(0, "overwrite", struct images_output_opts, overwrite, "replace the output directory if it is there"),
	OPT_BOOL(0, "rootfs-only", struct images_output_opts, rootfs_only,
		"only the root file system, without the manifest"),
	OPT_PART("Global options", rkt_globals_opts, struct images_output_opts, g),
	OPT_END
};

struct output {
	struct store          *st;
	const struct image_id *id;
	bool                   overwrite, rootfs_only;
	images_fill           *fill;
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

static int fill_root(const struct output *o, int parent_fd, const char *name, struct err *e)
{
	auto_close int fd = -1;

	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_sys(e, "create directory %s", name);
	fd = fd_open_dir(parent_fd, name, e);
	return fd < 0 ? -1 : o->fill(o->st, o->id, fd, e);
}

static int fill(const struct output *o, const struct place *p, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (o->rootfs_only)
		return fill_root(o, p->parent_fd, p->tmp, e);
	if (store_manifest_text(o->st, o->id, &text, &len, e) < 0)
		return -1;
	if (mkdirat(p->parent_fd, p->tmp, 0755) < 0)
		return err_sys(e, "create directory %s", p->tmp);
	auto_close int fd = fd_open_dir(p->parent_fd, p->tmp, e);
	if (fd < 0 || fd_publish(fd, "manifest", text, len, 0644, false, e) < 0)
		return -1;
	return fill_root(o, fd, "rootfs", e);
}

static int move_there(const struct output *o, const struct place *p, struct err *e)
{
	if (o->overwrite && fd_remove_tree(p->parent_fd, p->name, e) < 0)
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

static void fill_in_child(const struct output *o, const struct place *p, int report_fd, const sigset_t *old)
{
	struct err e;

	sigprocmask(SIG_SETMASK, old, NULL);
	if (fill(o, p, &e) == 0)
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

static int fill_interruptibly(const struct output *o, const struct place *p, const sigset_t *set,
			      const sigset_t *old, int *signal_nr, struct err *e)
{
	int pipe_fd[2];

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	auto_close int from = pipe_fd[0], to = pipe_fd[1];
	pid_t child = fork();
	if (child == 0)
		fill_in_child(o, p, to, old);
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
static int write_output(const struct output *o, const char *dir, struct err *e)
{
	struct place p = { .parent_fd = -1 };
	struct err ignored;
	sigset_t set, old;
	int signal_nr = 0;

	if (find_place(dir, &p, e) < 0)
		return -1;
	auto_close int parent_fd = p.parent_fd;
	if (check_place(&p, o->overwrite, dir, e) < 0)
		return -1;
	our_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	int r = fill_interruptibly(o, &p, &set, &old, &signal_nr, e);
	if (r == 0)
		r = move_there(o, &p, e);
	if (r < 0)
		fd_remove_tree(parent_fd, p.tmp, &ignored);
	if (signal_nr)
		raise(signal_nr);
	sigprocmask(SIG_SETMASK, &old, NULL); /* and here we die of it */
	return r < 0 ? err_wrap(e, "%s", dir) : 0;
}

int images_output_run(const struct images_output_opts *o, int argc, char **argv, images_fill *fill_dir, struct err *e)
{
	struct image_id id;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image and an output directory (see --help)");
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	const struct output out = {
		.st = st, .id = &id, .overwrite = o->overwrite, .rootfs_only = o->rootfs_only, .fill = fill_dir,
	};
	int r = images_find(st, argv[0], &id, e) < 0 ? -1 : write_output(&out, argv[1], e);
	store_close(st);
	return r;
}
