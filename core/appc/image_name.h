/* SPDX-License-Identifier: Apache-2.0
 * image_name - an image as people ask for it: "example.com/app:1.0,os=linux"
 */
#pragma once

#include "core/appc/manifest.h"

/**
 * image_name_parse() - cuts NAME[:VERSION][,LABEL=VALUE]... up, in place: @text is the name then
 * @labels: receives version and labels; appc_pairs_clear() it either way
 *
 * Errors: EINVAL, with the reason.
 */
int image_name_parse(char *text, struct appc_pairs *labels, struct err *e);

/* the same for whoever has to find the image somewhere else: zero-initialise */
struct image_name {
	char             *name;
	struct appc_pairs labels;  /* those in the text; behind them os and arch of this machine, unless it has them */
	size_t            n_asked; /* those in the text */
};
/** image_name_here() - adds what it lacks of this machine's os and arch */
int image_name_here(struct image_name *n, struct err *e);
int image_name_read(const char *text, struct image_name *n, struct err *e); /* free it either way */
void image_name_free(struct image_name *n);

/**
 * image_name_match() - whether an image is the one that was asked for
 *
 * Its name has to be the same, and it has to have each label that was asked for with this value; any other labels are
 * fine, but not the os or arch of another machine. An image without os and arch is for any.
 * ENOENT: it is not; the text says what was asked for, and what it is.
 * Source: appc spec, spec/discovery.md, "Validation".
 */
int image_name_match(const struct image_name *n, const struct image_manifest *m, struct err *e);
