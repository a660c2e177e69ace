/* SPDX-License-Identifier: Apache-2.0
 * contents - what is in a pod directory, read as the words of a stranger
 *
 * A foreign stage 1, or an app that got out of its root, may have written there: nothing is followed, what is
 * not a regular file is not even opened, and every size is bounded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/appfs.h"
#include "core/pod/place.h"

#define SMALL_FILE POD_LINE_MAX
#define PID_LIMIT  (4u << 20) /* of the kernel, on 64 bits */

int pod_open_beneath(int dir_fd, const char *path, int flags)
{
	return sys_open_in(dir_fd, path, flags | O_NOFOLLOW, SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_MAGICLINKS);
}

int pod_file(const struct pod *p, const char *path, struct err *e)
{
	char link[40];
	struct stat st;
	auto_close int at = pod_open_beneath(p->dir_fd, path, O_PATH);

	if (at < 0)
		return err_sys(e, "pod %s: open %s", p->uuid, path);
	if (fstat(at, &st) < 0)
		return err_sys(e, "pod %s: %s", p->uuid, path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "pod %s: %s is not a regular file", p->uuid, path);
	/* exactly what was looked at, so a file cannot become a device in between */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	int fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	/* it is there, so this is not its absence, which callers take for "not yet" */
	if (fd < 0 && errno == ENOENT && fd_proc_ready(e) < 0)
		return err_wrap(e, "pod %s: open %s", p->uuid, path);
	return fd < 0 ? err_sys(e, "pod %s: open %s", p->uuid, path) : fd;
}

static int64_t stat_mtime_ns(const struct stat *st)
{
	return st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
}

int pod_read_line(const struct pod *p, const char *path, char text[POD_LINE_MAX], int64_t *mtime_ns, struct err *e)
{
	struct stat st;
	auto_close int fd = pod_file(p, path, e);

	if (fd < 0)
		return -1;
	if (mtime_ns && fstat(fd, &st) == 0)
		*mtime_ns = stat_mtime_ns(&st);
	ssize_t n = fd_read_full(fd, text, SMALL_FILE);
	if (n < 0)
		return err_sys(e, "pod %s: read %s", p->uuid, path);
	if (n == SMALL_FILE || memchr(text, 0, (size_t)n))
		return err_set(e, EINVAL, "pod %s: %s is damaged", p->uuid, path);
	if (n && text[n - 1] == '\n')
		n--;
	text[n] = 0;
	return 0;
}

static int read_number(const struct pod *p, const char *path, uint64_t max, uint64_t *out, int64_t *mtime_ns,
		       struct err *e)
{
	char text[SMALL_FILE];

	if (pod_read_line(p, path, text, mtime_ns, e) < 0)
		return -1;
	if (num_u64(text, max, out, e) < 0)
		return err_wrap(e, "pod %s: %s is damaged", p->uuid, path);
	return 0;
}

int pod_manifest(const struct pod *p, struct pod_manifest *m, struct err *e)
{
	struct findings f = { 0 };
	auto_free char *text = NULL;
	size_t len;

	if (fd_read_file(p->dir_fd, "pod", APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return err_wrap(e, "manifest of pod %s", p->uuid);
	bool good = pod_manifest_parse(text, len, m, &f);
	if (!good && findings_err(&f, e) == 0)
		err_set(e, ENOMEM, "out of memory");
	findings_free(&f);
	return good ? 0 : err_wrap(e, "manifest of pod %s", p->uuid);
}

/* ---- PID 1 ---- */

/* PID 1 of a namespace below ours is the one whose innermost number is 1 */
bool pod_is_init(pid_t pid)
{
	char path[40], line[256];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		size_t n = strlen(line);
		found = !strncmp(line, "NSpid:", 6) && n > 3 && strcmp(line + n - 3, "\t1\n") == 0;
	}
	if (f)
		fclose(f);
	return found;
}

int pod_not_init(const char *uuid, pid_t pid, struct err *e)
{
	return err_set(e, ESRCH, "pod %s: process %d is not the first of a pod: the pod has ended, and somebody else has locked "
		       "its directory", uuid, (int)pid);
}

static pid_t parent_of(pid_t pid)
{
	char path[40], text[512];
	struct err none;
	uint64_t parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = 0;
	/* the name of a program may hold anything, so count from its last parenthesis */
	char *end = strrchr(text, ')');
	if (!end || strlen(end) < 5)
		return -1;
	char *digits = end + 4; /* ") S 123 ..." */
	digits[strcspn(digits, " ")] = 0;
	return num_u64(digits, PID_LIMIT, &parent, &none) == 0 ? (pid_t)parent : -1;
}

/* 1: *pid, 0: no child is PID 1 of a namespace (yet); -1 */
static int init_below(pid_t parent, pid_t *pid, struct err *e)
{
	auto_dir DIR *d = opendir("/proc");
	struct dirent *de;

	if (!d)
		return err_sys(e, "open /proc");
	while ((de = readdir(d))) {
		uint64_t n;
		struct err none;
		if (num_u64(de->d_name, PID_LIMIT, &n, &none) < 0 || parent_of((pid_t)n) != parent ||
		    !pod_is_init((pid_t)n))
			continue;
		*pid = (pid_t)n;
		return 1;
	}
	return 0;
}

int pod_pid(const struct pod *p, pid_t *pid, struct err *e)
{
	struct err why;
	uint64_t n;

	if (read_number(p, "pid", PID_LIMIT, &n, NULL, &why) == 0) {
		if (!n)
			return err_set(e, EINVAL, "pod %s: pid is damaged: 0 is no process", p->uuid);
		*pid = (pid_t)n;
		return 0;
	}
	if (why.code == ENOENT && read_number(p, "ppid", PID_LIMIT, &n, NULL, &why) == 0) {
		/* of a dead pod the parent's number may be anybody's by now */
		int r = n && p->state == POD_RUNNING ? init_below((pid_t)n, pid, e) : 0;
		if (r)
			return r < 0 ? -1 : 0;
		return err_set(e, ESRCH, "pod %s has no PID 1", p->uuid);
	}
	if (why.code == ENOENT)
		return err_set(e, ESRCH, "pod %s has no PID 1 yet", p->uuid);
	*e = why;
	return -1;
}

/* ---- times ---- */

static int64_t mtime_of(const struct pod *p, const char *name)
{
	struct stat st;

	if (fstatat(p->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return stat_mtime_ns(&st);
}

int64_t pod_created_ns(const struct pod *p)
{
	return mtime_of(p, "created");
}

int64_t pod_started_ns(const struct pod *p)
{
	int64_t ns = mtime_of(p, "pid");

	return ns ? ns : mtime_of(p, "ppid");
}

/* ---- apps ---- */

int pod_app_status(const struct pod *p, const char *app, int *status, int64_t *ended_ns, struct err *e)
{
	/*
	 * A stage 1 whose root is an overlay that only the pod sees has what it wrote in the upper directory. Its
	 * name begins with a dot because an app may be called "stage1", and must not be able to speak for others.
	 */
	static const char *const dirs[] = {
		"stage1/rootfs/rkt/status", "appsinfo/" APPFS_STAGE1 "/upper/rkt/status",
	};
	char path[SMALL_FILE + 64];
	struct err why;
	uint64_t n;

	if (!ac_name_ok(app))
		return err_set(e, EINVAL, "\"%s\" is not a name of an app", app);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dirs[i], app) >= sizeof(path))
			return err_set(e, ENAMETOOLONG, "%s: name too long", app);
		if (read_number(p, path, 255, &n, ended_ns, &why) == 0) {
			*status = (int)n;
			return 1;
		}
		if (why.code != ENOENT && why.code != ENOTDIR) {
			*e = why;
			return -1;
		}
	}
	return 0;
}
