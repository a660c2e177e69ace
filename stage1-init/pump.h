/* SPDX-License-Identifier: Apache-2.0
 * pump - what the apps write, to our own stdout and stderr and into log files; a terminal, in both
 * directions
 *
 * Everything is allocated by pump_new(); from then on nothing is. A reader of our stdout that is
 * slow holds up the apps that write there, and nothing else: signals are still handled.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

#define LOG_MAX (4u << 20) /* bytes in logs/APP before it becomes logs/APP.1 */

struct pump;

/**
 * pump_new() - makes the pipes, whose write ends go into the plan's apps
 * @pod_fd: the pod directory, where logs/APP comes to be with the first thing that APP writes; borrowed. -1: no logs
 * @prefix: lines carry up-time, app and pid
 */
struct pump *pump_new(struct plan *p, int pod_fd, bool prefix, struct err *e);

/** pump_child() - in PID 1: closes the ends that are not the pod's */
void pump_child(struct pump *m);
/** pump_parent() - on the host side: closes the ends that are */
void pump_parent(struct pump *m, struct plan *p);

/** pump_terminal() - the master side of the app's terminal arrived: ours goes raw; takes @master */
void pump_terminal(struct pump *m, int master);
void pump_resized(struct pump *m);

void pump_started(struct pump *m, size_t app, pid_t pid);

/** pump_polls() - what to wait for: at most pump_n_polls() entries */
size_t pump_n_polls(const struct pump *m);
size_t pump_polls(struct pump *m, struct pollfd *p);
/** pump_handle() - the same array, after poll() */
void pump_handle(struct pump *m, const struct pollfd *p, size_t n);

/** pump_pod_ended() - nobody writes any more: what the pipes hold is all there will be */
void pump_pod_ended(struct pump *m);
/** pump_done() - everything was passed on */
bool pump_done(const struct pump *m);

/** pump_restore() - gives the terminal back as it was */
void pump_restore(struct pump *m);
