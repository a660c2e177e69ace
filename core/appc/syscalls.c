/* SPDX-License-Identifier: Apache-2.0
 * syscalls - see syscalls.h
 */
#include "core/appc/syscalls.h"

#include <string.h>

#include <linux/audit.h>

struct group {
	const char *name;
	uint8_t     members[(N_CALLS + 7) / 8]; /* bit I: the call I */
};

#include "core/appc/syscall_table.h"

#define ABSENT       0xffff
#define PRIVATE      0xf000 /* as the table has them, and */
#define PRIVATE_BASE 0xf0000

_Static_assert(NAME_MAX_LEN < SYSCALL_NAME_SIZE, "no room for the longest name");

/* older headers lack some */
#define EM_RISCV_ 243
#define ARCH(audit, labels, name) \
	const struct syscall_arch syscall_##name = { audit, labels "\0", numbers_##name }

ARCH(AUDIT_ARCH_X86_64, "amd64", x86_64);
ARCH(AUDIT_ARCH_I386, "i386", i386);
ARCH(AUDIT_ARCH_AARCH64, "aarch64", aarch64);
ARCH(AUDIT_ARCH_ARM, "armv7l\0armv6l", arm);
ARCH(EM_RISCV_ | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE, "riscv64", riscv64);

const struct syscall_arch *const syscall_arches[SYSCALL_ARCHES] = {
#if defined(__x86_64__)
	&syscall_x86_64, &syscall_i386,
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
	&syscall_aarch64, &syscall_arm,
#elif defined(__i386__)
	&syscall_i386,
#elif defined(__arm__) && !defined(__ARMEB__)
	&syscall_arm,
#elif defined(__riscv) && __riscv_xlen == 64
	&syscall_riscv64,
#endif
};

const struct syscall_arch *syscall_arch_of(uint32_t audit)
{
	for (size_t i = 0; i < SYSCALL_ARCHES; i++)
		if (syscall_arches[i] && syscall_arches[i]->audit == audit)
			return syscall_arches[i];
	return NULL;
}

const struct syscall_arch *syscall_arch_labelled(const char *label)
{
	for (size_t i = 0; label && i < SYSCALL_ARCHES && syscall_arches[i]; i++)
		for (const char *l = syscall_arches[i]->label; *l; l += strlen(l) + 1)
			if (!strcmp(l, label))
				return syscall_arches[i];
	return NULL;
}

bool syscall_set_has(const struct syscall_set *s, unsigned call)
{
	return call < N_CALLS && s->bits[call / 64] >> call % 64 & 1;
}

void syscall_set_add(struct syscall_set *s, unsigned call)
{
	if (call < N_CALLS)
		s->bits[call / 64] |= UINT64_C(1) << call % 64;
}

int syscall_number(const struct syscall_arch *a, unsigned call)
{
	uint16_t nr = a->numbers[call];

	if (nr == ABSENT)
		return -1;
	return nr < PRIVATE ? nr : nr - PRIVATE + PRIVATE_BASE;
}

int syscall_at(const struct syscall_arch *a, int nr)
{
	for (unsigned call = 0; nr >= 0 && call < N_CALLS; call++)
		if (syscall_number(a, call) == nr)
			return (int)call;
	return -1;
}

/* the names one after the other; each is made of the one before */
struct walk {
	const char *p;
	char        name[NAME_MAX_LEN + 1];
};

static const char *next_name(struct walk *w)
{
	size_t same = (unsigned char)*w->p++, n = strlen(w->p) + 1;

	memcpy(w->name + same, w->p, n);
	w->p += n;
	return w->name;
}

int syscall_find(const char *name)
{
	struct walk w = { .p = names };

	for (int call = 0; call < N_CALLS; call++)
		if (!strcmp(next_name(&w), name))
			return call;
	return -1;
}

void syscall_name(unsigned call, char *out)
{
	struct walk w = { .p = names };

	for (unsigned i = 0; call < N_CALLS && i <= call; i++)
		next_name(&w);
	memcpy(out, w.name, sizeof(w.name)); /* of none: empty */
}

bool syscall_group(const char *name, struct syscall_set *s)
{
	size_t i = 0;

	/* systemd's name for what rkt calls its whitelist */
	if (!strcmp(name, "@systemd/default"))
		name = "@systemd/default-whitelist";
	while (i < sizeof(groups) / sizeof(*groups) && strcmp(groups[i].name, name))
		i++;
	if (i == sizeof(groups) / sizeof(*groups))
		return false;
	for (unsigned call = 0; call < N_CALLS; call++)
		if (groups[i].members[call / 8] >> call % 8 & 1)
			syscall_set_add(s, call);
	return true;
}
