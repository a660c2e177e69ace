/* SPDX-License-Identifier: Apache-2.0
 * images_fetch - one image, from the one place where it is to the store
 *
 * Its bytes are shown to the signatures as they come, decrypted if need be, and imported. What is not the image that was
 * asked for, or that nobody trusted vouches for, never gets into the store.
 */
#pragma once

#include <stdbool.h>

#include "applets/passphrase.h"
#include "core/appc/image_name.h"
#include "core/base/err.h"
#include "core/store/store.h"

struct rkt_globals;

/* All of it borrowed. Zero in a field: no matter. */
struct images_fetch {
	struct store                 *st;
	const struct rkt_globals     *g;
	const char                   *signature;       /* a file; NULL: where the place of the image has it */
	struct passphrase_opts        passphrase;      /* for encrypted ones */
	const struct image_name      *name;            /* what it has to be */
	const struct appc_dependency *dependency;      /* likewise */
	const struct image_id        *id;              /* likewise; that proves more than a signature, so none is asked for */
	const struct appc_strings    *keys;            /* URLs of keys that were discovered with it */
};

/** images_say() - "image: ..." on stderr: scripts look for these lines, which begin so whichever command says them */
__attribute__((format(printf, 1, 2))) void images_say(const char *fmt, ...);

/**
 * images_fetch_path(), images_fetch_url() - imports; file URLs are paths
 * @asc: URL of the signature; NULL: beside the image
 *
 * What was fetched from the URL earlier is taken if its server said that it is good for so long, or says so now.
 * Errors: ENOTSUP a kind of URL that is not known; EACCES with device nodes, or encrypted; those of images_sig.h, of
 * downloads and of store_import().
 */
int images_fetch_path(const struct images_fetch *f, const char *path, struct image_id *out, struct err *e);
int images_fetch_url(const struct images_fetch *f, const char *url, const char *asc, struct image_id *out, struct err *e);
bool images_is_file_url(const char *url);

/** images_fetch_name() - @f->name by discovery, from the first place that has it */
int images_fetch_name(const struct images_fetch *f, struct image_id *out, struct err *e);
