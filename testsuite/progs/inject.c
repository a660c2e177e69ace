/* SPDX-License-Identifier: Apache-2.0
 * inject - runs a command and lets one of its calls that change a file system fail, as a full or broken disk does
 *
 *	inject [OPTION...] DIR COMMAND [ARG...]     DIR: only what happens on its file system counts
 *	  -e ERROR      ENOSPC, EOPNOTSUPP or EIO (default)
 *	  -n N[-[M]]    the N-th of the calls fails, the N-th to M-th, or all from the N-th on; without it none does,
 *	                they are only counted
 *	  -r            calls that read count, and not those that write
 *	  -c NAME       only calls of that name count
 *	  -l FILE       what happened, one line for each call: "N NAME PATH", and " ERROR" behind those that failed
 * Exit status: the command's, or 128 + its signal.
 *
 * The kernel asks us about these calls of the command and of all that it starts, threads as well (a seccomp filter
 * that notifies), so they have one numbering. That a call fails means that it did not happen, as with strace. With
 * ENOSPC only those count that can run out of space: nobody needs any to remove a file.
 * Source: Linux Documentation/userspace-api/seccomp_filter.rst, "Userspace Notification".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_LEN 4096

enum how {
	FD,     /* argument at: a descriptor of the file */
	PARENT, /* arguments at, at + 1: a descriptor of a directory and a path, whose last part is made or removed */
	OBJECT, /* the same, and what the path leads to is changed */
	PLAIN,  /* argument at: a path, whose last part is made or removed */
	ITSELF, /* argument at: a path, and what it leads to is changed */
};

enum effect { WRITES, FREES /* needs no space */, READS };

struct call {
	const char *name;
	long        nr;
	enum how    how;
	unsigned    at;
	enum effect effect;
};

#define CALL(name, how, at, effect) { #name, SYS_##name, how, at, effect }

static const struct call calls[] = {
	CALL(write, FD, 0, WRITES), CALL(pwrite64, FD, 0, WRITES), CALL(writev, FD, 0, WRITES),
	CALL(pwritev, FD, 0, WRITES), CALL(pwritev2, FD, 0, WRITES), CALL(copy_file_range, FD, 2, WRITES),
	CALL(sendfile, FD, 0, WRITES), CALL(splice, FD, 2, WRITES), CALL(ftruncate, FD, 0, WRITES),
	CALL(fallocate, FD, 0, WRITES), CALL(fsync, FD, 0, WRITES), CALL(fdatasync, FD, 0, WRITES),
	CALL(syncfs, FD, 0, WRITES), CALL(sync_file_range, FD, 0, WRITES), CALL(fchmod, FD, 0, WRITES),
	CALL(fchown, FD, 0, WRITES), CALL(fsetxattr, FD, 0, WRITES), CALL(fremovexattr, FD, 0, FREES),
	CALL(ioctl, FD, 0, WRITES), CALL(openat, PARENT, 0, WRITES), CALL(openat2, PARENT, 0, WRITES),
	CALL(mkdirat, PARENT, 0, WRITES), CALL(mknodat, PARENT, 0, WRITES), CALL(symlinkat, PARENT, 1, WRITES),
	CALL(linkat, PARENT, 2, WRITES), CALL(renameat, PARENT, 2, WRITES), CALL(renameat2, PARENT, 2, WRITES),
	CALL(unlinkat, PARENT, 0, FREES), CALL(fchmodat, OBJECT, 0, WRITES), CALL(fchownat, OBJECT, 0, WRITES),
	CALL(utimensat, OBJECT, 0, WRITES), CALL(setxattr, ITSELF, 0, WRITES),
	CALL(lsetxattr, ITSELF, 0, WRITES), CALL(removexattr, ITSELF, 0, FREES),
	CALL(truncate, ITSELF, 0, WRITES),
#ifdef SYS_open
	CALL(open, PLAIN, 0, WRITES), CALL(creat, PLAIN, 0, WRITES), CALL(mkdir, PLAIN, 0, WRITES),
	CALL(mknod, PLAIN, 0, WRITES), CALL(symlink, PLAIN, 1, WRITES), CALL(link, PLAIN, 1, WRITES),
	CALL(rename, PLAIN, 1, WRITES), CALL(unlink, PLAIN, 0, FREES), CALL(rmdir, PLAIN, 0, FREES),
	CALL(chmod, ITSELF, 0, WRITES), CALL(chown, ITSELF, 0, WRITES), CALL(lchown, ITSELF, 0, WRITES),
#endif
#ifdef SYS_fchmodat2
	CALL(fchmodat2, OBJECT, 0, WRITES),
#endif
	CALL(read, FD, 0, READS), CALL(pread64, FD, 0, READS), CALL(readv, FD, 0, READS),
	CALL(getdents64, FD, 0, READS), CALL(fstat, FD, 0, READS), CALL(newfstatat, PARENT, 0, READS),
	CALL(statx, PARENT, 0, READS), CALL(faccessat, PARENT, 0, READS), CALL(readlinkat, PARENT, 0, READS),
#ifdef SYS_open
	CALL(stat, PLAIN, 0, READS), CALL(lstat, PLAIN, 0, READS), CALL(access, PLAIN, 0, READS),
#endif
};
#define N_CALLS (sizeof(calls) / sizeof(*calls))

struct inject {
	dev_t    dev;
	int      error;
	const char *name; /* NULL: all calls */
	unsigned first, last, count;
	bool     reads;
	FILE    *log;
};

static void die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	_exit(99);
}

/* ---- the command's side ---- */

/* one question for each call, so that the order in the table does not matter */
static int install(void)
{
	struct sock_filter code[2 * N_CALLS + 2];
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_CALLS; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].nr, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = code };
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

union control {
	struct cmsghdr align;
	char           raw[CMSG_SPACE(sizeof(int))];
};

/* no call that is asked about comes before this one, or there would be nobody to answer */
static void send_fd(int to, int fd)
{
	union control c = { .raw = { 0 } };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.raw, .msg_controllen = sizeof(c.raw) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) < 0)
		_exit(99);
}

static int receive_fd(int from)
{
	union control c;
	char byte;
	int fd;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.raw, .msg_controllen = sizeof(c.raw) };

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) <= 0 || !CMSG_FIRSTHDR(&m))
		die("no filter");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void become(char **argv, int to)
{
	int fd = install();

	if (fd < 0)
		_exit(99);
	send_fd(to, fd);
	close(fd);
	execv(argv[0], argv);
	_exit(98);
}

/* ---- what a call is about ---- */

static bool read_memory(pid_t pid, uint64_t at, void *to, size_t len)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, to, len, (off_t)at);
	if (fd >= 0)
		close(fd);
	return n > 0;
}

static bool read_path(pid_t pid, uint64_t at, char out[PATH_LEN])
{
	memset(out, 0, PATH_LEN);
	/* it may end right before memory that is not there */
	for (size_t n = 0; n < PATH_LEN - 256 && !memchr(out, 0, n); n += 256)
		for (size_t k = n; k < n + 256; k++)
			if (!read_memory(pid, at + k, out + k, 1))
				return false;
			else if (!out[k])
				return true;
	return false;
}

/* as we see what the process calls @path, from the directory @dir_fd if it is relative */
static bool translate(pid_t pid, int dir_fd, const char *path, char out[PATH_LEN])
{
	int n;

	if (!strncmp(path, "/proc/self/", 11))
		n = snprintf(out, PATH_LEN, "/proc/%d/%s", (int)pid, path + 11);
	else if (*path == '/')
		n = snprintf(out, PATH_LEN, "/proc/%d/root%s", (int)pid, path);
	else if (dir_fd == AT_FDCWD)
		n = snprintf(out, PATH_LEN, "/proc/%d/cwd/%s", (int)pid, path);
	else
		n = snprintf(out, PATH_LEN, "/proc/%d/fd/%d%s%s", (int)pid, dir_fd, *path ? "/" : "", path);
	return n > 0 && n < PATH_LEN;
}

static bool makes_file(const struct seccomp_data *d, pid_t pid, const char *name)
{
	struct open_how how = { .flags = 0 };
	uint64_t flags = d->args[2];

	if (!strcmp(name, "creat"))
		return true;
	if (!strcmp(name, "open"))
		flags = d->args[1];
	if (!strcmp(name, "openat2"))
		flags = read_memory(pid, d->args[2], &how, sizeof(how)) ? how.flags : 0;
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE || flags & O_TRUNC;
}

static bool counts(const struct inject *in, const struct call *c, const struct seccomp_data *d, pid_t pid)
{
	bool opens = !strncmp(c->name, "open", 4) || !strcmp(c->name, "creat");

	if (in->name && strcmp(in->name, c->name) != 0)
		return false;
	if (opens)
		return in->reads != makes_file(d, pid, c->name);
	if (c->nr == SYS_ioctl)
		return !in->reads && (d->args[1] == FICLONE || d->args[1] == FS_IOC_ENABLE_VERITY);
	return (c->effect == READS) == in->reads && !(c->effect == FREES && in->error == ENOSPC);
}

static const char *path_of(const struct call *c, const struct seccomp_data *d, pid_t pid, char out[PATH_LEN])
{
	bool at = c->how == PARENT || c->how == OBJECT;
	char path[PATH_LEN];

	if (c->how == FD)
		snprintf(out, PATH_LEN, "/proc/%d/fd/%d", (int)pid, (int)d->args[c->at]);
	else if (at && !d->args[c->at + 1]) /* utimensat of a descriptor */
		snprintf(out, PATH_LEN, "/proc/%d/fd/%d", (int)pid, (int)d->args[c->at]);
	else if (!read_path(pid, d->args[c->at + (at ? 1 : 0)], path) ||
		 !translate(pid, at ? (int)d->args[c->at] : AT_FDCWD, path, out))
		return NULL;
	return out;
}

/* whether it is on the file system that fails */
static bool is_there(const struct inject *in, const struct call *c, const char *path)
{
	char dir[PATH_LEN];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s", path);
	/* the directory; of "." at the end, too, which O_TMPFILE names */
	if (c->how == PARENT || c->how == PLAIN)
		*strrchr(dir, '/') = 0;
	return stat(dir, &st) == 0 && st.st_dev == in->dev;
}

/* ---- our side ---- */

static const char *error_name(int error)
{
	return error == EIO ? "EIO" : error == ENOSPC ? "ENOSPC" : "EOPNOTSUPP";
}

static void show(const struct inject *in, const struct call *c, const char *path, bool fails)
{
	char target[PATH_LEN];
	ssize_t n = c->how == FD ? readlink(path, target, sizeof(target) - 1) : -1;

	if (!in->log)
		return;
	target[n < 0 ? 0 : n] = 0;
	fprintf(in->log, "%u %s %s%s%s\n", in->count, c->name, n > 0 ? target : path, fails ? " " : "",
		fails ? error_name(in->error) : "");
	fflush(in->log);
}

static bool has_to_fail(struct inject *in, const struct seccomp_notif *q)
{
	char path[PATH_LEN];
	size_t i = 0;

	while (i < N_CALLS && calls[i].nr != q->data.nr)
		i++;
	if (i == N_CALLS || !counts(in, &calls[i], &q->data, (pid_t)q->pid) ||
	    !path_of(&calls[i], &q->data, (pid_t)q->pid, path) || !is_there(in, &calls[i], path))
		return false;
	in->count++;
	bool fails = in->count >= in->first && in->count <= in->last;
	show(in, &calls[i], path, fails);
	return fails;
}

static void answer(struct inject *in, int listener)
{
	struct seccomp_notif q = { .id = 0 };

	/* who asked may have been killed meanwhile */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
		return;
	struct seccomp_notif_resp a = { .id = q.id };
	if (has_to_fail(in, &q))
		a.error = -in->error;
	else
		a.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

static int supervise(struct inject *in, int listener, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status;
	struct pollfd p[] = { { .fd = listener, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

	if (pidfd < 0)
		die("pidfd_open");
	while (poll(p, 2, -1) > 0 && !(p[1].revents & POLLIN && !(p[0].revents & POLLIN)))
		if (p[0].revents & POLLIN)
			answer(in, listener);
	if (waitpid(pid, &status, 0) < 0)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int usage(void)
{
	fputs("usage: inject [-e ERROR] [-n N[-[M]]] [-r] [-c NAME] [-l FILE] DIR COMMAND [ARG...]\n", stderr);
	return 99;
}

static void set_range(struct inject *in, const char *text)
{
	char *end;

	in->first = in->last = (unsigned)strtoul(text, &end, 10);
	if (*end == '-')
		in->last = end[1] ? (unsigned)strtoul(end + 1, NULL, 10) : UINT_MAX;
}

int main(int argc, char **argv)
{
	struct inject in = { .error = EIO, .first = 1 };
	struct stat st;
	int opt, pair[2];

	while ((opt = getopt(argc, argv, "+e:n:rc:l:")) > 0) {
		if (opt == 'e')
			in.error = !strcmp(optarg, "ENOSPC") ? ENOSPC : !strcmp(optarg, "EIO") ? EIO : EOPNOTSUPP;
		else if (opt == 'c')
			in.name = optarg;
		else if (opt == 'n')
			set_range(&in, optarg);
		else if (opt == 'r')
			in.reads = true;
		else if (opt != 'l' || !(in.log = fopen(optarg, "we")))
			return usage();
	}
	if (argc - optind < 2)
		return usage();
	if (stat(argv[optind], &st) < 0)
		die(argv[optind]);
	in.dev = st.st_dev;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	pid_t pid = fork();
	if (pid == 0)
		become(argv + optind + 1, pair[1]);
	close(pair[1]);
	int listener = receive_fd(pair[0]);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN); /* the command gets its own */
	return supervise(&in, listener, pid);
}
