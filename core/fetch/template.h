/* SPDX-License-Identifier: Apache-2.0
 * template - URI templates, as pages of image discovery have them
 *
 * All of RFC 6570 that texts need: its operators, lists of variables, and prefixes ({var:3}); "*" means nothing for
 * texts. Two things are as the appc specification has them. {var} keeps whatever may stand in a URL's path, since a
 * name has slashes, where the RFC would write them as %2F ({+var} keeps "?" and "#" as well). And a template with a
 * variable that has no value is not for this image, where the RFC would leave the variable out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

#define TEMPLATE_URL_MAX 8192u /* longer ones no server takes */

/** @name, @len: of a variable; NULL: it has no value */
typedef const char *template_value(void *ctx, const char *name, size_t len);

/**
 * template_expand() - appends the URL
 *
 * False: a variable without a value, or malformed, or too long; then @out holds nothing of use.
 */
bool template_expand(const char *tmpl, template_value *value, void *ctx, struct buf *out);
