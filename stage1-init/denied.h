/* SPDX-License-Identifier: Apache-2.0
 * denied - the seccomp listeners of a pod: answers them, and keeps the names of what was denied
 *
 * The file `denied` in the pod directory has a line "APP CALL COUNT" for each; it is written when a
 * call is denied for the first time and once more at the end. Nothing is allocated after
 * denied_new().
 */
#pragma once

#include <poll.h>
#include <stddef.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

struct denied;

struct learn;
/** denied_new() - @learn: what is to be told of each call instead, or NULL */
struct denied *denied_new(const struct plan *p, int pod_fd, struct learn *learn, struct err *e);
/** denied_add() - takes @listener */
void denied_add(struct denied *d, size_t app, int listener);
size_t denied_n_polls(const struct denied *d);
size_t denied_polls(const struct denied *d, struct pollfd *p);
void denied_handle(struct denied *d, const struct pollfd *p, size_t n);
/** denied_write() - the file, if anything was denied */
void denied_write(struct denied *d);
