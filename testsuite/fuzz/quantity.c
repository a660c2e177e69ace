/* SPDX-License-Identifier: Apache-2.0
 * quantity - fuzzer: amounts as text, in cores and in bytes; what one unit makes of a text must fit the other's
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

/* both round up: so a thousand times as many units are at most a thousand times the number, and not one unit less */
static void check_scales(const char *text)
{
	int64_t units = -1, millis = -1;
	struct err e = { 0 };
	int r = num_quantity(text, 1, &units, &e), r1000 = num_quantity(text, 1000, &millis, &e);

	if (r < 0) {
		must(units == -1 && (e.code == EINVAL || e.code == ERANGE) && *e.msg && r1000 < 0);
		return;
	}
	must(units >= 0);
	if (r1000 < 0) {
		must(e.code == ERANGE && units > INT64_MAX / 1000);
		return;
	}
	must(millis >= 0 && millis <= (__int128)units * 1000 && millis > ((__int128)units - 1) * 1000);
}

/* a digit more, without which it was one, makes it about ten times as large */
static void check_digit(const char *text)
{
	size_t len = strlen(text);
	char longer[66];
	int64_t v, w;
	struct err e;

	if (!len || len > sizeof(longer) - 2 || text[strspn(text, "0123456789")] || num_quantity(text, 1, &v, &e) < 0)
		return;
	memcpy(longer, text, len);
	memcpy(longer + len, "7", 2);
	if (num_quantity(longer, 1, &w, &e) < 0)
		must(v > INT64_MAX / 10 - 1);
	else
		must(w == v * 10 + 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	uint32_t id = UINT32_MAX;
	int64_t ns = -1;
	struct err e;

	must(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	check_scales(text);
	check_digit(text);
	if (num_mode(text, &id, &e) == 0)
		must(id <= 07777);
	if (num_id(text, &id, &e) == 0)
		must(id != UINT32_MAX);
	if (num_duration(text, &ns, &e) == 0)
		must(ns >= 0);
	free(text);
	return 0;
}
