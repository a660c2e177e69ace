/* SPDX-License-Identifier: Apache-2.0
 * glob - patterns over paths
 *
 * "*" and "?" stand for any characters but "/", "**" for any at all, "[a-z]" and "[!a-z]" for one, and "\\" takes the
 * meaning from what follows. All of it is about bytes: what fnmatch() does with those that are no text of the locale
 * depends on the C library, and an image must not.
 */
#pragma once

#include <stdbool.h>

/** glob_ok() - every "[" has its "]" */
bool glob_ok(const char *glob);
/** glob_match() - the whole of @text; @glob is ok */
bool glob_match(const char *glob, const char *text);
