/* SPDX-License-Identifier: Apache-2.0
 * build_how - the options about the file that actool build writes, whatever is in it
 */
#pragma once

#include <stdbool.h>

#include "core/archive/exclude.h"
#include "core/archive/write.h"
#include "core/base/opt.h"

struct build_how {
	bool            no_compression, owner_root;
	const char     *compression, *level, *mtime, *owner, *mode_mask;
	struct opt_list exclude;
};

extern const struct opt build_how_opts[];

/**
 * build_how_read() - @o, what the options and $SOURCE_DATE_EPOCH say
 * @x: receives the patterns, which @o points to; exclude_free() it, also after an error
 */
int build_how_read(const struct build_how *h, struct write_opts *o, struct exclude *x, struct err *e);
