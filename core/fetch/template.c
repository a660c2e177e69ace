/* SPDX-License-Identifier: Apache-2.0
 * template - see template.h
 */
#include "core/fetch/template.h"

#include <stdint.h>
#include <string.h>

/* ---- what is written as it is, and what as %XX ---- */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

#define UNRESERVED "-._~"
#define PATH       UNRESERVED "/:@!$&'()*+,;="
#define RESERVED   PATH "?#[]"

/* @keep: beside letters and digits; RESERVED is everything that has a meaning, so %XX is kept too */
static void add_text(struct buf *out, const char *s, size_t len, const char *keep)
{
	bool coded = strlen(keep) == sizeof(RESERVED) - 1;

	for (; len; s++, len--)
		if (is_alnum(*s) || (*s && strchr(keep, *s)) ||
		    (coded && *s == '%' && len > 2 && is_hex(s[1]) && is_hex(s[2])))
			buf_add(out, s, 1);
		else
			buf_fmt(out, "%%%02X", (unsigned)(uint8_t)*s);
}

/* ---- expressions ---- */

/* RFC 6570, appendix A */
struct operator {
	char        c, first, between; /* 0: nothing */
	bool        named, always;     /* "var=value"; "=" even when the value is empty */
	const char *keep;
};

static const struct operator *find_operator(char c)
{
	static const struct operator all[] = {
		{ '+', 0,   ',', false, false, RESERVED },
		{ '#', '#', ',', false, false, RESERVED },
		{ '.', '.', '.', false, false, UNRESERVED },
		{ '/', '/', '/', false, false, UNRESERVED },
		{ ';', ';', ';', true,  false, UNRESERVED },
		{ '?', '?', '&', true,  true,  UNRESERVED },
		{ '&', '&', '&', true,  true,  UNRESERVED },
		{ 0,   0,   ',', false, false, PATH },
	};
	const struct operator *o = all;

	while (o->c && o->c != c)
		o++;
	return o;
}

/* ":3" and "*"; receives of how many bytes the value is */
static bool read_modifier(const char *s, const char *end, const char *value, size_t *len)
{
	size_t max = 0, n = 0;

	*len = strlen(value);
	if (s == end || (*s == '*' && s + 1 == end))
		return true;
	if (*s++ != ':' || s == end || *s == '0' || end - s > 4)
		return false;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		max = max * 10 + (size_t)(*s - '0');
	/* characters, not bytes */
	for (; n < *len && max + ((value[n] & 0xc0) == 0x80); n++)
		max -= (value[n] & 0xc0) != 0x80;
	*len = n;
	return s == end;
}

/* one of an expression's variables, up to @end */
static bool add_variable(const struct operator *o, const char *s, const char *end, template_value *value, void *ctx,
			 struct buf *out)
{
	size_t name = 0, len;

	while (s + name < end && s[name] != ':' && s[name] != '*')
		name++;
	const char *v = value(ctx, s, name);
	if (!v || !read_modifier(s + name, end, v, &len))
		return false;
	if (o->named) {
		add_text(out, s, name, UNRESERVED);
		buf_add(out, "=", len || o->always);
	}
	add_text(out, v, len, o->keep);
	return out->len <= TEMPLATE_URL_MAX;
}

/* what stands between braces */
static bool add_expression(const char *s, const char *end, template_value *value, void *ctx, struct buf *out)
{
	const struct operator *o = find_operator(*s);
	char between = o->first;

	s += o->c != 0;
	for (const char *comma; s <= end; s = comma + 1, between = o->between) {
		comma = memchr(s, ',', (size_t)(end - s));
		comma = comma ? comma : end;
		buf_add(out, &between, between != 0);
		if (!add_variable(o, s, comma, value, ctx, out))
			return false;
	}
	return true;
}

bool template_expand(const char *tmpl, template_value *value, void *ctx, struct buf *out)
{
	while (*tmpl) {
		size_t n = strcspn(tmpl, "{}");
		add_text(out, tmpl, n, RESERVED);
		tmpl += n;
		if (!*tmpl)
			break;
		const char *end = *tmpl == '{' ? strpbrk(tmpl + 1, "{}") : NULL;
		if (!end || *end == '{' || !add_expression(tmpl + 1, end, value, ctx, out))
			return false;
		tmpl = end + 1;
	}
	return !out->failed && out->len <= TEMPLATE_URL_MAX;
}
