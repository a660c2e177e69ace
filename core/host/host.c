/* SPDX-License-Identifier: Apache-2.0
 * host - see host.h
 */
#include "core/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/probe.h"

#define PATIENCE_S 60

const char *host_verdict_name(enum host_verdict v)
{
	static const char *const names[] = { "ok", "degraded", "missing", "unknown" };

	return names[v];
}

const char *host_need_name(enum host_need n)
{
	static const char *const names[] = { "needed", "feature", "faster" };

	return names[n];
}

/* ---- for the probes ---- */

int probe_say(struct host_probe *p, enum host_verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->r.text, sizeof(p->r.text), fmt, ap);
	va_end(ap);
	p->r.verdict = v;
	return 0;
}

void probe_line(const char *path, char *out, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, out, size - 1);

	out[n < 0 ? 0 : n] = 0;
	out[strcspn(out, "\n")] = 0;
}

/* "user.max_net_namespaces" -> its value */
static void read_sysctl(const char *name, char *value, size_t size)
{
	char path[80];
	int n = snprintf(path, sizeof(path), "/proc/sys/%s", name);

	for (int i = (int)strlen("/proc/sys/"); i < n && i < (int)sizeof(path) - 1; i++)
		if (path[i] == '.')
			path[i] = '/';
	probe_line(path, value, size);
}

int probe_failed(struct host_probe *p, const char *step)
{
	int code = errno;
	char value[24];
	const char *sysctl = host_word(p->check, HOST_SYSCTL);

	/* what no pod starts without, a user's needs in his namespace */
	if (code == EPERM && p->uid && geteuid() == 0 && p->check->need == HOST_NEEDED)
		return probe_say(p, HOST_MISSING, "%s%s: not in a user namespace of ours", step, strerror(code));
	if ((code == EPERM || code == EACCES) && p->uid)
		return probe_say(p, HOST_UNKNOWN, "%s%s: only root can try that", step, strerror(code));
	/* of EPERM: root can do all of it, so something has been taken away from this one */
	if (code == EPERM)
		return probe_say(p, HOST_MISSING, "%s%s: %s", step, strerror(code), p->caps >> CAP_SYS_ADMIN & 1 ?
				 "by seccomp, a security module or the user namespace" : "CAP_SYS_ADMIN is missing");
	if (code == ENOSPC && sysctl) {
		read_sysctl(sysctl, value, sizeof(value));
		return probe_say(p, HOST_MISSING, "%s%s is %s, or less in a user namespace around", step, sysctl,
				 *value ? value : "unknown");
	}
	return probe_say(p, HOST_MISSING, "%s%s", step, strerror(code));
}

int probe_fork(struct host_probe *p, int (*fn)(struct host_probe *p))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(p) < 0 ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	return errno ? -1 : 0;
}

int probe_data_dir(struct host_probe *p)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", p->at->data_dir) >= (int)sizeof(path))
		return -1;
	for (;;) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(path, '/');
		if (fd >= 0 || errno != ENOENT)
			return fd;
		if (!slash)
			return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		slash[slash == path] = 0;
	}
}

/* ---- a check ---- */

static uint64_t caps_in_force(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	return syscall(SYS_capget, &h, d) < 0 ? 0 : (uint64_t)d[1].effective << 32 | d[0].effective;
}

static void put_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && fd_write_all(fd, text, strlen(text)) < 0)
		return; /* then the probe fails */
}

/* Who is not root can try in a user namespace of its own what is allowed there. */
static void be_root_of_own(const struct host_probe *p)
{
	char map[32];
	gid_t gid = getegid();

	if (!p->uid || p->check->probe == probe_user_ns || unshare(CLONE_NEWUSER) < 0)
		return;
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %lu 1", (unsigned long)p->uid);
	put_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %lu 1", (unsigned long)gid);
	put_file("/proc/self/gid_map", map);
}

_Noreturn static void child(struct host_probe *p, int to_fd)
{
	/* a probe that hangs or is killed must neither outlive nor hold up who asks */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGALRM, SIG_DFL);
	alarm(PATIENCE_S);
	p->uid = geteuid();
	p->caps = caps_in_force();
	be_root_of_own(p);
	if (p->check->probe(p) < 0)
		probe_failed(p, "");
	_exit(fd_write_all(to_fd, &p->r, sizeof(p->r)) < 0);
}

static void explain_death(struct host_probe *p, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		probe_say(p, HOST_MISSING, "a seccomp filter kills who tries");
	else
		probe_say(p, HOST_UNKNOWN, "the check ended with signal %d, or hung", WTERMSIG(status));
}

static void run(struct host_probe *p)
{
	int fds[2], status = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		probe_say(p, HOST_UNKNOWN, "pipe: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0)
		child(p, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		probe_say(p, HOST_UNKNOWN, "fork: %s", strerror(errno));
	} else {
		bool told = fd_read_full(fds[0], &p->r, sizeof(p->r)) == (ssize_t)sizeof(p->r);
		if (waitpid(pid, &status, 0) != pid || !told || status)
			explain_death(p, status);
	}
	close(fds[0]);
}

void host_try(const struct host_check *c, const struct host_place *at, struct host_result *r)
{
	struct host_probe p = { .check = c, .at = at };

	run(&p);
	p.r.text[sizeof(p.r.text) - 1] = 0;
	*r = p.r;
}
