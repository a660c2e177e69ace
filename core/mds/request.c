/* SPDX-License-Identifier: Apache-2.0
 * request - see request.h
 *
 * First every byte of the head is looked at: none but CR LF ends a line, and there is no other control character than
 * the tab. What is split up after that has no surprises left.
 */
#include "core/mds/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct text { const char *p; size_t n; };

static bool same(struct text t, const char *s)
{
	return t.n == strlen(s) && !strncasecmp(t.p, s, t.n);
}

static size_t token_len(const char *p, const char *end)
{
	const char *at = p;

	while (at < end && *at && strchr(TOKEN, *at))
		at++;
	return (size_t)(at - p);
}

/* ---- the bytes of the head ---- */

/* where the head ends, behind its empty line; NULL: not yet, or *status says what is wrong */
static const char *head_end(const char *data, size_t len, int *status)
{
	size_t n = len < MDS_HEAD_MAX ? len : MDS_HEAD_MAX, line = 0;
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];
		if (c == '\r' && i + 1 == n)
			break;
		if (c == '\r' && data[i + 1] == '\n') {
			if (i == line)
				return data + i + 2;
			line = ++i + 1;
			first = false;
			continue;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			*status = 400;
			return NULL;
		}
	}
	if (len >= MDS_HEAD_MAX)
		*status = first ? 414 : 431;
	return NULL;
}

/* the line at *p without its end, behind which *p then is */
static struct text take_line(const char **p)
{
	struct text t = { *p, strcspn(*p, "\r") };

	*p += t.n + 2;
	return t;
}

/* ---- request line ---- */

static int parse_method(struct text t, enum mds_method *out)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (t.n == strlen(names[i]) && !memcmp(t.p, names[i], t.n)) {
			*out = (enum mds_method)i;
			return 0;
		}
	return 501;
}

/* 0, or the status of what is wrong with it */
static int parse_line(struct text l, struct mds_request *r, struct text *path, bool *old)
{
	const char *end = l.p + l.n, *p = l.p + token_len(l.p, end);
	struct text method = { l.p, (size_t)(p - l.p) };

	if (!method.n || p == end || *p++ != ' ')
		return 400;
	path->p = p;
	/* origin-form alone: we are no proxy, and our paths have nothing in them that must be encoded */
	while (p < end && *p > ' ' && *p < 0x7f && *p != '#')
		p++;
	path->n = (size_t)(p - path->p);
	if (!path->n || p == end || *p++ != ' ')
		return 400;
	if (end - p != 8 || memcmp(p, "HTTP/", 5) || p[5] < '0' || p[5] > '9' || p[6] != '.' || p[7] < '0' || p[7] > '9')
		return 400;
	if (p[5] != '1')
		return 505;
	*old = p[7] == '0';
	int status = parse_method(method, &r->method);
	return status ? status : *path->p == '/' ? 0 : 400;
}

/* ---- fields ---- */

enum { HOST, LENGTH, ENCODING, CONNECTION, TYPE, EXPECT, N_FIELDS };
static const struct { const char *name; bool once; } fields[N_FIELDS] = {
	[HOST] = { "Host", true }, [LENGTH] = { "Content-Length", true }, [ENCODING] = { "Transfer-Encoding", true },
	[CONNECTION] = { "Connection", false }, [TYPE] = { "Content-Type", true }, [EXPECT] = { "Expect", false },
};

struct head {
	struct text v[N_FIELDS]; /* p NULL: not there */
	bool        close, keep;
};

/* of a list of words with commas between them */
static void take_connection(struct head *h, struct text v)
{
	while (v.n) {
		size_t n = token_len(v.p, v.p + v.n);
		h->close |= same((struct text){ v.p, n }, "close");
		h->keep |= same((struct text){ v.p, n }, "keep-alive");
		n += !n;
		v.p += n;
		v.n -= n;
	}
}

static bool take_field(struct head *h, struct text l)
{
	struct text name = { l.p, token_len(l.p, l.p + l.n) };
	struct text v = { l.p + name.n + 1, l.n - name.n - 1 };

	/* a line that begins with a blank went on with the one before, once */
	if (!name.n || name.n == l.n || l.p[name.n] != ':')
		return false;
	for (; v.n && strchr(" \t", *v.p); v.n--)
		v.p++;
	while (v.n && strchr(" \t", v.p[v.n - 1]))
		v.n--;
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!same(name, fields[i].name))
			continue;
		if (h->v[i].p && fields[i].once)
			return false;
		h->v[i] = v;
		if (i == CONNECTION)
			take_connection(h, v);
	}
	return true;
}

static int parse_length(struct text t, size_t *out)
{
	if (!t.n)
		return 400;
	for (*out = 0; t.n; t.n--, t.p++) {
		if (*t.p < '0' || *t.p > '9')
			return 400;
		if (*out <= MDS_BODY_MAX)
			*out = *out * 10 + (size_t)(*t.p - '0');
	}
	return *out > MDS_BODY_MAX ? 413 : 0;
}

/* a type's parameters stand behind a semicolon */
static bool is_form(struct text type)
{
	const char *semicolon = type.p ? memchr(type.p, ';', type.n) : NULL;

	if (!type.p)
		return false;
	if (semicolon)
		type.n = (size_t)(semicolon - type.p);
	while (type.n && strchr(" \t", type.p[type.n - 1]))
		type.n--;
	return same(type, "application/x-www-form-urlencoded");
}

static int judge(const struct head *h, bool old, struct mds_request *r)
{
	if (!old && !h->v[HOST].p)
		return 400;
	if (h->v[ENCODING].p)
		return h->v[LENGTH].p || old ? 400 : same(h->v[ENCODING], "chunked") ? 411 : 501;
	int status = h->v[LENGTH].p ? parse_length(h->v[LENGTH], &r->body_len) :
				      r->method == MDS_POST || r->method == MDS_PUT ? 411 : 0;
	if (status)
		return status;
	if (h->v[EXPECT].p)
		return 417;
	r->form = is_form(h->v[TYPE]);
	r->keep = old ? h->keep && !h->close : !h->close;
	return 0;
}

enum mds_parse mds_request_parse(char *data, size_t len, struct mds_request *out, size_t *used, int *status)
{
	/* an empty line before it is skipped: some clients sent one behind a body */
	size_t skip = len >= 2 && !memcmp(data, "\r\n", 2) ? 2 : 0;
	struct text path = { NULL, 0 };
	struct head h = { .close = false };
	bool old = false;

	*status = 0;
	*out = (struct mds_request){ .body = NULL };
	const char *p = data + skip, *end = head_end(p, len - skip, status);
	if (!end)
		return *status ? MDS_BAD : MDS_MORE;
	*status = 400;
	if (p + 2 < end)
		*status = parse_line(take_line(&p), out, &path, &old);
	while (!*status && p + 2 < end)
		if (!take_field(&h, take_line(&p)))
			*status = 400;
	if (!*status)
		*status = judge(&h, old, out);
	if (*status)
		return MDS_BAD;
	if (len - (size_t)(end - data) < out->body_len)
		return MDS_MORE;
	data[path.p + path.n - data] = 0;
	out->path = path.p;
	out->body = end;
	*used = (size_t)(end - data) + out->body_len;
	return MDS_WHOLE;
}

/* ---- forms ---- */

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* the next byte that is meant, 0 to 255; -1: the end, -2: malformed */
static int next_byte(const char **p, const char *end)
{
	if (*p == end)
		return -1;
	char c = *(*p)++;
	if (c != '%')
		return c == '+' ? ' ' : (unsigned char)c;
	if (end - *p < 2 || hex((*p)[0]) < 0 || hex((*p)[1]) < 0)
		return -2;
	*p += 2;
	return hex((*p)[-2]) << 4 | hex((*p)[-1]);
}

static bool is_field(const char *p, const char *end, const char *field)
{
	for (; *field; field++)
		if (next_byte(&p, end) != (unsigned char)*field)
			return false;
	return p == end;
}

/* -1: malformed */
static int decode(const char *p, const char *end, char *out, size_t *len)
{
	int c;

	for (*len = 0; (c = next_byte(&p, end)) >= 0; (*len)++)
		out[*len] = (char)c;
	out[*len] = 0;
	return c == -2 ? -1 : 0;
}

char *mds_form_get(const struct mds_request *r, const char *field, size_t *len)
{
	const char *p = r->body, *end = p + r->body_len, *equals;
	char *out = NULL;

	while (r->form && p < end) {
		const char *stop = memchr(p, '&', (size_t)(end - p));
		stop = stop ? stop : end;
		equals = memchr(p, '=', (size_t)(stop - p));
		if (is_field(p, equals ? equals : stop, field)) {
			bool good = !out && equals && (out = malloc((size_t)(stop - equals))) &&
				    decode(equals + 1, stop, out, len) == 0;
			if (!good) {
				free(out);
				return NULL;
			}
		}
		p = stop < end ? stop + 1 : end;
	}
	return out;
}

/* ---- replies ---- */

static const char *reason(int status)
{
	static const struct { int status; const char *text; } all[] = {
		{ 200, "OK" }, { 400, "Bad Request" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 411, "Length Required" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" }, { 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].status == status)
			return all[i].text;
	return "Internal Server Error";
}

void mds_reply_write(const struct mds_reply *r, bool keep, bool head_only, struct buf *out)
{
	const char *why = reason(r->status);
	bool named = !r->body.len && r->status != 200;
	time_t now = time(NULL);
	char date[40];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	buf_fmt(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n",
		r->status, why, date, r->type ? r->type : MDS_TEXT, named ? strlen(why) + 1 : r->body.len);
	if (r->allow)
		buf_fmt(out, "Allow: %s\r\n", r->allow);
	buf_str(out, keep ? "\r\n" : "Connection: close\r\n\r\n");
	if (head_only)
		return;
	if (named)
		buf_fmt(out, "%s\n", why);
	else
		buf_add(out, r->body.data, r->body.len);
}
