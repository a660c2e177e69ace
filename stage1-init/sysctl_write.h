/* SPDX-License-Identifier: Apache-2.0
 * sysctl_write - puts a value into /proc/sys for a pod, whoever its namespaces belong to
 *
 * Who may do that depends on the kernel: once the settings of an IPC namespace were changed by root of the host alone,
 * today (Linux 6.9, and 6.1 of Debian) by root of the user namespace that owns it alone. Those of a network take either.
 * No heap.
 */
#pragma once

#include <sys/types.h>

/**
 * sysctl_write() - in the pod's namespaces; -1/errno, ENOENT: this kernel has no such setting there
 * @proc_fd: a proc file system
 * @path: below sys/, as sysctl_path() gives it
 * @root: the pod's root, as the host sees it; 0: it has no users of its own
 */
int sysctl_write(int proc_fd, const char *path, const char *value, uid_t root);
