/* SPDX-License-Identifier: Apache-2.0
 * Requests to the metadata service: what is one, what is refused and how, byte by byte.
 */
#include "core/mds/request.h"

#include "testsuite/unit/unit.h"

#define GET  "GET /a HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"

static struct mds_request q;
static size_t used;
static int status;

static enum mds_parse parse_bytes(const char *text, size_t len)
{
	static char data[MDS_HEAD_MAX + MDS_BODY_MAX + 100];

	memcpy(data, text, len);
	return mds_request_parse(data, len, &q, &used, &status);
}

static enum mds_parse parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* the status of a refusal, 0 of none, 1 of one that is not whole */
static int refused(const char *text)
{
	enum mds_parse r = parse(text);

	return r == MDS_BAD ? status : r == MDS_MORE;
}

TEST(whole, "request: a whole one, and what follows it is left")
{
	CHECK_INT(parse(GET "\r\nGET /b"), MDS_WHOLE);
	CHECK_INT(q.method, MDS_GET);
	CHECK_STR(q.path, "/a");
	CHECK(q.keep && !q.form);
	CHECK_INT(used, strlen(GET "\r\n"));
	CHECK_INT(parse(POST "Content-Length: 3\r\ncontent-type:\tAPPLICATION/x-www-form-urlencoded ; charset=UTF-8\r\n\r\na=b"),
		  MDS_WHOLE);
	CHECK_INT(q.method, MDS_POST);
	CHECK(q.form);
	CHECK_INT(q.body_len, 3);
	CHECK(!memcmp(q.body, "a=b", 3));
	CHECK_INT(parse("\r\nHEAD /a HTTP/1.1\r\nhost:x\r\n\r\n"), MDS_WHOLE);
	CHECK_INT(q.method, MDS_HEAD);
	CHECK_INT(parse("DELETE /?%zz HTTP/1.1\r\nhOST:\r\nX: \xff\t y \r\n\r\n"), MDS_WHOLE);
	CHECK_STR(q.path, "/?%zz");
}

TEST(parts, "request: as long as a byte is missing more is asked for, wherever it is cut")
{
	const char *text = POST "Content-Length: 3\r\n\r\na=b";

	for (size_t i = 0; i < strlen(text); i++)
		CHECK_INT(parse_bytes(text, i), MDS_MORE);
	CHECK_INT(parse(text), MDS_WHOLE);
}

TEST(keep, "request: how long a connection lasts, by version and Connection")
{
	static const struct { const char *text; bool keep; } all[] = {
		{ GET "Connection: close\r\n\r\n", false },
		{ GET "Connection: x , CLOSE\r\n\r\n", false },
		{ GET "Connection: closed\r\n\r\n", true },
		{ GET "Connection: keep-alive\r\nConnection: close\r\n\r\n", false },
		{ "GET /a HTTP/1.0\r\n\r\n", false },
		{ "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET /a HTTP/1.7\r\nHost: x\r\n\r\n", true },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		CHECK_INT(parse(all[i].text), MDS_WHOLE);
		CHECK_INT(q.keep, all[i].keep);
	}
}

TEST(hostile, "request: what is not exactly one is refused, with its status")
{
	static const struct { int status; const char *text; } all[] = {
		{ 400, "GET /a HTTP/1.1\nHost: x\r\n\r\n" },
		{ 400, "GET /a HTTP/1.1\r\nHost: x\n" },
		{ 400, GET "A: b\rc\r\n\r\n" },
		{ 400, GET "A: b\r\r\n\r\n" },
		{ 400, GET "A: \x7f\r\n\r\n" },
		{ 400, GET "A: \x01\r\n\r\n" },
		{ 400, GET " folded: y\r\n\r\n" },
		{ 400, GET "A: b\r\n\tfolded\r\n\r\n" },
		{ 400, GET "A : b\r\n\r\n" },
		{ 400, GET ": b\r\n\r\n" },
		{ 400, GET "A\r\n\r\n" },
		{ 400, GET "A b: c\r\n\r\n" },
		{ 400, GET "Host: x\r\n\r\n" },
		{ 400, "GET /a HTTP/1.1\r\n\r\n" },
		{ 400, "GET /a HTTP/1.1\r\nHost : x\r\n\r\n" },
		{ 400, "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET  /a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a  HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET\t/a\tHTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a HTTP/1.1 \r\nHost: x\r\n\r\n" },
		{ 400, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, " GET /a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a http/1.1\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a HTTP/11\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a HTTP/1.11\r\nHost: x\r\n\r\n" },
		{ 400, "GET /a\r\nHost: x\r\n\r\n" },
		{ 400, "GET\r\n\r\n" },
		{ 400, "\r\n\r\n" },
		{ 505, "GET /a HTTP/2.0\r\nHost: x\r\n\r\n" },
		{ 505, "GET /a HTTP/0.9\r\nHost: x\r\n\r\n" },
		{ 501, "BREW /a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 501, "get /a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 501, "GETS /a HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 501, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ 411, POST "\r\n" },
		{ 411, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ 411, GET "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n" },
		{ 501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n" },
		{ 400, POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\na=b" },
		{ 400, POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\na=b" },
		{ 400, "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400, POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=b" },
		{ 400, POST "Content-Length: 3, 3\r\n\r\na=b" },
		{ 400, POST "Content-Length: +3\r\n\r\na=b" },
		{ 400, POST "Content-Length: 0x3\r\n\r\na=b" },
		{ 400, POST "Content-Length: -1\r\n\r\n" },
		{ 400, POST "Content-Length: 3 3\r\n\r\n" },
		{ 400, POST "Content-Length:\r\n\r\n" },
		{ 413, POST "Content-Length: 1048577\r\n\r\n" },
		{ 413, POST "Content-Length: 99999999999999999999999999999999999999\r\n\r\n" },
		{ 413, POST "Content-Length: 18446744073709551617\r\n\r\n" },
		{ 417, POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n" },
		{ 1, POST "Content-Length: 1048576\r\n\r\n" },
		{ 0, POST "Content-Length: 0003\r\n\r\na=b" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (refused(all[i].text) != all[i].status) {
			printf("# want %d: %s\n", all[i].status, all[i].text);
			CHECK_INT(refused(all[i].text), all[i].status);
		}
	CHECK_INT(parse_bytes(GET "A: b\0c\r\n\r\n", sizeof(GET "A: b\0c\r\n\r\n") - 1), MDS_BAD);
	CHECK_INT(status, 400);
}

TEST(early, "request: what is wrong is said before the rest is there")
{
	CHECK_INT(parse("GET /a HTTP/1.1\n"), MDS_BAD);
	CHECK_INT(parse("\x16\x03\x01"), MDS_BAD);
	CHECK_INT(parse_bytes("\0", 1), MDS_BAD);
	CHECK_INT(parse(GET "A: b\rc"), MDS_BAD);
	CHECK_INT(parse("GET /a HTTP/1.1\r"), MDS_MORE);
}

static size_t long_text(char *out, const char *before, size_t n, const char *behind)
{
	size_t len = strlen(before);

	memcpy(out, before, len);
	memset(out + len, 'x', n);
	strcpy(out + len + n, behind);
	return len + n + strlen(behind);
}

TEST(bounds, "request: too long a line, too long a head, and the longest there may be")
{
	static char text[2 * MDS_HEAD_MAX];
	const char *end = " HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t room = MDS_HEAD_MAX - strlen("GET /") - strlen(end);

	CHECK_INT(parse_bytes(text, long_text(text, "GET /", room, end)), MDS_WHOLE);
	CHECK_INT(strlen(q.path), room + 1);
	CHECK_INT(parse_bytes(text, long_text(text, "GET /", room + 1, end)), MDS_BAD);
	CHECK_INT(status, 431);
	CHECK_INT(parse_bytes(text, long_text(text, "GET /", MDS_HEAD_MAX, "")), MDS_BAD);
	CHECK_INT(status, 414);
	CHECK_INT(parse_bytes(text, long_text(text, "GET /", MDS_HEAD_MAX - 6, "")), MDS_MORE);
	CHECK_INT(parse_bytes(text, long_text(text, GET "A: ", MDS_HEAD_MAX, "")), MDS_BAD);
	CHECK_INT(status, 431);
}

/* ---- forms ---- */

static char *get(const char *body, const char *field, size_t *len)
{
	const struct mds_request r = { .method = MDS_POST, .body = body, .body_len = strlen(body), .form = true };

	return mds_form_get(&r, field, len);
}

static bool none(const char *body)
{
	size_t len;
	char *s = get(body, "content", &len);

	free(s);
	return !s;
}

static void is_content(const char *body, const char *want, size_t want_len)
{
	size_t len = 0;
	char *s = get(body, "content", &len);

	CHECK(s && len == want_len && !memcmp(s, want, want_len + 1));
	free(s);
}

TEST(forms, "form: fields are decoded, once")
{
	const struct mds_request no_form = { .method = MDS_POST, .body = "content=x", .body_len = 9 };
	size_t len;

	is_content("content=x", "x", 1);
	is_content("content=", "", 0);
	is_content("a=b&content=x=y&c", "x=y", 3);
	is_content("content=%41+%2b%26%2B&x=%zz", "A +&+", 5);
	is_content("%63ontent=%00%ff", "\0\xff", 2);
	is_content("&&content=%2541&", "%41", 3);
	CHECK(none(""));
	CHECK(none("content"));
	CHECK(none("content=x&content=x"));
	CHECK(none("content=x&%63ontent=y"));
	CHECK(none("content=%"));
	CHECK(none("content=%4"));
	CHECK(none("content=%4&1"));
	CHECK(none("content=%g1"));
	CHECK(none("content=x&content"));
	CHECK(none("contents=x"));
	CHECK(none("conten=x"));
	CHECK(none("Content=x"));
	CHECK(none("content%=x"));
	CHECK(!mds_form_get(&no_form, "content", &len));
}

/* ---- replies ---- */

TEST(replies, "reply: status, type, length; nothing but the head to HEAD")
{
	struct mds_reply r = { .status = 200, .type = MDS_JSON }, lacking = { .status = 405, .allow = "POST" };
	struct buf out = { .data = NULL };

	buf_str(&r.body, "[]");
	mds_reply_write(&r, true, false, &out);
	CHECK(!strncmp(out.data, "HTTP/1.1 200 OK\r\nDate: ", 23));
	CHECK_HAS(out.data, "GMT\r\nContent-Type: application/json\r\nContent-Length: 2\r\n");
	CHECK_STR(out.data + out.len - 6, "\r\n\r\n[]");
	CHECK(!strstr(out.data, "Connection"));
	buf_free(&out);
	mds_reply_write(&r, false, true, &out);
	CHECK_HAS(out.data, "\r\nContent-Length: 2\r\n");
	CHECK_STR(out.data + out.len - 23, "\r\nConnection: close\r\n\r\n");
	buf_free(&out);
	mds_reply_write(&lacking, true, false, &out);
	CHECK_HAS(out.data, "HTTP/1.1 405 Method Not Allowed\r\n");
	CHECK_HAS(out.data, "\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Length: 19\r\n");
	CHECK_HAS(out.data, "\r\nAllow: POST\r\n\r\nMethod Not Allowed\n");
	buf_free(&out);
	buf_free(&r.body);
}

UNIT_MAIN(whole, parts, keep, hostile, early, bounds, forms, replies)
