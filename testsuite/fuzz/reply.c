/* SPDX-License-Identifier: Apache-2.0
 * fuzz reply - any bytes as the head of a response, and as that of a partial file: what comes out is fit to be sent,
 * stored and counted with
 */
#include <stdlib.h>
#include <string.h>

#include "core/fetch/reply.h"
#include "core/store/partial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_text(const char *s, size_t room)
{
	must(strlen(s) < room);
	for (; *s; s++)
		must((unsigned char)*s >= ' ' && (unsigned char)*s < 0x7f);
}

static void check_reply(const struct reply *r)
{
	const char *v = reply_validator(r);

	check_text(r->etag, sizeof(r->etag));
	check_text(r->modified, sizeof(r->modified));
	check_text(r->encoding, sizeof(r->encoding));
	must(r->status <= 999 && reply_fresh_s(r) >= -1);
	must(!r->has_range || (r->range_from <= r->range_to && (!r->range_total || r->range_to < r->range_total)));
	must(!v || *v == '"' || reply_date(v, strlen(v)) >= 0);
	must(r->retry_s >= -1 && r->max_age_s >= -1 && r->age_s >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply r = { .status = 0 };
	struct partial_of of;

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t n = end ? (size_t)(end - data) + 1 - at : size - at;
		reply_line(&r, (const char *)data + at, n);
		check_reply(&r);
		at += n;
	}
	if (partial_parse((const char *)data, size, "b", &of)) {
		check_text(of.etag, sizeof(of.etag));
		check_text(of.modified, sizeof(of.modified));
		must(*of.etag || *of.modified);
	}
	return 0;
}
