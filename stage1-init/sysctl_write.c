/* SPDX-License-Identifier: Apache-2.0
 * sysctl_write - see sysctl_write.h
 */
#include "stage1-init/sysctl_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/appc/sysctl.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

static int put(int proc_fd, const char *path, const char *value)
{
	char file[SYSCTL_PATH_MAX + sizeof("sys/")];
	size_t n = strlen(value);

	snprintf(file, sizeof(file), "sys/%s", path);
	auto_close int fd = openat(proc_fd, file, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, value, n);

	if (done >= 0 && (size_t)done != n)
		errno = EINVAL;
	return done == (ssize_t)n ? 0 : -1;
}

/* A process of its own, since who changes his user is not tied to the host side any more, and can be looked into. */
static int put_as(uid_t root, int proc_fd, const char *path, const char *value)
{
	int status;
	pid_t pid = sys_fork(0, NULL, -1);

	if (pid == 0)
		_exit(syscall(SYS_setresuid, -1, root, -1) == 0 && put(proc_fd, path, value) == 0 ? 0 : errno);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	return errno ? -1 : 0;
}

int sysctl_write(int proc_fd, const char *path, const char *value, uid_t root)
{
	if (put(proc_fd, path, value) == 0)
		return 0;
	return root && (errno == EACCES || errno == EPERM) ? put_as(root, proc_fd, path, value) : -1;
}
