/* SPDX-License-Identifier: Apache-2.0
 * exclude - what of a tree is left out, as patterns over paths
 *
 * A pattern with a "/" in it is about the whole path, relative to the tree; one without is about the last name of the
 * path. A "/" at its begin or end says nothing more than that. What stands for what: core/base/glob.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct exclude {
	char **v;
	size_t n;
};

/** exclude_add() - EINVAL: the pattern is empty, would be the whole tree, or has a "[" without an end */
int exclude_add(struct exclude *x, const char *glob, struct err *e);
bool exclude_has(const struct exclude *x, const char *path);
void exclude_free(struct exclude *x);
