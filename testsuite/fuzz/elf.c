/* SPDX-License-Identifier: Apache-2.0
 * elf - any bytes as a program: refused with a reason, or read into something that keeps to its bounds
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/archive/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *s)
{
	if (s && strlen(s) > ELF_STRING_MAX)
		abort();
}

static void check(const struct elf *f)
{
	if (f->n_needed > ELF_NEEDED_MAX || (f->interpreter && f->interpreter[0] != '/'))
		abort();
	for (size_t i = 0; i < f->n_needed; i++) {
		if (!*f->needed[i])
			abort();
		check_text(f->needed[i]);
	}
	check_text(f->interpreter);
	check_text(f->rpath);
	check_text(f->runpath);
	if (elf_arch(f) && !elf_same_machine(f, f))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct elf f;
	struct err e = { .msg = "" };

	if (fd < 0)
		fd = memfd_create("elf", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	if (elf_read(fd, &f, &e) < 0) {
		if (!e.msg[0] || f.needed || f.interpreter)
			abort();
		return 0;
	}
	check(&f);
	elf_free(&f);
	return 0;
}
