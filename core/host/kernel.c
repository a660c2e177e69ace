/* SPDX-License-Identifier: Apache-2.0
 * kernel - namespaces and system calls, see probe.h
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/base/userns_ban.h"
#include "core/host/capwatch.h"
#include "core/host/probe.h"

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER 8
#endif
#define SYS_LANDLOCK_CREATE_RULESET 444 /* on all architectures */
#define LANDLOCK_ASK_VERSION        1u
#define NO_SUCH_FD                  0x7fffffff
#define YEAR_2020                   1577836800

enum { NOBODY = 65534 };

/* ---- namespaces ---- */

int probe_namespaces(struct host_probe *p)
{
	return unshare((int)p->check->arg);
}

/* arg: as nobody. A security module may grant the namespace and take what root could do in it. */
int probe_user_ns(struct host_probe *p)
{
	char ban[USERNS_BAN_MAX];

	if (p->check->arg && !p->uid &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return probe_say(p, HOST_UNKNOWN, "become nobody: %s", strerror(errno));
	p->uid = 0; /* here EPERM is an answer */
	p->caps = ~UINT64_C(0);
	if (unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNS) == 0)
		return 0;
	if (!p->check->arg)
		return -1;
	userns_ban(errno, ban);
	return *ban ? probe_say(p, HOST_MISSING, "%s", ban) : -1;
}

/* ---- system calls ---- */

int probe_openat2(struct host_probe *p)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int fd = sys_open_in(root, ".", O_PATH, SYS_IN_ROOT | SYS_NO_MAGICLINKS);

	return fd < 0 ? -1 : 0;
}

int probe_clone3(struct host_probe *p)
{
	int pidfd, status;
	pid_t pid = sys_fork(0, &pidfd, -1);

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	/* a kernel that can do it looks at the descriptor, and there is none */
	pid = sys_fork(0, NULL, NO_SUCH_FD);
	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EBADF ? 0 : probe_failed(p, "CLONE_INTO_CGROUP: ");
}

int probe_pidfd(struct host_probe *p)
{
	auto_close int fd = sys_pidfd_open(getpid());

	return fd < 0 ? -1 : sys_pidfd_signal(fd, 0);
}

int probe_close_range(struct host_probe *p)
{
	return sys_close_range(UINT_MAX, UINT_MAX); /* of which there is none */
}

int probe_random(struct host_probe *p)
{
	char byte;

	if (getrandom(&byte, 1, GRND_NONBLOCK) == 1)
		return 0;
	if (errno == EAGAIN)
		return probe_say(p, HOST_DEGRADED, "not gathered yet, so who asks has to wait");
	return -1;
}

int probe_clock(struct host_probe *p)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) < 0)
		return -1;
	return t.tv_sec >= YEAR_2020 ? 0 : probe_say(p, HOST_DEGRADED, "the clock was never set");
}

/* ---- confinement ---- */

static int load_filter(unsigned flags)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { .len = 1, .filter = allow };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

int probe_seccomp(struct host_probe *p)
{
	return load_filter(0);
}

int probe_notify(struct host_probe *p)
{
	if (load_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0)
		return 0;
	if (errno == EBUSY)
		return probe_say(p, HOST_DEGRADED, "somebody else listens already");
	return -1;
}

int probe_landlock(struct host_probe *p)
{
	long abi = syscall(SYS_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_ASK_VERSION);

	if (abi >= 0)
		return probe_say(p, HOST_OK, "ABI %ld", abi);
	if (errno == EOPNOTSUPP)
		return probe_say(p, HOST_MISSING, "built in, but lsm= of the kernel does not name it");
	return -1;
}

/* tried in earnest: on a use that this process makes of a capability */
int probe_capwatch(struct host_probe *p)
{
	struct capwatch w;
	struct err e;

	if (p->uid)
		return probe_say(p, HOST_UNKNOWN, "only root can try that");
	if (capwatch_open(&w, 1, &e) < 0 || capwatch_start(&w, "/proc/self/ns/pid", "/proc/self/ns/user", &e) < 0)
		return probe_say(p, HOST_MISSING, "%s", e.msg);
	if (capwatch_add(&w, (uint32_t)getpid(), 0) < 0 || chroot("/") < 0)
		return -1;
	if (!(capwatch_used(&w, 0) >> CAP_SYS_CHROOT & 1))
		return probe_say(p, HOST_MISSING, "what is used is not seen");
	return probe_say(p, HOST_OK, w.tracepoint ? "tracepoint" : "kprobe");
}
