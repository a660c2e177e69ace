/* SPDX-License-Identifier: Apache-2.0
 * btf - where the running kernel has members of its structs, by its own description (CONFIG_DEBUG_INFO_BTF)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct btf_place {
	const char *type, *name; /* of a struct, directly in it */
	uint32_t    offset;      /* receives bytes */
};

/** btf_find() - all @n of @v; ENOENT: the kernel describes nothing, or has no such member */
int btf_find(struct btf_place *v, size_t n, struct err *e);
