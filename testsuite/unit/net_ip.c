/* SPDX-License-Identifier: Apache-2.0
 * net_ip - addresses and networks: reading, printing, arithmetic
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "core/net/ip.h"

static struct err e;

static struct ip ip(const char *text)
{
	struct ip a = { 0 };

	CHECK_INT(ip_parse(text, &a, &e), 0);
	return a;
}

static struct ip_cidr cidr(const char *text)
{
	struct ip_cidr c = { 0 };

	CHECK_INT(ip_cidr_parse(text, &c, &e), 0);
	return c;
}

/* what comes out of what went in; "" nothing */
static const char *through(const char *text)
{
	static char out[IP_TEXT_MAX];
	struct ip a;

	return ip_parse(text, &a, &e) < 0 ? "" : ip_text(&a, out);
}

TEST(parse, "ip: addresses as they are written, and nothing else")
{
	static const char *const bad[] = {
		"", " ", "1.2.3", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4.5", "256.1.1.1", "010.1.1.1", "1.2.3.04", "0x1.2.3.4", "1.2.3.-4",
		"1..2.3", "1.2.3.4/8", "::1/64", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::", "12345::", "g::",
		"fe80::1%eth0", "::ffff:1.2.3.4", "::ffff:102:304", "[::1]", "localhost", "1.2.3.4\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_STR(through(bad[i]), "");
	CHECK_INT(e.code, EINVAL);
	CHECK_STR(e.msg, "\"1.2.3.4?\" is not an IP address");
	CHECK_STR(through("0.0.0.0"), "0.0.0.0");
	CHECK_STR(through("255.255.255.255"), "255.255.255.255");
	struct ip four = ip("10.1.2.3"), six = ip("::1");
	CHECK_INT(ip_family(&four), AF_INET);
	CHECK_INT(ip_family(&six), AF_INET6);
	CHECK_INT(ip_bits(&four), 32);
	CHECK_INT(ip_bits(&six), 128);
}

TEST(print, "ip: IPv6 is printed as RFC 5952 wants it")
{
	struct ip none = { 0 };
	char out[IP_TEXT_MAX] = "x";

	CHECK_STR(through("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");
	CHECK_STR(through("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
	CHECK_STR(through("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
	CHECK_STR(through("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
	CHECK_STR(through("0:0:0:0:0:0:0:0"), "::");
	CHECK_STR(through("1:0:0:0:0:0:0:0"), "1::");
	CHECK_STR(through("0:0:0:0:0:0:0:1"), "::1");
	CHECK_STR(through("0:1:0:0:0:0:0:0"), "0:1::");
	CHECK_STR(through("1:2:3:4:5:6:7:0"), "1:2:3:4:5:6:7:0");
	CHECK_STR(through("0:2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
	CHECK_STR(through("::fffe:0:1"), "::fffe:0:1");
	CHECK_STR(through("64:ff9b::1.2.3.4"), "64:ff9b::102:304");
	CHECK_STR(through("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	CHECK_STR(ip_text(&none, out), "");
}

TEST(networks, "ip: an address and the length of a prefix")
{
	static const char *const bad[] = { "10.1.0.0", "10.1.0.0/", "10.1.0.0/33", "10.1.0.0/-1", "10.1.0.0/+8", "10.1.0.0/8 ", "/8",
		"10.1.0.0/255.0.0.0", "fd00::/129", "10.1/16", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8", "10.1.0.0//8" };
	struct ip_cidr c;
	char out[IP_CIDR_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT(ip_cidr_parse(bad[i], &c, &e), -1);
	CHECK_HAS(e.msg, "\"10.1.0.0//8\" is not");
	c = cidr("10.1.130.7/17");
	CHECK_STR(ip_cidr_text(&c, out), "10.1.130.7/17");
	struct ip last = ip_last(&c);
	CHECK_STR(ip_text(&last, out), "10.1.255.255");
	c = ip_network(&c);
	CHECK_STR(ip_cidr_text(&c, out), "10.1.128.0/17");
	c = cidr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	CHECK_STR(ip_cidr_text(&c, out), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	c = cidr("fd00:1:2:3:4:5:6:7/60");
	last = ip_last(&c);
	CHECK_STR(ip_text(&last, out), "fd00:1:2:f:ffff:ffff:ffff:ffff");
	c = ip_network(&c);
	CHECK_STR(ip_cidr_text(&c, out), "fd00:1:2::/60");
	c = cidr("1.2.3.4/0");
	c = ip_network(&c);
	CHECK_STR(ip_cidr_text(&c, out), "0.0.0.0/0");
}

TEST(inside, "ip: what lies inside of a network")
{
	struct ip_cidr net = cidr("172.16.28.0/22"), all4 = cidr("0.0.0.0/0"), one = cidr("10.0.0.1/32"), six = cidr("fd00::/65");
	struct ip a = ip("172.16.31.255"), b = ip("172.16.32.0"), c = ip("10.0.0.1"), d = ip("fd00::7fff:0:0:1"), f = ip("fd00::8000:0:0:1");

	CHECK(ip_in(&a, &net) && !ip_in(&b, &net) && ip_in(&a, &all4) && ip_in(&c, &one) && !ip_in(&a, &one));
	CHECK(ip_in(&d, &six) && !ip_in(&f, &six) && !ip_in(&d, &all4) && !ip_in(&a, &six));
}

TEST(count, "ip: sums stay within the family, and what would not is left as it was")
{
	struct ip a = ip("10.0.0.255"), b = ip("255.255.255.250"), c = ip("fd00::ffff:ffff:ffff:ffff"), d = ip("ffff:ffff:ffff:ffff::");
	char out[IP_TEXT_MAX];

	CHECK(ip_add(&a, 1));
	CHECK_STR(ip_text(&a, out), "10.0.1.0");
	CHECK(ip_add(&b, 5) && !ip_add(&b, 1) && !ip_add(&b, UINT64_MAX) && !ip_add(&b, 1ull << 32));
	CHECK_STR(ip_text(&b, out), "255.255.255.255");
	CHECK(ip_add(&c, UINT64_MAX));
	CHECK_STR(ip_text(&c, out), "fd00::1:ffff:ffff:ffff:fffe");
	CHECK(ip_add(&d, UINT64_MAX) && !ip_add(&d, 1));
}

TEST(order, "ip: IPv4 before IPv6, then by value")
{
	static const char *const sorted[] = { "0.0.0.0", "9.255.0.0", "10.0.0.0", "10.0.0.1", "255.0.0.0", "::", "::1", "1::", "fe80::" };
	enum { N = sizeof(sorted) / sizeof(*sorted) };

	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) {
			struct ip a = ip(sorted[i]), b = ip(sorted[j]);
			int way = ip_compare(&a, &b);
			CHECK_INT((way > 0) - (way < 0), (i > j) - (i < j));
			CHECK_INT(ip_equal(&a, &b), i == j);
		}
}

TEST(kinds, "ip: zero and loopback addresses")
{
	static const struct { const char *text, *is; } v[] = {
		{ "0.0.0.0", "z" }, { "::", "z" }, { "127.0.0.1", "l" }, { "127.255.0.9", "l" }, { "::1", "l" }, { "::2", "" }, { "128.0.0.1", "" },
		{ "1::1", "" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct ip a = ip(v[i].text);
		char is[4], *p = is;
		if (ip_is_zero(&a))
			*p++ = 'z';
		if (ip_is_loopback(&a))
			*p++ = 'l';
		*p = '\0';
		CHECK_STR(is, v[i].is);
	}
}

TEST(masks, "ip: masks as Go prints them")
{
	struct ip_cidr a = cidr("10.0.0.0/22"), b = cidr("1.2.3.4/0"), c = cidr("1.2.3.4/32"), d = cidr("fd00::/61");
	char out[IP_CIDR_MAX];

	CHECK_STR(ip_mask_text(&a, out), "255.255.252.0");
	CHECK_STR(ip_mask_text(&b, out), "0.0.0.0");
	CHECK_STR(ip_mask_text(&c, out), "255.255.255.255");
	CHECK_STR(ip_mask_text(&d, out), "fffffffffffffff80000000000000000");
}

UNIT_MAIN(parse, print, networks, inside, count, order, kinds, masks)
