/* SPDX-License-Identifier: Apache-2.0
 * utf8 - the well-formedness of RFC 3629 (no overlong forms, no surrogates, up to U+10FFFF)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** utf8_len() - bytes of the character at @s, or 0 when it is malformed or cut off at @len */
size_t utf8_len(const char *s, size_t len);

/** utf8_bad() - offset of the first malformed byte, or @len when all is well */
size_t utf8_bad(const char *s, size_t len);

/** utf8_is_control() - C0, DEL, C1 and the bidirectional overrides, for one well-formed character */
bool utf8_is_control(const char *s, size_t n);
