/* SPDX-License-Identifier: Apache-2.0
 * syscalls - system calls by name and by number, and the groups that seccomp sets name with a wildcard
 *
 * The names are those of all architectures that the program is built for, the numbers are this one's. The table is
 * made by syscalls.py from syscalls.txt and the C library's headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSCALLS_MAX 512 /* numbers from here on are private ones of ARM, which no filter denies */

/* bit N: the call with the number N */
struct syscall_set { uint64_t bits[SYSCALLS_MAX / 64]; };

bool syscall_set_has(const struct syscall_set *s, unsigned nr);
void syscall_set_add(struct syscall_set *s, unsigned nr);

#define SYSCALL_ELSEWHERE (-1) /* other architectures have it */
#define SYSCALL_UNKNOWN   (-2)
/** syscall_number() - "mount" -> its number here, or one of the above */
int syscall_number(const char *name);
/** syscall_name() - into @out, SYSCALL_NAME_SIZE bytes; false: no call of this architecture */
#define SYSCALL_NAME_SIZE 40
bool syscall_name(int nr, char *out);

/** syscall_group() - adds the calls of "@docker/default-whitelist"; false: no such group. *absent (or NULL) counts
 * those that this architecture lacks */
bool syscall_group(const char *name, struct syscall_set *s, size_t *absent);
