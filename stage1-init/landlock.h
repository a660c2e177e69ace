/* SPDX-License-Identifier: Apache-2.0
 * landlock - the isolator os/linux/landlock: files that an app may read, write and execute, and no others
 *
 * What is not named is denied with EACCES, to the app and to all that it starts, whatever their user. Descriptors that
 * are open already stay as they are. No heap.
 * Source: kernel Documentation/userspace-api/landlock.rst.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define LANDLOCK_READ    0x000cu /* READ_FILE, READ_DIR */
#define LANDLOCK_EXECUTE 0x0001u
#define LANDLOCK_WRITE   0x7ff2u /* WRITE_FILE, REMOVE_*, MAKE_*, REFER, TRUNCATE */

struct landlock_rule { const char *path; uint64_t access; };

/** landlock_known() - of all accesses, those that version @abi of the interface knows */
uint64_t landlock_known(int abi);

/**
 * landlock_restrict() - the calling process, for good
 * @handled: what is denied elsewhere
 * @root_fd: paths are inside of it, and links do not lead out
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. A path that is not there is an error.
 */
int landlock_restrict(uint64_t handled, const struct landlock_rule *rules, size_t n, int root_fd, struct err *e);
