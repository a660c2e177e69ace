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

#include "core/base/err.h"
#include "core/pod/pod.h"
#include "core/store/store.h"

struct conf;
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
};

/** images_kind_of() - what an argument is by its form, as rkt tells them apart */
enum images_kind images_kind_of(const char *arg);

/**
 * images_pull_parse() - "new", "never" or "update", as --pull-policy has it
 * @store_only, @no_store: the old spellings of never and update; both at once are an error
 */
int images_pull_parse(const char *policy, bool store_only, bool no_store, enum images_pull *out, struct err *e);

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

/** images_trees() - pods_trees(), and for merged roots each image in them as well */
int images_trees(struct store *st, struct pods *ps, struct pods_trees *out, struct err *e);

/**
 * images_root_used() - whether a pod stands on that root: for store_gc() and store_discard(), which ask under their lock;
 * pods are looked at once. images_used(): or on an image as a part of a root
 */
struct images_roots {
	struct store     *st;
	struct pods      *pods;
	struct pods_trees trees;
	bool              looked;
};
bool images_root_used(void *roots, const char *render_id);
bool images_used(struct images_roots *r, const char *id);
void images_roots_free(struct images_roots *r);
