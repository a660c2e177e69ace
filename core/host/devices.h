/* SPDX-License-Identifier: Apache-2.0
 * devices - a cgroup that may use only some device nodes: the controller of version 1, a program in version 2
 *
 * Source: kernel Documentation/admin-guide/cgroup-v1/devices.rst, cgroup-v2.rst "Device controller".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define DEVICE_ANY_MINOR (-1)

/* What may be opened. Making nodes (the kernel's "m") never is among it. */
struct device_rule {
	char type;  /* 'c' or 'b' */
	bool read, write;
	int  major, minor; /* minor may be DEVICE_ANY_MINOR */
};

/**
 * devices_restrict() - from now on only what @rules let through, for the group at @dir and all below it
 * @v2: of which version the group is
 *
 * The group must be new, and without groups below it. In version 1 a rule that goes beyond what the parent may is EPERM;
 * in version 2 what the groups above may not stays forbidden without a word.
 */
int devices_restrict(const char *dir, bool v2, const struct device_rule *rules, size_t n, struct err *e);
