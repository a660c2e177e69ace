/* SPDX-License-Identifier: Apache-2.0
 * images_fetch - one image, from the one place where it is to the store
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/store/store.h"

struct rkt_globals;

struct images_fetch {
	struct store             *st;
	const struct rkt_globals *g;
};

/** images_say() - "image: ..." on stderr: scripts look for these lines, which begin so whichever command says them */
__attribute__((format(printf, 1, 2))) void images_say(const char *fmt, ...);

/**
 * images_fetch_path(), images_fetch_url() - imports; file URLs are paths
 * Errors: EACCES not verified or with device nodes, which @f does not allow; ENOTSUP a kind of URL that is not known; those of
 * store_import().
 */
int images_fetch_path(const struct images_fetch *f, const char *path, struct image_id *out, struct err *e);
int images_fetch_url(const struct images_fetch *f, const char *url, struct image_id *out, struct err *e);
bool images_is_file_url(const char *url);
