/* SPDX-License-Identifier: Apache-2.0
 * json - see json.h
 *
 * One pass checks and builds. It holds one frame per level of nesting (so an error knows its JSON
 * pointer) and the keys of all open objects in one array. When an object closes, its keys are
 * sorted and neighbours compared: n log n whatever the keys are, where a hash table would invite
 * chosen collisions. Every node hangs from the root as soon as it is made, so that a failure has
 * one thing to free.
 */
#include "core/base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

/* nothing needs longer ones */
#define NUMBER_MAX 63
/* of a key, in messages and pointers */
#define KEY_SHOWN 100

struct span {
	const char *s; /* between the quotes, still escaped */
	size_t      len;
};

struct frame {
	struct span key;   /* of the member being read; s NULL: none, or an array */
	size_t      index; /* of the element being read */
	bool        array;
	cJSON      *node;
};

#define SORT_BY_HAND 12
#define FEW_KEYS 64 /* of all objects that are open at once, in any manifest that people write */

struct reader {
	const char        *s;
	size_t             len, at;
	struct frame       frames[JSON_DEPTH];
	size_t             depth;
	struct span       *keys; /* few_keys, until they are more */
	size_t             n_keys, cap_keys;
	struct span        few_keys[FEW_KEYS];
	struct json_error *je;
	cJSON             *root;
};

/* ---- keys: unescaped byte by byte, so that comparing needs no memory ---- */

struct cursor {
	const char   *p, *end;
	unsigned char more[4]; /* of a character that was written as \uXXXX */
	size_t        n_more, i_more;
};

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

static size_t encode(uint32_t c, unsigned char out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (unsigned char)(0x80 | (c & 0x3f));
	out[0] = (unsigned char)(lead[n] | c);
	return n;
}

/* after "\u"; the string was checked, so a high surrogate is followed by "\u" and a low one */
static void take_unicode(struct cursor *c)
{
	uint32_t v = hex4(c->p);

	c->p += 4;
	if (v >= 0xd800 && v < 0xdc00) {
		v = 0x10000 + ((v - 0xd800) << 10) + (hex4(c->p + 2) - 0xdc00);
		c->p += 6;
	}
	c->n_more = encode(v, c->more);
	c->i_more = 0;
}

/* the next byte of a checked string, unescaped; -1 at its end */
static int next_byte(struct cursor *c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

	if (c->i_more < c->n_more)
		return c->more[c->i_more++];
	if (c->p == c->end)
		return -1;
	if (*c->p != '\\')
		return (unsigned char)*c->p++;
	char esc = c->p[1];
	c->p += 2;
	if (esc == 'u') {
		take_unicode(c);
		return c->more[c->i_more++];
	}
	const char *f = strchr(from, esc);
	return f ? to[f - from] : esc;
}

static int compare_spans(const struct span *a, const struct span *b)
{
	struct cursor ca = { .p = a->s, .end = a->s + a->len };
	struct cursor cb = { .p = b->s, .end = b->s + b->len };
	int x, y;

	/* most keys have no escapes, and many begin alike */
	while (ca.p < ca.end && cb.p < cb.end && *ca.p == *cb.p && *ca.p != '\\') {
		ca.p++;
		cb.p++;
	}
	do {
		x = next_byte(&ca);
		y = next_byte(&cb);
	} while (x == y && x >= 0);
	return x - y;
}

static int compare_keys(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;
	int r = compare_spans(a, b);

	return r ? r : (a->s > b->s) - (a->s < b->s);
}

/* ---- errors ---- */

static void add_key(struct buf *b, struct span key)
{
	struct cursor c = { .p = key.s, .end = key.s + key.len };
	char text[KEY_SHOWN + 4];
	size_t n = 0;
	int ch;

	while (n < KEY_SHOWN && (ch = next_byte(&c)) >= 0)
		text[n++] = (char)ch;
	text[utf8_bad(text, n)] = 0;
	json_pointer_add(b, text);
}

/* untrusted text into a buffer of fixed size: cleaned, and cut between characters */
static void show(char *out, size_t size, const struct buf *from)
{
	struct buf clean = { 0 };

	buf_clean(&clean, from->data ? from->data : "", from->len);
	size_t n = clean.len < size - 1 ? clean.len : size - 1;
	if (n)
		memcpy(out, clean.data, n);
	out[n < clean.len ? utf8_bad(out, n) : n] = 0;
	buf_free(&clean);
}

static void show_pointer(const struct reader *r)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < r->depth; i++) {
		const struct frame *f = &r->frames[i];
		if (f->array)
			buf_fmt(&b, "/%zu", f->index);
		else if (f->key.s)
			add_key(&b, f->key);
	}
	show(r->je->pointer, sizeof(r->je->pointer), &b);
	buf_free(&b);
}

__attribute__((format(printf, 3, 4))) static bool fail(
	struct reader *r, size_t at, const char *fmt, ...)
{
	va_list ap;

	r->je->offset = at;
	va_start(ap, fmt);
	vsnprintf(r->je->text, sizeof(r->je->text), fmt, ap);
	va_end(ap);
	show_pointer(r);
	return false;
}

static bool fail_char(struct reader *r, const char *want)
{
	if (r->at >= r->len)
		return fail(r, r->len, "unexpected end: want %s", want);
	unsigned char c = (unsigned char)r->s[r->at];
	if (c > 0x20 && c < 0x7f)
		return fail(r, r->at, "unexpected '%c': want %s", c, want);
	return fail(r, r->at, "unexpected byte 0x%02x: want %s", c, want);
}

/* ---- building ---- */

/* of a checked string; unescaping makes it shorter, if anything */
static char *unescaped(struct span s)
{
	struct cursor c = { .p = s.s, .end = s.s + s.len };
	char *out = cJSON_malloc(s.len + 1);
	size_t n = s.len;
	int ch;

	if (!out)
		return NULL;
	if (!memchr(s.s, '\\', s.len))
		memcpy(out, s.s, n);
	else
		for (n = 0; (ch = next_byte(&c)) >= 0;)
			out[n++] = (char)ch;
	out[n] = 0;
	return out;
}

static cJSON *new_string(struct span s)
{
	cJSON *j = cJSON_CreateNull();

	if (!j)
		return NULL;
	j->type = cJSON_String;
	j->valuestring = unescaped(s);
	if (j->valuestring)
		return j;
	cJSON_Delete(j);
	return NULL;
}

/* takes @item and hangs it where the value at hand belongs */
static bool put(struct reader *r, cJSON *item)
{
	struct frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;

	if (item && f && !f->array)
		item->string = unescaped(f->key);
	if (!item || (f && !f->array && !item->string)) {
		cJSON_Delete(item);
		return fail(r, r->at, "out of memory");
	}
	if (f)
		cJSON_AddItemToArray(f->node, item); /* links it, whatever the parent is */
	else
		r->root = item;
	return true;
}

/* ---- the grammar ---- */

static int peek(const struct reader *r)
{
	return r->at < r->len ? (unsigned char)r->s[r->at] : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct reader *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\n' || c == '\t' || c == '\r')
		r->at++;
}

static bool read_literal(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->len - r->at < n || memcmp(r->s + r->at, word, n))
		return fail_char(r, "a value");
	r->at += n;
	return put(r, *word == 'n' ? cJSON_CreateNull() : cJSON_CreateBool(*word == 't'));
}

static bool read_digits(struct reader *r)
{
	if (!is_digit(peek(r)))
		return fail_char(r, "a digit");
	while (is_digit(peek(r)))
		r->at++;
	return true;
}

static bool read_number(struct reader *r)
{
	char text[NUMBER_MAX + 1];
	size_t start = r->at;

	if (peek(r) == '-')
		r->at++;
	if (peek(r) == '0') {
		r->at++;
		if (is_digit(peek(r)))
			return fail(r, r->at - 1, "a number must not begin with 0");
	} else if (!read_digits(r)) {
		return false;
	}
	if (peek(r) == '.') {
		r->at++;
		if (!read_digits(r))
			return false;
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (!read_digits(r))
			return false;
	}
	size_t n = r->at - start;
	if (n > NUMBER_MAX)
		return fail(r, start, "number of %zu characters, more than the %d allowed", n,
			NUMBER_MAX);
	memcpy(text, r->s + start, n);
	text[n] = 0;
	double d = strtod(text, NULL);
	if (d - d != 0) /* infinity */
		return fail(r, start, "number %s is out of range", text);
	return put(r, cJSON_CreateNumber(d));
}

static bool read_hex4(struct reader *r, size_t esc, unsigned *v)
{
	for (size_t i = r->at; i < r->at + 4; i++)
		if (i >= r->len || !r->s[i] || !strchr("0123456789abcdefABCDEF", r->s[i]))
			return fail(r, esc, "\\u wants 4 hexadecimal digits");
	*v = hex4(r->s + r->at);
	r->at += 4;
	return true;
}

/* at the character after the backslash */
static bool read_escape(struct reader *r)
{
	size_t esc = r->at - 1;
	unsigned v = 0, low = 0;
	int c = peek(r);

	if (c < 0)
		return fail_char(r, "an escape");
	if (c && c != 'u' && strchr("\"\\/bfnrt", c)) {
		r->at++;
		return true;
	}
	if (c != 'u')
		return fail_char(r, "one of \" \\ / b f n r t u after a backslash");
	r->at++;
	if (!read_hex4(r, esc, &v))
		return false;
	if (v == 0)
		return fail(r, esc, "\\u0000 is not allowed in a string");
	if (v < 0xd800 || v > 0xdfff)
		return true;
	if (v > 0xdbff || r->len - r->at < 2 || r->s[r->at] != '\\' || r->s[r->at + 1] != 'u')
		return fail(r, esc, "\\u%04x is half of a surrogate pair", v);
	r->at += 2;
	if (!read_hex4(r, r->at - 2, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(r, esc, "\\u%04x\\u%04x is not a surrogate pair", v, low);
	return true;
}

/* past characters that stand for themselves and are one byte: most of any document */
static void skip_plain(struct reader *r)
{
	const char *p = r->s + r->at, *end = r->s + r->len;

	while (p < end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	r->at = (size_t)(p - r->s);
}

static bool read_string(struct reader *r, struct span *out)
{
	size_t start = ++r->at;

	for (;;) {
		skip_plain(r);
		int c = peek(r);
		if (c < 0)
			return fail(r, start - 1, "string without an end");
		if (c == '"')
			break;
		if (c < 0x20)
			return fail(r, r->at, "control character 0x%02x in a string", (unsigned)c);
		if (c == '\\') {
			r->at++;
			if (!read_escape(r))
				return false;
			continue;
		}
		size_t n = utf8_len(r->s + r->at, r->len - r->at);
		if (!n)
			return fail(r, r->at, "byte 0x%02x is not UTF-8", (unsigned)c);
		r->at += n;
	}
	*out = (struct span){ r->s + start, r->at - start };
	r->at++;
	return true;
}

static bool push_key(struct reader *r, struct span key)
{
	if (r->n_keys == r->cap_keys) {
		bool few = r->keys == r->few_keys;
		size_t cap = r->cap_keys * 2;
		struct span *k = realloc(few ? NULL : r->keys, cap * sizeof(*k));
		if (!k)
			return fail(r, r->at, "out of memory");
		if (few)
			memcpy(k, r->few_keys, sizeof(r->few_keys));
		r->keys = k;
		r->cap_keys = cap;
	}
	r->keys[r->n_keys++] = key;
	return true;
}

/* Most objects have a handful of keys, for which a general sort is a long way round. */
static void sort_keys(struct span *k, size_t n)
{
	if (n > SORT_BY_HAND) {
		qsort(k, n, sizeof(*k), compare_keys);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct span key = k[i];
		size_t at = i;
		for (; at && compare_keys(&k[at - 1], &key) > 0; at--)
			k[at] = k[at - 1];
		k[at] = key;
	}
}

/* the keys from @first on belong to the object that closes now */
static bool no_duplicates(struct reader *r, size_t first)
{
	size_t n = r->n_keys - first;
	const struct span *dup = NULL;

	if (n < 2) {
		r->n_keys = first;
		return true;
	}
	struct span *k = r->keys + first;
	sort_keys(k, n);
	for (size_t i = 1; i < n; i++)
		if (!compare_spans(&k[i - 1], &k[i]) && (!dup || k[i].s < dup->s))
			dup = &k[i];
	r->n_keys = first;
	if (!dup)
		return true;
	struct buf b = { 0 };
	char shown[KEY_SHOWN * 2];
	add_key(&b, *dup);
	show(shown, sizeof(shown), &b);
	buf_free(&b);
	r->frames[r->depth - 1].key = *dup;
	return fail(
		r, (size_t)(dup->s - r->s) - 1, "duplicate key \"%s\"", *shown ? shown + 1 : "");
}

static bool read_value(struct reader *r);

static bool read_member(struct reader *r)
{
	struct frame *f = &r->frames[r->depth - 1];
	struct span key;

	f->key.s = NULL;
	if (peek(r) != '"')
		return fail_char(r, "a key in double quotes");
	if (!read_string(r, &key) || !push_key(r, key))
		return false;
	f->key = key;
	skip_space(r);
	if (peek(r) != ':')
		return fail_char(r, "':' after the key");
	r->at++;
	return read_value(r);
}

static bool read_element(struct reader *r)
{
	if (peek(r) == ']')
		return fail(r, r->at, "comma before the closing ']'");
	return read_value(r);
}

/* what stands between the brackets, and the closing one */
static bool read_items(struct reader *r, bool array)
{
	struct frame *f = &r->frames[r->depth - 1];
	char close = array ? ']' : '}';

	skip_space(r);
	if (peek(r) == close)
		return true;
	for (;; f->index++) {
		if (array ? !read_element(r) : !read_member(r))
			return false;
		skip_space(r);
		if (peek(r) == close)
			return true;
		if (peek(r) != ',')
			return fail_char(r, array ? "',' or ']'" : "',' or '}'");
		r->at++;
		skip_space(r);
	}
}

static bool read_nested(struct reader *r, bool array)
{
	size_t first_key = r->n_keys;

	if (r->depth == JSON_DEPTH)
		return fail(r, r->at, "nested more than %d deep", JSON_DEPTH);
	cJSON *node = array ? cJSON_CreateArray() : cJSON_CreateObject();
	if (!put(r, node))
		return false;
	r->frames[r->depth++] = (struct frame){ .array = array, .node = node };
	r->at++;
	if (!read_items(r, array) || !no_duplicates(r, first_key))
		return false;
	r->at++;
	r->depth--;
	return true;
}

static bool read_text(struct reader *r)
{
	struct span s;

	return read_string(r, &s) && put(r, new_string(s));
}

static bool read_value(struct reader *r)
{
	skip_space(r);
	switch (peek(r)) {
	case '{':
		return read_nested(r, false);
	case '[':
		return read_nested(r, true);
	case '"':
		return read_text(r);
	case 't':
		return read_literal(r, "true");
	case 'f':
		return read_literal(r, "false");
	case 'n':
		return read_literal(r, "null");
	default:
		if (peek(r) == '-' || is_digit(peek(r)))
			return read_number(r);
		return fail_char(r, "a value");
	}
}

cJSON *json_parse(const char *text, size_t len, struct json_error *je)
{
	struct reader r = { .s = text, .len = len, .je = je, .cap_keys = FEW_KEYS };

	r.keys = r.few_keys;
	bool good = read_value(&r);
	skip_space(&r);
	if (good && r.at < r.len)
		good = fail_char(&r, "nothing after the document");
	if (r.keys != r.few_keys)
		free(r.keys);
	if (good)
		return r.root;
	cJSON_Delete(r.root);
	return NULL;
}

cJSON *json_parse_err(const char *text, size_t len, struct err *e)
{
	struct json_error je;
	cJSON *j = json_parse(text, len, &je);

	if (!j)
		err_set(e, EINVAL, "at byte %zu: %s", je.offset, je.text);
	return j;
}
