/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of results of network plug-ins: all versions read and written, and what is refused
 */
#include "testsuite/unit/unit.h"

#include <errno.h>

#include "core/base/json.h"
#include "core/net/result.h"

static char last[600]; /* what the last error said */

static int parse(const char *text, struct net_result *r)
{
	struct err e = { .msg = "" };
	cJSON *j = json_parse_err(text, strlen(text), &e);
	int got = j ? net_result_parse(j, r, &e) : -2;

	snprintf(last, sizeof(last), "%s", e.msg);
	cJSON_Delete(j);
	return got;
}

static const char *bad(const char *text)
{
	struct net_result r = { 0 };

	if (parse(text, &r) == 0) {
		net_result_free(&r);
		return "(taken)";
	}
	return last;
}

static const char *printed(const struct net_result *r, const char *version)
{
	static char text[2000];
	struct err e = { .msg = "" };
	struct buf b = { 0 };
	cJSON *j = net_result_json(r, version, &e);

	if (!j)
		return strcpy(text, e.msg);
	json_print(j, false, &b);
	snprintf(text, sizeof(text), "%s", b.data);
	buf_free(&b);
	cJSON_Delete(j);
	return text;
}

static const char *addr(const struct net_ip *ip)
{
	static char text[IP_CIDR_MAX];

	return ip ? ip_cidr_text(&ip->address, text) : "none";
}

static const char old[] =
	"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\",\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
	"{\"dst\":\"192.168.0.0/16\",\"gw\":\"10.1.0.9\"}]},\"ip6\":{\"ip\":\"fd00::5/64\",\"routes\":[]},"
	"\"dns\":{\"nameservers\":[\"10.1.0.1\"],\"domain\":\"example.com\",\"search\":[\"a\",\"b\"],\"options\":[\"ndots:2\"]}}";

TEST(reads_old, "net: results of 0.1.0 and 0.2.0 have an address of each family")
{
	struct net_result r;

	REQUIRE(parse(old, &r) == 0);
	CHECK_INT(r.n_ips, 2);
	CHECK_STR(addr(net_result_first(&r, 4)), "10.1.0.5/16");
	CHECK_STR(addr(net_result_first(&r, 16)), "fd00::5/64");
	CHECK_INT(net_result_first(&r, 4)->gateway.b[3], 1);
	CHECK_INT(net_result_first(&r, 16)->gateway.len, 0);
	CHECK_INT(r.n_routes, 2);
	CHECK_INT(r.routes[0].gw.len, 0);
	CHECK_INT(r.routes[1].gw.b[3], 9);
	CHECK_INT(r.dns.n_servers, 1);
	CHECK_STR(r.dns.servers[0], "10.1.0.1");
	CHECK_STR(r.dns.domain, "example.com");
	CHECK_INT(r.dns.n_search, 2);
	CHECK_STR(r.dns.options[0], "ndots:2");
	CHECK_STR(printed(&r, "0.2.0"), old);
	CHECK_HAS(printed(&r, "0.4.0"), "\"ips\":[{\"version\":\"4\",\"address\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\"},"
					"{\"version\":\"6\",\"address\":\"fd00::5/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}");
	net_result_free(&r);
	/* nothing said is 0.1.0 */
	REQUIRE(parse("{\"ip4\":{\"ip\":\"10.1.0.5/16\"},\"ips\":7}", &r) == 0);
	CHECK_INT(r.n_ips, 1);
	net_result_free(&r);
	CHECK_INT(r.n_ips, 0);
}

static const char lists[] =
	"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"00:11:22:33:44:55\"},{\"name\":\"eth0\","
	"\"mac\":\"99:88:77:66:55:44\",\"sandbox\":\"/proc/7/fd/9\"}],\"ips\":[{\"interface\":1,\"address\":\"10.1.0.5/16\","
	"\"gateway\":\"10.1.0.1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{}}";

TEST(reads_lists, "net: results since 0.3.0 have lists, and come out as they went in")
{
	static const char *const versions[] = { "0.3.0", "0.3.1", "0.4.0" };
	struct net_result r, again;

	REQUIRE(parse(lists, &r) == 0);
	CHECK_INT(r.n_ifaces, 2);
	CHECK(!r.ifaces[0].in_pod && r.ifaces[1].in_pod);
	CHECK_STR(r.ifaces[1].mac, "99:88:77:66:55:44");
	CHECK_STR(r.ifaces[1].sandbox, "/proc/7/fd/9");
	CHECK_INT(r.ips[0].iface, 1);
	CHECK_STR(printed(&r, "1.0.0"), lists);
	for (size_t i = 0; i < 3; i++) {
		const char *text = printed(&r, versions[i]);
		CHECK_HAS(text, versions[i]);
		CHECK_HAS(text, "\"version\":\"4\",\"interface\":1");
		REQUIRE(parse(text, &again) == 0);
		CHECK_STR(printed(&again, "1.0.0"), lists);
		net_result_free(&again);
	}
	CHECK_HAS(printed(&r, "0.1.0"), "\"ip4\":{\"ip\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\",\"routes\":[{\"dst\":");
	CHECK_HAS(printed(&r, "2.0.0"), "\"2.0.0\" is not known");
	net_result_free(&r);
}

TEST(lenient, "net: a result may leave out or null what it has not")
{
	struct net_result r;

	REQUIRE(parse("{\"cniVersion\":\"0.4.0\"}", &r) == 0);
	net_result_free(&r);
	REQUIRE(parse("{\"cniVersion\":\"0.4.0\",\"interfaces\":null,\"routes\":null,\"dns\":null,\"ips\":[{\"address\":"
		      "\"10.0.0.1/8\",\"gateway\":\"\",\"interface\":null}],\"new\":{\"x\":[]}}", &r) == 0);
	CHECK_INT(r.ips[0].iface, -1);
	net_result_free(&r);
	/* of InfiniBand, and the like */
	REQUIRE(parse("{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"ib0\",\"mac\":\"80:00:02:08:fe:80\"},"
		      "{\"name\":\"ib1\",\"mac\":\"80:00:02:08:fe:80:00:01\"}]}", &r) == 0);
	CHECK_STR(r.ifaces[0].mac, "80:00:02:08:fe:80");
	CHECK_STR(r.ifaces[1].mac, "");
	net_result_free(&r);
}

#define V4 "{\"cniVersion\":\"0.4.0\","

TEST(refuses, "net: a result that is none is refused with the reason")
{
	CHECK_HAS(bad("[]"), "not a JSON object");
	CHECK_HAS(bad("{\"cniVersion\":\"0.9.0\"}"), "\"0.9.0\" is not known; 0.1.0 to 1.0.0 are");
	CHECK_HAS(bad("{\"cniVersion\":4}"), "cniVersion");
	CHECK_HAS(bad("{\"ip4\":[]}"), "\"ip4\" is not an object");
	CHECK_HAS(bad("{\"ip4\":{}}"), "\"ip\" is missing");
	CHECK_HAS(bad("{\"ip4\":{\"ip\":\"10.0.0.1\"}}"), "\"ip4\": \"ip\": ");
	CHECK_HAS(bad("{\"ip4\":{\"ip\":\"fd00::1/64\"}}"), "other family");
	CHECK_HAS(bad(V4 "\"ips\":{}}"), "\"ips\" is not a list");
	CHECK_HAS(bad(V4 "\"ips\":[7]}"), "not an object");
	CHECK_HAS(bad(V4 "\"ips\":[{\"address\":\"10.0.0.1/8\",\"version\":\"6\"}]}"), "\"version\"");
	CHECK_HAS(bad(V4 "\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0}]}"), "\"interface\"");
	CHECK_HAS(bad(V4 "\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"x\"}]}"), "\"gateway\"");
	CHECK_HAS(bad(V4 "\"interfaces\":[{\"name\":\"a/b\"}]}"), "\"name\"");
	CHECK_HAS(bad(V4 "\"interfaces\":[{\"name\":\"a b\"}]}"), "\"name\"");
	CHECK_HAS(bad(V4 "\"interfaces\":[{\"name\":\"1234567890123456\"}]}"), "\"name\"");
	CHECK_HAS(bad(V4 "\"routes\":[{\"gw\":\"10.0.0.1\"}]}"), "\"dst\" is missing");
	CHECK_HAS(bad(V4 "\"routes\":[{\"dst\":7}]}"), "\"dst\" is not a string");
	/* what would be a line of its own in resolv.conf */
	CHECK_HAS(bad("{\"dns\":{\"nameservers\":[\"1.1.1.1\\nsearch x\"]}}"), "\"dns\": \"nameservers\"");
	CHECK_HAS(bad("{\"dns\":{\"nameservers\":[\"example.com\"]}}"), "\"nameservers\"");
	CHECK_HAS(bad("{\"dns\":{\"domain\":\"a\\nnameserver 6.6.6.6\"}}"), "\"domain\"");
	CHECK_HAS(bad("{\"dns\":{\"search\":[\"a b\"]}}"), "\"search\"");
	CHECK_HAS(bad("{\"dns\":{\"options\":[\"\"]}}"), "\"options\"");
	CHECK_HAS(bad("{\"dns\":[]}"), "\"dns\"");
}

TEST(bounded, "net: a result's lists are bounded")
{
	struct net_result r = { 0 };
	struct ip_cidr dst = { .ip = { .len = 4 } };
	struct err e = { .msg = "" };
	size_t n = 0;

	while (n < 1000 && net_result_route(&r, &dst, NULL, &e) == 0)
		n++;
	CHECK_INT(n, 256);
	CHECK_INT(e.code, E2BIG);
	net_result_free(&r);
}

static const char *error_of(const char *text, int *code)
{
	struct err e = { .msg = "(none)" };
	cJSON *j = json_parse_err(text, strlen(text), &e);

	if (!net_result_error(j, &e))
		strcpy(e.msg, "(none)");
	*code = e.code;
	cJSON_Delete(j);
	snprintf(last, sizeof(last), "%s", e.msg);
	return last;
}

TEST(errors, "net: what a plug-in says of its failure becomes the message, and no terminal's command")
{
	int code;

	CHECK_STR(error_of("{\"code\":7,\"msg\":\"bad conf\",\"details\":\"no bridge\"}", &code), "bad conf: no bridge");
	CHECK_INT(code, EIO);
	CHECK_STR(error_of("{\"code\":11,\"msg\":\"later\"}", &code), "later");
	CHECK_INT(code, EAGAIN);
	CHECK_STR(error_of("{\"code\":999,\"msg\":\"\"}", &code), "it does not say why");
	CHECK_STR(error_of("{\"msg\":\"\\u001b[2Jx\\u009by\"}", &code), "?[2Jx?y");
	CHECK_STR(error_of("{\"code\":7}", &code), "(none)");
	CHECK_STR(error_of("[]", &code), "(none)");
	CHECK_STR(error_of("7", &code), "(none)");
}

UNIT_MAIN(reads_old, reads_lists, lenient, refuses, bounded, errors)
