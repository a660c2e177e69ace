/* SPDX-License-Identifier: Apache-2.0
 * syscalls - system calls by name and by number, and the groups that seccomp sets name with a wildcard
 *
 * A call is known by its name: it is the place of that in one list of the names of all architectures (CALL_mount ...).
 * What is not about numbers is so the same for all of them. The tables are made by syscalls.py from syscalls.txt and
 * the C library's headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/syscall_list.h"

/* bit I: the call I */
struct syscall_set { uint64_t bits[(N_CALLS + 63) / 64]; };

bool syscall_set_has(const struct syscall_set *s, unsigned call);
void syscall_set_add(struct syscall_set *s, unsigned call);

/** syscall_find() - "mount" -> CALL_mount, or -1 */
int syscall_find(const char *name);
/** syscall_name() - into @out, SYSCALL_NAME_SIZE bytes */
#define SYSCALL_NAME_SIZE 40
void syscall_name(unsigned call, char *out);
/** syscall_group() - adds the calls of "@docker/default-whitelist"; false: no such group */
bool syscall_group(const char *name, struct syscall_set *s);

/* what is not referred to the linker leaves out */
struct syscall_arch {
	uint32_t        audit; /* AUDIT_ARCH_*, as seccomp tells it apart */
	const char     *label; /* of its images; NUL-separated, ends with an empty one */
	const uint16_t *numbers;
};
extern const struct syscall_arch syscall_x86_64, syscall_i386, syscall_aarch64, syscall_arm, syscall_riscv64;

/** SYSCALL_ARCHES - that this machine can run: ours, and the other one, which may be NULL */
#define SYSCALL_ARCHES 2
extern const struct syscall_arch *const syscall_arches[SYSCALL_ARCHES];

/** syscall_arch_of() - among them, by AUDIT_ARCH_*; syscall_arch_labelled() - by the label of an image; NULL: none */
const struct syscall_arch *syscall_arch_of(uint32_t audit);
const struct syscall_arch *syscall_arch_labelled(const char *label);

/** syscall_number() - CALL_mount -> its number there, or -1; private calls of ARM are from 0xf0001 on */
int syscall_number(const struct syscall_arch *a, unsigned call);
/** syscall_at() - the other way round; of two names the first */
int syscall_at(const struct syscall_arch *a, int nr);
