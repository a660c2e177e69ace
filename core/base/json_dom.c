/* SPDX-License-Identifier: Apache-2.0
 * json_dom - see json.h: what is done with a cJSON document, as opposed to a text
 */
#include "core/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

void json_cleanup(cJSON **j)
{
	int keep = errno;

	cJSON_Delete(*j);
	*j = NULL;
	errno = keep;
}

/* ---- writing ---- */

/* how many characters at the start stand for themselves and are one byte */
static size_t plain_len(const char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void print_string(const char *s, struct buf *b)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	size_t len = strlen(s);

	buf_add(b, "\"", 1);
	for (;;) {
		size_t n = plain_len(s);
		buf_add(b, s, n);
		s += n;
		len -= n;
		if (!len)
			break;
		n = utf8_len(s, len);
		const char *esc = strchr(from, *s);
		if (esc)
			buf_add(b, (char[]){ '\\', to[esc - from] }, 2);
		else if ((unsigned char)*s < 0x20)
			buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[*s >> 4], hex[*s & 15] }, 6);
		else if (!n) /* from a command line, not from a document: U+FFFD stands for what it
				is not */
			buf_str(b, "\xef\xbf\xbd");
		else
			buf_add(b, s, n);
		n = n ? n : 1;
		s += n;
		len -= n;
	}
	buf_add(b, "\"", 1);
}

static void print_number(double d, struct buf *b)
{
	char text[40];
	int64_t i;

	if (json_int(&(cJSON){ .type = cJSON_Number, .valuedouble = d }, &i)) {
		buf_fmt(b, "%lld", (long long)i);
		return;
	}
	if (d - d != 0) {
		buf_str(b, "null");
		return;
	}
	/* the shortest that reads back as the same number */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		double back = strtod(text, NULL);
		if (back >= d && back <= d)
			break;
	}
	buf_str(b, text);
}

static void print_line(bool pretty, unsigned level, struct buf *b)
{
	if (pretty)
		buf_fmt(b, "\n%*s", (int)level * 2, "");
}

static void print_value(const cJSON *j, bool pretty, unsigned level, struct buf *b);

static void print_nested(const cJSON *j, bool pretty, unsigned level, struct buf *b)
{
	bool object = cJSON_IsObject(j);

	buf_add(b, object ? "{" : "[", 1);
	for (const cJSON *c = j->child; c; c = c->next) {
		print_line(pretty, level + 1, b);
		if (object) {
			print_string(c->string, b);
			buf_str(b, pretty ? ": " : ":");
		}
		print_value(c, pretty, level + 1, b);
		if (c->next)
			buf_add(b, ",", 1);
	}
	if (j->child)
		print_line(pretty, level, b);
	buf_add(b, object ? "}" : "]", 1);
}

static void print_value(const cJSON *j, bool pretty, unsigned level, struct buf *b)
{
	if (cJSON_IsObject(j) || cJSON_IsArray(j))
		print_nested(j, pretty, level, b);
	else if (cJSON_IsString(j))
		print_string(j->valuestring, b);
	else if (cJSON_IsNumber(j))
		print_number(j->valuedouble, b);
	else if (cJSON_IsBool(j))
		buf_str(b, cJSON_IsTrue(j) ? "true" : "false");
	else if (cJSON_IsRaw(j)) /* from our own code: integers beyond 2^53 */
		buf_str(b, j->valuestring);
	else
		buf_str(b, "null");
}

void json_print(const cJSON *j, bool pretty, struct buf *b)
{
	print_value(j, pretty, 0, b);
	if (pretty)
		buf_add(b, "\n", 1);
}

void json_print_item(const cJSON *j, size_t n, bool pretty, struct buf *b)
{
	if (j || !n)
		buf_add(b, n ? "," : "[", 1);
	if (j || n)
		print_line(pretty, j ? 1 : 0, b);
	if (j)
		print_value(j, pretty, 1, b);
	else
		buf_str(b, pretty ? "]\n" : "]");
}

/* ---- reading the DOM ---- */

bool json_int(const cJSON *j, int64_t *out)
{
	const double limit = 9007199254740992.0; /* 2^53 */

	if (!cJSON_IsNumber(j) || !(j->valuedouble >= -limit && j->valuedouble <= limit))
		return false;
	int64_t v = (int64_t)j->valuedouble;
	double back = (double)v;
	if (back < j->valuedouble || back > j->valuedouble)
		return false;
	*out = v;
	return true;
}

const char *json_str(const cJSON *obj, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(obj, key));
}

void json_pointer_add(struct buf *b, const char *token)
{
	buf_add(b, "/", 1);
	for (;;) {
		size_t n = strcspn(token, "~/");
		buf_add(b, token, n);
		if (!token[n])
			return;
		buf_add(b, token[n] == '~' ? "~0" : "~1", 2);
		token += n + 1;
	}
}
