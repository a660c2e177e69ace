/* SPDX-License-Identifier: Apache-2.0
 * uuid - random (version 4) UUIDs, RFC 4122
 */
#pragma once

#include <stdbool.h>

#define UUID_LEN 36

void uuid_new(char out[UUID_LEN + 1]);
/** uuid_ok() - canonical form, lower case */
bool uuid_ok(const char *s);
