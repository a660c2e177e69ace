/* SPDX-License-Identifier: Apache-2.0
 * rootless - see rootless.h
 */
#include "core/base/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/base/userns_ban.h"

#define SUBID_MAX (4u << 20)

bool rootless_is_user(void)
{
	return getauxval(AT_EUID) != 0;
}

/* ---- ranges ---- */

static bool is_line_of(const char *line, const char *name, uid_t uid)
{
	char number[16];
	size_t n = strcspn(line, ":");

	snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
	return (name && strlen(name) == n && !memcmp(line, name, n)) || (strlen(number) == n && !memcmp(line, number, n));
}

/* "1000:100000:65536" */
static bool parse_range(char *line, unsigned long *first, unsigned long *n)
{
	uint64_t from, count;
	struct err ignored;
	char *a = strchr(line, ':'), *b = a ? strchr(a + 1, ':') : NULL;

	if (!b)
		return false;
	*b = 0;
	if (num_u64(a + 1, UINT32_MAX - 1, &from, &ignored) < 0 || !from ||
	    num_u64(b + 1, UINT32_MAX - from, &count, &ignored) < 0 || !count)
		return false;
	*first = (unsigned long)from;
	*n = (unsigned long)count;
	return true;
}

bool rootless_range(char *text, const char *name, uid_t uid, unsigned long *first, unsigned long *n)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (is_line_of(line, name, uid) && parse_range(line, first, n))
			return true;
	return false;
}

static bool read_range(const char *file, const char *name, uid_t uid, unsigned long *first, unsigned long *n)
{
	auto_free char *text = NULL;
	struct err ignored;

	return fd_read_file(AT_FDCWD, file, SUBID_MAX, &text, NULL, &ignored) == 0 &&
	       rootless_range(text, name, uid, first, n);
}

/* ---- helpers with privileges that we do not have ---- */

static const char *find_helper(const char *name, char path[64])
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/local/bin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, 64, "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* outside of the namespace, so begun before there is one; waits for a byte */
struct helper { pid_t pid; int go_fd; };

_Noreturn static void help(const char *path, pid_t target, unsigned long own, const unsigned long range[2], int wait_fd)
{
	char pid[16], inside[16], first[24], n[24], byte;
	char zero[] = "0", one[] = "1";
	char *argv[] = { (char *)(uintptr_t)path, pid, zero, inside, one, one, first, n, NULL };

	snprintf(pid, sizeof(pid), "%d", (int)target);
	snprintf(inside, sizeof(inside), "%lu", own);
	snprintf(first, sizeof(first), "%lu", range[0]);
	snprintf(n, sizeof(n), "%lu", range[1]);
	if (read(wait_fd, &byte, 1) != 1)
		_exit(0);
	execv(path, argv);
	_exit(127);
}

static int begin_helper(struct helper *h, const char *path, unsigned long own, const unsigned long range[2], struct err *e)
{
	pid_t us = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	h->pid = fork();
	if (h->pid == 0) {
		close(fds[1]);
		help(path, us, own, range, fds[0]);
	}
	close(fds[0]);
	h->go_fd = fds[1];
	return h->pid < 0 ? err_sys(e, "fork") : 0;
}

/* whether it has done it; @go false: it is not wanted any more */
static bool end_helper(struct helper *h, bool go)
{
	int status = -1;

	if (h->go_fd >= 0 && go && write(h->go_fd, "", 1) != 1)
		go = false;
	fd_cleanup(&h->go_fd);
	while (h->pid > 0 && waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
	return go && status == 0;
}

/* ---- entering ---- */

struct maps {
	uid_t         uid;
	gid_t         gid;
	bool          ranges;
	unsigned long uids[2], gids[2];
	char          uid_helper[64], gid_helper[64];
	struct helper helpers[2];
};

/* -1: *e says why there are none */
static int look_for_ranges(struct maps *m, struct err *e)
{
	const struct passwd *pw = getpwuid(m->uid);
	const char *name = pw ? pw->pw_name : NULL;

	if (!find_helper("newuidmap", m->uid_helper) || !find_helper("newgidmap", m->gid_helper))
		return err_set(e, ENOENT, "newuidmap and newgidmap are not installed");
	/* the helpers want to know who we are, too */
	if (!name)
		return err_set(e, ENOENT, "user %lu has no name", (unsigned long)m->uid);
	if (!read_range("/etc/subuid", name, m->uid, &m->uids[0], &m->uids[1]) ||
	    !read_range("/etc/subgid", name, m->uid, &m->gids[0], &m->gids[1]))
		return err_set(e, ENOENT, "/etc/subuid and /etc/subgid have no ranges for user %s", name);
	m->ranges = true;
	return 0;
}

int rootless_has_ranges(uid_t uid, struct err *e)
{
	struct maps m = { .uid = uid };

	return look_for_ranges(&m, e);
}

/* errno says that @what, "new user namespace" or a step on the way into it, was refused; what by, if that can be told */
static int refused(const char *what, struct err *e)
{
	char ban[USERNS_BAN_MAX];

	userns_ban(errno, ban);
	if (!*ban)
		return err_needs(e, "ns-user-nonroot", "%s", what);
	err_set(e, errno, "%s: %s", what, ban);
	return err_point(e, "ns-user-nonroot");
}

static int put_map(const char *path, unsigned long own, struct err *e)
{
	char text[40], what[64];
	int n = snprintf(text, sizeof(text), "0 %lu 1", own);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, (size_t)n) == n)
		return 0;
	snprintf(what, sizeof(what), "map our user: write %s", path);
	return refused(what, e);
}

static int map_one(const struct maps *m, struct err *e)
{
	auto_close int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);

	/* without it the kernel lets nobody map a group */
	if (fd < 0 || write(fd, "deny", 4) != 4)
		return refused("map our user: write /proc/self/setgroups", e);
	return put_map("/proc/self/uid_map", m->uid, e) < 0 ? -1 : put_map("/proc/self/gid_map", m->gid, e);
}

static int new_user_ns(struct err *e)
{
	return unshare(CLONE_NEWUSER) < 0 ? refused("new user namespace", e) : 0;
}

static int begin_helpers(struct maps *m, struct err *e)
{
	if (begin_helper(&m->helpers[0], m->uid_helper, m->uid, m->uids, e) < 0)
		return -1;
	return begin_helper(&m->helpers[1], m->gid_helper, m->gid, m->gids, e);
}

static int map(struct maps *m, struct err *e)
{
	bool uids = end_helper(&m->helpers[0], m->ranges), gids = end_helper(&m->helpers[1], m->ranges);

	if (!m->ranges)
		return map_one(m, e);
	if (uids && gids)
		return 0;
	return err_set(e, EPERM, "%s could not map the range that /etc/sub%s gives us (what it said is above)",
		       uids ? m->gid_helper : m->uid_helper, uids ? "gid" : "uid");
}

int rootless_enter(struct err *e)
{
	struct maps m = { .uid = geteuid(), .gid = getegid(), .helpers = { { 0, -1 }, { 0, -1 } } };
	struct err ignored;
	int r = look_for_ranges(&m, &ignored) == 0 ? begin_helpers(&m, e) : 0;

	if (r == 0)
		r = new_user_ns(e);
	if (r < 0) {
		end_helper(&m.helpers[0], false);
		end_helper(&m.helpers[1], false);
		return -1;
	}
	if (map(&m, e) < 0)
		return -1;
	/* what is mounted here nobody else sees; a security module may grant the one and refuse the other */
	return unshare(CLONE_NEWNS) < 0 ? refused("new mount namespace", e) : 0;
}

int rootless_join(pid_t pid, struct err *e)
{
	auto_close int fd = sys_pidfd_open(pid);

	if (fd < 0)
		return err_sys(e, "open process %d", (int)pid);
	return setns(fd, CLONE_NEWUSER) < 0 ? err_sys(e, "enter the user namespace of process %d", (int)pid) : 0;
}
