/* SPDX-License-Identifier: Apache-2.0
 * json_locate - where in a document its values stand; see json.h
 *
 * The document has been read before and is known to be well-formed. It is walked once, and only into what one of the
 * pointers leads through: these are sorted so that all that begin with one path stand together.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

struct walk {
	const char *p, *begin, *end;
	struct buf  token; /* "/name" of the member at hand, as pointers have it */
};

/* the end of a pointer sorts first, then what is below it, then names that only begin alike */
static int rank(char c)
{
	return !c ? 0 : c == '/' ? 1 : (unsigned char)c + 1;
}

static int compare_places(const void *pa, const void *pb)
{
	const char *a = ((const struct json_place *)pa)->pointer, *b = ((const struct json_place *)pb)->pointer;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

/* how @pointer stands to those that begin with @token: 0, it is one of them */
static int compare_token(const char *pointer, const char *token)
{
	while (*token && *token == *pointer) {
		token++;
		pointer++;
	}
	if (*token)
		return rank(*pointer) - rank(*token);
	return *pointer && *pointer != '/';
}

/* the first of @n, from byte @at on, that does not stand before @token; or with @after, that stands behind it */
static size_t bound(const struct json_place *v, size_t n, size_t at, const char *token, bool after)
{
	size_t low = 0;

	while (n) {
		size_t half = n / 2;
		if (compare_token(v[low + half].pointer + at, token) < (after ? 1 : 0)) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

/* ---- the document ---- */

static void skip_space(struct walk *w)
{
	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
		w->p++;
}

static void skip_string(struct walk *w)
{
	for (w->p++; w->p < w->end && *w->p != '"'; w->p++)
		w->p += *w->p == '\\';
	w->p++;
}

/* one value, whatever is in it */
static void skip_value(struct walk *w)
{
	size_t depth = 0;

	do {
		skip_space(w);
		if (w->p >= w->end)
			return;
		if (*w->p == '"') {
			skip_string(w);
			continue;
		}
		depth += *w->p == '{' || *w->p == '[';
		depth -= depth && (*w->p == '}' || *w->p == ']');
		bool word = !strchr("{}[],:", *w->p);
		w->p++;
		while (word && w->p < w->end && !strchr("{}[],: \t\r\n", *w->p))
			w->p++;
	} while (depth);
}

/* escapes in names are rare, and left to who knows them */
static void read_name(struct walk *w)
{
	const char *begin = w->p;
	struct json_error ignored;

	skip_string(w);
	w->token.len = 0;
	auto_json cJSON *j = json_parse(begin, (size_t)(w->p - begin), &ignored);
	json_pointer_add(&w->token, cJSON_IsString(j) ? j->valuestring : "");
}

static void walk_value(struct walk *w, struct json_place *v, size_t n, size_t at);

static void walk_items(struct walk *w, struct json_place *v, size_t n, size_t at)
{
	bool object = *w->p++ == '{';

	for (size_t i = 0;; i++) {
		skip_space(w);
		if (w->p >= w->end || *w->p == '}' || *w->p == ']')
			break;
		w->token.len = 0;
		if (object)
			read_name(w);
		else
			buf_fmt(&w->token, "/%zu", i);
		skip_space(w);
		w->p += object && w->p < w->end; /* the colon */
		if (w->token.failed)
			return;
		size_t first = bound(v, n, at, w->token.data, false), last = bound(v, n, at, w->token.data, true);
		walk_value(w, v + first, last - first, at + w->token.len);
		skip_space(w);
		w->p += w->p < w->end && *w->p == ',';
	}
	w->p += w->p < w->end;
}

/* @v: the pointers that begin with the path of this value, which takes @at bytes of each */
static void walk_value(struct walk *w, struct json_place *v, size_t n, size_t at)
{
	skip_space(w);
	for (size_t i = 0; i < n; i++)
		v[i].offset = (size_t)(w->p - w->begin); /* unless something nearer is found */
	if (n && w->p < w->end && (*w->p == '{' || *w->p == '['))
		walk_items(w, v, n, at);
	else
		skip_value(w);
}

void json_locate(const char *text, size_t len, struct json_place *v, size_t n)
{
	struct walk w = { .p = text, .begin = text, .end = text + len };

	if (n)
		qsort(v, n, sizeof(*v), compare_places);
	walk_value(&w, v, n, 0);
	buf_free(&w.token);
}
