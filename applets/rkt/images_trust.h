/* SPDX-License-Identifier: Apache-2.0
 * images_trust - whether an image may serve this request, whoever let it into the store and however long ago
 */
#pragma once

#include "core/base/err.h"
#include "core/store/store.h"

struct rkt_globals;

/**
 * images_trust() - asked at every start
 * EACCES, with the remedy: nobody vouched for it, or it was let in with device nodes, and @g does not allow that.
 */
int images_trust(struct store *st, const struct rkt_globals *g, const struct image_id *id, struct err *e);
