/* SPDX-License-Identifier: Apache-2.0
 * fuzz openpgp - armor and packets of keys that anybody may hand to rkt trust
 */
#include <stdlib.h>

#include "core/trust/armor.h"
#include "core/trust/openpgp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keys(const uint8_t *p, size_t len)
{
	struct openpgp_key k;
	struct err e;

	while (len) {
		size_t before = len;
		if (openpgp_key(&p, &len, &k, &e) <= 0)
			return;
		if (len >= before || k.data_len != before - len)
			abort(); /* a key that takes nothing would be read for ever */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t left = size;
	struct err e;
	int r;

	keys(data, size);
	do {
		auto_buf struct buf block = { 0 };
		r = armor_decode(&text, &left, "PUBLIC KEY BLOCK", &block, &e);
		if (r > 0)
			keys((const uint8_t *)block.data, block.len);
	} while (r > 0);
	return 0;
}
