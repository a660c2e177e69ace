/* SPDX-License-Identifier: Apache-2.0
 * enter_tools - see enter_tools.h
 */
#include "stage1-init/enter_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/app.h"

/* rkt has executed us from such a mount, or, on old kernels, from a sealed copy in memory */
static bool is_safe(int fd)
{
	struct statvfs fs;

	return (fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_RDONLY) ||
	       (fcntl(fd, F_GET_SEALS) & (F_SEAL_SEAL | F_SEAL_WRITE)) == (F_SEAL_SEAL | F_SEAL_WRITE);
}

int enter_tools_open(struct err *e)
{
	auto_close int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (self >= 0 && is_safe(self))
		return take_fd(&self);
	auto_close int fd = sys_open_tree(AT_FDCWD, "/proc/self/exe", SYS_TREE_CLONE);
	if (fd < 0 || sys_restrict(fd, "", SYS_ATTR_RDONLY) < 0)
		return err_needs(e, "open-tree", "tools for images without a shell");
	return take_fd(&fd);
}

/* the value in the environment; "" when there is none */
static const char *shell_of(char *const *env)
{
	for (; *env; env++)
		if (!strncmp(*env, "SHELL=", 6))
			return *env + 6;
	return "";
}

/* looks first: that it is not there is no error here */
static int try_shell(const struct seccomp_prog *filter, const char *path, char *const *env, struct err *e)
{
	char program[4096];
	char *argv[] = { program, NULL };

	if (*path != '/' || strlen(path) >= sizeof(program) ||
	    seccomp_call(filter, SYS_faccessat, AT_FDCWD, (long)path, X_OK) < 0)
		return 0;
	memcpy(program, path, strlen(path) + 1);
	return app_exec(filter, argv, env, e);
}

int enter_shell(const struct seccomp_prog *filter, int tools_fd, char *const *env, struct err *e)
{
	char self[32], name[] = "stage1-init", tools[] = "tools";
	char *argv[] = { name, tools, NULL };

	try_shell(filter, shell_of(env), env, e);
	try_shell(filter, "/bin/sh", env, e);
	/* the app's /proc, which is ours: execveat() has more arguments than get past a filter */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", tools_fd);
	int status = app_exec_as(filter, self, argv, env, e);
	errno = e->code;
	err_sys(e, "the image has no shell that can be executed, and neither can our own tools, which an isolator like "
		"os/linux/landlock or a label may forbid: name a command that the app may execute");
	return status;
}
