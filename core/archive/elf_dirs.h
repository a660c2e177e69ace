/* SPDX-License-Identifier: Apache-2.0
 * elf_dirs - where a dynamic loader looks for libraries that no search path in a file leads to
 */
#pragma once

#include <stdbool.h>

#include "core/archive/elf.h"

struct elf_dirs {
	struct elf_dir {
		char *path;     /* absolute */
		bool  builtin;  /* the loader looks there without being told by a file or a variable */
	} *v;
	size_t n;
};

/**
 * elf_dirs_find() - in the loader's order: what its configuration in @root_fd says, then what it knows by itself
 * @program: its interpreter says whose loader it is: musl's (/etc/ld-musl-ARCH.path) or glibc's (/etc/ld.so.conf)
 */
int elf_dirs_find(int root_fd, const struct elf *program, struct elf_dirs *out, struct err *e);
void elf_dirs_free(struct elf_dirs *d);

/** elf_is_musl() - has musl's loader, which is its C library as well */
bool elf_is_musl(const struct elf *program);
