/* SPDX-License-Identifier: Apache-2.0
 * elf - what a program or library says of itself: for which machine it is, and what it needs to be started
 *
 * For files of any class, byte order and machine, and any bytes at all: every number is checked against the file before
 * it is used, and what is kept is bounded. Section headers, which may be stripped, are not looked at.
 * Source: System V ABI, "Object Files" and "Program Loading and Dynamic Linking".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define ELF_SEGMENTS_MAX 256u
#define ELF_NEEDED_MAX   1024u
#define ELF_STRING_MAX   4095u       /* of a name or a search path */
#define ELF_DYNAMIC_MAX  (1u << 20)  /* bytes of the dynamic section */

struct elf {
	bool     is_64, big_endian;
	uint8_t  os_abi;
	uint16_t type, machine;
	bool     executable;  /* ET_EXEC or ET_DYN: can be started or linked with */
	bool     dynamic;     /* has a dynamic section */
	char    *interpreter; /* NULL: none, so the kernel starts it alone */
	char   **needed;
	size_t   n_needed;
	char    *rpath, *runpath; /* NULL: not said */
};

/** elf_read() - @fd: a regular file, read by position. EINVAL: "is no ELF file", or what is wrong with it */
int elf_read(int fd, struct elf *out, struct err *e);
void elf_free(struct elf *f);

/** elf_same_machine() - can be in one process */
bool elf_same_machine(const struct elf *a, const struct elf *b);

/** elf_arch() - the arch label of images for it; NULL: the spec and this program have none */
const char *elf_arch(const struct elf *f);

/** elf_is_linux() - made for Linux, or for no system in particular */
bool elf_is_linux(const struct elf *f);

/** elf_triplet() - "x86_64-linux-gnu": how Debian calls directories of its libraries; NULL: not known */
const char *elf_triplet(const struct elf *f);
