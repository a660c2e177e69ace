/* SPDX-License-Identifier: Apache-2.0
 * fuzz inflate - the decompressors on any bytes
 */
#include <stdint.h>
#include <string.h>

#include "core/archive/inflate.h"
#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ENOUGH (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *p;
	struct err e;
	size_t n, total = 0;
	int r = 0;

	if (!len)
		return 0;
	auto_source struct source *s = inflate_open(kit_source(data + 1, len - 1, 1 + data[0] * 7u), &e);
	while (s && total < ENOUGH && (r = s->next(s, &p, &n, &e)) > 0) {
		if (!n)
			__builtin_trap();
		total += n;
	}
	/* at the end everything has been looked at */
	if (s && r == 0 && total < ENOUGH && inflate_in_bytes(s) != len - 1)
		__builtin_trap();
	return 0;
}
