/* SPDX-License-Identifier: Apache-2.0
 * enter - one more process in the world of an app, with exactly what the app has
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/**
 * enter_app() - in the pod directory
 * @pid: the pod's PID 1
 * @rootless: we are root of the pod's user namespace, not of the host
 * @argv: NULL: the shell that the environment or the image's passwd names, else /bin/sh, else our own tools
 *
 * A visitor on a terminal gets another one, of the app's own devpts. Prints its own messages.
 * Returns the command's exit status, 254 for a failure of its own.
 */
int enter_app(pid_t pid, const char *app, bool rootless, char **argv);
