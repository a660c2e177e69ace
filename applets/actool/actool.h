/* SPDX-License-Identifier: Apache-2.0
 * actool - the options every actool command takes, before or after its name
 */
#pragma once

#include <stdbool.h>

#include "core/base/opt.h"

/* First member of every actool command's options struct; commands set .inherits. */
struct actool_globals {
	bool debug;
};

extern const struct opt actool_globals_opts[];
