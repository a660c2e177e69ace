/* SPDX-License-Identifier: Apache-2.0
 * attack - an app that tries to get out of its pod; threats.tests puts it into images and looks at
 *what it says
 *
 *	usage: attack NAME [ARG...]
 *
 * Each attempt prints a line "REACHED what" when it got somewhere where an app must not get, and
 *"stopped what: why" otherwise. The exit status is 0: what counts is that no line begins with
 *REACHED.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void reached(int did, const char *what)
{
	if (did)
		printf("REACHED %s\n", what);
	else
		printf("stopped %s: %s\n", what, strerror(errno));
}

static void try_open(const char *path, int flags)
{
	char what[PATH_MAX + 16];
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	snprintf(what, sizeof(what), "open %s%s", path, flags ? " for writing" : "");
	reached(fd >= 0, what);
	if (fd >= 0)
		close(fd);
}

/* masked things may be opened, but must be empty */
static void try_read(const char *path)
{
	char byte, what[PATH_MAX + 16];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	snprintf(what, sizeof(what), "read %s", path);
	errno = 0;
	reached(fd >= 0 && read(fd, &byte, 1) > 0, what);
	if (fd >= 0)
		close(fd);
}

/* ---- class A and I: kernel interfaces ---- */

static void kernel_files(void)
{
	static const char *const writes[] = { "/proc/sysrq-trigger",
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
		"/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/hostname",
		"/proc/irq/default_smp_affinity", "/sys/kernel/mm/ksm/run",
		"/sys/kernel/uevent_helper", "/sys/power/state", "/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory/tasks",
		"/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/memory.max" };
	static const char *const reads[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list",
		"/proc/sched_debug", "/proc/latency_stats", "/dev/mem", "/dev/kmsg", "/proc/kmsg" };
	static const char *const dirs[] = { "/proc/scsi", "/proc/acpi", "/proc/asound",
		"/sys/firmware", "/sys/devices/virtual/powercap" };

	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		try_open(writes[i], O_WRONLY);
	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++)
		try_read(reads[i]);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct dirent **v;
		int n = scandir(dirs[i], &v, NULL, NULL);
		errno = errno ? errno : ENOENT;
		reached(n > 2, dirs[i]);
	}
}

/* every place where a device node could be made; made is allowed, working is not */
static void devices(void)
{
	static const char *const places[] = { "/node", "/tmp/node", "/dev/node", "/dev/shm/node",
		"/dev/mqueue/node", "/volume/node", "/etc/node" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		unlink(places[i]);
		if (mknod(places[i], S_IFCHR | 0666, makedev(1, 1)) < 0) { /* /dev/mem */
			printf("stopped mknod %s: %s\n", places[i], strerror(errno));
			continue;
		}
		try_open(places[i], O_RDONLY);
		unlink(places[i]);
		if (mknod(places[i], S_IFCHR | 0666, makedev(1, 3)) == 0) /* even null */
			try_open(places[i], O_RDWR);
		unlink(places[i]);
	}
}

/* clang-format off */
static void syscalls(void)
{
	static const struct { const char *name; long nr; long a[3]; } calls[] = {
		{ "mount", SYS_mount, { (long)"none", (long)"/tmp", (long)"tmpfs" } },
		{ "umount /proc", SYS_umount2, { (long)"/proc", 2 } },
		{ "umount /", SYS_umount2, { (long)"/", 2 } },
		{ "umount /proc/sys", SYS_umount2, { (long)"/proc/sys", 2 } },
		{ "umount /dev", SYS_umount2, { (long)"/dev", 2 } },
		{ "unshare user", SYS_unshare, { 0x10000000 } },
		{ "unshare mounts", SYS_unshare, { 0x00020000 } },
		{ "keyctl", SYS_keyctl, { 0, -4, 1 } },
		{ "io_uring_setup", 425, { 1, 0 } },
		{ "open_tree", 428, { -100, (long)"/", 1 } },
		{ "fsopen", 430, { (long)"tmpfs", 0 } },
		{ "bpf", SYS_bpf, { 0, 0, 0 } },
		{ "kexec_load", SYS_kexec_load, { 0, 0, 0 } },
		{ "reboot", SYS_reboot, { 0, 0, 0 } },
		{ "init_module", SYS_init_module, { 0, 0, (long)"" } },
		{ "sethostname", SYS_sethostname, { (long)"evil", 4 } },
		{ "vsock", SYS_socket, { 40, 1, 0 } },
		{ "clone3", 435, { 0, 0 } },
		{ "userfaultfd", SYS_userfaultfd, { 0 } },
		{ "perf_event_open", SYS_perf_event_open, { 0, 0, -1 } },
	};

	/* clang-format on */
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		long r = syscall(calls[i].nr, calls[i].a[0], calls[i].a[1], calls[i].a[2], 0, 0);
		/* anything but these two says that the filter let it through to the kernel */
		reached(r >= 0 || (errno != EPERM && errno != ENOSYS), calls[i].name);
	}
	long r = syscall(SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0);
	if (r == 0)
		_exit(0);
	reached(r > 0, "clone with a user namespace");
}

/* ---- class A: out of the root ---- */

static void chroot_escape(const char *marker)
{
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mkdir("/jail", 0755);
	if (chroot("/jail") < 0 || fchdir(root) < 0) {
		reached(0, "chroot");
		return;
	}
	for (int i = 0; i < 200; i++)
		if (chdir("..") < 0)
			break;
	if (chroot(".") < 0)
		reached(0, "chroot .");
	errno = ENOENT;
	reached(access(marker, F_OK) == 0, marker);
}

/* ---- class B: descriptors, cwd, the runtime's binary ---- */

static void descriptors(void)
{
	struct dirent *de;
	DIR *d = opendir("/proc/self/fd");
	char link[64], to[PATH_MAX];

	while (d && (de = readdir(d))) {
		int fd = atoi(de->d_name);
		if (*de->d_name == '.' || fd < 3 || fd == dirfd(d))
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, to, sizeof(to) - 1);
		printf("REACHED descriptor %d: %.*s\n", fd, n < 0 ? 0 : (int)n, to);
	}
	if (!getcwd(to, sizeof(to)) || *to != '/')
		printf("REACHED working directory outside: %s\n", to);
}

static void runtime(const char *marker)
{
	static char memory[64];
	char path[PATH_MAX];
	struct iovec mine = { memory, sizeof(memory) },
		     theirs = { (void *)0x400000, sizeof(memory) };

	try_open("/proc/1/exe", O_RDONLY);
	try_open("/proc/1/exe", O_WRONLY);
	try_open("/proc/1/mem", O_RDWR);
	for (int fd = 0; fd < 32; fd++) {
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		try_open(path, O_RDONLY);
	}
	try_open("/proc/1/ns/mnt", O_RDONLY);
	snprintf(path, sizeof(path), "/proc/1/root%s", marker);
	try_open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/1/cwd/%s", marker);
	try_open(path, O_RDONLY);
	reached(process_vm_readv(1, &mine, 1, &theirs, 1, 0) > 0, "memory of PID 1");
	reached(ptrace(PTRACE_SEIZE, 1, 0, 0) == 0, "ptrace of PID 1");
	try_open("/proc/self/exe", O_WRONLY);
}

/* whether its program is none of the image */
static int is_foreign(int pid)
{
	char path[64];
	static struct stat own;
	struct stat its;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (!own.st_dev && stat("/proc/self/exe", &own) < 0)
		return 0;
	return stat(path, &its) == 0 && its.st_dev != own.st_dev;
}

/* the process that was made last, in this process namespace */
static int newest(void)
{
	static int fd = -1;
	char text[128];

	if (fd < 0)
		fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	char *last = strrchr(text, ' ');
	return last ? atoi(last) : 0;
}

/* looks at every new process of the pod (enter) for as long as it is told, and tries to get into it
 */
static void watch_visitors(int seconds, const char *marker)
{
	char path[PATH_MAX];
	int tries = 0, got = 0;

	for (time_t end = time(NULL) + seconds; !got && time(NULL) < end;) {
		for (int pid = newest(), back = 2; back--; pid--) {
			if (pid == getpid() || kill(pid, 0) < 0)
				continue;
			tries++;
			snprintf(path, sizeof(path), "/proc/%d/root%s", pid, marker);
			got += access(path, F_OK) == 0;
			snprintf(path, sizeof(path), "/proc/%d/cwd/%s", pid, marker);
			got += access(path, F_OK) == 0;
			got += is_foreign(pid);
		}
	}
	printf("%s a visitor (%d looks)\n", got ? "REACHED" : "stopped", tries);
}

/* keeps the binary of a visitor open, and writes to it once nobody executes it any more */
static void binary(int seconds)
{
	char path[PATH_MAX];
	int kept = -1, fd = -1;

	for (time_t end = time(NULL) + seconds; kept < 0 && time(NULL) < end;)
		for (int pid = newest(), back = 2; back-- && kept < 0; pid--) {
			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			if (is_foreign(pid))
				kept = open(path, O_PATH | O_CLOEXEC);
		}
	if (kept < 0) {
		puts("stopped: no binary came in sight");
		return;
	}
	puts("have it");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	for (int i = 0; i < 100 && fd < 0; i++, usleep(20000))
		fd = open(path, O_WRONLY | O_CLOEXEC);
	reached(fd >= 0 && write(fd, "evil", 4) == 4, "the binary, for writing");
}

/* waits for the tools that `rkt enter` offers where there is no shell, and tries to get at them */
static void peep(void)
{
	static const char *const doors[] = { "exe", "mem", "fd/0", "root/", "cwd/", "environ" };
	char path[PATH_MAX], args[64];
	int pid = 0, fd;

	for (time_t end = time(NULL) + 30; !pid && time(NULL) < end;)
		for (int i = 2; i < 400 && !pid; i++) {
			snprintf(path, sizeof(path), "/proc/%d/cmdline", i);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			ssize_t n = fd < 0 ? 0 : read(fd, args, sizeof(args) - 1);
			if (n > 12 && !strcmp(args, "stage1-init"))
				pid = i;
			if (fd >= 0)
				close(fd);
		}
	usleep(200000); /* until they are at their prompt */
	for (size_t i = 0; pid && i < sizeof(doors) / sizeof(*doors); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, doors[i]);
		try_open(path, O_RDONLY);
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	try_open(path, O_WRONLY);
	reached(pid && ptrace(PTRACE_SEIZE, pid, 0, 0) == 0, "ptrace of the tools");
	if (pid)
		puts("tried");
	pause();
}

/* ---- class H and I ---- */

static void cgroup_files(void)
{
	try_open("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
	try_open("/sys/fs/cgroup/memory.max", O_WRONLY);
	try_open("/sys/fs/cgroup/memory/tasks", O_WRONLY);
	try_open("/sys/fs/cgroup/memory/memory.limit_in_bytes", O_WRONLY);
}

/* one thing for each capability that is not among the default ones, and that no filter looks at */
static void powers(void)
{
	struct { unsigned version; int pid; } head = { 0x20080522, 0 };
	struct { unsigned effective, permitted, inheritable; } data[2];

	reached(setpriority(PRIO_PROCESS, 0, -5) == 0, "CAP_SYS_NICE");
	int fd = open("/bin/attack", O_RDONLY | O_CLOEXEC);
	reached(fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && getuid(), "CAP_LEASE");
	syscall(SYS_capget, &head, data);
	errno = EPERM;
	reached((data[0].effective & ~0xa80425fbu) || data[1].effective, "more than 14 capabilities");
}

/* the first call is i386's getpid, and writev here */
static void door(void)
{
#ifdef __x86_64__
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : "b"(-1), "c"(0), "d"(0) : "memory");
	errno = r < 0 ? (int)-r : 0;
	reached(r > 0, "getpid by int 0x80");
#endif
}

static struct sockaddr_un abstract(const char *name, socklen_t *len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", name);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	return a;
}

static void sockets(const char *name, int wait)
{
	socklen_t len;
	struct sockaddr_un a = abstract(name, &len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!wait) {
		reached(connect(fd, (struct sockaddr *)&a, len) == 0, "abstract socket of the host");
		return;
	}
	if (bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 4) == 0)
		pause();
}

/* ---- class J: terminals ---- */

static void terminal(void)
{
	char c = 'x';
	unsigned long high = 0xdeadbeef00000000UL | TIOCSTI;

	reached(ioctl(0, TIOCSTI, &c) == 0, "TIOCSTI");
	reached(syscall(SYS_ioctl, 0, high, &c) == 0, "TIOCSTI with high bits");
	reached(ioctl(0, 0x541c /* TIOCLINUX */, &c) == 0, "TIOCLINUX");
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty >= 0) {
		reached(ioctl(tty, TIOCSTI, &c) == 0, "TIOCSTI by /dev/tty");
		close(tty);
	}
}

/* ---- class A: exchanging what is mounted on; runs on the host side of a volume ---- */

static void exchange(const char *a, const char *b)
{
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) < 0)
			exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *arg = argc > 2 ? argv[2] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "kernel-files"))
		kernel_files();
	else if (!strcmp(what, "devices"))
		devices();
	else if (!strcmp(what, "syscalls"))
		syscalls();
	else if (!strcmp(what, "chroot"))
		chroot_escape(arg);
	else if (!strcmp(what, "descriptors"))
		descriptors();
	else if (!strcmp(what, "runtime"))
		runtime(arg);
	else if (!strcmp(what, "watch") && argc > 3)
		watch_visitors(atoi(arg), argv[3]);
	else if (!strcmp(what, "binary"))
		binary(atoi(arg));
	else if (!strcmp(what, "cgroup-files"))
		cgroup_files();
	else if (!strcmp(what, "powers"))
		powers();
	else if (!strcmp(what, "door"))
		door();
	else if (!strcmp(what, "euid"))
		reached(geteuid() != getuid(), "another user by a set-user-ID program");
	else if (!strcmp(what, "listen") || !strcmp(what, "connect"))
		sockets(arg, *what == 'l');
	else if (!strcmp(what, "tools"))
		peep();
	else if (!strcmp(what, "terminal"))
		terminal();
	else if (!strcmp(what, "exchange") && argc > 3)
		exchange(arg, argv[3]);
	else
		return 2;
	puts("tried");
	return 0;
}
