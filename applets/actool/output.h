/* SPDX-License-Identifier: Apache-2.0
 * output - the files that a command writes: there whole, all of them, or not at all
 *
 * A file has no name while it is written, so a command that is interrupted leaves nothing behind, and one that
 * fails leaves what was there before. Errors name the file.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

/* one file under way */
struct output {
	const char *path;
	char       *dir, *tmp; /* its directory; the temporary name, NULL: it has none */
	int         fd;        /* -1: not open */
};

/** output_check_name() - EINVAL unless @path ends with ".aci", which is what images are found by */
int output_check_name(const char *path, struct err *e);

/**
 * output_open() - a file to be written, and read again, through @o->fd
 * @path: taken as it is, and must live as long; EEXIST when it is there, unless @overwrite
 */
int output_open(struct output *o, const char *path, bool overwrite, struct err *e);

/**
 * output_publish() - syncs @n files and gives them their names, in their order, or none of them; EEXIST as above
 *
 * All that can fail is done before the first gets its name, but for that itself. Those that have one already lose it
 * when another one fails, unless they replaced something.
 */
int output_publish(struct output *v, unsigned n, bool overwrite, struct err *e);

/** output_again() - one more name for an open output; both are closed. output_close() @o either way. */
int output_again(struct output *o, int fd, const char *path, struct err *e);

/** output_close() - what has no name is gone then */
void output_close(struct output *o);
