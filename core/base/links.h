/* SPDX-License-Identifier: Apache-2.0
 * links - the first name of each file that has several
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

struct links {
	struct link { dev_t dev; ino_t ino; char *path; } *v; /* open addressing; path NULL: free */
	size_t n, size;
};

/**
 * links_find() - has this file had a name already?
 *
 * 1: *first is what was given as @path then (borrowed); 0: no, and @path is remembered; -1 and *e: ENOMEM
 */
int links_find(struct links *l, dev_t dev, ino_t ino, const char *path, const char **first, struct err *e);
void links_free(struct links *l);
