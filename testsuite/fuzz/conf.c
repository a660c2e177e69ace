/* SPDX-License-Identifier: Apache-2.0
 * conf - any bytes as a configuration file: taken whole or refused with a reason, and nothing in between
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const kinds[] = { "paths", "stage1" };

	for (size_t i = 0; i < 2; i++) {
		struct conf c = { 0 };
		struct err e = { .msg = "" };
		int r = conf_parse(kinds[i], (const char *)data, len, &c, &e);
		if (r < 0 && (!e.msg[0] || c.data_dir || c.stage1_images_dir || c.stage1_name || c.stage1_location))
			abort();
		if (c.data_dir && c.data_dir[0] != '/')
			abort();
		conf_free(&c);
	}
	return 0;
}
