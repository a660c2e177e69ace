/* SPDX-License-Identifier: Apache-2.0
 * cgroup_io - the isolators resource/block-bandwidth and resource/block-iops, in a group's files
 *
 * "Applies to all block devices by default" (appc spec, spec/ace.md): so to each whole device that has a size when the
 * pod starts, for reading and writing alike. A limit is per device, as the kernel has them. Host side, with the heap.
 * Source: kernel Documentation/admin-guide/cgroup-v1/blkio-controller.rst and cgroup-v2.rst, "io.max".
 */
#pragma once

#include <stdbool.h>

#include "core/appc/isolator.h"
#include "core/base/err.h"

/** cgroup_put_io() - @dir: the group */
int cgroup_put_io(const char *dir, bool v2, const struct appc_limits *l, struct err *e);
