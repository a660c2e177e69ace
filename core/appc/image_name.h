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
