/* SPDX-License-Identifier: Apache-2.0
 * failat - something happens at the Nth system call of a command and of all it starts
 *
 * usage: failat writes|all N HOOK COMMAND [ARG...]
 * Before the Nth call (1 is the first) that changes files, or with "all" that reads them as well, sh runs HOOK, and all
 * of the command waits for that. Exit status: the command's; how many calls there were goes to the file named by
 * $FAILAT_COUNT. The calls are seen by a seccomp filter that asks: threads and children have it, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LISTENER_FD = 100 };

static const unsigned writes[] = {
	SYS_write, SYS_pwrite64, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync_file_range, SYS_linkat, SYS_renameat,
	SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_fchmod, SYS_fchmodat, SYS_fchown,
	SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_ftruncate, SYS_fallocate, SYS_copy_file_range,
	SYS_mount, SYS_umount2, SYS_fsconfig, SYS_move_mount,
#ifdef SYS_unlink /* which newer architectures have not got */
	SYS_unlink, SYS_rmdir, SYS_mkdir, SYS_rename, SYS_link, SYS_symlink, SYS_chmod,
#endif
};
static const unsigned reads[] = { SYS_read, SYS_pread64, SYS_getdents64, SYS_openat, SYS_openat2, SYS_mmap };

static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* ---- the command ---- */

static size_t match(struct sock_filter *f, const unsigned *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		f[2 * i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		f[2 * i + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	return 2 * n;
}

static void be_seen(int all)
{
	struct sock_filter f[128] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	size_t n = 1;

	n += match(f + n, writes, sizeof(writes) / sizeof(*writes));
	if (all)
		n += match(f + n, reads, sizeof(reads) / sizeof(*reads));
	/* a file that is made is a change, one that is opened is none */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = f };
	int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	/* from here on nobody answers before the parent has the listener: neither dup nor fcntl are asked for */
	if (fd < 0 || dup3(fd, LISTENER_FD, O_CLOEXEC) < 0)
		_exit(125);
	close(fd);
	kill(getpid(), SIGSTOP);
}

static pid_t start(int all, char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		be_seen(all);
		execv(argv[0], argv);
		_exit(125);
	}
	return pid;
}

static int get_listener(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
		exit(125);
	int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pid_fd, LISTENER_FD, 0);
	if (fd < 0)
		die("pidfd_getfd");
	close(pid_fd);
	kill(pid, SIGCONT);
	return fd;
}

/* ---- watching it ---- */

/* one call: 1 it was one, 0 whoever made it is gone */
static int answer(int listener, unsigned long n, unsigned long seen, const char *hook)
{
	struct seccomp_notif call = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return 0;
	if (seen + 1 == n && system(hook) != 0)
		fprintf(stderr, "failat: the hook failed\n");
	struct seccomp_notif_resp go = { .id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go);
	return 1;
}

/* Until nobody is left who could ask; on older kernels who is dead counts until he is waited for. */
static unsigned long watch(int listener, pid_t pid, int *status, unsigned long n, const char *hook)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	unsigned long seen = 0;

	for (;;) {
		int r = poll(&p, 1, pid > 0 ? 20 : -1);
		if (r < 0 && errno != EINTR)
			die("poll");
		if (r > 0 && (p.revents & POLLIN))
			seen += (unsigned long)answer(listener, n, seen, hook);
		else if (r > 0)
			break;
		else if (pid > 0 && waitpid(pid, status, WNOHANG) == pid)
			pid = -1;
	}
	if (pid > 0 && waitpid(pid, status, 0) < 0)
		die("wait");
	return seen;
}

int main(int argc, char **argv)
{
	const char *count_file = getenv("FAILAT_COUNT");
	int status = 0;

	if (argc < 5)
		return 125;
	pid_t pid = start(!strcmp(argv[1], "all"), argv + 4);
	unsigned long seen = watch(get_listener(pid), pid, &status, strtoul(argv[2], NULL, 10), argv[3]);
	FILE *f = count_file ? fopen(count_file, "w") : NULL;
	if (f) {
		fprintf(f, "%lu\n", seen);
		fclose(f);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
