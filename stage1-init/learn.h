/* SPDX-License-Identifier: Apache-2.0
 * learn - which system calls the apps of a pod make, which capabilities they use, and isolators that allow just these
 *
 * In a pod that learns, each call that an app's filter lets through waits until it is written down here, and then goes
 * on; what the filter denies stays denied, and is not learnt. Of capabilities the kernel tells (core/host/capwatch.h).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

struct learn;

struct learn *learn_new(const struct plan *p, struct err *e);
/**
 * learn_begin() - the pod's PID 1 is there
 * @say: told why capabilities are not learnt, if they are not
 */
void learn_begin(struct learn *l, pid_t pid1, void (*say)(const struct err *e));
/** learn_take() - one call off the listener of an app; no heap */
void learn_take(struct learn *l, size_t app, int listener);
/** learn_write() - the file, see learn_file.h */
int learn_write(const struct learn *l, const char *path, void (*say)(const struct err *e), struct err *e);
