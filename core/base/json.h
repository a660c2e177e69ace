/* SPDX-License-Identifier: Apache-2.0
 * json - strict reading of untrusted JSON (RFC 8259) into cJSON, and what cJSON lacks
 *
 * cJSON's own parser is lenient (leading zeros, raw control characters, NUL in strings, bytes after the end)
 * and keeps duplicate keys, so a reader of ours checks the bytes and makes cJSON's nodes of them as it goes.
 * What json_parse() returns was: well-formed UTF-8, at most JSON_DEPTH deep, free of duplicate keys, of U+0000
 * and of lone surrogates, and nothing but white space followed it.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define JSON_DEPTH 64

struct json_error {
	size_t offset;       /* byte where it went wrong */
	char   text[200];    /* "duplicate key \"name\"" */
	char   pointer[200]; /* RFC 6901 pointer of the value it is in; may be "" */
};

#define auto_json __attribute__((cleanup(json_cleanup)))
void json_cleanup(cJSON **j);

/** json_parse() - NULL and *je when it is anything else, or memory ran out; cJSON_Delete() it */
cJSON *json_parse(const char *text, size_t len, struct json_error *je);

/** json_parse_err() - the same for callers that only want one message: "at byte 12: trailing comma" */
cJSON *json_parse_err(const char *text, size_t len, struct err *e);

struct json_place {
	const char *pointer; /* RFC 6901; borrowed */
	size_t      tag;     /* the caller's, left alone */
	size_t      offset;  /* receives the byte at which the value begins, or the nearest around it that is there */
};

/** json_locate() - fills and sorts @v; @text is what json_parse() has taken; time does not grow with n times len */
void json_locate(const char *text, size_t len, struct json_place *v, size_t n);

/** json_print() - appends to @b; compact, or indented by two spaces and ended with a newline */
void json_print(const cJSON *j, bool pretty, struct buf *b);

/**
 * json_print_item() - the same for an array that is never there as a whole: its @n-th element, 0 being the first
 * @j NULL: the end, after @n elements. What comes out is what json_print() makes of such an array.
 */
void json_print_item(const cJSON *j, size_t n, bool pretty, struct buf *b);

/** json_int() - a number without fraction within +-2^53; false otherwise (also for NULL) */
bool json_int(const cJSON *j, int64_t *out);

/** json_str() - the member's string, or NULL when it is not there or not a string; borrowed */
const char *json_str(const cJSON *obj, const char *key);

/** json_pointer_add() - appends "/token" with ~0 and ~1 escapes (RFC 6901) */
void json_pointer_add(struct buf *b, const char *token);
