/* SPDX-License-Identifier: Apache-2.0
 * fuzz cert - any bytes as a key that has been trusted: what it says of itself is read, and its signatures are judged
 */
#include <stdlib.h>
#include <string.h>

#include "core/trust/cert.h"
#include "core/trust/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000

static void judge(const struct cert *c, size_t i)
{
	const struct signature s = { .version = 4, .has_created = true, .created = NOW - 1000 };
	struct err first = { 0 }, again = { 0 };
	int r = cert_may_sign(c, i, &s, NOW, &first);

	if (cert_may_sign(c, i, &s, NOW, &again) != r || first.code != again.code || strcmp(first.msg, again.msg) != 0)
		abort();
	if (r < 0 && !*first.msg)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct cert *c = cert_parse(data, size, &e);

	if (!c) {
		if (!*e.msg)
			abort();
		return 0;
	}
	if (!cert_has(c, cert_fingerprint(c)) || cert_has(c, ""))
		abort();
	for (size_t i = 0; i < 8 && cert_key(c, i); i++)
		judge(c, i);
	cert_free(c);
	return 0;
}
