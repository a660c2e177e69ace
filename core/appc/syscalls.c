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

_Static_assert(NAME_MAX_LEN < SYSCALL_NAME_SIZE, "no room for the longest name");
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

int syscall_number(const char *name)
{
	struct walk w = { .p = names };

	for (size_t i = 0; i < N_NAMES; i++)
		if (!strcmp(next_name(&w), name))
			return number_of(i);
	return SYSCALL_UNKNOWN;
}

bool syscall_name(int nr, char *out)
{
	struct walk w = { .p = names };

	for (size_t i = 0; nr >= 0 && i < N_NAMES; i++) {
		const char *name = next_name(&w);
		if (number_of(i) == nr) {
			memcpy(out, name, strlen(name) + 1);
			return true;
		}
	}
	return false;
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
