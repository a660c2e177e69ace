/* SPDX-License-Identifier: Apache-2.0
 * tools - what `rkt enter` offers in an image that has no shell: a prompt, and a few commands that only look
 *
 * They run inside the pod, with exactly what the app has, executed from a read-only mount that is part of no mount
 * namespace. Nothing of them lies in the image, and other processes of the pod cannot look through
 * /proc/PID at them.
 */
#pragma once

#include "core/base/opt.h"

struct tool {
	const char *name, *args, *summary;
	int       (*run)(int argc, char **argv); /* its exit status; errors it prints itself */
};

/* each list ends with a tool without a name */
extern const struct tool tools_files[], tools_kernel[];

extern const struct cmd stage1_tools_cmd;

/** tools_error() - "NAME: WHAT: why" by errno; returns 1 */
int tools_error(const char *name, const char *what);

/** tools_interrupted() - ^C was typed since the command began: it should end */
bool tools_interrupted(void);

/** tools_print() - a name that somebody else has chosen: control characters come out as "?" */
void tools_print(const char *name);
