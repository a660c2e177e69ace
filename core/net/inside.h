/* SPDX-License-Identifier: Apache-2.0
 * inside - something done in a pod's network namespace, by the calling thread, which is back in its own afterwards
 */
#pragma once

#include "core/base/err.h"

/**
 * inside_call() - @fn in the network namespace @netns_fd; returns what it returns, or -1
 *
 * Sockets that it opens belong to that namespace for good, and so does what it opens below /proc/sys/net. It must not
 * end the thread. Should there be no way back the process is aborted: to go on in the wrong namespace would hand the
 * host's network to the pod.
 */
int inside_call(int netns_fd, int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e);

/**
 * inside_sysctl() - writes @value to /proc/sys/net/@path in the caller's namespace, unless it is there already
 * Errors: ENOENT where the kernel has no such setting (no IPv6).
 */
int inside_sysctl(const char *path, const char *value, struct err *e);
