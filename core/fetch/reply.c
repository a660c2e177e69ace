/* SPDX-License-Identifier: Apache-2.0
 * reply - see reply.h
 */
#include "core/fetch/reply.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define SECONDS_MAX (INT64_C(1) << 31) /* what RFC 9111, 1.2.2 takes longer ages for */

struct text { const char *p; size_t len; };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct text trim(const char *p, size_t len)
{
	while (len && is_space(*p))
		p++, len--;
	while (len && is_space(p[len - 1]))
		len--;
	return (struct text){ p, len };
}

static bool is(struct text t, const char *word)
{
	return t.len == strlen(word) && !strncasecmp(t.p, word, t.len);
}

/* takes digits from the front; false: none, or more than @max */
static bool take_number(struct text *t, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < t->len && t->p[i] >= '0' && t->p[i] <= '9'; i++) {
		if (n > (max - (uint64_t)(t->p[i] - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(t->p[i] - '0');
	}
	t->p += i;
	t->len -= i;
	*out = n;
	return i > 0;
}

static bool take_char(struct text *t, char c)
{
	if (!t->len || *t->p != c)
		return false;
	t->p++;
	t->len--;
	return true;
}

/* digits and nothing else; too many of them are a very long time */
static int64_t seconds(struct text t)
{
	uint64_t n;
	size_t digits = 0;

	while (digits < t.len && t.p[digits] >= '0' && t.p[digits] <= '9')
		digits++;
	if (!digits || digits != t.len)
		return -1;
	return take_number(&t, SECONDS_MAX, &n) ? (int64_t)n : SECONDS_MAX;
}

static int digits(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (p[i] - '0');
	return v;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int64_t reply_date(const char *s, size_t len)
{
	static const char form[] = "aaa, 00 aaa 0000 00:00:00 GMT", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *m = months;

	if (len != sizeof(form) - 1)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : form[i] == 'a' ? !is_letter(s[i]) : s[i] != form[i])
			return -1;
	while (*m && strncmp(m, s + 8, 3) != 0)
		m += 3;
	struct tm tm = {
		.tm_mday = digits(s + 5, 2), .tm_mon = (int)(m - months) / 3, .tm_year = digits(s + 12, 4) - 1900,
		.tm_hour = digits(s + 17, 2), .tm_min = digits(s + 20, 2), .tm_sec = digits(s + 23, 2),
	};
	if (!*m || tm.tm_year < 70 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	return timegm(&tm);
}

/* ---- fields ---- */

/* visible characters only: it goes back into a request, and into our records */
static void copy(struct text t, char *out, size_t size)
{
	*out = 0;
	if (t.len >= size)
		return;
	for (size_t i = 0; i < t.len; i++)
		if ((unsigned char)t.p[i] < ' ' || (unsigned char)t.p[i] >= 0x7f)
			return;
	memcpy(out, t.p, t.len);
	out[t.len] = 0;
}

static void set_etag(struct reply *r, struct text t)
{
	struct text quoted = t;

	if (quoted.len > 2 && !strncmp(quoted.p, "W/", 2))
		quoted = (struct text){ t.p + 2, t.len - 2 };
	if (quoted.len < 2 || *quoted.p != '"' || memchr(quoted.p + 1, '"', quoted.len - 1) != quoted.p + quoted.len - 1)
		t.len = 0;
	copy(t, r->etag, sizeof(r->etag));
}

/* bytes 0-499/1234, and an asterisk for a total that is not known */
static void set_range(struct reply *r, struct text t)
{
	uint64_t from, to, total = 0;

	r->has_range = false;
	if (t.len < 6 || strncasecmp(t.p, "bytes ", 6) != 0)
		return;
	t = trim(t.p + 6, t.len - 6);
	if (!take_number(&t, INT64_MAX, &from) || !take_char(&t, '-') || !take_number(&t, INT64_MAX, &to) ||
	    !take_char(&t, '/') || to < from)
		return;
	if (!take_char(&t, '*') && (!take_number(&t, INT64_MAX, &total) || total <= to))
		return;
	if (t.len)
		return;
	r->has_range = true;
	r->range_from = from;
	r->range_to = to;
	r->range_total = total;
}

static void set_directive(struct reply *r, struct text t)
{
	const char *eq = memchr(t.p, '=', t.len);
	struct text name = trim(t.p, eq ? (size_t)(eq - t.p) : t.len), value = { "", 0 };

	if (eq)
		value = trim(eq + 1, t.len - (size_t)(eq + 1 - t.p));
	if (value.len > 1 && *value.p == '"' && value.p[value.len - 1] == '"')
		value = (struct text){ value.p + 1, value.len - 2 };
	/* no-cache="field" is about that field only */
	if (is(name, "no-store") || (is(name, "no-cache") && !eq))
		r->no_cache = true;
	else if (is(name, "max-age"))
		r->max_age_s = seconds(value) < 0 ? 0 : seconds(value);
}

static void set_cache_control(struct reply *r, struct text t)
{
	while (t.len) {
		size_t n = 0;
		bool quoted = false;
		for (; n < t.len && (quoted || t.p[n] != ','); n++)
			quoted ^= t.p[n] == '"';
		set_directive(r, (struct text){ t.p, n });
		n += n < t.len;
		t.p += n;
		t.len -= n;
	}
}

static void set_date(int64_t *field, struct text t)
{
	*field = reply_date(t.p, t.len);
}

static void set_retry(struct reply *r, struct text t)
{
	r->retry_s = seconds(t);
	if (r->retry_s >= 0)
		return;
	int64_t at = reply_date(t.p, t.len), now = r->date_s >= 0 ? r->date_s : (int64_t)time(NULL);
	if (at >= 0)
		r->retry_s = at > now ? at - now : 0;
}

static void set_field(struct reply *r, struct text name, struct text value)
{
	if (is(name, "etag"))
		set_etag(r, value);
	else if (is(name, "last-modified")) {
		copy(value, r->modified, sizeof(r->modified));
		set_date(&r->modified_s, value);
	} else if (is(name, "content-range"))
		set_range(r, value);
	else if (is(name, "content-length")) {
		if (!take_number(&value, INT64_MAX, &r->length) || value.len)
			r->length = 0;
	} else if (is(name, "cache-control"))
		set_cache_control(r, value);
	else if (is(name, "age"))
		r->age_s = seconds(value);
	else if (is(name, "date"))
		set_date(&r->date_s, value);
	else if (is(name, "expires")) {
		/* what is no date is in the past */
		set_date(&r->expires_s, value);
		r->expires_s = r->expires_s < 0 ? 0 : r->expires_s;
	} else if (is(name, "retry-after"))
		set_retry(r, value);
	else if (is(name, "content-encoding") || is(name, "transfer-encoding")) {
		if (!is(value, "identity") && !is(value, "chunked") && value.len) {
			copy(value, r->encoding, sizeof(r->encoding));
			if (!*r->encoding)
				strcpy(r->encoding, "?");
		}
	}
}

/* ---- lines ---- */

static void begin(struct reply *r, struct text t)
{
	uint64_t status = 0;
	const char *space = memchr(t.p, ' ', t.len);

	*r = (struct reply){ .max_age_s = -1, .age_s = -1, .retry_s = -1, .date_s = -1, .modified_s = -1, .expires_s = -1 };
	if (!space)
		return;
	t.len -= (size_t)(space + 1 - t.p);
	t.p = space + 1;
	if (take_number(&t, 999, &status))
		r->status = (unsigned)status;
}

void reply_line(struct reply *r, const char *line, size_t len)
{
	struct text t = trim(line, len);

	if (len > 5 && !strncasecmp(line, "HTTP/", 5)) {
		begin(r, t);
		return;
	}
	/* behind the body there may be more lines, of which we want none */
	if (r->complete || !r->status)
		return;
	if (!t.len) {
		r->complete = r->status >= 200;
		return;
	}
	const char *colon = memchr(t.p, ':', t.len);
	if (colon)
		set_field(r, trim(t.p, (size_t)(colon - t.p)), trim(colon + 1, t.len - (size_t)(colon + 1 - t.p)));
}

const char *reply_validator(const struct reply *r)
{
	if (*r->etag)
		return *r->etag == '"' ? r->etag : NULL;
	return r->modified_s >= 0 && r->date_s > r->modified_s ? r->modified : NULL;
}

int64_t reply_fresh_s(const struct reply *r)
{
	int64_t life = r->max_age_s;

	if (r->no_cache)
		return 0;
	if (life < 0 && r->expires_s >= 0)
		life = r->date_s < 0 || r->expires_s <= r->date_s ? 0 : r->expires_s - r->date_s;
	if (life < 0)
		return -1;
	return r->age_s > 0 ? (life > r->age_s ? life - r->age_s : 0) : life;
}
