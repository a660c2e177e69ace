/* SPDX-License-Identifier: Apache-2.0
 * fetch_reply - heads of responses: validators, ranges, caches, dates; and the head of a partial file
 */
#include "core/fetch/reply.h"
#include "core/store/partial.h"
#include "testsuite/unit/unit.h"

static struct reply head(const char *text)
{
	struct reply r = { .status = 0 };

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n") + 1;
		reply_line(&r, line, n);
		line += n;
	}
	return r;
}

static struct reply ok(const char *fields)
{
	char text[2000];

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n%s\r\n\r\n", fields);
	return head(text);
}

TEST(heads, "reply: a head ends with an empty line, interim ones do not count, nor does what follows the body")
{
	struct reply r = head("HTTP/1.1 200 OK\r\nETag: \"a\"\r\n");

	CHECK_INT(r.status, 200);
	CHECK(!r.complete);
	r = head("HTTP/1.1 100 Continue\r\nETag: \"x\"\r\n\r\n");
	CHECK(!r.complete);
	r = head("HTTP/1.1 103 Early\r\nETag: \"x\"\r\n\r\nHTTP/1.1 200 OK\r\n\r\nETag: \"y\"\r\n");
	CHECK(r.complete);
	CHECK_STR(r.etag, "");
	CHECK_INT(head("HTTP/2 204\r\n\r\n").status, 204);
	CHECK_INT(head("HTTP/1.1\r\n\r\n").status, 0);
	CHECK_INT(head("HTTP/1.1 99999 x\r\n\r\n").status, 0);
}

TEST(validators, "reply: only strong validators stand for bytes")
{
	struct reply r = ok("etag:\t\"a b\" ");

	CHECK_STR(r.etag, "\"a b\"");
	CHECK_STR(reply_validator(&r), "\"a b\"");
	r = ok("ETag: W/\"a\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:36 GMT");
	CHECK_STR(r.etag, "W/\"a\"");
	CHECK(!reply_validator(&r));
	r = ok("Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT");
	CHECK_STR(reply_validator(&r), "Sun, 06 Nov 1994 08:49:36 GMT");
	/* changed in the very second it was sent: it may have changed again in it */
	r = ok("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK(!reply_validator(&r));
	static const char *const none[] = { "ETag: a", "ETag: \"a", "ETag: \"a\"b\"", "ETag: \"", "ETag: \"\x01\"", "ETag:", "ETag: \"\xc3\xa4\"" };
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK_STR(ok(none[i]).etag, "");
	char longer[600] = "ETag: \"";
	memset(longer + 7, 'a', 500);
	strcpy(longer + 507, "\"");
	CHECK_STR(ok(longer).etag, "");
}

TEST(ranges, "reply: ranges are what they should be, or none")
{
	struct reply r = ok("Content-Range: bytes 5-9/10");

	CHECK(r.has_range && r.range_from == 5 && r.range_to == 9 && r.range_total == 10);
	r = ok("Content-Range: BYTES 5-9/*");
	CHECK(r.has_range && r.range_total == 0);
	static const char *const none[] = { "bytes 5-9/9", "bytes 9-5/10", "bytes */10", "bytes 5-9", "lines 5-9/10", "bytes 5-9/10, 1-2/3",
		"bytes -5-9/10", "bytes 99999999999999999999-9/10", "bytes 5-9/99999999999999999999", "bytes ", "" };
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		char text[100];
		snprintf(text, sizeof(text), "Content-Range: %s", none[i]);
		CHECK(!ok(text).has_range);
	}
	CHECK(ok("Content-Length: 12").length == 12);
	CHECK(ok("Content-Length: 12, 12").length == 0);
	CHECK(ok("Content-Length: -1").length == 0);
	CHECK(ok("Content-Length: 18446744073709551616").length == 0);
}

static int64_t fresh(const char *fields)
{
	struct reply r = ok(fields);

	return reply_fresh_s(&r);
}

TEST(caches, "reply: for how long it is fresh")
{
	CHECK_INT(fresh("X: y"), -1);
	CHECK_INT(fresh("Cache-Control: max-age=60"), 60);
	CHECK_INT(fresh("Cache-Control: public, MAX-AGE = \"60\" ,must-revalidate\r\nAge: 20"), 40);
	CHECK_INT(fresh("Cache-Control: max-age=60\r\nAge: 61"), 0);
	CHECK_INT(fresh("Cache-Control: max-age=60\r\nCache-Control: no-cache"), 0);
	CHECK_INT(fresh("Cache-Control: no-store, max-age=60"), 0);
	CHECK_INT(fresh("Cache-Control: no-cache=\"set-cookie, max-age=1\", max-age=60"), 60);
	CHECK_INT(fresh("Cache-Control: max-age=x"), 0);
	CHECK_INT(fresh("Cache-Control: max-age=99999999999999999999"), INT64_C(1) << 31);
	CHECK_INT(fresh("Cache-Control: s-maxage=60"), -1);
	CHECK_INT(fresh("Expires: Sun, 06 Nov 1994 08:50:37 GMT"), 60);
	CHECK_INT(fresh("Expires: 0"), 0);
	CHECK_INT(fresh("Expires: Sun, 06 Nov 1994 08:50:37 GMT\r\nCache-Control: max-age=5"), 5);
}

TEST(retries, "reply: when to come again")
{
	CHECK_INT(ok("X: y").retry_s, -1);
	CHECK_INT(ok("Retry-After: 7").retry_s, 7);
	CHECK_INT(ok("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT").retry_s, 60);
	CHECK_INT(ok("Retry-After: Sun, 06 Nov 1994 08:48:37 GMT").retry_s, 0);
	CHECK_INT(ok("Retry-After: soon").retry_s, -1);
	CHECK_INT(ok("Retry-After: -5").retry_s, -1);
}

TEST(encodings, "reply: content that is not as it is")
{
	CHECK_STR(ok("Content-Encoding: gzip").encoding, "gzip");
	CHECK_STR(ok("Transfer-Encoding: gzip, chunked").encoding, "gzip, chunked");
	CHECK_STR(ok("Content-Encoding: identity\r\nTransfer-Encoding: chunked").encoding, "");
	CHECK_STR(ok("Content-Encoding: \x02").encoding, "?");
}

TEST(dates, "reply: dates are those of RFC 9110 or none")
{
	CHECK_INT(reply_date("Sun, 06 Nov 1994 08:49:37 GMT", 29), 784111777);
	CHECK_INT(reply_date("Thu, 01 Jan 1970 00:00:00 GMT", 29), 0);
	CHECK_INT(reply_date("Thu, 01 Jan 1970 00:00:00 GMT", 30), -1); /* a NUL behind it */
	static const char *const none[] = { "", "now", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMTx",
		"Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1960 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:-1 GMT" };
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK_INT(reply_date(none[i], strlen(none[i])), -1);
}

TEST(partials, "partial: a file's head is believed if it is whole and of this boot")
{
	static const char good[] = "{\"boot\":\"b\",\"etag\":\"\\\"x\\\"\",\"modified\":\"\",\"length\":7}";
	struct partial_of of;

	CHECK(partial_parse(good, sizeof(good), "b", &of));
	CHECK_STR(of.etag, "\"x\"");
	CHECK_INT((int64_t)of.length, 7);
	CHECK(!partial_parse(good, sizeof(good), "c", &of));
	CHECK(!partial_parse(good, 20, "b", &of));
	static const char *const bad[] = { "", "{}", "[]", "{\"boot\":\"\",\"etag\":\"\\\"x\\\"\",\"length\":7}",
		"{\"boot\":\"b\",\"etag\":\"\",\"modified\":\"\",\"length\":7}", "{\"boot\":\"b\",\"etag\":\"x\",\"length\":-7}",
		"{\"boot\":\"b\",\"etag\":\"x\"}", "{\"boot\":\"b\",\"etag\":\"a\\nb\",\"length\":7}" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!partial_parse(bad[i], strlen(bad[i]), *bad[i] && strstr(bad[i], "\"\",\"etag") ? "" : "b", &of));
}

UNIT_MAIN(heads, validators, ranges, caches, retries, encodings, dates, partials)
