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

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
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

/* behind "&": "#38" or "#x26", with a semicolon or without; 0: it is none, else how many bytes it is long */
static size_t add_number(struct buf *b, const char *s, const char *end)
{
	const char *p = s + 1;
	bool hex = end - p > 0 && (*p | 0x20) == 'x';
	uint32_t base = hex ? 16 : 10, c = 0;

	p += hex;
	const char *digits = p;
	for (; p < end && (uint32_t)digit(*p) < base; p++)
		c = c > 0x10ffff ? c : c * base + (uint32_t)digit(*p);
	if (p == digits)
		return 0;
	add_utf8(b, c);
	return (size_t)(p - s) + (p < end && *p == ';');
}

/* behind "&": the names of what is ASCII; of these HTML knows four without the semicolon, too */
static size_t add_name(struct buf *b, const char *s, const char *end)
{
	static const char names[] = "&amp <lt >gt \"quot 'apos \tTab \nNewLine !excl #num $dollar %percnt (lpar )rpar "
		"*ast +plus ,comma .period /sol :colon ;semi =equals ?quest @commat [lsqb ]rsqb _lowbar {lcub {lbrace "
		"}rcub }rbrace |verbar ~tilde ";
	size_t len = 0;

	while (s + len < end && is_alnum(s[len]))
		len++;
	bool closed = s + len < end && s[len] == ';';
	for (const char *n = names; len && *n; n += strcspn(n + 1, " ") + 2)
		if (strcspn(n + 1, " ") == len && !memcmp(n + 1, s, len)) {
			if (!closed && (n >= strchr(names, '\'') || (s + len < end && s[len] == '=')))
				return 0;
			buf_add(b, n, 1);
			return len + closed;
		}
	return 0;
}

/* a value without references, and without NULs, which would end it early */
static void add_value(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len;

	buf_add(b, "", 0); /* an empty one is there, too */
	while (s < end) {
		char c = *s++;
		size_t n = c != '&' || s == end ? 0 : *s == '#' ? add_number(b, s, end) : add_name(b, s, end);
		s += n;
		if (!n && c)
			buf_add(b, &c, 1);
		else if (!n)
			add_utf8(b, 0);
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
	while (h->p < h->end && !is_space(*h->p) && *h->p != '/' && *h->p != '>' && *h->p != '=')
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

static bool looks_at(const struct page *h, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(h->end - h->p) >= n && !memcmp(h->p, text, n);
}

/* "<NAME" or "</NAME", which a tag begins with */
static bool tag_at(const struct page *h, const char *begin, const char *name, size_t len)
{
	const char *s = h->p + strlen(begin);

	return looks_at(h, begin) && (size_t)(h->end - s) > len && !strncasecmp(s, name, len) &&
	       (is_space(s[len]) || s[len] == '/' || s[len] == '>');
}

/* to the end tag, which is one as any other; a script within a comment within a script has one of its own */
static void skip_raw(struct page *h, const char *name, size_t len)
{
	bool script = is_name(name, len, "script"), comment = false, inner = false;

	if (is_name(name, len, "plaintext"))
		h->p = h->end;
	for (; h->p < h->end; h->p++) {
		if (tag_at(h, "</", name, len)) {
			if (!inner)
				return;
			inner = false;
		} else if (script && looks_at(h, "<!--")) {
			comment = true;
			h->p++; /* "<!-->" ends it, too */
		} else if (looks_at(h, "-->")) {
			comment = inner = false;
		} else if (comment && tag_at(h, "<", name, len)) {
			inner = true;
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

/* behind "<!--", in which "<!-->" and "<!--->" are whole ones */
static void skip_comment(struct page *h)
{
	if (looks_at(h, ">") || looks_at(h, "->")) {
		skip_to(h, ">");
		return;
	}
	while (skip_to(h, "--"))
		if (looks_at(h, ">") || looks_at(h, "!>")) {
			skip_to(h, ">");
			return;
		} else {
			h->p--; /* "--->" */
		}
}

/* from "<" on */
static int read_markup(struct page *h, html_meta_tag *fn, void *ctx, struct err *e)
{
	h->p++;
	if (looks_at(h, "!--")) {
		h->p += 3;
		skip_comment(h);
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

/* ---- pages ---- */

static int read_page(const char *html, size_t len, html_meta_tag *fn, void *ctx, struct err *e)
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

static uint32_t utf16_unit(const uint8_t *p, bool little)
{
	return (uint32_t)p[little] << 8 | p[!little];
}

static void add_utf16(struct buf *b, const uint8_t *p, size_t len, bool little)
{
	for (; len >= 2; p += 2, len -= 2) {
		uint32_t c = utf16_unit(p, little), low = len >= 4 ? utf16_unit(p + 2, little) : 0;
		if (c >> 10 == 0xd800 >> 10 && low >> 10 == 0xdc00 >> 10) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			p += 2;
			len -= 2;
		}
		add_utf8(b, c);
	}
}

int html_meta(const char *html, size_t len, html_meta_tag *fn, void *ctx, struct err *e)
{
	const uint8_t *p = (const uint8_t *)html;
	auto_buf struct buf text = { 0 };

	if (len < 2 || !((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return read_page(html, len, fn, ctx, e);
	buf_add(&text, "", 0);
	add_utf16(&text, p + 2, len - 2, p[0] == 0xff);
	return text.failed ? err_set(e, ENOMEM, "out of memory") : read_page(text.data, text.len, fn, ctx, e);
}
