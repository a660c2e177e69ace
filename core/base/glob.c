/* SPDX-License-Identifier: Apache-2.0
 * glob - see glob.h
 */
#include "core/base/glob.h"

#include <stddef.h>
#include <stdint.h>

/* @p behind "[": where the set ends, behind "]"; NULL: nowhere. A "]" that stands first is a member. */
static const char *set_end(const char *p)
{
	p += *p == '!' || *p == '^';
	p += *p == ']';
	while (*p && *p != ']')
		p += *p == '\\' && p[1] ? 2 : 1;
	return *p ? p + 1 : NULL;
}

static char set_char(const char **p)
{
	*p += **p == '\\';
	return *(*p)++;
}

/* @p behind "[" */
static bool set_has(const char *p, char c)
{
	const char *end = set_end(p) - 1;
	bool negative = *p == '!' || *p == '^', found = false;

	p += negative;
	while (p < end) {
		uint8_t from = (uint8_t)set_char(&p), to = from;
		if (p + 1 < end && *p == '-') {
			p++;
			to = (uint8_t)set_char(&p);
		}
		found = found || ((uint8_t)c >= from && (uint8_t)c <= to);
	}
	return found != negative && c != '/';
}

/* does what stands at *p, which is no star, stand for @c? then *p moves on */
static bool match_one(const char **p, char c)
{
	const char *at = *p;

	if (!*at)
		return false;
	if (*at == '[') {
		*p = set_end(at + 1);
		return set_has(at + 1, c);
	}
	if (*at == '?') {
		(*p)++;
		return c != '/';
	}
	at += *at == '\\' && at[1];
	*p = at + 1;
	return *at == c;
}

/* the stars that were passed last, and up to where in the text they reach */
struct star {
	const char *behind, *upto; /* behind NULL: none */
};

static bool retry(struct star *s, bool slashes, const char **p, const char **text)
{
	if (!s->behind || !*s->upto || (!slashes && *s->upto == '/'))
		return false;
	*text = ++s->upto;
	*p = s->behind;
	return true;
}

bool glob_match(const char *p, const char *text)
{
	struct star one = { .behind = NULL }, two = { .behind = NULL };

	for (;;) {
		if (*p == '*') {
			bool twice = p[1] == '*';
			p += twice ? 2 : 1;
			*(twice ? &two : &one) = (struct star){ p, text };
			one.behind = twice ? NULL : one.behind;
			continue;
		}
		if (!*p && !*text)
			return true;
		const char *next = p;
		if (*text && match_one(&next, *text)) {
			p = next;
			text++;
			continue;
		}
		if (retry(&one, false, &p, &text))
			continue;
		if (!retry(&two, true, &p, &text))
			return false;
		one.behind = NULL;
	}
}

bool glob_ok(const char *p)
{
	while (*p) {
		if (*p == '[') {
			if (!(p = set_end(p + 1)))
				return false;
		} else {
			p += *p == '\\' && p[1] ? 2 : 1;
		}
	}
	return true;
}
