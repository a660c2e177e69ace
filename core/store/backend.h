/* SPDX-License-Identifier: Apache-2.0
 * backend - how root file systems are made here: mounted from files, mounted from loop devices, or unpacked
 *
 * What works is tried out, once, on the store's own file system, with an index and an archive of a few blocks; kernel
 * versions and file system names are not asked, since both lie. The answer is kept in cas/backend together with what it
 * depends on: kernel and boot, the store's file system and device, and our privileges.
 */
#pragma once

#include "core/store/render.h"

/** backend_choose() - what is forced, else what is known, else what a probe says; @fresh: probe in any case */
int backend_choose(struct store *st, bool fresh, struct render_backend *out, struct err *e);
