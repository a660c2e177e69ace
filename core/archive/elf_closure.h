/* SPDX-License-Identifier: Apache-2.0
 * elf_closure - a program with all that its loader will look for: the interpreter and the libraries, and what these need
 *
 * Found as the loader finds it, by reading and never by running anything: by DT_RPATH and DT_RUNPATH with $ORIGIN, then
 * in the directories of elf_dirs.h. Links are followed inside the root; a library for another machine is passed over.
 * Not seen is what a program opens by name while it runs (dlopen: plug-ins, glibc's name services).
 */
#pragma once

#include "core/archive/elf.h"

#define ELF_OBJECTS_MAX 500u /* each has a descriptor */

struct elf_object {
	char *path;      /* in the image, absolute and normalised: where the loader will look for it there */
	char *found;     /* where it was found, for messages and $ORIGIN: below the root, or the program's own path */
	int   fd;
	int   origin_fd; /* the directory that `found` is in, for $ORIGIN; borrowed: root_fd or host_fd of the closure */
	size_t parent;   /* who needed it first; the program is its own */
	struct elf elf;
};

struct elf_closure {
	struct elf_object *v; /* the program first, then in the order in which they were found */
	size_t             n;
	char              *library_path; /* directories that the loader only knows from a configuration that is not in the
					    image, with ":" between; NULL: none */
};

/**
 * elf_closure_find() - @program_fd is taken over, also on failure
 * @root_fd: where interpreter, libraries and loader's configuration lie
 * @origin_fd, @found: the program's own place, an absolute path below the directory
 * @path: where the program will be in the image
 *
 * Errors name the library and who needs it.
 */
int elf_closure_find(int root_fd, int program_fd, int origin_fd, const char *found, const char *path,
		     struct elf_closure *out, struct err *e);
void elf_closure_free(struct elf_closure *c);
