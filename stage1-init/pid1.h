/* SPDX-License-Identifier: Apache-2.0
 * pid1 - the pod's PID 1: starts the apps in order, reaps, stops, runs their event handlers
 */
#pragma once

#include "stage1-init/plan.h"

/**
 * pid1_main() - in the new namespaces, all signals blocked, the pod directory as current directory
 *
 * Ends with the pod's status: that of the first app that failed, 0 after a stop, 254 when it could
 * not be set up. Dies with the host side, however that ends.
 */
_Noreturn void pid1_main(struct plan *p);
