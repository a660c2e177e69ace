/* SPDX-License-Identifier: Apache-2.0
 * images_trust - whether an image may serve this request, whoever let it into the store and however long ago
 *
 * Asked at every start. A prepared pod remembers who vouched for its images, since these may be removed from the store
 * before it runs; what was not verified when it was prepared, its user has said to be good enough for it.
 */
#pragma once

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/store/render.h"

struct rkt_globals;

/**
 * images_trust() - of one image; images_trust_root() - of those that a merged root is made of
 * EACCES, with the remedy: nobody vouched for it, or a key that is not trusted for it any more, or it was let in with
 * device nodes, and @g does not allow that.
 */
int images_trust(struct store *st, const struct rkt_globals *g, const struct image_id *id, struct err *e);
int images_trust_root(struct store *st, const struct rkt_globals *g, const struct render_id *root, struct err *e);

/** images_trust_record() - appends "FINGERPRINT NAME" for each verified image of @root, a line each */
int images_trust_record(struct store *st, const struct image_id *id, const struct render_id *root, struct buf *out,
			struct err *e);
/** images_trust_again() - whether all of these are trusted still; @text is cut up */
int images_trust_again(const struct rkt_globals *g, char *text, struct err *e);
