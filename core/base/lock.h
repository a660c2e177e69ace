/* SPDX-License-Identifier: Apache-2.0
 * lock - advisory whole-file locks (flock(2)) on directories and files
 *
 * A lock lives as long as any descriptor that shares the open file description, so it can be left to an
 * exec'd program and dies with the last process that holds it, however it dies.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/** lock_wait() - blocks; restarts on signals; -1 and *e on anything else */
int lock_wait(int fd, enum lock_mode mode, struct err *e);

/** lock_try() - 1 taken, 0 held by somebody else, -1 and *e */
int lock_try(int fd, enum lock_mode mode, struct err *e);

void lock_drop(int fd);
