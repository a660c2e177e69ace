/* SPDX-License-Identifier: Apache-2.0
 * isolators_file - isolators out of a file: what rkt run --learn writes, {"APP": [ISOLATOR, ...], ...}, or one such list
 */
#pragma once

#include "core/appc/manifest.h"

/**
 * isolators_file_apply() - what the file has for @app takes the place of what @l has of the same names
 * @path: followed; @app: of a file with one member only that is taken, whatever its name
 *
 * Of capabilities and of system calls there is one set, so one that retains takes the place of one that removes, too.
 * Only the form is looked at: the result is to be checked as a whole.
 */
int isolators_file_apply(const char *path, const char *app, struct appc_isolators *l, struct err *e);
