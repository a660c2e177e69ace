/* SPDX-License-Identifier: Apache-2.0
 * output - the file that a command writes: there whole, or not at all
 *
 * The file has no name while it is written, so a command that is interrupted leaves nothing behind, and one that
 * fails leaves what was there before.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

struct output {
	const char *path;      /* the caller's */
	char       *dir, *tmp; /* its directory; the temporary name, NULL: it has none */
	int         fd;        /* -1 before output_open() */
};

/** output_check_name() - EINVAL unless @path ends with ".aci", which is what images are found by */
int output_check_name(const char *path, struct err *e);

/** output_open() - a file to be written, and read again, through @o->fd; EEXIST when o->path is there, unless @overwrite */
int output_open(struct output *o, bool overwrite, struct err *e);

/** output_publish() - syncs the file and gives it its name; EEXIST as above */
int output_publish(struct output *o, bool overwrite, struct err *e);

/** output_close() - releases everything, and whatever was not published is gone */
void output_close(struct output *o);
