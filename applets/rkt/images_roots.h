/* SPDX-License-Identifier: Apache-2.0
 * images_roots - which pods stand on which images, for whoever takes images or roots away
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/pod/pod.h"
#include "core/store/store.h"

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
