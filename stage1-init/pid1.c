/* SPDX-License-Identifier: Apache-2.0
 * pid1 - see pid1.h
 *
 * Three acts: set_up() may fail and reports; start_apps() hands over; the loop waits. After
 * set_up() the only ways out are the end of all apps, the death of the host side, and panic(). No
 * heap, no streams.
 */
#include "stage1-init/pid1.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/app.h"
#include "stage1-init/cgroup.h"
#include "stage1-init/confine.h"
#include "stage1-init/event.h"
#include "stage1-init/mounts.h"
#include "stage1-init/rootless.h"
#include "stage1-init/users.h"

struct pid1 {
	struct plan *p;
	const char  *roots;     /* where the apps' roots are, from the current directory */
	struct apifs fs;        /* for the process that is started next, if it was made already */
	int          sig_fd;
	int          report_fd; /* of the process that is being started; -1 */
	struct report report;   /* its last words */
	bool         stopping;
	int          status;    /* the pod's */
	int64_t      kill_at_ms; /* when what still runs is killed; 0: never */
	/* the process that is waited for: a handler, or one that is being started */
	pid_t        child;
	bool         child_ended;
	int          child_status;
};

/* ---- talking to the host side ---- */

static void tell(struct pid1 *s, enum event_type type, size_t app, int value, const struct err *e)
{
	struct event ev = { .type = type, .app = (int32_t)app, .value = value };

	if (e)
		ev.err = *e;
	/* if nobody listens, PDEATHSIG is on its way */
	event_send(s->p->event_fd, &ev, -1);
}

_Noreturn static void panic(struct pid1 *s, const char *what)
{
	struct err e;

	err_sys(&e, "PID 1: %s", what);
	tell(s, EVENT_FAILED, 0, STATUS_OWN_FAILURE, &e);
	kill(-1, SIGKILL);
	_exit(STATUS_OWN_FAILURE);
}

/* ---- stopping ---- */

static void stop_pod(struct pid1 *s, int status)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->status = status;
	s->kill_at_ms = clock_ms(CLOCK_MONOTONIC) + STOP_GRACE_MS;
	kill(-1, SIGTERM);
}

static void check_grace(struct pid1 *s)
{
	if (!s->kill_at_ms || clock_ms(CLOCK_MONOTONIC) < s->kill_at_ms)
		return;
	s->kill_at_ms = 0;
	kill(-1, SIGKILL);
}

/* ---- what has ended ---- */

static int exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void app_ended(struct pid1 *s, size_t i, int status)
{
	struct plan_app *a = &s->p->apps[i];

	a->pid = 0;
	a->ended = true;
	a->status = status;
	tell(s, EVENT_ENDED, i, status, NULL);
	if (status)
		stop_pod(s, status);
}

static void process_ended(struct pid1 *s, pid_t pid, int status)
{
	if (pid == s->child) {
		s->child_ended = true;
		s->child_status = status;
		return;
	}
	for (size_t i = 0; i < s->p->n_apps; i++)
		if (s->p->apps[i].pid == pid) {
			app_ended(s, i, status);
			return;
		}
}

static void reap(struct pid1 *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		process_ended(s, pid, exit_status(status));
}

/* ---- waiting ---- */

static void take_signals(struct pid1 *s)
{
	struct signalfd_siginfo si;
	ssize_t n = read(s->sig_fd, &si, sizeof(si));

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		panic(s, "read signals");
	if (n != sizeof(si))
		return;
	if (si.ssi_signo == SIGTERM)
		stop_pod(s, 0);
	/* signals merge: one SIGCHLD may stand for many */
	if (si.ssi_signo == SIGCHLD)
		reap(s);
}

static void take_report(struct pid1 *s)
{
	ssize_t n = read(s->report_fd, &s->report, sizeof(s->report));

	if (n == (ssize_t)sizeof(s->report) || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	close(s->report_fd);
	s->report_fd = -1;
}

static int timeout_ms(const struct pid1 *s)
{
	if (!s->kill_at_ms)
		return -1;
	int64_t left = s->kill_at_ms - clock_ms(CLOCK_MONOTONIC);
	return left < 0 ? 0 : left > STOP_GRACE_MS ? STOP_GRACE_MS : (int)left + 1;
}

/* waits until something has happened, and deals with it */
static void step(struct pid1 *s)
{
	struct pollfd p[3] = {
		{ .fd = s->sig_fd, .events = POLLIN },
		{ .fd = s->p->event_fd }, /* for POLLHUP: the host side is gone */
		{ .fd = s->report_fd, .events = POLLIN },
	};

	if (poll(p, 3, timeout_ms(s)) < 0 && errno != EINTR)
		panic(s, "poll");
	if (p[1].revents) {
		kill(-1, SIGKILL);
		_exit(STATUS_OWN_FAILURE);
	}
	if (p[2].revents)
		take_report(s);
	if (p[0].revents)
		take_signals(s);
	check_grace(s);
}

/* ---- starting ---- */

/* 0, or -1 when it did not become what it should; *e says why */
static int await_exec(struct pid1 *s, struct err *e)
{
	while (s->report_fd >= 0)
		step(s);
	if (s->report.failed) {
		*e = s->report.err;
		return -1;
	}
	return 0;
}

/* of what runs until a program is executed; one at a time */
static _Alignas(4096) char start_stack[256 << 10];

struct start {
	struct pid1           *s;
	size_t                 i;
	const struct plan_run *run;
	int                    report_fd;
};

static void start(void *arg)
{
	const struct start *v = arg;

	app_main(v->s->p, v->i, v->run, &v->s->fs, v->s->roots, v->report_fd);
}

/*
 * It worked in our memory: what it noted there was for itself alone, and its stack is not needed any more. With
 * fs.suid_dumpable=1 its change of user made this memory readable for others.
 */
static void clean_up_after(struct plan_app *a, size_t n_env)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	memset(a->env + n_env, 0, PLAN_ENV_SPARE * sizeof(*a->env));
	a->n_env = n_env;
	madvise(start_stack, sizeof(start_stack), MADV_DONTNEED);
}

static int spawn(struct pid1 *s, size_t i, const struct plan_run *run, struct err *e)
{
	struct plan_app *a = &s->p->apps[i];
	int fds[2];

	s->child_ended = false;
	/* until it says otherwise it has failed: it may be killed before it can say anything */
	s->report = (struct report){ .failed = true, .status = STATUS_OWN_FAILURE };
	err_set(&s->report.err, ECHILD, "ended before it could be started");
	if (s->fs.dev_fd < 0 && apifs_make(&s->fs, s->p, e) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	struct start v = { s, i, run, fds[1] };
	size_t n_env = a->n_env;
	pid_t pid = sys_start(s->p->one_ns ? 0 : CLONE_NEWNS, a->cgroup_fd, start_stack, sizeof(start_stack),
			      start, &v);
	int why = errno;
	clean_up_after(a, n_env);
	apifs_close(&s->fs);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		errno = why;
		return err_needs(e, "clone3 ns-mnt", "new process");
	}
	s->child = pid;
	s->report_fd = fds[0];
	return await_exec(s, e);
}

static void await_child(struct pid1 *s)
{
	while (!s->child_ended)
		step(s);
	s->child = 0;
}

static void start_failed(struct pid1 *s, size_t i, int status, const struct err *e)
{
	tell(s, EVENT_FAILED, i, status, e);
	app_ended(s, i, status);
}

/* one handler from beginning to end; its status, or what stands for its failure to start */
static int run_handler(struct pid1 *s, size_t i, const struct plan_run *run, const char *what)
{
	struct err e;

	s->child = 0;
	bool started = spawn(s, i, run, &e) == 0;
	if (s->child)
		await_child(s);
	if (!started) {
		/* what scripts look for stands alone on its line */
		if (strncmp(e.msg, "Error: ", 7))
			err_wrap(&e, "app %s: %s handler", s->p->apps[i].name, what);
		tell(s, EVENT_NOTE, i, 0, &e);
		return s->report.status;
	}
	if (s->child_status) {
		err_set(&e, ECHILD, "app %s: %s handler %s ended with status %d",
			s->p->apps[i].name, what, run->argv[0], s->child_status);
		tell(s, EVENT_NOTE, i, 0, &e);
	}
	return s->child_status;
}

static void started(struct pid1 *s, size_t i)
{
	s->p->apps[i].pid = s->child;
	s->child = 0;
	if (s->child_ended) /* it was quick */
		app_ended(s, i, s->child_status);
}

static void start_app(struct pid1 *s, size_t i)
{
	struct plan_app *a = &s->p->apps[i];
	struct err e;

	for (size_t j = 0; j < a->n_pre_start && !s->stopping; j++) {
		int status = run_handler(s, i, &a->pre_start[j], "pre-start");
		if (status && !s->stopping)
			app_ended(s, i, status);
	}
	if (s->stopping)
		return;
	s->child = 0;
	if (spawn(s, i, &a->main, &e) < 0) {
		if (s->child)
			await_child(s);
		if (s->stopping)
			return;
		if (strncmp(e.msg, "Error: ", 7))
			err_wrap(&e, "app %s", a->name);
		start_failed(s, i, s->report.status, &e);
		return;
	}
	started(s, i);
}

static void start_apps(struct pid1 *s)
{
	for (size_t i = 0; i < s->p->n_apps && !s->stopping; i++)
		start_app(s, i);
	/* with one_ns the app has put us into its root by now; let go of the old one, too */
	if (chdir("/") < 0)
		panic(s, "change directory");
}

/* ---- until the end ---- */

static void run_post_stop(struct pid1 *s, size_t i)
{
	struct plan_app *a = &s->p->apps[i];

	a->post_stop_done = true;
	for (size_t j = 0; j < a->n_post_stop; j++) {
		if (s->stopping)
			s->kill_at_ms = clock_ms(CLOCK_MONOTONIC) + STOP_GRACE_MS;
		run_handler(s, i, &a->post_stop[j], "post-stop");
	}
}

/* the app whose turn it is to be cleaned up after; n_apps: none */
static size_t next_ended(const struct pid1 *s)
{
	size_t i = 0;

	while (i < s->p->n_apps && !(s->p->apps[i].ended && !s->p->apps[i].post_stop_done))
		i++;
	return i;
}

static bool any_running(const struct pid1 *s)
{
	for (size_t i = 0; i < s->p->n_apps; i++)
		if (s->p->apps[i].pid)
			return true;
	return false;
}

static void wait_for_apps(struct pid1 *s)
{
	for (;;) {
		size_t i = next_ended(s);
		if (i < s->p->n_apps)
			run_post_stop(s, i);
		else if (any_running(s))
			step(s);
		else
			return;
	}
}

/* ---- setting up ---- */

/* The host side may have died before we asked to die with it; its end of the channel is closed
 * then. */
static int tie_to_host(struct pid1 *s, struct err *e)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "prctl");
	if (recv(s->p->event_fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		_exit(STATUS_OWN_FAILURE);
	return 0;
}

static int take_signal_fd(struct pid1 *s, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	s->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->sig_fd < 0 ? err_sys(e, "signalfd") : 0;
}

/* Several apps, or handlers: PID 1 gets a root of its own, each process of an app a namespace made
 * from ours. */
static int enter_stage1_root(struct pid1 *s, struct err *e)
{
	auto_close int at =
		openat(AT_FDCWD, "stage1/rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int root =
		at < 0 ? -1
		       : sys_open_tree(at, "", SYS_TREE_CLONE | SYS_AT_RECURSIVE | AT_EMPTY_PATH);

	if (root < 0 || sys_attach(root, at, "") < 0)
		return err_needs(e, "open-tree move-mount", "stage1/rootfs");
	struct rootless_dev dev;
	if (s->p->rootless && rootless_dev_take(&dev, s->p, e) < 0)
		return -1;
	if (mounts_pivot(root, false, e) < 0)
		return -1;
	if (mkdir("/dev", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "create stage1/rootfs/dev");
	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0 ||
		chdir("/dev") < 0)
		return err_needs(e, "fs-tmpfs", "mount on stage1/rootfs/dev");
	if (apifs_shm(e) < 0 || mounts_keep(s->p, e) < 0 || (s->p->rootless && rootless_dev_keep(&dev, e) < 0))
		return -1;
	s->p->pivoted = true;
	if (chdir("/") < 0)
		return err_sys(e, "change directory");
	s->roots = "opt/stage2";
	return 0;
}

static int enter_netns(struct plan *p, struct err *e)
{
	if (!p->own_net || !DEFENCE("netns"))
		return 0;
	if (setns(p->netns_fd, CLONE_NEWNET) < 0)
		return err_needs(e, "ns-net", "enter the pod's network namespace");
	fd_cleanup(&p->netns_fd);
	return 0;
}

/* All that needs no cgroups comes first: the host side makes them meanwhile. */
static int set_up(struct pid1 *s, struct err *e)
{
	int ns = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | (s->p->take_ns ? 0 : CLONE_NEWNS);

	sys_default_signals();
	if (tie_to_host(s, e) < 0 || take_signal_fd(s, e) < 0)
		return -1;
	if (s->p->ids.count && users_enter(s->p, &ns, e) < 0)
		return -1;
	if (unshare(ns) < 0)
		return err_needs(e, "ns-ipc ns-uts ns-cgroup ns-mnt", "new namespaces");
	if (sethostname(s->p->hostname, strlen(s->p->hostname)) < 0)
		return err_needs(e, "caps ns-uts", "host name %s", s->p->hostname);
	if (enter_netns(s->p, e) < 0)
		return -1;
	/* away from the terminal of whoever called us: its signals are the host side's business. Apps have sessions of
	 * their own; one for us alone would be a scheduling group, which takes a while to make and to end. */
	if (setpgid(0, 0) < 0)
		return err_sys(e, "new process group");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_needs(e, "caps", "make mounts private");
	if (apifs_make(&s->fs, s->p, e) < 0 ||
	    isolation_sysctls(&s->p->sysctls, s->fs.proc_fd, s->p->ids.first, e) < 0)
		return -1;
	/* also says that the host side has left our mount namespace, if we took over its own: roots may change now */
	if (cgroup_take_over(s->p, e) < 0)
		return -1;
	return s->p->one_ns ? 0 : enter_stage1_root(s, e);
}

void pid1_main(struct plan *p)
{
	struct pid1 s = {
		.p = p, .roots = "stage1/rootfs/opt/stage2", .sig_fd = -1, .report_fd = -1,
		.fs = APIFS_NONE,
	};
	struct err e;

	if (set_up(&s, &e) < 0) {
		tell(&s, EVENT_FAILED, 0, STATUS_OWN_FAILURE, &e);
		_exit(STATUS_OWN_FAILURE);
	}
	start_apps(&s);
	wait_for_apps(&s);
	_exit(s.status);
}
