/* SPDX-License-Identifier: Apache-2.0
 * locate - the bytes that findings in a manifest are about; see manifest.h
 */
#include <stdlib.h>

#include "core/appc/manifest.h"
#include "core/base/json.h"

void manifest_locate(const char *text, size_t len, struct findings *f, size_t first, uint64_t base)
{
	struct json_place *v = calloc(f->n - first + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = first; i < f->n; i++)
		if (f->v[i].offset != FINDING_NO_OFFSET)
			f->v[i].offset += base;
		else if (v && *f->v[i].where)
			v[n++] = (struct json_place){ .pointer = f->v[i].where, .tag = i };
	if (n)
		json_locate(text, len, v, n);
	for (size_t i = 0; i < n; i++)
		f->v[v[i].tag].offset = base + v[i].offset;
	free(v);
}
