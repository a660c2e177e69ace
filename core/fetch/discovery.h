/* SPDX-License-Identifier: Apache-2.0
 * discovery - from the name of an image to the URLs of the image, its signature, and the keys
 *
 * https://NAME?ac-discovery=1 is a page whose meta tags hold templates of URLs. When it cannot be fetched, or has
 * none that fits, the name's parent is asked, up to the host. Pages are fetched by the caller's function: nothing
 * here knows of the network.
 * Source: appc spec 0.8.11, spec/discovery.md. Not said there, but as its reference does it: an image without a
 * version is version "latest"; a prefix is one of bytes, not of path components; all templates count that have no
 * variable without a label. In which order they are tried is the client's choice: the more labels a template has, the
 * less likely it leads to another image. "Simple discovery", URLs made of the name alone, went with version 0.8.0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/appc/manifest.h"
#include "core/archive/source.h"

#define DISCOVERY_PAGE_MAX (1u << 20) /* what stands behind this in a page is not looked at */
#define DISCOVERY_PARTS_MAX 32u      /* of a name: so many pages are asked for at most */
#define DISCOVERY_URLS_MAX  64u      /* of images, and of keys, that are taken from a page */

struct discovery_image { char *aci, *asc; size_t n_labels; }; /* of any scheme; @n_labels: were put in */
struct discovery_failure { char *prefix, *why; };

/* zero-initialise */
struct discovery {
	struct discovery_image   *images; /* those with most labels first, otherwise in the order of the page */
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
 * Keys need not be found. -1: no image was (ENOENT), though keys may have been; EINVAL; ENOMEM. @d has what was tried
 * and why it was no help. discovery_free() either way.
 * What image_name_read() makes of "example.com/app:1.0" are @name and @labels; whether an image is that one, which has
 * to be asked of every image that is found like this, image_name_match() knows.
 */
int discovery_find(const char *name, const struct appc_pairs *labels, const struct discovery_opts *o,
		   struct discovery *d, struct err *e);

/**
 * discovery_render() - the URL that a template stands for
 * @ext: "aci" or "aci.asc"
 * @n_labels: receives how many different labels were put in
 *
 * False: the template has none of @ext, or something that there is no label for, or is malformed; then @out holds
 * nothing of use. See template.h.
 */
bool discovery_render(const char *tmpl, const char *name, const struct appc_pairs *labels, const char *ext,
		      struct buf *out, size_t *n_labels);
