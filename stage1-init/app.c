/* SPDX-License-Identifier: Apache-2.0
 * app - see app.h
 *
 * Trusted until mounts_pivot(): nothing of the image, whose tree is only walked by descriptor.
 * Order: the user is looked up before volumes can bring another /etc/passwd; masks are in place
 * before there is a terminal; capabilities and the filter come after the last mount; descriptors go
 * last.
 */
#include "stage1-init/app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/confine.h"
#include "stage1-init/etc.h"
#include "stage1-init/event.h"
#include "stage1-init/foreign_root.h"
#include "stage1-init/mounts.h"
#include "stage1-init/rootfs.h"
#include "stage1-init/rootless.h"
#include "stage1-init/users.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

struct start {
	struct plan           *p;
	struct plan_app       *a;
	size_t                 index;
	const struct plan_run *run;
	const char            *roots;
	int                    report_fd;
	struct user            user;
	struct app_user_env    env_room;
	const struct apifs    *fs;
	int                    root_fd;
	int                    terminal; /* slave side; -1 */
};

/* ---- environment ---- */

static bool is_set(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return true;
	return false;
}

static void add_env(
	struct plan_app *a, const char *name, const char *value, char *room, size_t size)
{
	if (is_set(a->env, name))
		return;
	snprintf(room, size, "%s=%s", name, value);
	a->env[a->n_env++] = room;
}

void app_user_env(struct plan_app *a, const struct user *u, struct app_user_env *room)
{
	add_env(a, "HOME", u->home, room->home, sizeof(room->home));
	add_env(a, "USER", u->name, room->user, sizeof(room->user));
	add_env(a, "LOGNAME", u->name, room->logname, sizeof(room->logname));
	add_env(a, "SHELL", u->shell, room->shell, sizeof(room->shell));
}

/* ---- directory and program ---- */

int app_enter_dir(int root_fd, const char *path, struct err *e)
{
	struct statfs fs;
	char cwd[PATH_MAX];
	auto_close int fd = root_open(root_fd, path, O_PATH | O_DIRECTORY, ROOT_FOLLOW);

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(e, "working directory %s", path);
	/* a directory of /proc can be a way to what some process has open */
	if (fs.f_type == SYS_MAGIC_PROC && DEFENCE("working-dir"))
		return err_set(e, EINVAL, "working directory %s: must not be in /proc", path);
	if (fchdir(fd) < 0)
		return err_sys(e, "working directory %s", path);
	if (!getcwd(cwd, sizeof(cwd)) || *cwd != '/')
		return err_set(
			e, EINVAL, "working directory %s: lies outside of the app's root", path);
	return 0;
}

static const char *path_of(char *const *env)
{
	for (; *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return "";
}

static void execute(const struct seccomp_prog *filter, const char *file, char *const *argv, char *const *env)
{
	seccomp_call(filter, SYS_execve, (long)file, (long)argv, (long)env);
}

/* as the shell does: the first that can be executed; one that could not, but is there, is the
 * better error */
static void exec_in_path(const struct seccomp_prog *filter, char *const *argv, char *const *env)
{
	char file[PATH_MAX];
	int best = ENOENT;

	for (const char *p = path_of(env); *p; p += strcspn(p, ":"), p += *p == ':') {
		int n = snprintf(file, sizeof(file), "%.*s/%s", (int)strcspn(p, ":"), p, argv[0]);
		if (*p == ':' || n < 0 || (size_t)n >= sizeof(file))
			continue;
		execute(filter, file, argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			best = errno;
	}
	errno = best;
}

int app_exec(const struct seccomp_prog *filter, char *const *argv, char *const *env, struct err *e)
{
	return app_exec_as(filter, argv[0], argv, env, e);
}

int app_exec_as(const struct seccomp_prog *filter, const char *file, char *const *argv, char *const *env,
	struct err *e)
{
	if (DEFENCE("close-range") && seccomp_call(filter, SYS_close_range, 3, ~0U, SYS_CLOSE_RANGE_CLOEXEC) < 0) {
		err_needs_text(e, "close-range", "close descriptors");
		return STATUS_OWN_FAILURE;
	}
	if (strchr(file, '/'))
		execute(filter, file, argv, env);
	else
		exec_in_path(filter, argv, env);
	int why = errno;
	if ((why == ENOENT || why == ENOTDIR) && strchr(file, '/') &&
		seccomp_call(filter, SYS_faccessat, AT_FDCWD, (long)file, F_OK) == 0) {
		err_set(e, why,
			"Error: Unable to execute \"%s\": its interpreter (first line of a script, "
			"or the loader of "
			"an ELF file) is not in the image",
			argv[0]);
		return STATUS_NOT_FOUND;
	}
	errno = why;
	err_sys(e, "Error: Unable to %s \"%s\"",
		why == ENOENT || why == ENOTDIR ? "open" : "execute", argv[0]);
	return why == ENOENT || why == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* ---- stdin, stdout, stderr ---- */

int app_open_terminal(
	int pts_fd, uid_t uid, const struct winsize *window, int *master, struct err *e)
{
	int unlock = 0;

	*master = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return err_needs(e, "fs-devpts", "open a terminal");
	if (ioctl(*master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "unlock the terminal");
	/* here and not only when the master has arrived: the app may ask before that */
	if (ioctl(*master, TIOCSWINSZ, window) < 0)
		return err_sys(e, "size of the terminal");
	/* the peer itself, not a name that could be something else by now */
	auto_close int slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, "open the terminal");
	if (fchown(slave, uid, (gid_t)-1) < 0)
		return err_needs(e, "caps-apps", "owner of the terminal");
	return take_fd(&slave);
}

int app_take_stdio(int in, int out, int err, bool terminal, struct err *e)
{
	if (terminal && ioctl(in, TIOCSCTTY, 0) < 0)
		return err_sys(e, "take the terminal");
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		return err_sys(e, "stdin, stdout, stderr");
	return 0;
}

static int set_up_terminal(struct start *s, struct err *e)
{
	struct event ev = { .type = EVENT_TERMINAL, .app = (int32_t)s->index };
	auto_close int master = -1;
	auto_close int pts =
		openat(s->fs->dev_fd, "pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (pts < 0)
		return err_sys(e, "open /dev/pts");
	s->terminal = app_open_terminal(pts, s->a->ids.first + s->user.uid, &s->p->window, &master, e);
	if (s->terminal < 0 || apifs_console(s->fs, pts, e) < 0)
		return -1;
	if (event_send(s->p->event_fd, &ev, master) < 0)
		return err_sys(e, "hand over the terminal");
	return 0;
}

void app_give_pipes(const struct plan_app *a, uid_t uid)
{
	if (uid && fchown(a->out_fd, a->ids.first + uid, (gid_t)-1) == 0 &&
	    fchown(a->err_fd, a->ids.first + uid, (gid_t)-1) < 0)
		return;
}

static int set_up_stdio(struct start *s, struct err *e)
{
	auto_close int null = -1;

	if (s->terminal >= 0)
		return app_take_stdio(s->terminal, s->terminal, s->terminal, true, e);
	if (!s->p->pass_stdin) {
		null = openat(s->fs->dev_fd, "null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			return err_sys(e, "open /dev/null");
	}
	app_give_pipes(s->a, s->user.uid);
	return app_take_stdio(s->p->pass_stdin ? 0 : null, s->a->out_fd, s->a->err_fd, false, e);
}

/* ---- the steps ---- */

static int join_cgroups(const struct plan_app *a, struct err *e)
{
	for (size_t i = 0; i < a->n_cgroups; i++)
		if (a->cgroups[i].tasks_fd >= 0 && write(a->cgroups[i].tasks_fd, "0", 1) < 0)
			return err_needs(e, "cgroup", "join cgroup %s", a->cgroups[i].name);
	/* only now: the group that one is in becomes the root of the new namespace */
	if (a->n_cgroups && DEFENCE("cgroup-ns") && unshare(CLONE_NEWCGROUP) < 0)
		return err_needs(e, "ns-cgroup", "cgroup namespace");
	return 0;
}

static int open_root(struct start *s, struct err *e)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/%s/rootfs", s->roots, s->a->name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ENAMETOOLONG, "app name too long");
	s->root_fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->root_fd < 0)
		return err_sys(e, "open %s", path);
	/* ours says what it has made */
	return s->p->take_ns || s->p->rootless ? 0 : foreign_root(&s->root_fd, e);
}

static int build_root(struct start *s, struct err *e)
{
	/* PID 1's, if the pod shares one; our namespace has a copy of that mount, and it is the
	 * copy that moves */
	auto_close int shm = s->p->one_ns ? -1
					  : openat(AT_FDCWD, "/dev/shm",
						    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (shm < 0 && !s->p->one_ns)
		return err_sys(e, "open /dev/shm");
	if (mounts_take_copies(&s->p->apps[s->index], s->index, e) < 0 || open_root(s, e) < 0 ||
		user_resolve(s->root_fd, s->a->user, s->a->group, &s->a->ids, &s->user, e) < 0 ||
		(s->p->rootless && rootless_check_user(s->p, &s->user, e) < 0) ||
		(s->a->ids.count && users_check(s->a, s->user.uid, s->user.gid, e) < 0))
		return -1;
	etc_fill(s->p, s->root_fd);
	if (apifs_attach(s->fs, s->root_fd, shm, s->a, e) < 0 || mounts_volumes(s->a, s->root_fd, e) < 0)
		return -1;
	return s->p->tty ? set_up_terminal(s, e) : 0;
}

static bool is_admin(const struct plan_app *a) { return a->limits.caps >> CAP_SYS_ADMIN & 1; }

/* in a user namespace of somebody else's no node means a device, whatever mounts say */
static int allow_devices(const struct start *s, struct err *e)
{
	static const struct sys_mount_attr dev = { .clear = SYS_ATTR_NODEV };

	if (s->p->rootless || sys_mount_setattr(s->root_fd, "", AT_EMPTY_PATH, &dev) == 0)
		return 0;
	return err_needs(e, "mount-setattr", "let the app have device nodes");
}

static int enter_root(struct start *s, struct err *e)
{
	/* in a user namespace it may be one: it cannot unmount what belongs to another namespace */
	bool admin = !s->a->ids.count && is_admin(s->a);

	if (mounts_pivot(s->root_fd, admin, e) < 0)
		return -1;
	if (s->a->no_paths && allow_devices(s, e) < 0)
		return -1;
	/* last, since mount points had to be made in it */
	if (s->a->read_only && sys_restrict(s->root_fd, "", SYS_ATTR_RDONLY) < 0)
		return err_needs(e, "mount-setattr", "make the root read-only");
	return 0;
}

static int set_oom_score(struct start *s, struct err *e)
{
	char text[16];

	if (!s->a->limits.has_oom_score_adj)
		return 0;
	int n = snprintf(text, sizeof(text), "%d", s->a->limits.oom_score_adj);
	/* our own mount of proc, made a moment ago */
	auto_close int fd = openat(s->fs->proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) < 0)
		return err_needs(e, "caps-limits", "isolator os/linux/oom-score-adj: %s", text);
	return 0;
}

static int give_up_privileges(struct start *s, struct err *e)
{
	struct event ev = { .type = EVENT_PROCESS, .app = (int32_t)s->index, .value = getpid(),
			    .main = s->run == &s->a->main, .uid = s->user.uid, .gid = s->user.gid };
	struct confinement c = {
		.caps = s->a->limits.caps, .no_new_privs = s->a->limits.no_new_privs,
		.uid = s->user.uid, .gid = s->user.gid, .gids = s->a->gids, .n_gids = s->a->n_gids,
		.keep_groups = s->p->keep_groups,
		.filter = &s->a->filter,
	};
	int listener; /* closed by exec: a filter may deny closing it */

	if (s->a->ids.count && users_join(s->p->users.user, is_admin(s->a), e) < 0)
		return -1;
	if (confine(&c, &listener, e) < 0)
		return -1;
	if (event_send_past(&s->a->filter, s->p->event_fd, &ev, listener) < 0)
		return err_sys(e, "tell the host side");
	return 0;
}

static void report(struct start *s, int status, const struct err *e)
{
	struct report r = { .failed = e != NULL, .status = status };

	if (e)
		r.err = *e;
	if (seccomp_call(&s->a->filter, SYS_write, s->report_fd, (long)&r, sizeof(r)) < 0)
		seccomp_exit(&s->a->filter, STATUS_OWN_FAILURE);
}

static int prepare(struct start *s, struct err *e)
{
	if (join_cgroups(s->a, e) < 0)
		return -1;
	if (setsid() < 0)
		return err_sys(e, "new session");
	umask(0); /* what is made in the image gets the mode that is asked for */
	if (build_root(s, e) < 0 || enter_root(s, e) < 0 ||
		app_enter_dir(s->root_fd, s->a->working_dir, e) < 0 || set_oom_score(s, e) < 0 ||
		set_up_stdio(s, e) < 0)
		return -1;
	umask(022);
	sys_unblock_signals();
	if (isolation_begin(&s->a->isolation, s->a->limits.rlimits, s->fs->proc_fd, s->root_fd, e) < 0)
		return -1;
	return give_up_privileges(s, e);
}

void app_main(struct plan *p, size_t index, const struct plan_run *run, const struct apifs *fs,
	const char *roots, int report_fd)
{
	struct start s = { .p = p, .a = &p->apps[index], .index = index, .run = run, .roots = roots,
			   .fs = fs, .report_fd = report_fd, .root_fd = -1, .terminal = -1 };
	struct err e;

	if (prepare(&s, &e) < 0 || isolation_end(&s.a->isolation, s.a->limits.rlimits, &s.a->filter, &e) < 0) {
		report(&s, STATUS_OWN_FAILURE, &e);
		seccomp_exit(&s.a->filter, STATUS_OWN_FAILURE);
	}
	app_user_env(s.a, &s.user, &s.env_room);
	seccomp_wait(&s.a->filter);
	report(&s, 0, NULL);
	int status = app_exec(&s.a->filter, run->argv, s.a->env, &e);
	isolation_exec_failed(&s.a->isolation, &e);
	report(&s, status, &e);
	seccomp_exit(&s.a->filter, status);
}
