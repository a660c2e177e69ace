/* SPDX-License-Identifier: Apache-2.0
 * start-limit - how fast this kernel can start one container at all
 *
 * Does with as few system calls as we know of what a run-time has to do for one start of a program: cgroups
 * with limits, five namespaces, an overlay and the API file systems, pivot_root, no capabilities, exec; and
 * takes all of it away again. It checks nothing, looks nothing up, supervises nothing. Each step is timed.
 *
 * usage: start-limit [-n RUNS] [-q] LOWER SCRATCH PROGRAM [ARG...]
 *   -n RUNS  so many containers, one after the other, in this process
 *   -q       print nothing, for timing the process from outside
 * LOWER holds the directories proc, sys, dev and the program; SCRATCH is where an overlay can have its
 * upper directory. The mounts exist in the container's own namespace only.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CGROUP        "/sys/fs/cgroup"
#define MEMORY_LIMIT  "67108864"
#define PIDS_LIMIT    "64"
#define DEV_OPTIONS   "mode=755,size=65536k"
#define SHM_OPTIONS   "mode=1777,size=65536k"
#define API_FLAGS     (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define LAST_CAP      40

enum step { GROUPS_MADE, DIRS_MADE, CLONED, JOINED, PRIVATE, OVERLAY, PROC, SYS, DEV, DEVPTS, SHM, MQUEUE, LO_UP,
	PIVOTED, NO_CAPS, EXECED, EXITED, GROUPS_GONE, DIRS_GONE, TOTAL, N_STEPS };

static const char *const step_names[N_STEPS] = { "cgroups", "dirs", "clone", "join", "private", "overlay", "proc",
	"sys", "dev", "devpts", "shm", "mqueue", "lo up", "pivot", "caps", "exec", "exit", "cgroups-", "dirs-",
	"TOTAL" };

/* a group to make, its limits, and the file through which the container joins */
struct group {
	char        dir[128];
	const char *limits[4]; /* file, value, ... */
	const char *join;
};

struct start {
	const char  *lower, *scratch;
	char *const *program;
	struct group groups[2];
	int          n_groups;
	char         upper[256], work[256], root[256], options[1024];
};

static unsigned *samples[N_STEPS]; /* [step][run], ns */
static int run;
static long last_ns;

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* The child shares our memory (CLONE_VM), so both sides use the one clock. */
static void lap(enum step s)
{
	long t = now_ns();

	samples[s][run] = (unsigned)(t - last_ns);
	last_ns = t;
}

__attribute__((noreturn)) static void die(const char *what)
{
	dprintf(2, "start-limit: %s: %s\n", what, strerror(errno));
	_exit(111);
}

static void must(bool fine, const char *what)
{
	if (!fine)
		die(what);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

/* v1: two hierarchies, and "tasks", which is faster to join than cgroup.procs; v2: one */
static void name_groups(struct start *s, int pid)
{
	if (access(CGROUP "/memory/tasks", F_OK) == 0) {
		s->groups[0] = (struct group){ .limits = { "memory.limit_in_bytes", MEMORY_LIMIT }, .join = "tasks" };
		s->groups[1] = (struct group){ .limits = { "pids.max", PIDS_LIMIT }, .join = "tasks" };
		snprintf(s->groups[0].dir, sizeof(s->groups[0].dir), CGROUP "/memory/limit-%d-%d", pid, run);
		snprintf(s->groups[1].dir, sizeof(s->groups[1].dir), CGROUP "/pids/limit-%d-%d", pid, run);
		s->n_groups = 2;
	} else {
		s->groups[0] = (struct group){ .limits = { "memory.max", MEMORY_LIMIT, "pids.max", PIDS_LIMIT },
					       .join = "cgroup.procs" };
		snprintf(s->groups[0].dir, sizeof(s->groups[0].dir), CGROUP "/limit-%d-%d", pid, run);
		s->n_groups = 1;
	}
}

static void make_groups(const struct start *s)
{
	for (int i = 0; i < s->n_groups; i++) {
		const struct group *g = &s->groups[i];
		must(mkdir(g->dir, 0755) == 0, g->dir);
		for (int l = 0; l < 4 && g->limits[l]; l += 2)
			write_file(g->dir, g->limits[l], g->limits[l + 1]);
	}
}

static void make_dirs(struct start *s, int pid)
{
	snprintf(s->upper, sizeof(s->upper), "%s/upper-%d-%d", s->scratch, pid, run);
	snprintf(s->work, sizeof(s->work), "%s/work-%d-%d", s->scratch, pid, run);
	must(mkdir(s->upper, 0755) == 0 && mkdir(s->work, 0755) == 0, s->upper);
	snprintf(s->options, sizeof(s->options), "lowerdir=%s,upperdir=%s,workdir=%s,volatile", s->lower, s->upper,
		 s->work);
}

static void mount_at(const char *type, const char *at, unsigned long flags, const char *options)
{
	must(mount(type, at, type, flags, options) == 0, at);
}

static void fill_dev(void)
{
	static const struct { const char *name; int major, minor; } nodes[] = {
		{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "pts/ptmx", "dev/ptmx" },
	};
	static const char *const dirs[] = { "dev/pts", "dev/shm", "dev/mqueue" };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		must(mknod(nodes[i].name, S_IFCHR | 0666,
			   makedev((unsigned)nodes[i].major, (unsigned)nodes[i].minor)) == 0, nodes[i].name);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		must(symlink(links[i][0], links[i][1]) == 0, links[i][1]);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		must(mkdir(dirs[i], 0755) == 0, dirs[i]);
}

static void mount_all(const struct start *s)
{
	mount_at("overlay", s->root, 0, s->options);
	must(chdir(s->root) == 0, s->root);
	lap(OVERLAY);
	mount_at("proc", "proc", API_FLAGS, NULL);
	lap(PROC);
	mount_at("sysfs", "sys", API_FLAGS | MS_RDONLY, NULL);
	lap(SYS);
	mount_at("tmpfs", "dev", MS_NOSUID, DEV_OPTIONS);
	fill_dev();
	lap(DEV);
	mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	lap(DEVPTS);
	mount_at("tmpfs", "dev/shm", API_FLAGS, SHM_OPTIONS);
	lap(SHM);
	mount_at("mqueue", "dev/mqueue", API_FLAGS, NULL);
	lap(MQUEUE);
}

static void raise_lo(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0, "lo");
	close(fd);
}

static void drop_caps(void)
{
	struct { unsigned version; int pid; } header = { 0x20080522, 0 };
	unsigned none[6] = { 0 };

	must(sethostname("c", 1) == 0, "sethostname");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	for (unsigned long c = 0; c <= LAST_CAP; c++)
		prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	must(syscall(SYS_capset, &header, none) == 0, "capset");
}

/* everything between clone and exec */
static int container(void *arg)
{
	const struct start *s = arg;
	char *const no_env[] = { NULL };

	lap(CLONED);
	for (int i = 0; i < s->n_groups; i++)
		write_file(s->groups[i].dir, s->groups[i].join, "0"); /* 0: the writer */
	lap(JOINED);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "/");
	lap(PRIVATE);
	mount_all(s);
	raise_lo();
	lap(LO_UP);
	must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
	must(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "the old root");
	lap(PIVOTED);
	drop_caps();
	lap(NO_CAPS);
	execve(s->program[0], s->program, no_env);
	die(s->program[0]);
}

/* overlayfs leaves these in its work directory */
static void remove_dirs(const struct start *s)
{
	static const char *const left[] = { "work/incompat/volatile", "work/incompat", "work", "" };
	char path[512];

	snprintf(path, sizeof(path), "%s/work/incompat/volatile/dirty", s->work);
	must(unlink(path) == 0, path);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->work, left[i]);
		must(rmdir(path) == 0, path);
	}
	must(rmdir(s->upper) == 0, s->upper);
}

static void start_one(struct start *s)
{
	static char stack[65536] __attribute__((aligned(16)));
	const int flags = CLONE_VM | CLONE_VFORK | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
		CLONE_NEWNET | SIGCHLD;
	int pid = getpid(), status;
	long begin = last_ns = now_ns();

	name_groups(s, pid);
	make_groups(s);
	lap(GROUPS_MADE);
	make_dirs(s, pid);
	lap(DIRS_MADE);
	int child = clone(container, stack + sizeof(stack), flags, s);
	must(child >= 0, "clone");
	lap(EXECED);
	must(waitpid(child, &status, 0) == child && status == 0, "the container");
	lap(EXITED);
	for (int i = 0; i < s->n_groups; i++)
		must(rmdir(s->groups[i].dir) == 0, s->groups[i].dir);
	lap(GROUPS_GONE);
	remove_dirs(s);
	lap(DIRS_GONE);
	samples[TOTAL][run] = (unsigned)(last_ns - begin);
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void report(int runs)
{
	printf("%-10s %9s %9s %9s   microseconds, %d runs\n", "step", "min", "median", "p99", runs);
	for (int i = 0; i < N_STEPS; i++) {
		unsigned *v = samples[i];
		qsort(v, (size_t)runs, sizeof(*v), by_value);
		printf("%-10s %9.1f %9.1f %9.1f\n", step_names[i], v[0] / 1e3, v[runs / 2] / 1e3,
		       v[(long)runs * 99 / 100] / 1e3);
	}
}

int main(int argc, char **argv)
{
	struct start s = { 0 };
	bool quiet = false;
	int runs = 1, opt;

	while ((opt = getopt(argc, argv, "+n:q")) != -1) {
		if (opt == 'n')
			runs = atoi(optarg);
		else if (opt == 'q')
			quiet = true;
		else
			return 2;
	}
	if (argc - optind < 3 || runs < 1) {
		fputs("usage: start-limit [-n RUNS] [-q] LOWER SCRATCH PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	s.lower = argv[optind];
	s.scratch = argv[optind + 1];
	s.program = argv + optind + 2;
	snprintf(s.root, sizeof(s.root), "%s/root", s.scratch);
	must(mkdir(s.root, 0755) == 0 || errno == EEXIST, s.root);
	for (int i = 0; i < N_STEPS; i++)
		must((samples[i] = calloc((size_t)runs, sizeof(**samples))) != NULL, "memory");
	for (run = 0; run < runs; run++)
		start_one(&s);
	if (!quiet)
		report(runs);
	return 0;
}
