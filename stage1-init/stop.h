/* SPDX-License-Identifier: Apache-2.0
 * stop - the entry points stop and gc: ending a pod, and giving back what it had of the host
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"

/**
 * stop_pod() - asks the PID 1 of the pod in the current directory to stop its apps (@force: kills
 * it), and waits until the pod's lock is free
 *
 * The process is only signalled while the pod's lock is held, so it cannot be a stranger that got
 * its number. 0 also when the pod does not run any more. Errors: ETIMEDOUT: it has been asked, and goes on.
 */
int stop_pod(const char *uuid, bool force, struct err *e);

/**
 * stop_collect() - cgroups and networks of the pod in the current directory; EBUSY while it runs
 * @system, @local: configuration directories, for network plug-ins
 */
int stop_collect(const char *uuid, const char *system, const char *local, struct err *e);
