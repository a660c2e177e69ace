/* SPDX-License-Identifier: Apache-2.0
 * fuzz auth - any bytes as files of auth.d: taken or refused with a reason, and nothing in them can begin another line of
 * a request
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			abort();
}

/* the input is two files, with a NUL between them: of one directory if the first byte is odd, else of two */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data + 1, 0, size - 1) : NULL;
	size_t first = nul ? (size_t)(nul - data) - 1 : size ? size - 1 : 0;
	struct auth a = { 0 };
	struct err e = { .msg = "" };
	char region[64];

	if (size && auth_parse(&a, 0, "one", (const char *)data + 1, first, &e) < 0 && !*e.msg)
		abort();
	e.msg[0] = 0;
	if (nul && auth_parse(&a, data[0] & 1 ? 0 : 1, "two", (const char *)nul + 1, size - first - 2, &e) < 0 && !*e.msg)
		abort();
	for (size_t i = 0; i < a.n; i++) {
		const struct auth_entry *x = &a.v[i];
		check(x->domain);
		check(x->user);
		check(x->secret);
		check(x->region);
		if (!x->user || (x->type == AUTH_OAUTH) != !x->secret)
			abort();
		auth_region(x->domain, region, sizeof(region));
		auth_find(&a, x->domain, 443, true);
		for (size_t k = 0; k < i; k++)
			if ((a.v[k].type == AUTH_DOCKER) == (x->type == AUTH_DOCKER) && !strcmp(a.v[k].domain, x->domain))
				abort();
	}
	cJSON *list = cJSON_CreateArray();
	auth_json(&a, list);
	if ((size_t)cJSON_GetArraySize(list) != a.n)
		abort();
	cJSON_Delete(list);
	auth_free(&a);
	return 0;
}
