/* SPDX-License-Identifier: Apache-2.0
 * cgroup - what a dead pod may have left in cgroupfs: processes and directories
 *
 * The file `cgroup` in the pod directory is not trusted: only a directory of cgroupfs whose own name carries the
 * pod's UUID is touched, and what is below it. Its parents belong to whoever started the pod.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/pod/place.h"

#define CGROUP_FILE_MAX 65536
#define CGROUP_DEPTH    32
#define KILL_TRIES      12 /* doubling from 1 ms: about 4 s for processes to die */

static bool is_cgroupfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

static void write_knob(int dir_fd, const char *knob, const char *value)
{
	auto_close int fd = openat(dir_fd, knob, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	/* a knob that is not there belongs to another version or controller */
	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		return;
}

/* the members of one group, one by one: for kernels before 5.14, and v1 */
static void kill_members(int dir_fd)
{
	auto_close int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	char line[32];

	if (!f)
		return;
	take_fd(&fd); /* it is the stream's now */
	while (fgets(line, sizeof(line), f)) {
		struct err none;
		uint64_t pid;
		line[strcspn(line, "\n")] = 0;
		/* 0: somebody of another PID namespace, whom we cannot name */
		if (num_u64(line, INT_MAX, &pid, &none) == 0 && pid)
			kill((pid_t)pid, SIGKILL);
	}
	fclose(f);
}

static int remove_below(int dir_fd, int depth);

static int remove_group(int parent_fd, const char *name, int depth)
{
	auto_close int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (!is_cgroupfs(fd)) {
		errno = EXDEV;
		return -1;
	}
	/* thawed, because what is frozen does not die in v1 */
	write_knob(fd, "cgroup.kill", "1");
	write_knob(fd, "freezer.state", "THAWED");
	write_knob(fd, "cgroup.freeze", "0");
	kill_members(fd);
	if (remove_below(fd, depth + 1) < 0)
		return -1;
	return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_below(int dir_fd, int depth)
{
	auto_dir DIR *d = fd_list(dir_fd);
	struct dirent *de;
	int r = 0;

	if (!d)
		return -1;
	if (depth > CGROUP_DEPTH) {
		errno = ELOOP;
		return -1;
	}
	while ((de = readdir(d))) {
		struct stat st;
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..") ||
		    (de->d_type != DT_DIR && de->d_type != DT_UNKNOWN))
			continue;
		if (fstatat(dir_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			continue;
		/* go on with the others, so that all of them are told to die at once */
		if (remove_group(dir_fd, de->d_name, depth) < 0)
			r = -1;
	}
	return r;
}

static int remove_own(const char *path, struct err *e)
{
	char parent[PATH_MAX];
	const char *name = strrchr(path, '/') + 1;

	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	auto_close int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open cgroup %s", parent);
	if (!is_cgroupfs(fd))
		return 0;
	for (int tries = 0; remove_group(fd, name, 0) < 0; tries++) {
		if (errno != EBUSY || tries == KILL_TRIES)
			return err_sys(e, "remove cgroup %s", path);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000L << (tries < 9 ? tries : 9) }, NULL);
	}
	return 0;
}

/* "/sys/fs/cgroup/.../rkt-UUID": wherever it leads, what is removed there has the UUID in its name */
static bool is_own(const char *path, const char *uuid)
{
	const char *name = strrchr(path, '/');

	return *path == '/' && strlen(path) < PATH_MAX && strstr(name, uuid);
}

int pod_cgroups_remove(const struct pod *p, struct err *e)
{
	auto_free char *text = NULL;
	struct err why;
	char *at = NULL;

	if (fd_read_file(p->dir_fd, "cgroup", CGROUP_FILE_MAX, &text, NULL, &why) < 0)
		return 0; /* none was noted, or what is there is not a note of ours */
	for (char *line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		size_t n = strlen(line);
		while (n > 1 && line[n - 1] == '/')
			line[--n] = 0;
		if (is_own(line, p->uuid) && remove_own(line, e) < 0)
			return -1;
	}
	return 0;
}
