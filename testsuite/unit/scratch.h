/* SPDX-License-Identifier: Apache-2.0
 * scratch - for unit tests: a directory that is empty for each case, and goes with the last one
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[64]; /* its path; "" before the first scratch() */

static inline void scratch_remove(void)
{
	char cmd[sizeof(root) + 10];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	if (system(cmd) != 0)
		abort();
}

static inline void scratch(const char *test)
{
	if (*root)
		scratch_remove();
	else
		atexit(scratch_remove);
	snprintf(root, sizeof(root), "/tmp/%s.XXXXXX", test);
	if (!mkdtemp(root))
		abort();
}

/* of a file in it, at most 8000 bytes; "" when it is not there; valid until the next call */
static inline char *scratch_content(const char *name)
{
	static char text[8000];
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	return text;
}
