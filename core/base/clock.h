/* SPDX-License-Identifier: Apache-2.0
 * clock - milliseconds of clocks that nobody sets, for limits of time
 */
#pragma once

#include <stdint.h>
#include <time.h>

/** clock_ms() - CLOCK_MONOTONIC; CLOCK_BOOTTIME where the time that the machine sleeps counts as well */
static inline int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
