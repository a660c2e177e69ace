/* SPDX-License-Identifier: Apache-2.0
 * host - see host.h
 *
 * Three acts: prepare() uses the heap and may fail and report; hand_over() clones; watch()
 * allocates nothing and lasts as long as the pod. It leaves early only to kill the pod.
 */
#include "stage1-init/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/appc/sysctl.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/netns.h"
#include "stage1-init/cgroup.h"
#include "stage1-init/denied.h"
#include "stage1-init/etc.h"
#include "stage1-init/event.h"
#include "stage1-init/learn.h"
#include "stage1-init/mds.h"
#include "stage1-init/net.h"
#include "stage1-init/pid1.h"
#include "stage1-init/plan.h"
#include "stage1-init/pump.h"
#include "stage1-init/rootless.h"
#include "stage1-init/running.h"
#include "stage1-init/users.h"
#include "stage1-init/volume.h"
#include "stage1-init/worker.h"

#define WORKERS_MAX 4

struct host {
	const struct host_opts *o;
	struct plan     p;
	int             pod_fd, event_fd, sig_fd, pidfd, running_fd, status_fd, host_ns_fd, netns_fd, self_fd;
	struct userns_fds users;
	pid_t           pid1;
	struct pump    *pump;
	struct denied  *denied;
	struct pollfd  *polls;
	struct net_how  net_how;
	struct net      net;
	struct mds      mds;
	struct pollfd   mds_poll;
	struct worker   workers[WORKERS_MAX];
	size_t          n_workers;
	bool            ended, told; /* told: PID 1 has said why it failed */
	size_t          n_running;  /* apps; PID 1 does little more when the last one has ended */
	struct learn   *learn; /* NULL: the pod does not learn */
	bool            no_cgroups; /* these are gone already */
	int             interrupts;
	int             status;
};

static void say(const struct err *e)
{
	/* what scripts look for stands alone on its line */
	bool bare = !strncmp(e->msg, "Error: ", 7) || !strncmp(e->msg, "Failed to stat ", 15);

	dprintf(2, "%s%s\n", bare ? "" : "stage1: ", e->msg);
}

/* ---- act one: prepare ---- */

/* a descriptor that we inherit on purpose; -1: none */
static int take_inherited(const char *variable, int *out, struct err *e)
{
	const char *text = getenv(variable);
	uint64_t fd;

	*out = -1;
	if (!text)
		return 0;
	if (num_u64(text, INT_MAX, &fd, e) < 0)
		return err_wrap(e, "%s", variable);
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, "%s %s", variable, text);
	unsetenv(variable);
	*out = (int)fd;
	return 0;
}

/*
 * The lock is what says that the pod runs; it is held as long as one process has this descriptor.
 *
 * Our stage 0 made a mount namespace for the pod, and gives us the way back to its own. Then there is one namespace
 * less to copy and, what takes longest at the end of a pod, to tear down. And it may have made the pod's network
 * namespace while it did everything else. The mount that we are executed from is closed when there is time for it.
 * Others do not have to.
 */
static int take_from_stage0(struct host *h, struct err *e)
{
	int lock_fd;

	if (take_inherited("RKT_LOCK_FD", &lock_fd, e) < 0)
		return -1;
	if (lock_fd < 0)
		return err_set(e, EINVAL,
			"RKT_LOCK_FD is not set: stage1-init run is what `rkt run` executes");
	return take_inherited("RKTBOX_HOST_MNTNS_FD", &h->host_ns_fd, e) < 0 ||
		       take_inherited("RKTBOX_POD_NETNS_FD", &h->netns_fd, e) < 0 ||
		       take_inherited("RKTBOX_POD_MDS_FD", &h->mds.listen_fd, e) < 0 ||
		       take_inherited("RKTBOX_POD_USERNS_FD", &h->users.user, e) < 0 ||
		       take_inherited("RKTBOX_POD_IPCNS_FD", &h->users.ipc, e) < 0 ||
		       take_inherited("RKTBOX_POD_UTSNS_FD", &h->users.uts, e) < 0 ||
		       take_inherited("RKTBOX_SELF_FD", &h->self_fd, e) < 0 ?
		       -1 : 0;
}

static int check_stdin(struct host *h, struct err *e)
{
	struct plan *p = &h->p;

	if (!h->o->interactive)
		return 0;
	if (p->n_apps > 1)
		return err_set(e, EINVAL, "interactive option only supports pods with one app");
	/* what has a window size is a terminal */
	p->tty = ioctl(0, TIOCGWINSZ, &p->window) == 0;
	p->pass_stdin = !p->tty;
	return 0;
}

static int open_dirs(struct host *h, struct err *e)
{
	struct stat st;

	h->pod_fd = openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->pod_fd < 0)
		return err_sys(e, "open the pod directory");
	int r = fstatat(h->pod_fd, "stage1/rootfs", &st, AT_SYMLINK_NOFOLLOW);
	if (r < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "open stage1/rootfs in the pod directory");
	if (r < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ENOENT, "the current directory is not that of a prepared pod");
	if (fd_mkdirs(h->pod_fd, "stage1/rootfs/rkt/status", 0755, e) < 0)
		return -1;
	h->status_fd = fd_open_dir(h->pod_fd, "stage1/rootfs/rkt/status", e);
	return h->status_fd < 0 ? -1 : 0;
}

static int open_channel(struct host *h, struct err *e)
{
	int fds[2], on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "socketpair");
	h->event_fd = fds[0];
	h->p.event_fd = fds[1];
	/* the kernel then says who sent a message, with the pid as we see it */
	if (setsockopt(h->event_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return err_sys(e, "SO_PASSCRED");
	return 0;
}

static int block_signals(struct host *h, struct err *e)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t all, set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		sigaddset(&set, wanted[i]);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD,
		SIG_DFL); /* an ignored SIGCHLD, which one can inherit, would eat exit statuses */
	h->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return h->sig_fd < 0 ? err_sys(e, "signalfd") : 0;
}

static int prepare_io(struct host *h, struct err *e)
{
	bool prefix =
		h->o->prefix == PREFIX_ALWAYS || (h->o->prefix == PREFIX_AUTO && h->p.n_apps > 1);

	h->pump = pump_new(&h->p, h->pod_fd, prefix && !h->p.tty, e);
	if (h->o->learn && !(h->learn = learn_new(&h->p, e)))
		return -1;
	h->denied = h->pump ? denied_new(&h->p, h->pod_fd, h->learn, e) : NULL;
	return h->denied ? 0 : -1;
}

/* when all workers are known */
static int prepare_polls(struct host *h, struct err *e)
{
	size_t n = 2 + pump_n_polls(h->pump) + denied_n_polls(h->denied);

	for (size_t i = 0; i < h->n_workers; i++)
		n += h->workers[i].n_wanted;
	h->polls = calloc(n, sizeof(*h->polls));
	return h->polls ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* appc spec, spec/ace.md, "Volume Setup": an executor SHOULD warn of this */
static void warn_of_masks(const struct plan *p)
{
	struct err note;

	for (size_t i = 0; i < p->n_apps; i++) {
		const struct plan_app *a = &p->apps[i];
		for (size_t j = 0; j < a->n_mounts; j++) {
			const struct plan_mount *m = &a->mounts[j];
			if (!m->masks)
				continue;
			err_set_text(&note, 0,
				"warning: app %s: volume %s hides what the image has at %s",
				a->name, m->volume, m->path);
			say(&note);
		}
	}
}

/* that of stage 0, if it had a processor to spare for one, else of our own making; and what listens in it */
static int prepare_net(struct host *h, struct err *e)
{
	struct plan *p = &h->p;

	if (p->own_net && p->netns_fd < 0)
		p->netns_fd = netns_make(&h->mds.listen_fd, e);
	if (p->own_net && p->netns_fd < 0)
		return -1;
	h->mds.uuid = p->uuid;
	h->mds.pod_fd = h->pod_fd;
	h->mds.rootless = h->o->rootless;
	if (mds_prepare(&h->mds, p, h->o->mds_token, h->o->debug ? say : NULL, e) < 0)
		return -1;
	if (h->mds.listen_fd < 0)
		return 0;
	h->mds_poll = (struct pollfd){ .fd = h->mds.listen_fd, .events = POLLIN };
	h->workers[h->n_workers++] = (struct worker){ .what = "metadata service", .wanted = &h->mds_poll, .n_wanted = 1,
						      .main = mds_main, .ctx = &h->mds };
	return 0;
}

static int join_networks(struct host *h, struct err *e)
{
	if (net_up(&h->net, &h->net_how, &h->p, e) < 0)
		return -1;
	h->n_workers += net_workers(&h->net, h->workers + h->n_workers);
	return 0;
}

/* before what the pod's apps see is put together, since networks may have a say in resolv.conf */
static int plan_networks(struct host *h, struct err *e)
{
	const struct host_opts *o = h->o;

	h->net_how = (struct net_how){
		.net = o->net, .system = o->system_config, .local = o->local_config, .pod_fd = h->pod_fd,
		.host_mnt_fd = h->host_ns_fd, .debug = o->debug, .port_proxy = o->port_proxy,
		.no_dns = etc_resolv_wanted(o->dns),
	};
	if (net_plan(&h->net, &h->net_how, &h->p, e) < 0)
		return -1;
	return h->net.early ? join_networks(h, e) : 0;
}

static int prepare(struct host *h, struct err *e)
{
	const struct host_opts *o = h->o;
	struct plan_opts po = { .uuid = o->uuid,
		.hostname = o->hostname,
		.debug = o->debug,
		.learn = o->learn,
		.no_seccomp = o->no_seccomp,
		.no_caps = o->no_caps,
		.no_paths = o->no_paths };
	enum net_mode mode;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (take_from_stage0(h, e) < 0 || net_mode(o->net, &mode, e) < 0 || open_dirs(h, e) < 0)
		return -1;
	bool own_net = mode != NET_HOST;
	if (o->no_seccomp && running_no_seccomp_set(h->pod_fd, e) < 0)
		return -1;
	if (o->no_caps && running_no_caps_set(h->pod_fd, e) < 0)
		return -1;
	if (plan_read(h->pod_fd, &po, &h->p, e) < 0 || sysctl_check(h->p.limits.sysctl, own_net, e) < 0)
		return -1;
	h->p.own_net = own_net;
	h->p.netns_fd = take_fd(&h->netns_fd);
	h->p.take_ns = h->host_ns_fd >= 0;
	if (users_prepare(&h->p, o->private_users, &h->users, e) < 0 || prepare_net(h, e) < 0)
		return -1;
	if (o->rootless && rootless_settle(&h->p, e) < 0)
		return -1;
	if (check_stdin(h, e) < 0 || volume_open(&h->p, h->pod_fd, e) < 0 || plan_networks(h, e) < 0 ||
	    etc_open(&h->p, o->dns, h->net.has_dns, h->pod_fd, e) < 0)
		return -1;
	h->n_running = h->p.n_apps;
	warn_of_masks(&h->p);
	if (o->rootless)
		rootless_drop(&h->p, say);
	if (open_channel(h, e) < 0 || prepare_io(h, e) < 0 || users_own_output(&h->p, e) < 0)
		return -1;
	return block_signals(h, e);
}

/* ---- act two: hand over ---- */

_Noreturn static void child(struct host *h)
{
	close(h->event_fd);
	close(h->sig_fd);
	fd_cleanup(&h->self_fd);
	fd_cleanup(&h->mds.listen_fd);
	fd_cleanup(&h->mds.data_fd);
	net_child(&h->net);
	pump_child(h->pump);
	pid1_main(&h->p);
}

static void close_plan(struct plan *p)
{
	fd_cleanup(&p->event_fd);
	fd_cleanup(&p->netns_fd);
	userns_fds_close(&p->users);
	for (size_t i = 0; i < p->n_apps; i++) {
		struct plan_app *a = &p->apps[i];
		for (size_t j = 0; j < a->n_mounts; j++)
			fd_cleanup(&a->mounts[j].fd);
	}
}

static int hand_over(struct host *h, struct err *e)
{
	char text[16];

	/* the other namespaces it makes itself: that takes a while, in which we make cgroups */
	h->pid1 = sys_fork(CLONE_NEWPID, &h->pidfd, -1);
	if (h->pid1 == 0)
		child(h);
	if (h->pid1 < 0)
		return err_needs(e, "ns-pid clone3", "new process namespace");
	if (h->learn)
		learn_begin(h->learn, h->pid1, say);
	if (h->host_ns_fd >= 0 && setns(h->host_ns_fd, CLONE_NEWNS) < 0)
		return err_needs(e, "caps", "return to the host's mount namespace");
	fd_cleanup(&h->host_ns_fd);
	h->net_how.host_mnt_fd = -1; /* it is ours again */
	/* while PID 1 makes everything that needs neither networks nor cgroups; apps start after both */
	if ((!h->net.early && join_networks(h, e) < 0) || prepare_polls(h, e) < 0)
		return -1;
	pump_parent(h->pump, &h->p);
	close_plan(&h->p);
	if (cgroup_setup(&h->p, h->pod_fd, h->pid1, e) < 0 || cgroup_hand_over(&h->p, h->event_fd, e) < 0)
		return -1;
	if (*h->mds.url && running_mds_url_set(h->pod_fd, h->mds.url, e) < 0)
		return -1;
	int n = snprintf(text, sizeof(text), "%d\n", (int)h->pid1);
	h->running_fd = running_open(h->pod_fd, e);
	if (h->running_fd < 0 || net_mark(&h->net, h->pod_fd, h->pid1, e) < 0 ||
	    fd_publish(h->pod_fd, "pid", text, (size_t)n, 0644, false, e) < 0)
		return -1;
	fd_cleanup(&h->self_fd);
	return 0;
}

/* ---- act three: wait; from here on no heap ---- */

static void stop(struct host *h, int sig)
{
	if ((sig == SIGINT || sig == SIGQUIT) && h->interrupts++)
		sys_pidfd_signal(h->pidfd, SIGKILL);
	else
		sys_pidfd_signal(h->pidfd, SIGTERM);
}

static void pid1_ended(struct host *h, int status)
{
	h->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	h->ended = true;
	pump_pod_ended(h->pump);
}

/* workers have ended, or what they made */
static void reap(struct host *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == h->pid1)
			pid1_ended(h, status);
		for (size_t i = 0; i < h->n_workers; i++)
			worker_ended(&h->workers[i], pid, status);
	}
}

static void take_signal(struct host *h)
{
	struct signalfd_siginfo si;

	if (read(h->sig_fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD)
		reap(h);
	else if (si.ssi_signo == SIGWINCH)
		pump_resized(h->pump);
	else
		stop(h, (int)si.ssi_signo);
}

/* here and not in PID 1, which has nothing left to do but to end, and that takes a while */
static void write_status(struct host *h, const struct plan_app *a, int status)
{
	char text[16];
	struct err e;
	int n = snprintf(text, sizeof(text), "%d\n", status);

	if (fd_publish(h->status_fd, a->name, text, (size_t)n, 0644, false, &e) == 0)
		return;
	err_wrap(&e, "warning: exit status of %s", a->name);
	say(&e);
}

/* PID 1 has nothing left but to die, unless there are handlers: they run in these groups */
static void app_ended(struct host *h, size_t app, int status)
{
	write_status(h, &h->p.apps[app], status);
	if (h->n_running && --h->n_running == 0 && h->p.one_ns)
		h->no_cgroups = cgroup_remove_early(h->pod_fd);
}

static void handle_event(struct host *h, const struct event *ev, int fd, pid_t sender)
{
	size_t app = (size_t)ev->app;

	switch (ev->type) {
	case EVENT_TERMINAL:
		if (fd >= 0)
			pump_terminal(h->pump, fd);
		return;
	case EVENT_PROCESS:
		pump_started(h->pump, app, ev->value);
		if (fd >= 0)
			denied_add(h->denied, app, fd);
		if (ev->main)
			running_set(h->running_fd, &h->p, app, sender, ev->uid, ev->gid);
		return;
	case EVENT_ENDED:
		running_set(h->running_fd, &h->p, app, 0, 0, 0);
		app_ended(h, app, ev->value);
		return;
	case EVENT_FAILED:
	case EVENT_NOTE:
		h->told |= ev->type == EVENT_FAILED;
		pump_restore(h->pump);
		say(&ev->err);
		return;
	default:
		return;
	}
}

/* false when the pod has closed its end */
static bool take_events(struct host *h)
{
	struct event ev;
	pid_t sender;
	int fd, r;

	while ((r = event_receive(h->event_fd, &ev, &fd, &sender)) == 1) {
		if (ev.app >= 0 && (size_t)ev.app < h->p.n_apps)
			handle_event(h, &ev, fd, sender);
		else if (fd >= 0)
			close(fd);
	}
	return r == 0;
}

/* of the workers, and how long poll() may last */
static size_t worker_all_polls(struct host *h, struct pollfd *p, size_t n_each[WORKERS_MAX], int *timeout_ms)
{
	size_t n = 0;

	/* once the pod has ended only our own stdout can keep us waiting, and the next signal tells us off */
	*timeout_ms = h->ended ? 100 : -1;
	for (size_t i = 0; i < h->n_workers && !h->ended; i++) {
		int left = worker_timeout_ms(&h->workers[i]);
		n += n_each[i] = worker_polls(&h->workers[i], p + n);
		if (left >= 0 && (*timeout_ms < 0 || left < *timeout_ms))
			*timeout_ms = left;
	}
	return n;
}

static void handle_workers(struct host *h, const struct pollfd *p, const size_t n_each[WORKERS_MAX])
{
	for (size_t i = 0; i < h->n_workers && !h->ended; p += n_each[i++])
		worker_handle(&h->workers[i], p, n_each[i]);
}

static void step(struct host *h)
{
	struct pollfd *p = h->polls;
	size_t n_pump, n, n_workers, n_each[WORKERS_MAX] = { 0 };
	int timeout_ms;

	p[0] = (struct pollfd){ .fd = h->sig_fd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = h->event_fd, .events = POLLIN };
	n_pump = pump_polls(h->pump, p + 2);
	n = 2 + n_pump + denied_polls(h->denied, p + 2 + n_pump);
	n_workers = worker_all_polls(h, p + n, n_each, &timeout_ms);
	if (poll(p, (nfds_t)(n + n_workers), timeout_ms) < 0 && errno != EINTR) {
		sys_pidfd_signal(h->pidfd, SIGKILL);
		h->status = STATUS_OWN_FAILURE;
	}
	/* first, whatever poll said: a process announces itself before it writes, and poll may have
	 * seen only the latter */
	if (h->event_fd >= 0 && !take_events(h))
		fd_cleanup(&h->event_fd);
	if (p[0].revents)
		take_signal(h);
	denied_handle(h->denied, p + 2 + n_pump, n - 2 - n_pump);
	pump_handle(h->pump, p + 2, n_pump);
	handle_workers(h, p + n, n_each);
}

static void watch(struct host *h)
{
	while (!h->ended || !pump_done(h->pump))
		step(h);
	if (h->event_fd >= 0)
		take_events(h);
	denied_write(h->denied);
	pump_restore(h->pump);
}

static void clean_up(struct host *h)
{
	struct err e;

	for (size_t i = 0; i < h->n_workers; i++)
		worker_kill(&h->workers[i]);
	/* the pod has ended: there is heap again */
	if (h->learn && h->ended && learn_write(h->learn, h->o->learn, say, &e) < 0)
		say(&e);
	if (net_down(&h->net, &h->net_how, h->o->uuid, h->ended, &e) < 0)
		say(&e);
	if (!h->no_cgroups && cgroup_remove(h->pod_fd, &e) < 0)
		say(&e);
}

/* If PID 1 failed before us, that is why we did, and it has said so. */
static void give_up(struct host *h, const struct err *e)
{
	if (h->pid1 > 0) {
		sys_pidfd_signal(h->pidfd, SIGKILL);
		waitpid(h->pid1, NULL, 0);
		take_events(h);
	}
	if (!h->told)
		say(e);
	clean_up(h);
}

int host_run(const struct host_opts *o)
{
	struct host h = { .o = o,
		.pod_fd = -1,
		.event_fd = -1,
		.sig_fd = -1,
		.pidfd = -1,
		.running_fd = -1,
		.status_fd = -1,
		.host_ns_fd = -1,
		.netns_fd = -1,
		.users = USERNS_FDS_NONE,
		.self_fd = -1,
		.net = NET_NONE_YET,
		.mds = { .listen_fd = -1, .data_fd = -1 } };
	struct err e;

	h.p.failure = STATUS_OWN_FAILURE;
	if (prepare(&h, &e) < 0) {
		say(&e);
		if (h.pod_fd >= 0)
			clean_up(&h);
		return h.p.failure;
	}
	if (hand_over(&h, &e) < 0) {
		give_up(&h, &e);
		return STATUS_OWN_FAILURE;
	}
	watch(&h);
	clean_up(&h);
	return h.status;
}
