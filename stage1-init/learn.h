/* SPDX-License-Identifier: Apache-2.0
 * learn - which system calls the apps of a pod make, and isolators that allow just these
 *
 * In a pod that learns, each call that an app's filter lets through waits until it is written down here, and then goes
 * on; what the filter denies stays denied, and is not learnt.
 */
#pragma once

#include <stddef.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

struct learn;

struct learn *learn_new(const struct plan *p, struct err *e);
/** learn_take() - one call off the listener of an app */
void learn_take(struct learn *l, size_t app, int listener);
/**
 * learn_write() - the file: {"APP": [{"name": "os/linux/seccomp-retain-set", "value": {"set": [...]}}], ...}
 *
 * What the file says already is kept, and added to.
 */
int learn_write(const struct learn *l, const char *path, struct err *e);
