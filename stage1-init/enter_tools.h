/* SPDX-License-Identifier: Apache-2.0
 * enter_tools - what a visitor becomes who names no command: the app's shell, else /bin/sh, else our own tools
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/seccomp.h"

/**
 * enter_tools_open() - our binary, to be executed inside the pod; -1
 *
 * Behind the descriptor is a read-only mount that belongs to no namespace: nobody in the pod can write to the binary
 * through it, nor find it by a path. Call it on the host side.
 */
int enter_tools_open(struct err *e);

/**
 * enter_shell() - only comes back when nothing of it could be executed: *e, and the exit status
 * @tools_fd: from enter_tools_open()
 */
int enter_shell(const struct seccomp_prog *filter, int tools_fd, char *const *env, struct err *e);
