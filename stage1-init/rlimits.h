/* SPDX-License-Identifier: Apache-2.0
 * rlimits - the isolator os/unix/rlimits, put on a process in two steps: no heap
 *
 * Raising a hard limit takes CAP_SYS_RESOURCE, which the app may not keep; and a low limit must not hit us on the way
 * (a filter's listener is a descriptor, too). So hard limits are raised early, and everything is lowered last.
 */
#pragma once

#include "core/appc/isolator.h"
#include "core/base/err.h"
#include "stage1-init/seccomp.h"

/** rlimits_raise() - before privileges go; @l: APPC_RLIMITS of them */
int rlimits_raise(const struct appc_rlimit *l, struct err *e);

/** rlimits_set() - as they are asked for; the process has @filter already */
int rlimits_set(const struct appc_rlimit *l, const struct seccomp_prog *filter, struct err *e);
