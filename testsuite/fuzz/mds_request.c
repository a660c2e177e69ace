/* SPDX-License-Identifier: Apache-2.0
 * fuzz mds_request - any bytes as requests to the metadata service and as forms: what is taken lies in the bytes, and is the
 * same however they came in pieces
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mds/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void look_at_form(const struct mds_request *q)
{
	static const char *const fields[] = { "content", "uuid", "signature" };

	for (size_t i = 0; i < 3; i++) {
		size_t len;
		char *s = mds_form_get(q, fields[i], &len);
		must(!s || (len <= q->body_len && !s[len]));
		free(s);
	}
}

static void check(const struct mds_request *q, const char *data, size_t used)
{
	must(*q->path == '/' && q->path > data);
	for (const char *p = q->path; *p; p++)
		must(*p > ' ' && *p < 0x7f);
	must(q->body_len <= MDS_BODY_MAX && q->body + q->body_len == data + used);
	must(used - q->body_len <= MDS_HEAD_MAX + 2);
	look_at_form(q);
}

/* more bytes never change what was said of fewer, but from "more" to something else */
static void check_pieces(const uint8_t *data, size_t size, enum mds_parse all, int all_status)
{
	for (size_t n = size > 300 ? size - 300 : 0; n < size; n++) {
		char *part = malloc(n + 1);
		struct mds_request q;
		size_t used;
		int status;
		must(part != NULL);
		memcpy(part, data, n);
		enum mds_parse r = mds_request_parse(part, n, &q, &used, &status);
		must(r == MDS_MORE || (r == all && (r != MDS_BAD || status == all_status)));
		free(part);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mds_request form = { .body = (const char *)data, .body_len = size, .form = true };
	char *copy = malloc(size + 1), *at = copy;
	size_t left = size, used;
	struct mds_request q;
	enum mds_parse r;
	int status;

	must(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = 0;
	if (size)
		look_at_form(&form);
	while ((r = mds_request_parse(at, left, &q, &used, &status)) == MDS_WHOLE) {
		must(used && used <= left);
		check(&q, at, used);
		at += used;
		left -= used;
	}
	must(r == MDS_MORE || (status >= 400 && status <= 505));
	if (at == copy)
		check_pieces(data, size, r, status);
	free(copy);
	return 0;
}
