/* SPDX-License-Identifier: Apache-2.0
 * base_text - unit tests of core/base/{err,buf,utf8}.c
 */
#include <errno.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/utf8.h"
#include "testsuite/unit/unit.h"

TEST(err_texts, "err: set, sys and wrap")
{
	struct err e = { 0 };

	CHECK_INT(err_set(&e, ENOENT, "open %s", "x"), -1);
	CHECK_STR(e.msg, "open x");
	CHECK_INT(e.code, ENOENT);
	CHECK_INT(err_wrap(&e, "pod %d", 7), -1);
	CHECK_STR(e.msg, "pod 7: open x");
	CHECK_INT(e.code, ENOENT);
	errno = EACCES;
	CHECK_INT(err_sys(&e, "read %s", "y"), -1);
	CHECK_INT(e.code, EACCES);
	CHECK_STR(e.msg, "read y: Permission denied");
}

TEST(err_clean, "err: control characters never get through")
{
	struct err e = { 0 };

	err_set(&e, EINVAL, "name \"%s\"", "a\033[2Jb\nc\rd\x7f" "e");
	CHECK_STR(e.msg, "name \"a?[2Jb?c?d?e\"");
	err_wrap(&e, "in %s", "\a");
	CHECK_STR(e.msg, "in ?: name \"a?[2Jb?c?d?e\"");
	errno = ENOENT;
	err_sys(&e, "open %s", "\t");
	CHECK_HAS(e.msg, "open ?: ");
}

TEST(err_long, "err: long texts are cut, never overrun")
{
	struct err e = { 0 };
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	err_set(&e, EINVAL, "%s", text);
	CHECK_INT(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "front");
	CHECK_INT(strncmp(e.msg, "front: xxx", 10), 0);
	CHECK(strlen(e.msg) < sizeof(e.msg));
	err_wrap(&e, "%s", text);
	CHECK(strlen(e.msg) < sizeof(e.msg));
	errno = EIO;
	err_sys(&e, "%s", text);
	CHECK(strlen(e.msg) < sizeof(e.msg));
	for (size_t n = 480; n < 520; n++) {
		err_set(&e, EINVAL, "inner");
		err_wrap(&e, "%.*s", (int)n, text);
		errno = EIO;
		err_sys(&e, "%.*s", (int)n, text);
	}
}

TEST(buf_grows, "buf: adds, formats, and is a string all along")
{
	struct buf b = { 0 };

	buf_add(&b, "", 0);
	CHECK_STR(b.data, "");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%d,", i);
	CHECK(!b.failed);
	CHECK_INT(b.len, 10 * 2 + 90 * 3 + 900 * 4);
	CHECK_INT(strlen(b.data), b.len);
	CHECK_INT(strncmp(b.data, "0,1,2,", 6), 0);
	buf_free(&b);
	CHECK(!b.data && !b.len && !b.cap);
	for (size_t n = 0; n < 300; n++) {
		buf_fmt(&b, "%*s", (int)n, "");
		CHECK_INT(strlen(b.data), n);
		buf_free(&b);
	}
}

TEST(buf_room, "buf: formats the same whatever room is left")
{
	for (size_t before = 0; before < 300; before++) {
		struct buf b = { 0 };
		for (size_t i = 0; i < before; i++)
			buf_add(&b, "a", 1);
		buf_fmt(&b, "%s-%d", "text", 42);
		CHECK_INT(b.len, before + 7);
		CHECK(b.data[b.len] == 0 && b.len < b.cap);
		CHECK_STR(b.data + before, "text-42");
		CHECK(strspn(b.data, "a") == before);
		buf_free(&b);
	}
}

TEST(buf_fails, "buf: an impossible size fails, keeps what was there, and all that follows is ignored")
{
	struct buf b = { 0 };

	buf_str(&b, "abc");
	buf_add(&b, "x", (size_t)-1 / 2);
	CHECK(b.failed);
	buf_str(&b, "def");
	CHECK_INT(b.len, 3);
	CHECK_STR(b.data, "abc");
	buf_free(&b);
	CHECK(!b.failed);
}

static void cleans(const char *in, size_t len, const char *want)
{
	struct buf b = { 0 };

	buf_str(&b, "");
	buf_clean(&b, in, len);
	CHECK_STR(b.data, want);
	buf_free(&b);
}

TEST(buf_cleans, "buf: untrusted text loses control characters and malformed bytes")
{
	cleans("plain", 5, "plain");
	cleans("\xe2\x82\xac", 3, "\xe2\x82\xac");
	cleans("a\0b", 3, "a?b");
	cleans("\033[31m\n\x7f", 7, "?[31m??");
	cleans("\xc2\x9b" "31m", 5, "?31m");                    /* C1: CSI in one character */
	cleans("\xe2\x80\xae" "txt", 6, "?txt");                /* right-to-left override */
	cleans("\xff\xfe", 2, "??");
	cleans("\xe2\x82", 2, "??");
	cleans("\xc0\xaf", 2, "??");
	cleans("\xed\xa0\x80", 3, "???");
	cleans("", 0, "");
}

TEST(utf8, "utf8: well-formed means RFC 3629")
{
	static const struct { const char *s; size_t n, len; } cases[] = {
		{ "a", 1, 1 }, { "", 0, 0 }, { "\0", 1, 1 }, { "\x7f", 1, 1 }, { "\x80", 1, 0 }, { "\xbf", 1, 0 },
		{ "\xc0\x80", 2, 0 }, { "\xc1\xbf", 2, 0 }, { "\xc2\x80", 2, 2 }, { "\xdf\xbf", 2, 2 }, { "\xc2", 1, 0 },
		{ "\xc2" "a", 2, 0 }, { "\xe0\x9f\xbf", 3, 0 }, { "\xe0\xa0\x80", 3, 3 }, { "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 }, { "\xed\xbf\xbf", 3, 0 }, { "\xee\x80\x80", 3, 3 }, { "\xef\xbf\xbf", 3, 3 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 }, { "\xf0\x90\x80\x80", 4, 4 }, { "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 }, { "\xf5\x80\x80\x80", 4, 0 }, { "\xf0\x90\x80", 3, 0 },
		{ "\xff", 1, 0 }, { "\xf8\x88\x80\x80\x80", 5, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_INT(utf8_len(cases[i].s, cases[i].n), cases[i].len);
	CHECK_INT(utf8_bad("ab\xe2\x82\xac", 5), 5);
	CHECK_INT(utf8_bad("ab\xe2\x82", 4), 2);
	CHECK_INT(utf8_bad("", 0), 0);
}

TEST(utf8_controls, "utf8: C0, DEL, C1 and bidirectional overrides are controls")
{
	CHECK(utf8_is_control("\x1f", 1));
	CHECK(!utf8_is_control(" ", 1));
	CHECK(utf8_is_control("\x7f", 1));
	CHECK(utf8_is_control("\xc2\x80", 2));
	CHECK(utf8_is_control("\xc2\x9f", 2));
	CHECK(!utf8_is_control("\xc2\xa0", 2));
	CHECK(utf8_is_control("\xe2\x80\xaa", 3));
	CHECK(utf8_is_control("\xe2\x81\xa9", 3));
	CHECK(!utf8_is_control("\xe2\x82\xac", 3));
	CHECK(!utf8_is_control("\xf0\x9f\x98\x80", 4));
}

UNIT_MAIN(err_texts, err_clean, err_long, buf_grows, buf_room, buf_fails, buf_cleans, utf8, utf8_controls)
