/* SPDX-License-Identifier: Apache-2.0
 * outdir - a directory for people, written whole or not at all
 *
 * It grows beside its final place under a temporary name and is renamed when it is complete, so a failure or
 * Ctrl-C never leaves half of it under the name that was asked for, nor takes away what was there before.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

/** makes the directory @name in @parent_fd, and all that shall be in it; called in a process of its own */
typedef int outdir_fill(void *ctx, int parent_fd, const char *name, struct err *e);

/** outdir_write() - @dir must not be there, unless @overwrite: then it is replaced when the new one is complete */
int outdir_write(const char *dir, bool overwrite, outdir_fill *fill, void *ctx, struct err *e);
