/* SPDX-License-Identifier: Apache-2.0
 * exec32 - whether this kernel executes programs of the 32-bit architecture that belongs to ours, see probe.h
 *
 * By executing one, which does nothing but end: there is no other way to know. The smallest that there is: headers,
 * and exit(0).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/probe.h"

#if defined(__x86_64__)
#define MACHINE EM_386
#define FLAGS   0
/* mov $1, %eax; xor %ebx, %ebx; int $0x80 */
static const uint8_t code[] = { 0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80 };
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define MACHINE EM_ARM
#define FLAGS   EF_ARM_EABI_VER5
/* mov r0, #0; mov r7, #1; svc 0 */
static const uint8_t code[] = { 0, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef };
#endif

#ifdef MACHINE
#define BASE 0x10000
#define HEAD (sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr))

static int run_one(struct host_probe *p)
{
	const struct {
		Elf32_Ehdr e;
		Elf32_Phdr p;
	} head = {
		.e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		       .e_type = ET_EXEC, .e_machine = MACHINE, .e_version = EV_CURRENT, .e_entry = BASE + HEAD,
		       .e_phoff = sizeof(Elf32_Ehdr), .e_flags = FLAGS, .e_ehsize = sizeof(Elf32_Ehdr),
		       .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1 },
		.p = { .p_type = PT_LOAD, .p_vaddr = BASE, .p_paddr = BASE, .p_filesz = HEAD + sizeof(code),
		       .p_memsz = HEAD + sizeof(code), .p_flags = PF_R | PF_X, .p_align = 0x1000 },
	};
	char *const none[] = { NULL };
	auto_close int fd = (int)syscall(SYS_memfd_create, "rkt-doctor", MFD_CLOEXEC);

	(void)p;
	if (fd < 0 || fd_write_all(fd, &head, sizeof(head)) < 0 || fd_write_all(fd, code, sizeof(code)) < 0)
		return -1;
	return (int)syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
}

int probe_exec32(struct host_probe *p)
{
	if (probe_fork(p, run_one) == 0)
		return 0;
	if (errno == ENOEXEC || errno == ECHILD)
		return probe_say(p, HOST_MISSING, "a program for it is not executed");
	return -1;
}
#else
int probe_exec32(struct host_probe *p)
{
	return probe_say(p, HOST_MISSING, "no 32-bit architecture belongs to this one");
}
#endif
