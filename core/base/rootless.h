/* SPDX-License-Identifier: Apache-2.0
 * rootless - being root of a user namespace of one's own, for users who are not root of the host
 *
 * A user is root there, and without help nobody else: the kernel lets him map his own user and group, nothing more. Where
 * /etc/subuid and /etc/subgid give him ranges and newuidmap and newgidmap are installed, these are the others' ids.
 * Source: user_namespaces(7), subuid(5), newuidmap(1).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"

/** rootless_is_user() - this program was not started by root; also afterwards, as root of a namespace. No system call. */
bool rootless_is_user(void);

/** rootless_enter() - new user and mount namespaces, of which this process, of one thread, is root; ids are mapped */
int rootless_enter(struct err *e);

/** rootless_join() - the user namespace of process @pid, which rootless_enter() made in another one of our processes */
int rootless_join(pid_t pid, struct err *e);

/** rootless_has_ranges() - whether rootless_enter() would map ranges for that user; -1: *e says what is lacking */
int rootless_has_ranges(uid_t uid, struct err *e);

/** rootless_range() - @text is that of /etc/subuid or subgid: the first range for user @name or @uid; false: there is none */
bool rootless_range(char *text, const char *name, uid_t uid, unsigned long *first, unsigned long *n);
