/* SPDX-License-Identifier: Apache-2.0
 * enter_label - the label that a security module (AppArmor, SELinux, Smack) has put on a process
 */
#pragma once

#include <sys/types.h>

#include "core/base/err.h"

#define LABEL_MAX 4096 /* the kernel's: a page */

/** label_read() - of a process; "" where no module labels processes */
int label_read(pid_t pid, char out[LABEL_MAX], struct err *e);

/** label_for_exec() - the next program that the caller executes gets the label, unless it has it already
 *
 * By the host's /proc, as long as that can be seen. */
int label_for_exec(const char *label, struct err *e);
