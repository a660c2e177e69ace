/* SPDX-License-Identifier: Apache-2.0
 * devices - which device nodes the apps of a pod can use
 *
 * Every mount of an app is nodev but for the bound nodes in /dev and for volumes that are devices. An app can make nodes
 * (CAP_MKNOD is in the default set), and an image or a volume can bring some, but none of these can be opened. This is
 * the whole defence of a default start, and it costs nothing. --disable-paths switches all of it off, as in rkt.
 *
 * It does not hold for an app that keeps CAP_SYS_ADMIN, with which it can mount a file system without nodev. And a
 * read-only mount does not keep anybody from writing to a device. So if an app of a pod keeps that capability, or has a
 * device as volume, a cgroup lets the pod's apps open nothing but the nodes of /dev, terminals, and the devices that
 * are volumes, for writing only those that are not read-only; and make none. Its rules stand on the pod's group, one above
 * the root of the apps' cgroup namespaces, where CAP_SYS_ADMIN does not reach.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

/** devices_wanted() - whether nodev alone does not hold; after volume_open() */
bool devices_wanted(const struct plan *p);

/** devices_limit() - the new group at @dir gets what app @a may use, NULL: what some app of the pod may */
int devices_limit(const struct plan *p, const struct plan_app *a, const char *dir, bool v2, struct err *e);
