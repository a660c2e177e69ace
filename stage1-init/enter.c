/* SPDX-License-Identifier: Apache-2.0
 * enter - see enter.h
 *
 * The order is: cgroup, label, namespaces, no_new_privs, capabilities, user and groups, seccomp;
 * limits are those that the app was started with. The parent stays outside and only relays; the child is
 * not dumpable, so nothing in the pod can look into it or through it before it has become the
 * command.
 */
#include "stage1-init/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/mds/service.h"
#include "core/pod/pod.h"
#include "stage1-init/app.h"
#include "stage1-init/cgroup.h"
#include "stage1-init/confine.h"
#include "stage1-init/enter_label.h"
#include "stage1-init/enter_tools.h"
#include "stage1-init/event.h"
#include "stage1-init/pump.h"
#include "stage1-init/rootfs.h"
#include "stage1-init/rootless.h"
#include "stage1-init/running.h"
#include "stage1-init/users.h"

#define DEVPTS_MAGIC 0x1cd1
#define MAX_POLLS    16

struct visit {
	struct plan      p;
	struct plan_app *a;
	struct running   app;
	int              pod_fd, app_pidfd;
	struct rlimit    limits[RLIM_NLIMITS];
	char             oom_score[16];
	size_t           oom_len;
	char             label[LABEL_MAX];
	int              tools_fd; /* without a command: our own binary; -1 */
	char           **argv;
	bool             only_app;  /* of its pod */
	bool relay_out; /* our stdout or stderr is a terminal, and stdin is none: neither is given
			   away */
	int              report_fd; /* in the child: where to say what went wrong */
	int              event_fd, sig_fd, child_fd;
	pid_t            child;
	struct pump     *pump;
};

/* ---- finding out ---- */

static int same_pid_ns(pid_t a, pid_t b, struct err *e)
{
	char path[2][48];
	struct stat st[2];

	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "/proc/%d/ns/pid", (int)(i ? b : a));
		if (stat(path[i], &st[i]) < 0)
			return errno == ENOENT ? 0 : err_sys(e, "%s", path[i]);
	}
	return st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
}

#define START_WAIT_MS 10000
#define START_STEP_MS 10

/* A pod runs as soon as it has a PID 1, but its apps start one after the other. */
static int await_start(struct visit *v, pid_t pid1, struct err *e)
{
	const struct timespec step = { .tv_nsec = START_STEP_MS * 1000000L };

	for (int ms = 0; running_get(v->pod_fd, v->a->name, &v->app, e) < 0; ms += START_STEP_MS) {
		if (e->code != EAGAIN || ms >= START_WAIT_MS || kill(pid1, 0) < 0)
			return -1;
		nanosleep(&step, NULL);
	}
	return 0;
}

/* The number in `running` may have been given to somebody else since; a descriptor cannot. */
static int find_process(struct visit *v, pid_t pid1, struct err *e)
{
	if (!pod_is_init(pid1))
		return pod_not_init(v->p.uuid, pid1, e);
	if (await_start(v, pid1, e) < 0)
		return -1;
	v->app_pidfd = sys_pidfd_open(v->app.pid);
	if (v->app_pidfd < 0 && errno != ESRCH)
		return err_sys(e, "open process %d", (int)v->app.pid);
	int same = v->app_pidfd < 0 ? 0 : same_pid_ns(pid1, v->app.pid, e);
	if (same < 0)
		return -1;
	if (same && sys_pidfd_signal(v->app_pidfd, 0) == 0)
		return 0;
	if (same && errno != ESRCH)
		return err_sys(e, "look at process %d", (int)v->app.pid);
	return err_set(e, ESRCH, "app %s is not running", v->a->name);
}

static int find_users(struct visit *v, pid_t pid1, struct err *e)
{
	if (users_of(pid1, &v->p, e) < 0)
		return -1;
	v->a->ids = v->p.ids;
	return 0;
}

/* Of an app without an isolator for it; else the isolator says, also of an app that has not executed anything yet. The
 * number was the app's if the app still runs. */
static int read_label(struct visit *v, struct err *e)
{
	if (v->a->isolation.label)
		return 0;
	if (label_read(v->app.pid, v->label, e) < 0)
		return -1;
	if (*v->label && sys_pidfd_signal(v->app_pidfd, 0) < 0)
		return err_set(e, ESRCH, "app %s is not running", v->a->name);
	return 0;
}

/* PID 1 has what the app was started with; the app itself may have lowered its own since. */
static int read_limits(struct visit *v, pid_t pid1, struct err *e)
{
	char path[48];

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(pid1, i, NULL, &v->limits[i]) < 0)
			return err_sys(e, "read resource limits of process %d", (int)pid1);
	if (v->a->limits.has_oom_score_adj) {
		v->oom_len = (size_t)snprintf(
			v->oom_score, sizeof(v->oom_score), "%d", v->a->limits.oom_score_adj);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid1);
	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, v->oom_score, sizeof(v->oom_score));
	if (n < 0)
		return err_sys(e, "read %s", path);
	v->oom_len = (size_t)n;
	return 0;
}

static int read_plan(struct visit *v, const char *app, struct err *e)
{
	bool rootless = v->p.rootless;
	char cwd[PATH_MAX], url[MDS_URL_MAX];
	struct plan_opts o = { .uuid = "" };

	v->pod_fd = openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->pod_fd < 0 || !getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "open the pod directory");
	o.uuid = strrchr(cwd, '/') + 1;
	o.no_seccomp = running_no_seccomp(v->pod_fd);
	o.no_caps = running_no_caps(v->pod_fd);
	running_mds_url(v->pod_fd, url);
	if (plan_read(v->pod_fd, &o, &v->p, e) < 0 || plan_metadata_url(&v->p, url, e) < 0 ||
	    (rootless && rootless_settle(&v->p, e) < 0))
		return -1;
	v->a = plan_app(&v->p, app);
	v->only_app = v->p.n_apps == 1;
	return v->a ? 0 : err_set(e, ENOENT, "the pod has no app \"%s\"", app);
}

/* ---- in the child ---- */

/* while /proc is the host's: the app's may be covered */
static int visit_label(const struct visit *v, struct err *e)
{
	if (!v->a->isolation.label)
		return label_for_exec(v->label, e);
	auto_close int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return isolation_label(&v->a->isolation, proc, e);
}

static int enter_namespaces(struct visit *v, struct err *e)
{
	auto_close int oom = -1;

	if (DEFENCE("enter-cgroup") && cgroup_join(v->pod_fd, v->p.uuid, v->a->name, v->only_app, e) < 0)
		return -1;
	/* still by the host's /proc, and still allowed to lower it */
	oom = openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (oom < 0 || (DEFENCE("enter-score") && write(oom, v->oom_score, v->oom_len) < 0))
		return err_sys(e, "oom_score_adj");
	if (visit_label(v, e) < 0)
		return -1;
	if (setns(v->app_pidfd, (DEFENCE("enter-ns") ? CLONE_NEWNS : 0) | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
					(rootless_shares_net(&v->p, v->app.pid) ? 0 : CLONE_NEWNET)) < 0)
		return err_sys(e, "enter the namespaces of app %s", v->a->name);
	return 0;
}

/* The app may have been able to put something else there. */
static int open_pts(int root_fd, struct err *e)
{
	struct statfs fs;
	struct stat st;
	auto_close int pts = root_open(root_fd, "dev/pts", O_PATH | O_DIRECTORY, ROOT_NO_LINKS);

	if (pts < 0 || fstatfs(pts, &fs) < 0 || fstatat(pts, "ptmx", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "/dev/pts of the app");
	if (fs.f_type != DEVPTS_MAGIC || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_set(e, EINVAL, "/dev/pts of the app is no devpts");
	return take_fd(&pts);
}

static int take_stdio(struct visit *v, int root_fd, struct err *e)
{
	struct event ev = { .type = EVENT_TERMINAL };
	auto_close int master = -1;

	if (v->relay_out)
		app_give_pipes(v->a, v->app.uid);
	if (!v->p.tty)
		return v->relay_out ? app_take_stdio(0, v->a->out_fd, v->a->err_fd, false, e) : 0;
	auto_close int pts = open_pts(root_fd, e);
	auto_close int slave = pts < 0 ? -1 : app_open_terminal(pts, v->a->ids.first + v->app.uid, &v->p.window, &master, e);
	if (slave < 0)
		return -1;
	if (event_send(v->p.event_fd, &ev, master) < 0)
		return err_sys(e, "hand over the terminal");
	/* what was redirected stays so */
	return app_take_stdio(slave, isatty(1) ? slave : 1, isatty(2) ? slave : 2, true, e);
}

static int set_limits(const struct visit *v, struct err *e)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (setrlimit(i, &v->limits[i]) < 0)
			return err_sys(e, "set resource limits");
	return 0;
}

static int look_up_user(struct visit *v, int root_fd, struct user *u, struct err *e)
{
	char uid[16], gid[16];

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)v->app.uid);
	snprintf(gid, sizeof(gid), "%lu", (unsigned long)v->app.gid);
	return user_resolve(root_fd, uid, gid, &v->a->ids, u, e);
}

static int become_visitor(struct visit *v, struct app_user_env *room, struct user *u, struct err *e)
{
	struct confinement c = {
		.caps = DEFENCE("enter-caps") ? v->a->limits.caps : ~UINT64_C(0),
		.no_new_privs = v->a->limits.no_new_privs && DEFENCE("enter-no-new-privs"),
		.uid = v->app.uid,
		.gid = v->app.gid,
		.gids = v->a->gids,
		.n_gids = DEFENCE("enter-groups") ? v->a->n_gids : 0,
		.keep_groups = v->p.keep_groups,
		.filter = &v->a->filter,
	};

	if (!DEFENCE("enter-seccomp"))
		v->a->filter.code = NULL;
	if (enter_namespaces(v, e) < 0)
		return -1;
	if (setsid() < 0)
		return err_sys(e, "new session");
	auto_close int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open /");
	if (look_up_user(v, root, u, e) < 0 || take_stdio(v, root, e) < 0 ||
		app_enter_dir(root, "/", e) < 0)
		return -1;
	app_user_env(v->a, u, room);
	sys_default_signals();
	sys_unblock_signals();
	/* limits last, as far as that goes: lowering them is always allowed, raising wants
	 * CAP_SYS_RESOURCE */
	if ((DEFENCE("enter-limits") && set_limits(v, e) < 0) ||
		isolation_confine(&v->a->isolation, v->a->limits.rlimits, root, e) < 0)
		return -1;
	if (v->a->ids.count && users_join(v->p.users.user, false, e) < 0)
		return -1;
	if (confine(&c, NULL, e) < 0)
		return -1;
	/* after the change of user, which forgets it */
	if (seccomp_call(&v->a->filter, SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0) < 0)
		return err_sys(e, "prctl");
	return 0;
}

static void report(const struct visit *v, int status, const struct err *e)
{
	struct report r = { .failed = true, .status = status, .err = *e };

	if (seccomp_call(&v->a->filter, SYS_write, v->report_fd, (long)&r, sizeof(r)) < 0)
		seccomp_exit(&v->a->filter, STATUS_OWN_FAILURE);
}

_Noreturn static void visitor(struct visit *v)
{
	const struct seccomp_prog *f = &v->a->filter;
	struct app_user_env room;
	struct user u;
	struct err e;

	if (become_visitor(v, &room, &u, &e) < 0) {
		report(v, STATUS_OWN_FAILURE, &e);
		seccomp_exit(f, STATUS_OWN_FAILURE);
	}
	if (isolation_end(&v->a->isolation, v->a->limits.rlimits, f, &e) < 0) {
		report(v, STATUS_OWN_FAILURE, &e);
		seccomp_exit(f, STATUS_OWN_FAILURE);
	}
	int status = v->argv ? app_exec(f, v->argv, v->a->env, &e)
			     : enter_shell(f, v->tools_fd, v->a->env, &e);
	isolation_exec_failed(&v->a->isolation, &e);
	report(v, status, &e);
	seccomp_exit(f, status);
}

/* ---- in the parent ---- */

static int set_up_relay(struct visit *v, struct err *e)
{
	int fds[2];

	v->p.tty = ioctl(0, TIOCGWINSZ, &v->p.window) == 0;
	v->relay_out = !v->p.tty && (isatty(1) || isatty(2));
	/* a plan of one app is what the pump takes; without a directory for logs it keeps none */
	*v->p.apps = *v->a;
	v->a = v->p.apps;
	v->p.n_apps = 1;
	if (!v->p.tty && !v->relay_out)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "socketpair");
	v->event_fd = fds[0];
	v->p.event_fd = fds[1];
	v->pump = pump_new(&v->p, -1, false, e);
	return v->pump ? users_own_output(&v->p, e) : -1;
}

static int open_signals(struct visit *v, struct err *e)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		sigaddset(&set, wanted[i]);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	signal(SIGCHLD, SIG_DFL);
	v->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return v->sig_fd < 0 ? err_sys(e, "signalfd") : 0;
}

static int start_visitor(struct visit *v, int *report_fd, struct err *e)
{
	int fds[2];

	if (setns(v->app_pidfd, CLONE_NEWPID) < 0)
		return err_sys(e, "enter the process namespace of app %s", v->a->name);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	v->report_fd = fds[1];
	v->child = sys_fork(0, &v->child_fd, -1);
	if (v->child == 0)
		visitor(v);
	if (v->child < 0) {
		close(fds[0]);
		return err_sys(e, "new process");
	}
	close(fds[1]);
	if (v->pump)
		pump_parent(v->pump, &v->p);
	fd_cleanup(&v->p.event_fd);
	*report_fd = fds[0];
	return 0;
}

/* the terminal comes before the report pipe is closed by exec; its message is then already there */
static void take_terminal(struct visit *v)
{
	struct event ev;
	pid_t sender;
	int fd;

	if (v->event_fd < 0 || event_receive(v->event_fd, &ev, &fd, &sender) != 1)
		return;
	if (fd >= 0)
		pump_terminal(v->pump, fd);
}

/* whether the child has ended */
static bool take_signal(struct visit *v, int *status)
{
	struct signalfd_siginfo si;
	int st;

	if (read(v->sig_fd, &si, sizeof(si)) != sizeof(si))
		return false;
	if (si.ssi_signo == SIGWINCH && v->pump)
		pump_resized(v->pump);
	else if (si.ssi_signo != SIGCHLD)
		sys_pidfd_signal(v->child_fd, (int)si.ssi_signo);
	if (si.ssi_signo != SIGCHLD || waitpid(v->child, &st, WNOHANG) != v->child)
		return false;
	*status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	if (v->pump)
		pump_pod_ended(v->pump);
	return true;
}

static int relay(struct visit *v)
{
	struct pollfd p[MAX_POLLS] = { { .fd = v->sig_fd, .events = POLLIN } };
	bool ended = false;
	int status = STATUS_OWN_FAILURE;

	while (!ended || (v->pump && !pump_done(v->pump))) {
		size_t n = v->pump ? pump_polls(v->pump, p + 1) : 0;
		if (poll(p, 1 + n, ended ? 100 : -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents && take_signal(v, &status))
			ended = true;
		if (v->pump)
			pump_handle(v->pump, p + 1, n);
	}
	if (v->pump)
		pump_restore(v->pump);
	return status;
}

static void say(const struct err *e)
{
	dprintf(2, "%s%s\n", strncmp(e->msg, "Error: ", 7) ? "stage1: " : "", e->msg);
}

static int visit(struct visit *v, pid_t pid1, const char *app, struct err *e)
{
	struct report r;
	int report_fd = -1;

	if (DEFENCE("dumpable"))
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (read_plan(v, app, e) < 0 || find_process(v, pid1, e) < 0 ||
		find_users(v, pid1, e) < 0 || read_limits(v, pid1, e) < 0 || read_label(v, e) < 0)
		return -1;
	if (!v->argv && (v->tools_fd = enter_tools_open(e)) < 0)
		return -1;
	if (open_signals(v, e) < 0 || set_up_relay(v, e) < 0 ||
		start_visitor(v, &report_fd, e) < 0)
		return -1;
	if (fd_read_full(report_fd, &r, sizeof(r)) == (ssize_t)sizeof(r)) {
		waitpid(v->child, NULL, 0);
		*e = r.err;
		say(e);
		return r.status;
	}
	close(report_fd);
	take_terminal(v);
	return relay(v);
}

int enter_app(pid_t pid, const char *app, bool rootless, char **argv)
{
	struct visit v = { .argv = argv,
		.p.rootless = rootless,
		.pod_fd = -1,
		.app_pidfd = -1,
		.event_fd = -1,
		.sig_fd = -1,
		.child_fd = -1,
		.tools_fd = -1 };
	struct err e;
	int status = visit(&v, pid, app, &e);

	if (status < 0)
		say(&e);
	return status < 0 ? STATUS_OWN_FAILURE : status;
}
