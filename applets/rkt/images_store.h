/* SPDX-License-Identifier: Apache-2.0
 * images_store - the store as commands open it: where configuration says, its warnings and progress on the terminal
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/store/store.h"

struct conf;
struct rkt_globals;

/**
 * images_open() - the store in the data directory @dir, its warnings going to the terminal; store_close() it
 * @g, @c: say how images are rendered; NULL: as it is best
 */
struct store *images_open(const struct rkt_globals *g, const struct conf *c, const char *dir, bool create,
			  struct err *e);

/** images_store() - the store in the configured data directory, with images_verify() as configured; store_close() it */
struct store *images_store(const struct rkt_globals *g, bool create, struct err *e);

/**
 * images_verify() - when the store re-reads what it serves: @policy as --verify has it, else, if NULL, never with
 * --insecure-options=ondisk, else what is configured, else when it has changed. Its progress goes to the terminal.
 */
int images_verify(struct store *st, const struct rkt_globals *g, const struct conf *c, const char *policy,
		  struct err *e);
#define IMAGES_VERIFY_HELP "re-hash images: always, never, or when they have changed on disk (changed; default)"

/** images_remove() - store_remove(), and says so as scripts expect it; @untold: why it could not, else left alone */
int images_remove(struct store *st, const struct image_id *id, struct err *untold, struct err *e);
