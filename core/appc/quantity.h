/* SPDX-License-Identifier: Apache-2.0
 * quantity - an amount in an isolator: a string with a suffix, or a plain number
 *
 * Internal to core/appc.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdint.h>

#include "core/base/err.h"

/** quantity_read() - as num_quantity(); -1 and EINVAL or ERANGE in *e */
int quantity_read(const cJSON *j, uint64_t scale, int64_t *out, struct err *e);
