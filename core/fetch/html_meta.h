/* SPDX-License-Identifier: Apache-2.0
 * html_meta - the meta tags of a page of HTML, and nothing else of it
 *
 * Tags are found as browsers find them: not in comments, nor in what scripts, styles and the like contain; names are
 * in any case, values quoted or not, and of two attributes of one name the first counts. Nothing a page holds is an
 * error: what is no tag is text.
 * A page is UTF-8, or anything else that has ASCII for its first half; with a byte order mark it may be UTF-16.
 * Source: HTML Living Standard, "Tokenization", as far as it matters to who only looks for tags. Of the named character
 * references those are known that stand for ASCII: others have no place in a URL.
 */
#pragma once

#include <stddef.h>

#include "core/base/err.h"

/** @name, @content: the attributes, with character references resolved; 0 to go on, -1 with *e to end it */
typedef int html_meta_tag(void *ctx, const char *name, const char *content, struct err *e);

/** html_meta() - calls @fn for each meta tag that has both attributes, in order; -1: @fn's error, or ENOMEM */
int html_meta(const char *html, size_t len, html_meta_tag *fn, void *ctx, struct err *e);
