/* SPDX-License-Identifier: Apache-2.0
 * html_meta - see html_meta.h
 */
#include "core/fetch/html_meta.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"

struct page {
	const char *p, *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(s, name, len);
}

/* behind the next @text; false: there is none, and the page ends */
static bool skip_to(struct page *h, const char *text)
{
	const char *at = memmem(h->p, (size_t)(h->end - h->p), text, strlen(text));

	h->p = at ? at + strlen(text) : h->end;
	return at != NULL;
}

static void skip_spaces(struct page *h)
{
	while (h->p < h->end && is_space(*h->p))
		h->p++;
}

/* ---- character references ---- */

static void add_utf8(struct buf *b, uint32_t c)
{
	bool good = c && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
	uint32_t v = good ? c : 0xfffd;

	if (v < 0x80)
		buf_add(b, (char[]){ (char)v }, 1);
	else if (v < 0x800)
		buf_add(b, (char[]){ (char)(0xc0 | v >> 6), (char)(0x80 | (v & 63)) }, 2);
	else if (v < 0x10000)
		buf_add(b, (char[]){ (char)(0xe0 | v >> 12), (char)(0x80 | (v >> 6 & 63)), (char)(0x80 | (v & 63)) }, 3);
	else
		buf_add(b, (char[]){ (char)(0xf0 | v >> 18), (char)(0x80 | (v >> 12 & 63)), (char)(0x80 | (v >> 6 & 63)),
			(char)(0x80 | (v & 63)) }, 4);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* "#38" or "#x26"; false: it is none */
static bool number_reference(const char *s, size_t len, uint32_t *out)
{
	bool hex = len > 1 && (s[1] | 0x20) == 'x';
	uint32_t base = hex ? 16 : 10;
	size_t i = hex ? 2 : 1;

	*out = 0;
	if (i >= len)
		return false;
	for (; i < len; i++) {
		uint32_t d = (uint32_t)digit(s[i]);
		if (d >= base)
			return false;
		*out = *out > 0x10ffff ? *out : *out * base + d;
	}
	return true;
}

/* what stands between & and ; */
static bool add_reference(struct buf *b, const char *s, size_t len)
{
	static const struct { const char *name; char c; } names[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
	};
	uint32_t c;

	if (len && *s == '#') {
		if (!number_reference(s, len, &c))
			return false;
		add_utf8(b, c);
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (len == strlen(names[i].name) && !memcmp(s, names[i].name, len)) {
			buf_add(b, &names[i].c, 1);
			return true;
		}
	return false;
}

#define REFERENCE_MAX 16u

/* a value without references, and without NULs, which would end it early */
static void add_value(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len;

	buf_add(b, "", 0); /* an empty one is there, too */
	while (s < end) {
		if (*s == '&') {
			size_t left = (size_t)(end - s - 1);
			const char *semicolon = memchr(s + 1, ';', left < REFERENCE_MAX ? left : REFERENCE_MAX);
			if (semicolon && add_reference(b, s + 1, (size_t)(semicolon - s - 1))) {
				s = semicolon + 1;
				continue;
			}
		}
		if (*s)
			buf_add(b, s, 1);
		else
			add_utf8(b, 0);
		s++;
	}
}

/* ---- tags ---- */

struct attribute {
	const char *name, *value;
	size_t      name_len, value_len;
};

static void read_value(struct page *h, struct attribute *a)
{
	skip_spaces(h);
	if (h->p < h->end && (*h->p == '"' || *h->p == '\'')) {
		char quote = *h->p++;
		const char *close = memchr(h->p, quote, (size_t)(h->end - h->p));
		a->value = h->p;
		h->p = close ? close + 1 : h->end;
		a->value_len = (size_t)((close ? close : h->end) - a->value);
		return;
	}
	a->value = h->p;
	while (h->p < h->end && !is_space(*h->p) && *h->p != '>')
		h->p++;
	a->value_len = (size_t)(h->p - a->value);
}

/* false: the tag ends, or the page */
static bool next_attribute(struct page *h, struct attribute *a)
{
	while (h->p < h->end && (is_space(*h->p) || *h->p == '/'))
		h->p++;
	if (h->p == h->end || *h->p == '>')
		return false;
	a->name = h->p++; /* "=" at the beginning is part of a name */
	while (h->p < h->end && !is_space(*h->p) && !strchr("/>=", *h->p))
		h->p++;
	a->name_len = (size_t)(h->p - a->name);
	a->value = "";
	a->value_len = 0;
	skip_spaces(h);
	if (h->p < h->end && *h->p == '=') {
		h->p++;
		read_value(h, a);
	}
	return true;
}

/* from behind the tag's name to behind its ">"; false: the page ended within it, so it is none */
static bool read_attributes(struct page *h, struct buf *name, struct buf *content)
{
	struct attribute a;

	while (next_attribute(h, &a)) {
		if (!name->data && is_name(a.name, a.name_len, "name"))
			add_value(name, a.value, a.value_len);
		else if (!content->data && is_name(a.name, a.name_len, "content"))
			add_value(content, a.value, a.value_len);
	}
	if (h->p == h->end)
		return false;
	h->p++;
	return true;
}

/* elements whose content is text, whatever it looks like, up to their end tag */
static bool is_raw(const char *name, size_t len)
{
	static const char *const raw[] = {
		"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext",
	};

	for (size_t i = 0; i < sizeof(raw) / sizeof(*raw); i++)
		if (is_name(name, len, raw[i]))
			return true;
	return false;
}

static void skip_raw(struct page *h, const char *name, size_t len)
{
	if (is_name(name, len, "plaintext"))
		h->p = h->end;
	while (skip_to(h, "</")) {
		const char *after = h->p + len;
		if ((size_t)(h->end - h->p) > len && !strncasecmp(h->p, name, len) &&
		    (is_space(*after) || *after == '/' || *after == '>')) {
			h->p -= 2; /* an end tag as any other */
			return;
		}
	}
}

/* from behind "<" or "</" of one */
static int read_tag(struct page *h, bool closing, html_meta_tag *fn, void *ctx, struct err *e)
{
	auto_buf struct buf name = { 0 };
	auto_buf struct buf content = { 0 };
	const char *tag = h->p;

	while (h->p < h->end && !is_space(*h->p) && *h->p != '/' && *h->p != '>')
		h->p++;
	size_t len = (size_t)(h->p - tag);
	if (!read_attributes(h, &name, &content) || closing)
		return 0;
	if (name.failed || content.failed)
		return err_set(e, ENOMEM, "out of memory");
	if (is_raw(tag, len))
		skip_raw(h, tag, len);
	else if (is_name(tag, len, "meta") && name.data && content.data)
		return fn(ctx, name.data, content.data, e);
	return 0;
}

static bool looks_at(const struct page *h, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(h->end - h->p) >= n && !memcmp(h->p, text, n);
}

/* from "<" on */
static int read_markup(struct page *h, html_meta_tag *fn, void *ctx, struct err *e)
{
	h->p++;
	if (looks_at(h, "!--")) {
		h->p += 1; /* "<!-->" is a whole comment */
		if (!looks_at(h, "-->") && !looks_at(h, "--->"))
			h->p += 2;
		skip_to(h, "-->");
		return 0;
	}
	bool closing = h->p < h->end && *h->p == '/';
	const char *letter = h->p + closing;
	if (letter < h->end && is_letter(*letter)) {
		h->p = letter;
		return read_tag(h, closing, fn, ctx, e);
	}
	if (closing || (h->p < h->end && (*h->p == '!' || *h->p == '?')))
		skip_to(h, ">");
	return 0;
}

int html_meta(const char *html, size_t len, html_meta_tag *fn, void *ctx, struct err *e)
{
	struct page h = { html, html + len };

	while (h.p < h.end) {
		const char *open = memchr(h.p, '<', (size_t)(h.end - h.p));
		if (!open)
			return 0;
		h.p = open;
		if (read_markup(&h, fn, ctx, e) < 0)
			return -1;
	}
	return 0;
}
