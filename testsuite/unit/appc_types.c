/* SPDX-License-Identifier: Apache-2.0
 * appc_types - unit tests of core/appc/types.c
 */
#include "core/appc/types.h"


#include "testsuite/unit/unit.h"

struct text_case { const char *s; bool good; };

static void run(bool (*ok)(const char *), const struct text_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ok(c[i].s) != c[i].good)
			printf("# \"%s\"\n", c[i].s);
		CHECK(ok(c[i].s) == c[i].good);
	}
}
#define RUN(ok, cases) run(ok, cases, sizeof(cases) / sizeof(*(cases)))

TEST(identifiers, "types: AC Identifiers")
{
	static const struct text_case cases[] = {
		{ "database", true }, { "example.com/database", true }, { "a", true }, { "0", true },
		{ "sub-domain.example.com/org/product/release", true }, { "a_b~c", true }, { "1.2.3", true },
		{ "", false }, { "A", false }, { "a/", false }, { "/a", false }, { "-a", false }, { "a-", false },
		{ "a.", false }, { ".a", false }, { "a//b", false }, { "a..b", false }, { "a/../b", false },
		{ "a b", false }, { "a#b", false }, { "a:b", false }, { "a@b", false }, { "\xc3\xa4", false },
		{ "a\n", false }, { "a\n/b", false }, { "~a", false }, { "_", false }, { "a\\b", false },
	};
	RUN(ac_identifier_ok, cases);
}

TEST(names, "types: AC Names")
{
	static const struct text_case cases[] = {
		{ "database", true }, { "product-database-release", true }, { "1", true }, { "a1-2b", true },
		{ "", false }, { "A", false }, { "-a", false }, { "a-", false }, { "a--b", false }, { "a.b", false },
		{ "a/b", false }, { "a_b", false }, { ".", false }, { "..", false }, { "a ", false }, { "a\n", false },
	};
	RUN(ac_name_ok, cases);
}

TEST(names_made, "types: an AC Name is made of an image's name")
{
	static const struct { const char *from, *to; } cases[] = {
		{ "example.com/redis", "redis" }, { "redis", "redis" }, { "example.org/a/Key_Value.Store", "key-value-store" },
		{ "x/-a-", "a" }, { "x/a__b", "a-b" }, { "busybox:1.36", "busybox-1-36" }, { "a\nb", "a-b" },
	};
	char out[32], small[4];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK(ac_name_from(cases[i].from, out, sizeof(out)));
		CHECK_STR(out, cases[i].to);
		CHECK(ac_name_ok(out));
	}
	CHECK(!ac_name_from("", out, sizeof(out)));
	CHECK(!ac_name_from("a/", out, sizeof(out)));
	CHECK(!ac_name_from("...", out, sizeof(out)));
	CHECK(ac_name_from("abc", small, sizeof(small)));
	CHECK(!ac_name_from("abcd", small, sizeof(small)));
	CHECK(!ac_name_from("ab-c", small, sizeof(small)));
	CHECK(!ac_name_from("a", small, 0));
}

TEST(versions, "types: semantic versions")
{
	static const char *const good[] = { "0.0.0", "1.2.3", "0.8.11", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1",
		"1.0.0-0.3.7", "1.0.0-x-y-z.--", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0+001",
		"1.0.0-0A", "18446744073709551615.0.0" };
	static const char *const bad[] = { "", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "v1.2.3", "1.2.3-",
		"1.2.3+", "1.2.3-01", "1.2.3-a..b", "1.2.3-a.", "1.2.3 ", " 1.2.3", "-1.2.3", "1.2.3-a_b", "1..3", "1.2.",
		"18446744073709551616.0.0", "1.2.3+a+b", "1.2.3\n" };
	uint64_t v[3];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (!ac_version_ok(good[i], v))
			printf("# %s\n", good[i]);
		CHECK(ac_version_ok(good[i], NULL));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (ac_version_ok(bad[i], NULL))
			printf("# %s\n", bad[i]);
		CHECK(!ac_version_ok(bad[i], v));
	}
	CHECK(ac_version_ok("10.20.30-x", v));
	CHECK(v[0] == 10 && v[1] == 20 && v[2] == 30);
}

TEST(image_ids, "types: image IDs")
{
	char id[200] = IMAGE_ID_PREFIX;
	size_t n = strlen(id);

	CHECK(image_id_ok("sha512-a"));
	CHECK(!image_id_ok("sha512-"));
	CHECK(!image_id_ok("sha512"));
	CHECK(!image_id_ok(""));
	CHECK(!image_id_ok("sha512-A"));
	CHECK(!image_id_ok("sha512-g"));
	CHECK(!image_id_ok("sha512-a/b"));
	CHECK(!image_id_ok("sha512-../a"));
	CHECK(!image_id_ok("SHA512-a"));
	CHECK(!image_id_ok("sha256-a"));
	CHECK(!image_id_ok(" sha512-a"));
	CHECK(!image_id_ok("sha512-a\n"));
	memset(id + n, 'f', 128);
	id[n + 128] = 0;
	CHECK(image_id_ok(id));
	id[n + 128] = 'f';
	id[n + 129] = 0;
	CHECK(!image_id_ok(id));
}

TEST(os_arch, "types: os and arch, and this machine is among them")
{
	CHECK(ac_os_arch_ok("linux", "amd64"));
	CHECK(ac_os_arch_ok("linux", "i386"));
	CHECK(ac_os_arch_ok("freebsd", "arm"));
	CHECK(ac_os_arch_ok("darwin", "x86_64"));
	CHECK(!ac_os_arch_ok("darwin", "amd64"));
	CHECK(!ac_os_arch_ok("linux", "x86_64"));
	CHECK(!ac_os_arch_ok("linux", ""));
	CHECK(!ac_os_arch_ok("windows", "amd64"));
	CHECK(ac_os_arch_ok(NULL, "anything"));
	CHECK(ac_os_arch_ok("linux", NULL));
	CHECK(!ac_os_arch_ok("windows", NULL));
	CHECK(ac_os_ok(NULL) && ac_os_ok("linux") && !ac_os_ok("Linux") && !ac_os_ok(""));
	CHECK(ac_os_arch_ok("linux", ac_host_arch()));
#ifdef __x86_64__
	CHECK_STR(ac_host_arch(), "amd64");
#endif
}

TEST(env_names, "types: names of environment variables")
{
	static const struct text_case cases[] = {
		{ "PATH", true }, { "_", true }, { "a1_B", true }, { "", false }, { "1A", false }, { "A-B", false },
		{ "A=B", false }, { "A B", false }, { "A.B", false }, { "\xc3\x84", false }, { "A\n", false },
	};
	RUN(ac_env_name_ok, cases);
}

TEST(dates, "types: RFC 3339 dates")
{
	static const struct text_case cases[] = {
		{ "2014-10-27T19:32:27.67021798Z", true }, { "2015-05-18T13:49:28.351729952-04:00", true },
		{ "2015-05-18T13:49:28Z", true }, { "2015-05-18T13:49:28+00:00", true }, { "2000-02-29T00:00:00Z", true },
		{ "2016-12-31T23:59:60Z", true }, { "0000-01-01T00:00:00Z", true }, { "9999-12-31T23:59:59.9Z", true },
		{ "", false }, { "2015-05-18", false }, { "2015-05-18 13:49:28Z", false }, { "2015-05-18T13:49:28", false },
		{ "2015-05-18T13:49Z", false }, { "2015-13-18T13:49:28Z", false }, { "2015-00-18T13:49:28Z", false },
		{ "2015-02-29T13:49:28Z", false }, { "1900-02-29T13:49:28Z", false }, { "2015-04-31T13:49:28Z", false },
		{ "2015-05-00T13:49:28Z", false }, { "2015-05-18T24:00:00Z", false }, { "2015-05-18T13:60:28Z", false },
		{ "2015-05-18T13:49:61Z", false }, { "2015-05-18T13:49:28.Z", false }, { "2015-05-18T13:49:28,5Z", false },
		{ "2015-05-18T13:49:28+24:00", false }, { "2015-05-18T13:49:28+0400", false },
		{ "2015-5-18T13:49:28Z", false }, { "15-05-18T13:49:28Z", false }, { "2015-05-18T13:49:28ZZ", false },
		{ " 2015-05-18T13:49:28Z", false }, { "+015-05-18T13:49:28Z", false },
	};
	RUN(ac_date_ok, cases);
}

TEST(urls, "types: http and https URLs")
{
	static const struct text_case cases[] = {
		{ "http://example.com", true }, { "https://example.com/docs?a=b#c", true }, { "HTTPS://example.com", true },
		{ "https://example.com:8443/", true }, { "https://u:p@example.com/", true }, { "http://[::1]/", true },
		{ "", false }, { "example.com", false }, { "ftp://example.com", false }, { "http:/example.com", false },
		{ "http://", false }, { "http:///x", false }, { "http://?x", false }, { "http://#x", false },
		{ "http://:80", false }, { "http://user@", false }, { "http://user@:80/", false },
		{ "http://a:x/", false }, { "http://a:8o", false }, { "http://a:", true }, { "http://[::1", false }, { "http://[::1]x", false },
		{ "http://[::1]:80", true }, { "http://a/%20", true }, { "http://a/%2", false }, { "http://a/%zz", false },
		{ "http://example.com/a b", false }, { "http://example.com/\n", false }, { "//example.com", false },
		{ "javascript:alert(1)", false }, { "https:example.com", false },
	};
	RUN(ac_url_ok, cases);
}

UNIT_MAIN(identifiers, names, names_made, versions, image_ids, os_arch, env_names, dates, urls)
