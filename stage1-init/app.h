/* SPDX-License-Identifier: Apache-2.0
 * app - the last steps of a process before it is the app, one of its event handlers, or a visitor
 * (`enter`)
 *
 * No heap and no streams: this runs in copies of PID 1, or in its very memory (sys_start).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "stage1-init/apifs.h"
#include "stage1-init/plan.h"
#include "stage1-init/user.h"

/**
 * app_main() - in a new process of the pod, with a mount namespace of its own or PID 1's
 * (p->one_ns)
 * @index: of the app in the plan
 * @run: what to execute: the app itself or a handler
 * @fs: made for this process
 * @roots: directory with APP/rootfs in it, relative to the current directory
 * @report_fd: close-on-exec; gets one struct report before exec, and one more if that fails
 */
_Noreturn void app_main(struct plan *p, size_t index, const struct plan_run *run,
	const struct apifs *fs, const char *roots, int report_fd);

/* ---- shared with enter ---- */

struct app_user_env {
	char home[USER_PATH_MAX + 8], user[USER_NAME_MAX + 8], logname[USER_NAME_MAX + 8],
		shell[USER_PATH_MAX + 8];
};

/** app_user_env() - HOME, USER, LOGNAME and SHELL into the spare slots of the environment, unless
 * they are set */
void app_user_env(struct plan_app *a, const struct user *u, struct app_user_env *room);

/** app_enter_dir() - the working directory, looked up inside @root_fd, which is "/" */
int app_enter_dir(int root_fd, const char *path, struct err *e);

/**
 * app_exec() - only comes back when that failed: *e as scripts expect it, and the exit status
 *
 * A name without a slash is looked for in the environment's PATH. Everything above stderr is
 * closed.
 */
int app_exec(const struct seccomp_prog *filter, char *const *argv, char *const *env, struct err *e);
/** app_exec_as() - the same, of the program @file */
int app_exec_as(const struct seccomp_prog *filter, const char *file, char *const *argv, char *const *env,
	struct err *e);

/**
 * app_open_terminal() - a new terminal of the app's own devpts, of the size @window
 *
 * Returns the slave, puts the master into *master.
 */
int app_open_terminal(
	int pts_fd, uid_t uid, const struct winsize *window, int *master, struct err *e);

/**
 * app_give_pipes() - those that take the app's output, to its user: opening /dev/stdout opens the pipe anew
 *
 * What cannot be given away stays ours.
 */
void app_give_pipes(const struct plan_app *a, uid_t uid);

/** app_take_stdio() - 0, 1 and 2; @terminal: also the controlling terminal of a new session */
int app_take_stdio(int in, int out, int err, bool terminal, struct err *e);
