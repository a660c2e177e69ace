/* SPDX-License-Identifier: Apache-2.0
 * side - an image to be compared: a file, the standard input, or a layout, which is packed as build would pack it
 */
#pragma once

#include "applets/passphrase.h"
#include "core/archive/listing.h"

/** side_read() - @name: "-" is the standard input; @f: findings about it. listing_free() either way. */
int side_read(const char *name, const struct passphrase_opts *o, struct listing *l, struct findings *f, struct err *e);
