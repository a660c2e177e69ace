/* SPDX-License-Identifier: Apache-2.0
 * syscalls - see syscalls.h
 */
#include "core/appc/syscalls.h"

#include <string.h>

#define GROUP_BYTES 64

struct group {
	const char *name;
	uint8_t     members[GROUP_BYTES]; /* bit I: the call with the name I */
};

#include "core/appc/syscall_table.h"

#define ABSENT       0xffff
#define PRIVATE      0xf000 /* as the table has them, and */
#define PRIVATE_BASE 0xf0000

_Static_assert(N_NAMES <= 8 * GROUP_BYTES, "the groups are too short");

bool syscall_set_has(const struct syscall_set *s, unsigned nr)
{
	return nr < SYSCALLS_MAX && s->bits[nr / 64] >> nr % 64 & 1;
}

void syscall_set_add(struct syscall_set *s, unsigned nr)
{
	if (nr < SYSCALLS_MAX)
		s->bits[nr / 64] |= UINT64_C(1) << nr % 64;
}

static int number_of(size_t i)
{
	if (numbers[i] == ABSENT)
		return SYSCALL_ELSEWHERE;
	return numbers[i] < PRIVATE ? numbers[i] : numbers[i] - PRIVATE + PRIVATE_BASE;
}

int syscall_number(const char *name)
{
	const char *p = names;

	for (size_t i = 0; i < N_NAMES; i++, p += strlen(p) + 1)
		if (!strcmp(p, name))
			return number_of(i);
	return SYSCALL_UNKNOWN;
}

const char *syscall_name(int nr)
{
	const char *p = names;

	for (size_t i = 0; nr >= 0 && i < N_NAMES; i++, p += strlen(p) + 1)
		if (number_of(i) == nr)
			return p;
	return NULL;
}

static void add_members(const struct group *g, struct syscall_set *s, size_t *absent)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		if (!(g->members[i / 8] >> i % 8 & 1))
			continue;
		if (numbers[i] == ABSENT && absent)
			++*absent;
		else if (numbers[i] != ABSENT)
			syscall_set_add(s, numbers[i]);
	}
}

bool syscall_group(const char *name, struct syscall_set *s, size_t *absent)
{
	size_t i = 0;

	if (absent)
		*absent = 0;
	/* systemd's name for what rkt calls its whitelist */
	if (!strcmp(name, "@systemd/default"))
		name = "@systemd/default-whitelist";
	while (i < sizeof(groups) / sizeof(*groups) && strcmp(groups[i].name, name))
		i++;
	if (i == sizeof(groups) / sizeof(*groups))
		return false;
	add_members(&groups[i], s, absent);
	return true;
}
