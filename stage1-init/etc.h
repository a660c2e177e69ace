/* SPDX-License-Identifier: Apache-2.0
 * etc - the files of /etc that every app expects: hosts, hostname, resolv.conf, mtab
 *
 * What the image lacks is made in it, which is to say in what the app changes of it; the image stays as it is. What was
 * asked for by --dns and --hosts-entry is one file for all apps of the pod, and mounted over whatever the image and the
 * volumes have there, as rkt does it.
 * Source: rkt Documentation/networking/dns.md, "Precedence".
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/plan.h"
#include "stage1-init/rootfs.h"

/**
 * etc_open() - on the host side, after volume_open(): appends to the plan's mounts what shall be mounted
 * @modes: "resolv=MODE,hosts=MODE", as stage 0 says it; NULL: both are the default
 * @net_dns: the pod's networks have name servers, of which a file was written, and etc_resolv_wanted() is false
 */
int etc_open(struct plan *p, const char *modes, bool net_dns, int pod_fd, struct err *e);

/** etc_resolv_wanted() - whether @modes say something of resolv.conf, and be it that nobody shall */
bool etc_resolv_wanted(const char *modes);

/**
 * etc_fill() - in the app's process, before volumes are there: hosts, hostname and mtab, as far as the image has none
 * and lets us make them. Nobody is worse off than without them when that fails.
 */
void etc_fill(const struct plan *p, int root_fd);

/**
 * etc_mount_point() - in the app's process, for a mount of etc_open(): like root_mount_point(), but the name is ours:
 * a link that leads to no file, a FIFO or a socket which the image has there makes room. In a volume nothing does.
 */
int etc_mount_point(int root_fd, const char *path, const struct root_foreign *foreign, struct err *e);
