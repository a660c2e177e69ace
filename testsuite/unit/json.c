/* SPDX-License-Identifier: Apache-2.0
 * json - unit tests of core/base/json.c
 */
#include "core/base/json.h"

#include <errno.h>
#include <time.h>

#include "testsuite/unit/unit.h"

static bool check_len(const char *text, size_t len, struct json_error *je)
{
	auto_json cJSON *j = json_parse(text, len, je);

	return j != NULL;
}

static bool check(const char *text, struct json_error *je)
{
	return check_len(text, strlen(text), je);
}

/* text, and where and how it is wrong; NULL: it is not */
static const struct wrong { const char *text; size_t at; const char *why, *pointer; } wrong[] = {
	{ "", 0, "unexpected end", "" },
	{ " ", 1, "unexpected end", "" },
	{ "{", 1, "key in double quotes", "" },
	{ "{\"a\":1,}", 7, "unexpected '}'", "" },
	{ "[1,]", 3, "comma before the closing ']'", "/1" },
	{ "[1 2]", 3, "unexpected '2'", "/0" },
	{ "[,1]", 1, "unexpected ','", "/0" },
	{ "{a:1}", 1, "unexpected 'a'", "" },
	{ "{'a':1}", 1, "unexpected '''", "" },
	{ "{\"a\" 1}", 5, "':' after the key", "/a" },
	{ "{\"a\":}", 5, "a value", "/a" },
	{ "{\"a\":1 \"b\":2}", 7, "',' or '}'", "/a" },
	{ "{} x", 3, "nothing after the document", "" },
	{ "{}{}", 2, "nothing after the document", "" },
	{ "nul", 0, "a value", "" },
	{ "True", 0, "a value", "" },
	{ "nulll", 4, "nothing after", "" },
	{ "NaN", 0, "a value", "" },
	{ "Infinity", 0, "a value", "" },
	{ "// c\n1", 0, "a value", "" },
	{ "[01]", 1, "must not begin with 0", "/0" },
	{ "[-01]", 2, "must not begin with 0", "/0" },
	{ "[+1]", 1, "a value", "/0" },
	{ "[-]", 2, "a digit", "/0" },
	{ "[.5]", 1, "a value", "/0" },
	{ "[1.]", 3, "a digit", "/0" },
	{ "[1e]", 3, "a digit", "/0" },
	{ "[1e+]", 4, "a digit", "/0" },
	{ "[0x10]", 2, "',' or ']'", "/0" },
	{ "[1e999]", 1, "out of range", "/0" },
	{ "[-1e999]", 1, "out of range", "/0" },
	{ "\"\x01\"", 1, "control character 0x01", "" },
	{ "\"\n\"", 1, "control character 0x0a", "" },
	{ "\"abc", 0, "without an end", "" },
	{ "\"\\", 2, "unexpected end", "" },
	{ "\"\\x41\"", 2, "after a backslash", "" },
	{ "\"\\u12\"", 1, "4 hexadecimal", "" },
	{ "\"\\u12g4\"", 1, "4 hexadecimal", "" },
	{ "\"\\u0000\"", 1, "\\u0000 is not allowed", "" },
	{ "\"\\ud800\"", 1, "half of a surrogate", "" },
	{ "\"\\udc00\"", 1, "half of a surrogate", "" },
	{ "\"\\ud800x\"", 1, "half of a surrogate", "" },
	{ "\"\\ud800\\n\"", 1, "half of a surrogate", "" },
	{ "\"\\ud800\\ud800\"", 1, "not a surrogate pair", "" },
	{ "\"\\ud800\\u0041\"", 1, "not a surrogate pair", "" },
	{ "\"\x80\"", 1, "not UTF-8", "" },
	{ "\"\xc0\xaf\"", 1, "not UTF-8", "" },
	{ "\"\xed\xa0\x80\"", 1, "not UTF-8", "" },
	{ "\"\xf4\x90\x80\x80\"", 1, "not UTF-8", "" },
	{ "\"\xe2\x82\"", 1, "not UTF-8", "" },
	{ "\xef\xbb\xbf{}", 0, "unexpected byte 0xef", "" },
	{ "{\"a\":1,\"a\":2}", 7, "duplicate key \"a\"", "/a" },
	{ "{\"a\":1,\"b\":2,\"\\u0061\":2}", 13, "duplicate key \"a\"", "/a" },
	{ "{\"\xf0\x9d\x84\x9e\":1,\"\\ud834\\udd1e\":2}", 10, "duplicate key", "/\xf0\x9d\x84\x9e" },
	{ "{\"\":1,\"\":2}", 6, "duplicate key \"\"", "/" },
	{ "{\"\\n\":1,\"\\u000A\":2}", 8, "duplicate key \"?\"", "/?" },
	{ "{\"x\":[{\"b\":1,\"c\":{},\"b\":[]}]}", 20, "duplicate key \"b\"", "/x/0/b" },
	{ "{\"a/b\":{\"c~d\":[0,tru]}}", 17, "a value", "/a~1b/c~0d/1" },
	{ "[1\x0b]", 2, "unexpected byte 0x0b", "/0" },
};

TEST(refuses, "json: refuses what RFC 8259 does not allow, with byte and pointer")
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct json_error je = { 0 };
		bool good = check(wrong[i].text, &je);
		if (good)
			printf("# accepted: %s\n", wrong[i].text);
		CHECK(!good);
		CHECK_INT(je.offset, wrong[i].at);
		CHECK_HAS(je.text, wrong[i].why);
		CHECK_STR(je.pointer, wrong[i].pointer);
	}
}

static const char *const right[] = {
	"{}", "[]", "0", "-0", "1", "-1.5e-3", "1E5", "0.1", "0e0", "true", "false", "null", "\"\"",
	" \t\r\n[ 1 , 2 ] \n", "{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":1,\"A\":2}", "[{\"a\":1},{\"a\":1}]",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", "\"\\ud834\\udd1e\"", "\"\\uD834\\uDD1E\"", "\"\x7f\"", "\"\xe2\x82\xac\"",
	"\"\\u0001\"", "1e-999", "9007199254740993", "{\"\":{\"\":0}}",
};

TEST(accepts, "json: accepts what RFC 8259 allows, and cJSON agrees")
{
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		struct json_error je = { 0 };
		auto_json cJSON *j = json_parse(right[i], strlen(right[i]), &je);
		if (!j)
			printf("# refused: %s: %s\n", right[i], je.text);
		CHECK(j != NULL);
		/* cJSON reads more than is right, but what is right it reads as we do */
		auto_json cJSON *same = cJSON_Parse(right[i]);
		CHECK(cJSON_Compare(j, same, true));
	}
}

TEST(unescaped, "json: strings and keys are unescaped, and members can be taken out and put in")
{
	struct json_error je;
	static const char text[] = "{\"a\\n\\u00e9\\ud834\\udd1e\\/\": [\"\\\\\\\"\\b\\f\\r\\t\", {}, [], true, false, null, -0.5e1]}";
	auto_json cJSON *j = json_parse(text, sizeof(text) - 1, &je);

	REQUIRE(j != NULL);
	cJSON *list = cJSON_GetObjectItemCaseSensitive(j, "a\n\u00e9\U0001d11e/");
	REQUIRE(cJSON_GetArraySize(list) == 7);
	CHECK_STR(cJSON_GetStringValue(list->child), "\\\"\b\f\r\t");
	CHECK(cJSON_IsObject(cJSON_GetArrayItem(list, 1)) && cJSON_IsArray(cJSON_GetArrayItem(list, 2)));
	CHECK(cJSON_IsTrue(cJSON_GetArrayItem(list, 3)) && cJSON_IsFalse(cJSON_GetArrayItem(list, 4)));
	CHECK(cJSON_IsNull(cJSON_GetArrayItem(list, 5)));
	CHECK_INT((int)cJSON_GetNumberValue(cJSON_GetArrayItem(list, 6)), -5);
	cJSON_DeleteItemFromArray(list, 6);
	cJSON_AddItemToArray(list, cJSON_CreateString("last"));
	CHECK_STR(cJSON_GetStringValue(cJSON_GetArrayItem(list, 6)), "last");
	CHECK(cJSON_AddStringToObject(j, "b", "c") != NULL);
	CHECK_STR(json_str(j, "b"), "c");
}

TEST(zero_bytes, "json: a zero byte is an error wherever it stands")
{
	struct json_error je;

	CHECK(!check_len("{}\0", 3, &je));
	CHECK_INT(je.offset, 2);
	CHECK(!check_len("\"a\0b\"", 5, &je));
	CHECK_INT(je.offset, 2);
	CHECK(!check_len("\0", 1, &je));
	CHECK(!check_len("[1\0]", 4, &je));
	CHECK(!check_len(NULL, 0, &je));
}

TEST(no_terminator, "json: reads no byte beyond the length")
{
	static const char *const cut[] = { "{\"a\":12", "\"\\u00", "\"\\ud834\\u", "tru", "-", "1e", "\"\xe2\x82" };
	struct json_error je;

	/* each in memory of just that size, where the address sanitizer sees a byte too many */
	for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		size_t n = strlen(cut[i]);
		char *exact = malloc(n);
		REQUIRE(exact != NULL);
		memcpy(exact, cut[i], n);
		CHECK(!check_len(exact, n, &je));
		free(exact);
	}
}

/* @n times @open, then @mid, then @n times @close; free() it */
static char *nest(size_t n, char open, const char *mid, char close)
{
	size_t m = strlen(mid);
	char *s = malloc(2 * n + m + 1);

	if (!s)
		abort();
	memset(s, open, n);
	memcpy(s + n, mid, m);
	memset(s + n + m, close, n);
	s[2 * n + m] = 0;
	return s;
}

TEST(depth, "json: nests 64 deep and no deeper")
{
	struct json_error je = { 0 };

	char *s = nest(JSON_DEPTH, '[', "1", ']');
	CHECK(check(s, &je));
	free(s);
	s = nest(JSON_DEPTH + 1, '[', "1", ']');
	CHECK(!check(s, &je));
	CHECK_INT(je.offset, JSON_DEPTH);
	CHECK_HAS(je.text, "nested more than 64 deep");
	free(s);
	s = nest(1000000, '[', "", ']');
	CHECK(!check(s, &je));
	free(s);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

TEST(many_keys, "json: 100,000 keys, and a duplicate among them, take less than 5 s")
{
	struct buf b = { 0 };
	struct json_error je;
	double start = seconds();

	buf_str(&b, "{");
	for (int i = 0; i < 100000; i++)
		buf_fmt(&b, "\"a-rather-long-common-prefix-%d\":%d,", i, i);
	size_t at = b.len;
	buf_str(&b, "\"a-rather-long-common-prefix-77\":0}");
	REQUIRE(!b.failed);
	CHECK(!check_len(b.data, b.len, &je));
	CHECK_INT(je.offset, at);
	CHECK_STR(je.pointer, "/a-rather-long-common-prefix-77");
	b.data[at + 2] = 'b';
	cJSON *j = json_parse(b.data, b.len, &je);
	CHECK(j != NULL);
	CHECK_INT(cJSON_GetArraySize(j), 100001);
	cJSON_Delete(j);
	CHECK(seconds() - start < 5);
	buf_free(&b);
}

TEST(long_numbers, "json: numbers have at most 63 characters, and those are read")
{
	struct json_error je;
	char text[80];

	memset(text, '1', sizeof(text));
	CHECK(check_len(text, 63, &je));
	cJSON *j = json_parse(text, 63, &je);
	CHECK(j != NULL);
	cJSON_Delete(j);
	CHECK(!check_len(text, 64, &je));
	CHECK_HAS(je.text, "64 characters");
}

TEST(long_pointer, "json: pointers and texts are cut between characters and free of control characters")
{
	struct json_error je;
	struct buf b = { 0 };

	for (int i = 0; i < 10; i++) {
		buf_str(&b, "{\"");
		for (int k = 0; k < 50; k++)
			buf_str(&b, "\xe2\x82\xac\\u0007");
		buf_str(&b, "\":");
	}
	CHECK(!check_len(b.data, b.len, &je));
	CHECK(strlen(je.pointer) > 150);
	CHECK(!strpbrk(je.pointer, "\a\n"));
	buf_free(&b);
}

static void prints(const char *in, bool pretty, const char *want)
{
	struct json_error je;
	struct buf b = { 0 };
	auto_json cJSON *j = json_parse(in, strlen(in), &je);

	CHECK(j != NULL);
	if (j)
		json_print(j, pretty, &b);
	CHECK_STR(b.data, want);
	buf_free(&b);
}

TEST(printing, "json: prints compactly and indented")
{
	prints(" { \"a\" : [ 1 , { } , [ ] , \"x\" ] , \"b\" : { \"c\" : null } } ", false,
	       "{\"a\":[1,{},[],\"x\"],\"b\":{\"c\":null}}");
	prints("{\"a\":[1,{}],\"b\":true}", true, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": true\n}\n");
	prints("[]", true, "[]\n");
	prints("\"\\u0001\\n\\\"\\\\\\/\\u20ac\\u007f\"", false, "\"\\u0001\\n\\\"\\\\/\xe2\x82\xac\x7f\"");
}

TEST(numbers_print, "json: numbers print as short as they read back")
{
	prints("[0,-0,1,-1,0.1,1e3,4294967296,9007199254740992,1e300,2.5,0.30000000000000004]", false,
	       "[0,0,1,-1,0.1,1000,4294967296,9007199254740992,1e+300,2.5,0.30000000000000004]");
}

TEST(bad_strings_print, "json: bytes that are not UTF-8 print as U+FFFD")
{
	struct buf b = { 0 };
	auto_json cJSON *j = cJSON_CreateString("a\xff" "b\xc3");

	json_print(j, false, &b);
	CHECK_STR(b.data, "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"");
	buf_free(&b);
}

TEST(integers, "json: json_int takes whole numbers within 2^53 only")
{
	static const struct { const char *text; bool good; int64_t v; } cases[] = {
		{ "0", true, 0 }, { "-7", true, -7 }, { "1.0", true, 1 }, { "1e3", true, 1000 }, { "1.5", false, 0 },
		{ "9007199254740992", true, 9007199254740992 }, { "-9007199254740992", true, -9007199254740992 },
		{ "9007199254740994", false, 0 }, { "1e19", false, 0 }, { "-1e19", false, 0 }, { "1e300", false, 0 },
		{ "\"1\"", false, 0 }, { "true", false, 0 }, { "null", false, 0 }, { "[]", false, 0 },
		{ "1e-5", false, 0 },
	};
	int64_t v;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = { 0 };
		auto_json cJSON *j = json_parse_err(cases[i].text, strlen(cases[i].text), &e);
		v = 0;
		CHECK(json_int(j, &v) == cases[i].good);
		CHECK_INT(v, cases[i].v);
	}
	CHECK(!json_int(NULL, &v));
}

TEST(reading, "json: json_str, json_parse_err and pointers")
{
	struct err e = { 0 };
	struct buf b = { 0 };
	auto_json cJSON *j = json_parse_err("{\"a\":\"x\",\"b\":1,\"A\":\"y\"}", 23, &e);

	CHECK_STR(json_str(j, "a"), "x");
	CHECK_STR(json_str(j, "A"), "y");
	CHECK_STR(json_str(j, "b"), NULL);
	CHECK_STR(json_str(j, "c"), NULL);
	CHECK_STR(json_str(NULL, "c"), NULL);
	CHECK(!json_parse_err("{", 1, &e));
	CHECK_INT(e.code, EINVAL);
	CHECK_HAS(e.msg, "at byte 1: ");
	json_pointer_add(&b, "a~b/c");
	json_pointer_add(&b, "");
	CHECK_STR(b.data, "/a~0b~1c/");
	buf_free(&b);
}

TEST(items_print, "json: an array printed piece by piece is the array")
{
	static const char *const arrays[] = { "[]", "[1]", "[{},[],\"x\"]", "[{\"a\":{\"b\":[1,2]}},{\"c\":null}]" };

	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		for (int pretty = 0; pretty < 2; pretty++) {
			struct err e;
			auto_json cJSON *j = json_parse_err(arrays[i], strlen(arrays[i]), &e);
			struct buf whole = { 0 }, pieces = { 0 };
			const cJSON *item;
			size_t n = 0;
			json_print(j, pretty, &whole);
			cJSON_ArrayForEach(item, j)
				json_print_item(item, n++, pretty, &pieces);
			json_print_item(NULL, n, pretty, &pieces);
			CHECK_STR(pieces.data, whole.data);
			buf_free(&whole);
			buf_free(&pieces);
		}
}

/* ---- places ---- */

TEST(located, "json: where the values are that pointers name")
{
	static const char text[] = " {\"a\": [1, {\"b\" :\"}]\\\"\"}, -2.5e1 ] , \"a-b\":{},\n"
				   "\"x\\u002fy\": true, \"\": {\"~\": null}, \"last\":[[ ],[3]]}";
	static const struct { const char *pointer, *begins; } want[] = {
		{ "/last/1/0", "3]" }, { "", "{\"a\"" }, { "/a", "[1, " }, { "/a/0", "1, " }, { "/a/1", "{\"b\"" },
		{ "/a/1/b", "\"}]" }, { "/a/2", "-2.5" }, { "/a-b", "{},"}, { "/x~1y", "true" }, { "/", "{\"~\"" },
		{ "//~0", "null" }, { "/last/0", "[ ]" },
		/* not there: the nearest around it */
		{ "/a/1/c", "{\"b\"" }, { "/a/1/b/d", "\"}]" }, { "/a/3", "[1, " }, { "/none/at/all", "{\"a\"" }, { "/a-", "{\"a\"" },
		{ "/a/01", "[1, " }, { "/last/0/0", "[ ]" },
	};
	struct json_place v[sizeof(want) / sizeof(*want)];
	struct json_error je;

	REQUIRE(check(text, &je));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		v[i] = (struct json_place){ .pointer = want[i].pointer, .tag = i };
	json_locate(text, sizeof(text) - 1, v, sizeof(v) / sizeof(*v));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const char *begins = want[v[i].tag].begins;
		CHECK_STR(v[i].pointer, want[v[i].tag].pointer);
		if (strncmp(text + v[i].offset, begins, strlen(begins)) != 0) {
			printf("# %s\n", v[i].pointer);
			CHECK_STR(text + v[i].offset, begins);
		}
	}
}

UNIT_MAIN(refuses, accepts, unescaped, zero_bytes, no_terminator, depth, many_keys, long_numbers, long_pointer, printing,
	  numbers_print, items_print, bad_strings_print, integers, reading,
	  located)
