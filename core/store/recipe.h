/* SPDX-License-Identifier: Apache-2.0
 * recipe - what a root file system is made of: which archives, in which order, through which whitelists
 *
 * A recipe is a text, and the render ID is its digest: the same ingredients always have the same ID, and a prepared
 * pod keeps what it was prepared with when a dependency has a newer version meanwhile. The recipe of an image without
 * dependencies follows from its ID alone, which is its render ID as well; all others are files in cas/recipe/:
 *
 *	rktbox recipe 1
 *	pass sha512-<128 hex> [sha512-<128 hex>...]	an image, then those whose whitelists its paths must be on
 *	...						the last pass is the image itself
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/store/render.h"

/* THREATS, graphs: what hostile dependencies can make us read */
#define RECIPE_PASSES_MAX 512
#define RECIPE_IMAGES_MAX 256 /* each is an open file and, on loop devices, one of those */

struct recipe_pass {
	uint16_t  source; /* in images */
	uint16_t  n_filters;
	uint16_t *filters; /* images with whitelists, the pass' own first; in images */
};

struct recipe {
	struct render_id    id;
	struct image_id    *images; /* each once, in the order of their first passes */
	struct recipe_pass *passes;
	size_t              n_images, n_passes;
};

void recipe_free(struct recipe *r);

/** recipe_begin(), recipe_add() - write the text; @filters: n IDs. Its end needs no mark. */
void recipe_begin(struct buf *text);
void recipe_add(struct buf *text, const struct image_id *image, const struct image_id *const *filters, size_t n);

/** recipe_single() - of an image without dependencies */
int recipe_single(const struct image_id *id, struct recipe *out, struct err *e);

/** recipe_parse() - computes the ID as well; EBADMSG for what recipe_add() did not write */
int recipe_parse(const char *text, size_t len, struct recipe *out, struct err *e);

/** recipe_load() - by render ID, for which a file has to be there if the image has dependencies; ENOENT, EBADMSG */
int recipe_load(const struct store *st, const struct render_id *id, struct recipe *out, struct err *e);

/** recipe_save() - durable; 0 also when it is there */
int recipe_save(struct store *st, const struct render_id *id, const struct buf *text, struct err *e);
