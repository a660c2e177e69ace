/* SPDX-License-Identifier: Apache-2.0
 * learn_file - the file that --learn names: {"APP": [ISOLATOR, ...], ...}
 *
 * What it says already is kept, and added to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/syscalls.h"
#include "core/base/err.h"

struct learnt {
	const char        *app;
	struct syscall_set calls;    /* none: it never ran, and the file says nothing of it */
	bool               has_caps; /* false: its capabilities are not known, and what the file says of them stays */
	bool               missed;   /* for not all of its processes were seen */
	uint64_t           caps;
};

/** learn_file_write() - @path: absolute */
int learn_file_write(const char *path, const struct learnt *v, size_t n, struct err *e);
