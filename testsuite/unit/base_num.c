/* SPDX-License-Identifier: Apache-2.0
 * base_num - unit tests of core/base/num.c
 */
#include "core/base/num.h"

#include <errno.h>
#include <string.h>

#include "testsuite/unit/unit.h"

/* what an image may write where a uid belongs, each of which some parser once took for 0 or for root */
static const char *const hostile[] = {
	"", " ", "+0", "-0", "-1", "0x0", "0X1", "1e3", " 0", "0 ", "0\n", "\t0", "0.", "0.0", "1_000", "1,000", "root",
	"0b1", "0o7", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616",
	"99999999999999999999", "999999999999999999999999999999999999999", "\xd9\xa1", "\xef\xbc\x90",
};

TEST(ids_refused, "num: ids are digits from 0 to 4294967294 and nothing else")
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		struct err e = { 0 };
		uint32_t id = 77;
		int r = num_id(hostile[i], &id, &e);
		if (r == 0)
			printf("# accepted \"%s\"\n", hostile[i]);
		CHECK_INT(r, -1);
		CHECK_INT(id, 77);
		CHECK(e.code == EINVAL || e.code == ERANGE);
		CHECK(*e.msg);
	}
}

TEST(ids_accepted, "num: ids at the edges, and leading zeros are decimal")
{
	static const struct { const char *s; uint32_t v; } good[] = {
		{ "0", 0 }, { "00", 0 }, { "010", 10 }, { "1000", 1000 }, { "2147483648", 2147483648u },
		{ "4294967294", 4294967294u }, { "0000000000000000000000000000000000000001", 1 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct err e = { 0 };
		uint32_t id = 77;
		CHECK_INT(num_id(good[i].s, &id, &e), 0);
		CHECK_INT(id, good[i].v);
		CHECK_INT(e.code, 0);
	}
}

TEST(users, "num: what begins like a number is one or an error, all else is a name")
{
	static const char *const names[] = { "", "root", "a1", "/etc/passwd", "_1", ".0", "\xd9\xa1", "x-1" };

	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		struct err e = { 0 };
		uint32_t id = 77;
		int want = *hostile[i] && strchr("0123456789+- \t", *hostile[i]) ? -1 : 0;
		CHECK_INT(num_user(hostile[i], &id, &e), want);
		CHECK_INT(id, 77);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct err e = { 0 };
		uint32_t id = 77;
		CHECK_INT(num_user(names[i], &id, &e), 0);
		CHECK_INT(e.code, 0);
	}
	struct err e = { 0 };
	uint32_t id;
	CHECK_INT(num_user("010", &id, &e), 1);
	CHECK_INT(id, 10);
}

TEST(u64, "num: 64-bit numbers and their bounds")
{
	struct err e = { 0 };
	uint64_t v;

	CHECK_INT(num_u64("18446744073709551615", UINT64_MAX, &v, &e), 0);
	CHECK(v == UINT64_MAX);
	CHECK_INT(num_u64("18446744073709551616", UINT64_MAX, &v, &e), -1);
	CHECK_INT(e.code, ERANGE);
	CHECK_INT(num_u64("65535", 65535, &v, &e), 0);
	CHECK_INT(num_u64("65536", 65535, &v, &e), -1);
	CHECK_HAS(e.msg, "65535");
	CHECK_INT(num_u64("12a", 65535, &v, &e), -1);
	CHECK_INT(e.code, EINVAL);
}

TEST(modes, "num: modes are octal, at most 7777")
{
	static const char *const bad[] = { "", "8", "0o755", "10000", "-1", "755 ", "07777777777777777", "000755" };
	struct err e = { 0 };
	uint32_t m;

	CHECK_INT(num_mode("755", &m, &e), 0);
	CHECK_INT(m, 0755);
	CHECK_INT(num_mode("0755", &m, &e), 0);
	CHECK_INT(m, 0755);
	CHECK_INT(num_mode("07777", &m, &e), 0);
	CHECK_INT(m, 07777);
	CHECK_INT(num_mode("0", &m, &e), 0);
	CHECK_INT(m, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(num_mode(bad[i], &m, &e), -1);
}

TEST(quantities, "num: quantities with decimals and suffixes, rounded up")
{
	static const struct { const char *s; uint64_t scale; int64_t v; } good[] = {
		{ "128974848", 1, 128974848 }, { "125952Ki", 1, 128974848 }, { "123Mi", 1, 128974848 },
		{ "0", 1, 0 }, { "0m", 1, 0 }, { "1K", 1, 1000 }, { "1k", 1, 1000 }, { "1Ki", 1, 1024 },
		{ "1M", 1, 1000000 }, { "2G", 1, 2000000000 }, { "1T", 1, 1000000000000 },
		{ "1P", 1, 1000000000000000 }, { "9E", 1, 9000000000000000000 }, { "7Ei", 1, 8070450532247928832 },
		{ "1.5Gi", 1, 1610612736 }, { "0.5", 1, 1 }, { "300m", 1, 1 }, { "300m", 1000, 300 },
		{ "0.3", 1000, 300 }, { "1", 1000, 1000 }, { "250m", 1000, 250 }, { "1.5", 1000, 1500 },
		{ "0.0001", 1000, 1 }, { "0.0000000001", 1, 1 }, { "1.0000000000", 1, 1 }, { "1.0000000001", 1, 2 }, { "9223372036854775807", 1, INT64_MAX }, { "0.000000001", 1, 1 },
		{ "007", 1, 7 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct err e = { 0 };
		int64_t v = -1;
		if (num_quantity(good[i].s, good[i].scale, &v, &e) < 0 || v != good[i].v)
			printf("# %s: %s\n", good[i].s, e.msg);
		CHECK_INT(v, good[i].v);
	}
}

TEST(bad_quantities, "num: what is no quantity, and what does not fit 63 bits")
{
	static const struct { const char *s; uint64_t scale; int code; } bad[] = {
		{ "", 1, EINVAL }, { "m", 1, EINVAL }, { "Ki", 1, EINVAL }, { "-1", 1, EINVAL }, { "+1", 1, EINVAL },
		{ " 1", 1, EINVAL }, { "1 ", 1, EINVAL }, { "1 M", 1, EINVAL }, { ".5", 1, EINVAL }, { "1.", 1, EINVAL },
		{ "1.M", 1, EINVAL }, { "1..2", 1, EINVAL }, { "1.2.3", 1, EINVAL }, { "1e3", 1, EINVAL },
		{ "0x10", 1, EINVAL }, { "1Mb", 1, EINVAL }, { "1MiB", 1, EINVAL }, { "1mi", 1, EINVAL },
		{ "1g", 1, EINVAL }, { "1u", 1, EINVAL }, { "1i", 1, EINVAL }, { "1KiKi", 1, EINVAL }, { "inf", 1, EINVAL },
		{ "nan", 1, EINVAL }, { "1,5", 1, EINVAL }, { "1ki", 1, EINVAL },
		{ "9223372036854775808", 1, ERANGE }, { "10E", 1, ERANGE }, { "8Ei", 1, ERANGE },
		{ "9223372036854775807", 1000, ERANGE }, { "99999999999999999999", 1, ERANGE },
		{ "9223372036854775807Ei", 1000, ERANGE }, { "9223372036854775807.999999999Ei", 1000, ERANGE },
		{ "1\n", 1, EINVAL },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = { 0 };
		int64_t v = 77;
		if (num_quantity(bad[i].s, bad[i].scale, &v, &e) == 0)
			printf("# accepted \"%s\"\n", bad[i].s);
		CHECK_INT(v, 77);
		if (e.code != bad[i].code)
			printf("# \"%s\": %s\n", bad[i].s, e.msg);
		CHECK_INT(e.code, bad[i].code);
	}
}

TEST(durations, "num: durations as Go writes them")
{
	static const struct { const char *s; int64_t v; } good[] = {
		{ "0", 0 }, { "0s", 0 }, { "1ns", 1 }, { "1us", 1000 }, { "300ms", 300000000 }, { "1.5s", 1500000000 },
		{ "1h30m", 5400000000000 }, { "24h0m0s", 86400000000000 }, { "1m0.5s", 60500000000 },
		{ "2562047h47m16.854775807s", INT64_MAX }, { "1.0000000001s", 1000000000 }, { "0.25h", 900000000000 },
		{ "1\xc2\xb5s", 1000 }, { "1\xce\xbcs", 1000 },
	};
	static const char *const bad[] = { "", "s", "1", "-1s", "+1s", " 1s", "1s ", "1 s", "1d", "1.s2", ".5s", "1h30",
		"1hh", "1e3s", "0x1s", "s1", "1.2.3s", "00", "9223372037s", "2562048h", "99999999999999999999s",
		"9999999999999999999999ns" };
	struct err e;
	int64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		v = -1;
		e = (struct err){ 0 };
		if (num_duration(good[i].s, &v, &e) < 0)
			printf("# \"%s\": %s\n", good[i].s, e.msg);
		CHECK_INT(v, good[i].v);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		v = 77;
		if (num_duration(bad[i], &v, &e) == 0)
			printf("# accepted \"%s\"\n", bad[i]);
		CHECK_INT(v, 77);
	}
}

TEST(bools, "num: booleans are what Go takes for one")
{
	static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };
	static const char *const bad[] = { "", "yes", "no", "on", "2", "tRUE", "true ", " 1", "01" };
	struct err e;
	bool b;

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		b = false;
		CHECK_INT(num_bool(yes[i], &b, &e), 0);
		CHECK(b);
		CHECK_INT(num_bool(no[i], &b, &e), 0);
		CHECK(!b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(num_bool(bad[i], &b, &e), -1);
}

UNIT_MAIN(bools, ids_refused, ids_accepted, users, u64, modes, quantities, bad_quantities, durations)
