/* SPDX-License-Identifier: Apache-2.0
 * images - from what people type to an image in the store
 *
 * An argument is an ID ("sha512-ab12", any unique prefix), a URL, a file, or a name with labels
 * ("example.com/app:1.0,os=linux"). Which one it is follows from its form alone, except that a relative path
 * is a file when there is such a file.
 * Source: rkt Documentation/image-fetching-behavior.md, Documentation/subcommands/run.md "Image Addressing".
 */
#pragma once

#include <stdbool.h>

#include "applets/passphrase.h"
#include "core/base/err.h"
#include "core/store/store.h"

struct rkt_globals;

enum images_kind { IMAGES_GUESS, IMAGES_ID, IMAGES_URL, IMAGES_PATH, IMAGES_NAME };

enum images_pull {
	IMAGES_PULL_NEW,    /* the store's, else fetched; the default of run and prepare */
	IMAGES_PULL_NEVER,  /* --store-only */
	IMAGES_PULL_UPDATE, /* --no-store: fetched anew */
};

/* Zero-initialise for the defaults of `rkt run`. */
struct images_policy {
	enum images_kind kind; /* what the argument is, where an option says it (--stage1-hash ...) */
	enum images_pull pull;
	bool             heal; /* an image that is known to be damaged is fetched anew from where it came from */
	const char            *signature; /* see images_fetch.h */
	struct passphrase_opts passphrase;
};

/** images_kind_of() - what an argument is by its form, as rkt tells them apart */
enum images_kind images_kind_of(const char *arg);

/**
 * images_pull_parse() - "new", "never" or "update", as --pull-policy has it
 * @store_only, @no_store: the old spellings of never and update; both at once are an error
 */
int images_pull_parse(const char *policy, bool store_only, bool no_store, enum images_pull *out, struct err *e);

#define IMAGES_PASSPHRASE_HELP "passphrase of encrypted images: the first line of FILE (-: of stdin)"
#define IMAGES_SIGNATURE_HELP  "signature of the image before it, instead of the one that lies beside it"

/**
 * images_resolve() - the image that @arg means, fetched if @p allows and the store has none
 * @st: opened with create, since a fetch writes to it
 *
 * Says on stderr where the image is from ("using image from file F"). Refuses what was not verified, or has
 * device nodes, unless --insecure-options=image or =devices is among @g's. Marks the image as used.
 * Errors: ENOENT no such image; EACCES not verified or with device nodes; those of store_import().
 */
int images_resolve(struct store *st, const struct rkt_globals *g, const char *arg, const struct images_policy *p,
		   struct image_id *out, struct err *e);

/** images_find() - the same for commands that never fetch: an ID (prefix) or a name with labels */
int images_find(struct store *st, const char *arg, struct image_id *out, struct err *e);
