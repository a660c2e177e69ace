/* SPDX-License-Identifier: Apache-2.0
 * plugin_exec - see plugin.h: finds a program and runs it, with an end to its time and to what it may say
 *
 * Its configuration comes from a file in memory, so nobody waits for it to read. What it prints is read until it has
 * ended, not until nobody has the pipe open any more: a daemon that it leaves behind holds us up no longer than itself.
 */
#include "core/net/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

#define ERRORS_KEPT 4096
#define N_DIRS 5

/* ---- where ---- */

static const char *dir_at(const struct net_join *j, size_t i, char *room, size_t size)
{
	static const char *const dirs[N_DIRS] = { NULL, "/usr/lib/rkt/plugins/net", NULL, "/usr/lib/cni", "/opt/cni/bin" };
	const char *conf = i ? j->system : j->local;

	if (dirs[i])
		return dirs[i];
	if (!conf || !*conf)
		return NULL;
	int n = snprintf(room, size, "%s/net.d", conf);
	return n > 0 && (size_t)n < size ? room : NULL;
}

static bool is_there(const char *dir, const char *name, char *out, size_t size)
{
	struct stat st;
	int n = snprintf(out, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size && stat(out, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

/* a program of that name: its path in @out, and its directory's length */
static size_t find(const struct net_join *j, const char *name, char *out, size_t size)
{
	char room[4096];

	for (size_t i = 0; i < N_DIRS; i++) {
		const char *dir = dir_at(j, i, room, sizeof(room));
		if (dir && is_there(dir, name, out, size))
			return strlen(dir);
	}
	*out = 0;
	return 0;
}

void plugin_find(const struct net_join *j, const char *name, char *out, size_t size)
{
	find(j, name, out, size);
}

bool plugin_overrides(const char *local, const char *name)
{
	const struct net_join j = { .local = local };
	char room[4096], path[4096];
	const char *dir = dir_at(&j, 0, room, sizeof(room));

	return dir && is_there(dir, name, path, sizeof(path));
}

static int check_owner(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	if (st.st_uid == 0 && !(st.st_mode & 02) && (!(st.st_mode & 020) || st.st_gid == 0))
		return 0;
	return err_set(e, EACCES, "%s can be written to by others than root, so it is not executed; chown root:root and chmod "
		       "go-w it", path);
}

static int find_safe(const struct net_join *j, const char *name, char *path, size_t size, struct err *e)
{
	size_t dir_len = find(j, name, path, size);

	if (!dir_len)
		return err_set(e, ENOENT, "there is no program of that name in %s%s/usr/lib/rkt/plugins/net, /usr/lib/cni or "
			       "/opt/cni/bin", j->local ? j->local : "", j->local ? "/net.d, " : "");
	if (check_owner(path, e) < 0)
		return -1;
	path[dir_len] = 0;
	if (check_owner(path, e) < 0)
		return -1;
	path[dir_len] = '/';
	return 0;
}

/* ---- environment ---- */

enum { ENV_VARS = 7 };

struct environment { struct buf text; char *v[ENV_VARS + 1]; };

static void add_var(struct environment *v, const char *key, const char *value)
{
	buf_str(&v->text, key);
	buf_add(&v->text, value, strlen(value) + 1);
}

static int make_environment(const struct net_join *j, const char *command, struct environment *v, struct err *e)
{
	char netns[64], room[4096];

	plugin_netns(j, netns, sizeof(netns));
	add_var(v, "PATH=", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_var(v, "CNI_COMMAND=", command);
	add_var(v, "CNI_CONTAINERID=", j->uuid);
	add_var(v, "CNI_NETNS=", netns);
	add_var(v, "CNI_IFNAME=", j->ifname);
	add_var(v, "CNI_ARGS=", j->args ? j->args : "");
	buf_str(&v->text, "CNI_PATH=");
	for (size_t i = 0; i < N_DIRS; i++) {
		const char *dir = dir_at(j, i, room, sizeof(room));
		if (dir)
			buf_fmt(&v->text, "%s%s", v->text.data[v->text.len - 1] == '=' ? "" : ":", dir);
	}
	if (v->text.failed)
		return err_set(e, ENOMEM, "out of memory");
	char *p = v->text.data;
	for (size_t i = 0; i < ENV_VARS; i++, p += strlen(p) + 1)
		v->v[i] = p;
	return 0;
}

/* ---- the process ---- */

struct child {
	const struct net_join *j;
	const char            *name;
	char                 **env;
	int                    in, out, errors, report; /* its ends; errors -1: ours */
};

static int become(const struct child *c, struct err *e)
{
	char path[4096];

	sys_default_signals();
	sys_unblock_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (c->j->host_mnt_fd >= 0 && setns(c->j->host_mnt_fd, CLONE_NEWNS) < 0)
		return err_sys(e, "enter the host's mount namespace");
	if (find_safe(c->j, c->name, path, sizeof(path), e) < 0)
		return -1;
	if (chdir("/") < 0 || dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || (c->errors >= 0 && dup2(c->errors, 2) < 0))
		return err_sys(e, "standard input and output");
	syscall(SYS_close_range, 3, ~0u, SYS_CLOSE_RANGE_CLOEXEC);
	execve(path, (char *[]){ path, NULL }, c->env);
	return err_sys(e, "execute %s", path);
}

static pid_t start(const struct child *c, int *pidfd, struct err *e)
{
	struct err why;
	pid_t pid = sys_fork(0, pidfd, -1);

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid > 0)
		return pid;
	become(c, &why);
	_exit(fd_write_all(c->report, &why, sizeof(why)) < 0 ? 126 : 127);
}

/* the end is the interesting part of what a program complains about */
static void keep_end(struct buf *b)
{
	if (b->len <= 2 * ERRORS_KEPT)
		return;
	memmove(b->data, b->data + b->len - ERRORS_KEPT, ERRORS_KEPT + 1);
	b->len = ERRORS_KEPT;
}

static void take(int fd, struct buf *b)
{
	char piece[4096];
	ssize_t n;

	while (b->len <= PLUGIN_OUT_MAX && (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(b, piece, (size_t)n);
}

/* until it has ended; both pipes do not block */
static int watch(int pidfd, int out_fd, int errors_fd, int limit_s, struct buf *out, struct buf *errors, struct err *e)
{
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN }, { .fd = out_fd, .events = POLLIN },
			      { .fd = errors_fd, .events = POLLIN } };
	int64_t end = clock_ms(CLOCK_MONOTONIC) + (int64_t)limit_s * 1000;

	do {
		int64_t left = end - clock_ms(CLOCK_MONOTONIC);
		if (left <= 0)
			return err_set(e, ETIMEDOUT, "it did not end within %d s and was killed", limit_s);
		if (poll(p, 3, (int)left) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		take(out_fd, out);
		if (errors_fd >= 0)
			take(errors_fd, errors);
		keep_end(errors);
		for (int i = 1; i < 3; i++) /* closed by it: no reason to wake up any more */
			if (p[i].revents & (POLLHUP | POLLERR) && !(p[i].revents & POLLIN))
				p[i].fd = -1;
		if (out->len > PLUGIN_OUT_MAX)
			return err_set(e, EFBIG, "it printed more than %u bytes and was killed", PLUGIN_OUT_MAX);
	} while (!(p[0].revents & POLLIN));
	return out->failed || errors->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int ended(pid_t pid, int report_fd, struct err *e)
{
	struct err why;
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for it");
	if (fd_read_full(report_fd, &why, sizeof(why)) == sizeof(why)) {
		*e = why;
		return -1;
	}
	if (WIFSIGNALED(status))
		return err_set(e, EIO, "it was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static int pipe_pair(int *ours, int *its, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*ours = fds[0];
	*its = fds[1];
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? err_sys(e, "pipe") : 0;
}

/* position 0, the child reads it as any file */
static int memory_file(const struct buf *b, struct err *e)
{
	auto_close int fd = memfd_create("cni", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, b->data, b->len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "file in memory");
	return take_fd(&fd);
}

static int run(struct child *c, const struct buf *in, int limit_s, struct buf *out, struct buf *errors, struct err *e)
{
	auto_close int in_fd = memory_file(in, e), out_fd = -1, out_its = -1, errors_fd = -1, errors_its = -1;
	auto_close int report_fd = -1, report_its = -1, pidfd = -1;

	if (in_fd < 0 || pipe_pair(&out_fd, &out_its, e) < 0 || pipe_pair(&report_fd, &report_its, e) < 0 ||
	    (!c->j->debug && pipe_pair(&errors_fd, &errors_its, e) < 0))
		return -1;
	c->in = in_fd;
	c->out = out_its;
	c->errors = errors_its;
	c->report = report_its;
	pid_t pid = start(c, &pidfd, e);
	if (pid < 0)
		return -1;
	fd_cleanup(&out_its);
	fd_cleanup(&errors_its);
	fd_cleanup(&report_its);
	if (watch(pidfd, out_fd, errors_fd, limit_s, out, errors, e) == 0)
		return ended(pid, report_fd, e);
	kill(-pid, SIGKILL);
	sys_pidfd_signal(pidfd, SIGKILL); /* if it was too early for its group */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return -1;
}

int plugin_exec(const struct net_join *j, const char *name, const char *command, const struct buf *in, int limit_s,
		struct buf *out, struct buf *errors, struct err *e)
{
	struct environment v = { 0 };
	struct child c = { .j = j, .name = name, .env = v.v };
	int r = make_environment(j, command, &v, e);

	if (r == 0)
		r = run(&c, in, limit_s, out, errors, e);
	buf_free(&v.text);
	return r;
}
