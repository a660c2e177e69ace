/* SPDX-License-Identifier: Apache-2.0
 * discovery - from the name of an image to the URLs of the image, its signature, and the keys
 *
 * https://NAME?ac-discovery=1 is a page whose meta tags hold templates of URLs. When it cannot be fetched, or has
 * none that fits, the name's parent is asked, up to the host. Pages are fetched by the caller's function: nothing
 * here knows of the network.
 * Source: appc spec, spec/discovery.md. Not said there, but as its reference does it: an image without a version is
 * version "latest" where no template does without one; a prefix is one of bytes, not of path components.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/appc/manifest.h"
#include "core/archive/source.h"

#define DISCOVERY_PAGE_MAX (1u << 20) /* what stands behind this in a page is not looked at */

struct discovery_image { char *aci, *asc; };
struct discovery_failure { char *prefix, *why; };

/* zero-initialise */
struct discovery {
	struct discovery_image   *images; /* in the order of the page */
	size_t                    n_images;
	struct appc_strings       keys;
	struct discovery_failure *failures; /* names that were asked for images in vain, longest first */
	size_t                    n_failures;
};
void discovery_free(struct discovery *d);

/**
 * discovery_page() - what one page says
 * @name, @labels: of the image; @html: any bytes
 * Adds to @d->images and @d->keys. -1 only for ENOMEM.
 */
int discovery_page(const char *html, size_t len, const char *name, const struct appc_pairs *labels,
		   struct discovery *d, struct err *e);

struct discovery_opts {
	unsigned port; /* of the host; 0: the scheme's own */
	bool     http; /* ask by http where https fails */
	void    *ctx;
	struct source *(*open)(void *ctx, const char *url, struct err *e);
};

/**
 * discovery_find() - asks for the name and its parents until images and keys are known, or all were asked
 *
 * Keys need not be found. -1: no image was (ENOENT), or ENOMEM; @d has what failed. discovery_free() either way.
 */
int discovery_find(const char *name, const struct appc_pairs *labels, const struct discovery_opts *o,
		   struct discovery *d, struct err *e);

/**
 * discovery_render() - the URL that a template stands for
 * @ext: "aci" or "aci.asc"
 * @n_labels: receives how many different labels were put in
 *
 * What a URL's path cannot have is written as %XX. False: the template has none of @ext, or something that there is
 * no label for, or is malformed; then @out holds nothing of use.
 */
bool discovery_render(const char *tmpl, const char *name, const struct appc_pairs *labels, const char *ext,
		      struct buf *out, size_t *n_labels);
