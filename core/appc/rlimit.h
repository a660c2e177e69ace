/* SPDX-License-Identifier: Apache-2.0
 * rlimit - names of resource limits as the isolator os/unix/rlimits writes them: "nofile" for RLIMIT_NOFILE
 */
#pragma once

/** appc_rlimit_number() - -1: no such limit; appc_rlimit_name() - NULL: no such number */
int appc_rlimit_number(const char *name);
const char *appc_rlimit_name(int number);
