/* SPDX-License-Identifier: Apache-2.0
 * json - fuzzer: what is accepted, cJSON's own parser reads the same way, and it prints to what reads back
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void read_back(const cJSON *j, bool pretty)
{
	struct json_error je;
	struct buf b = { 0 };

	json_print(j, pretty, &b);
	must(!b.failed);
	cJSON *again = json_parse(b.data, b.len, &je);
	/* numbers below the smallest double read as 0, so compare what was printed */
	must(again && cJSON_Compare(j, again, true));
	cJSON_Delete(again);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json_error je = { 0 };
	cJSON *j = json_parse(text, size, &je);

	if (!j) {
		must(je.offset <= size && *je.text);
		must(utf8_bad(je.text, strlen(je.text)) == strlen(je.text));
		must(utf8_bad(je.pointer, strlen(je.pointer)) == strlen(je.pointer));
		return 0;
	}
	cJSON *lenient = cJSON_ParseWithLengthOpts(text, size, NULL, false);
	must(lenient && cJSON_Compare(j, lenient, true));
	cJSON_Delete(lenient);
	read_back(j, false);
	read_back(j, true);
	cJSON_Delete(j);
	return 0;
}
