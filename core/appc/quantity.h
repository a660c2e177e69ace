/* SPDX-License-Identifier: Apache-2.0
 * quantity - an amount in an isolator: a string with a suffix, or a plain number
 *
 * Internal to core/appc.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdint.h>

#include "core/base/err.h"

/**
 * quantity_read() - as num_quantity(), but JSON numbers are read as well, and what is too large to be counted reads as
 * INT64_MAX, which limits nothing; -1 and EINVAL in *e
 */
int quantity_read(const cJSON *j, uint64_t scale, int64_t *out, struct err *e);
