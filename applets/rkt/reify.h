/* SPDX-License-Identifier: Apache-2.0
 * reify - from what was asked for to a complete pod manifest: images resolved to IDs, every app spelled out,
 * every mount point satisfied by a volume
 *
 * Source: appc spec, spec/pods.md ("fully resolved before execution"); rkt Documentation/subcommands/run.md.
 */
#pragma once

#include "applets/rkt/podopts.h"
#include "core/appc/manifest.h"
#include "core/store/render.h"

/* what stage 0 needs to know about each app's image besides the pod manifest; same order as its apps */
struct reified_image {
	struct image_id id;
	struct render_id root; /* for prepare_pod: what its root file system is */
	char           *text; /* the image manifest as it is in the archive */
	size_t          text_len;
};

/* an implicit empty volume that begins as what the image has at @path */
struct reified_fill {
	char  *volume, *path;
	size_t image; /* in images */
};

struct reified {
	struct pod_manifest   pod;
	struct reified_image *images;
	size_t                n_images;
	struct reified_fill  *fills;
	size_t                n_fills;
};

/** reify() - from the command line (or the file of --pod-manifest); fetches images; reified_free() it either way */
int reify(struct store *st, const struct rkt_globals *g, const struct podopts *o, struct reified *out, struct err *e);
void reified_free(struct reified *r);
