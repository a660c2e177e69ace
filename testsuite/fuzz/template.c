/* SPDX-License-Identifier: Apache-2.0
 * fuzz template - any text as a URI template: what comes out is bounded, and every byte of it may stand in a URL
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fetch/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *value_of(void *ctx, const char *name, size_t len)
{
	static const char *const values[] = { "example.com/app", "", "\xe2\x82\xac{os} ?#%", "1.0.0", NULL };

	(void)ctx;
	return len ? values[(size_t)*name % 5] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf url = { 0 };
	char *tmpl = strndup((const char *)data, size);

	if (!tmpl)
		abort();
	if (template_expand(tmpl, value_of, NULL, &url)) {
		if (url.len > TEMPLATE_URL_MAX)
			abort();
		for (size_t i = 0; i < url.len; i++)
			if (url.data[i] <= ' ' || url.data[i] > '~' || strchr("{}<>\"^`|\\", url.data[i]))
				abort();
	}
	buf_free(&url);
	free(tmpl);
	return 0;
}
