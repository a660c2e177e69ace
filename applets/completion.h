/* SPDX-License-Identifier: Apache-2.0
 * completion - shell completion from the dump of the command tables
 */
#pragma once

#include "core/base/buf.h"
#include "core/base/err.h"

/** completion_script() - @shell "bash", "zsh" or "fish"; @dump as opt_dump() writes it */
int completion_script(const char *shell, const char *dump, struct buf *out, struct err *e);
