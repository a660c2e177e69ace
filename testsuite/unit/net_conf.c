/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of configured networks: net.d of both directories, and what --net makes of it
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/net/netconf.h"
#include "testsuite/unit/scratch.h"

static char sys_dir[80], local_dir[80], said[600];

static void clear(void)
{
	scratch("net_conf");
	snprintf(sys_dir, sizeof(sys_dir), "%s/sys", root);
	snprintf(local_dir, sizeof(local_dir), "%s/local", root);
}

static void place(const char *dir, const char *name, const char *text)
{
	char path[300];

	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/net.d", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/net.d/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static int load(struct net_confs *c)
{
	struct err e = { .msg = "" };
	int r = net_confs_load(sys_dir, local_dir, c, &e);

	snprintf(said, sizeof(said), "%s", e.msg);
	return r;
}

/* the names that --net=@net joins, or the error */
static const char *chosen(const char *net)
{
	static char out[1000];
	struct net_confs c;
	struct err e = { .msg = "" };

	*out = 0;
	if (load(&c) < 0)
		return said;
	if (net_confs_select(&c, net, &e) < 0)
		snprintf(out, sizeof(out), "%s", e.msg);
	else
		for (size_t i = 0; i < c.n; i++) {
			size_t n = strlen(out);
			snprintf(out + n, sizeof(out) - n, "%s%s%s%s", i ? " " : "", c.v[i].name, *c.v[i].args ? ":" : "",
				 c.v[i].args);
		}
	net_confs_free(&c);
	return out;
}

#define PTP(name) "{\"name\":\"" name "\",\"type\":\"ptp\"}"

static void some(void)
{
	clear();
	place(sys_dir, "20-two.conf", PTP("two"));
	place(sys_dir, "50-five.json", PTP("five"));
	place(local_dir, "10-one.conf", PTP("one"));
	place(local_dir, "30-three.conflist", "{\"cniVersion\":\"0.4.0\",\"name\":\"three\",\"disableCheck\":true,\"plugins\":["
					      "{\"type\":\"bridge\",\"name\":\"x\"},{\"type\":\"tuning\",\"cniVersion\":\"1\"}]}");
	place(local_dir, "README", "no configuration");
}

TEST(built_in, "net: without files there are default and default-restricted")
{
	struct net_confs c;
	struct err e;

	clear();
	REQUIRE(net_confs_load(NULL, NULL, &c, &e) == 0);
	CHECK_INT(c.n, 2);
	CHECK_STR(c.v[0].name, "default");
	CHECK_STR(c.v[0].file, "");
	const cJSON *d = c.v[0].plugins[0], *r = c.v[1].plugins[0];
	CHECK_STR(json_str(d, "type"), "ptp");
	CHECK(cJSON_IsTrue(cJSON_GetObjectItem(d, "ipMasq")) && !cJSON_GetObjectItem(d, "restricted"));
	CHECK_STR(json_str(cJSON_GetObjectItem(d, "ipam"), "subnet"), "172.16.28.0/24");
	CHECK(cJSON_GetObjectItem(cJSON_GetObjectItem(d, "ipam"), "routes") != NULL);
	CHECK(!cJSON_IsTrue(cJSON_GetObjectItem(r, "ipMasq")) && cJSON_IsTrue(cJSON_GetObjectItem(r, "restricted")));
	CHECK_STR(json_str(cJSON_GetObjectItem(r, "ipam"), "subnet"), "172.31.0.0/16");
	CHECK(!cJSON_GetObjectItem(cJSON_GetObjectItem(r, "ipam"), "routes"));
	net_confs_free(&c);
	CHECK_STR(chosen(""), "default");
	CHECK_STR(chosen("default"), "default");
	CHECK_STR(chosen("all"), "default");
	CHECK_STR(chosen("default-restricted"), "default-restricted");
	CHECK_STR(chosen("default,default-restricted"), "default default-restricted");
}

TEST(selects, "net: networks are joined in the order of file names, with arguments, and default-restricted beside others")
{
	some();
	CHECK_STR(chosen("five,one"), "one five default-restricted");
	CHECK_STR(chosen("two,default"), "two default");
	CHECK_STR(chosen("all"), "one two three five default");
	CHECK_STR(chosen("all,two:IP=1.2.3.4;K=V"), "one two:IP=1.2.3.4;K=V three five default");
	CHECK_STR(chosen("two:IP=fd00::1,all"), "one two:IP=fd00::1 three five default");
	CHECK_STR(chosen("default:IP=172.16.28.9"), "default:IP=172.16.28.9");
	CHECK_HAS(chosen("one,six"), "networks not found: six; there are: one, two, three, five, default, default-restricted");
	/* also where there is one of that name with a longer one */
	CHECK_HAS(chosen("tw"), "not found: tw;");
}

TEST(overrides, "net: a file's network replaces the built-in one, a local one the system's")
{
	struct net_confs c;

	some();
	place(sys_dir, "05-default.conf", PTP("default"));
	place(sys_dir, "60-one.conf", PTP("one"));
	place(local_dir, "90-two.conf", "{\"name\":\"two\",\"type\":\"bridge\"}");
	CHECK_STR(chosen("all"), "default one three five two");
	REQUIRE(load(&c) == 0);
	CHECK_HAS(c.v[1].file, "local/net.d/10-one.conf");
	CHECK_STR(json_str(c.v[4].plugins[0], "type"), "bridge");
	CHECK_STR(c.v[0].version, "0.1.0");
	net_confs_free(&c);
}

TEST(chains, "net: a chain's plug-ins are all of its name and version")
{
	struct net_confs c;

	some();
	REQUIRE(load(&c) == 0);
	const struct net_conf *three = &c.v[2];
	CHECK_STR(three->name, "three");
	CHECK_INT(three->n_plugins, 2);
	CHECK_STR(json_str(three->plugins[0], "name"), "three");
	CHECK_STR(json_str(three->plugins[1], "cniVersion"), "0.4.0");
	CHECK_STR(json_str(three->plugins[1], "type"), "tuning");
	net_confs_free(&c);
}

static const char *bad(const char *name, const char *text)
{
	struct net_confs c;

	clear();
	place(local_dir, name, text);
	if (load(&c) == 0) {
		net_confs_free(&c);
		return "(taken)";
	}
	return said;
}

TEST(refuses, "net: a file that cannot be understood is named, with the reason")
{
	struct net_confs c;
	struct stat st;

	CHECK_HAS(bad("a.conf", "{"), "local/net.d/a.conf: at byte 1");
	CHECK_HAS(bad("a.conf", "[]"), "a.conf: not a JSON object");
	CHECK_HAS(bad("a.conf", "{\"type\":\"ptp\"}"), "\"name\" is missing");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\"}"), "\"type\" is missing");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"plugins\":[]}"), "*.conflist");
	CHECK_HAS(bad("a.conflist", PTP("a")), "\"plugins\" is not a list");
	CHECK_HAS(bad("a.conflist", "{\"name\":\"a\",\"plugins\":[]}"), "\"plugins\" is not a list");
	CHECK_HAS(bad("a.conflist", "{\"name\":\"a\",\"plugins\":[7]}"), "not a JSON object");
	CHECK_HAS(bad("a.conflist", "{\"name\":\"a\",\"cniVersion\":\"0.2.0\",\"plugins\":[{\"type\":\"x\"},{\"type\":\"y\"}]}"),
		  "0.3.0 or later");
	CHECK_HAS(bad("a.conf", PTP("../a")), "name \"../a\"");
	CHECK_HAS(bad("a.conf", PTP(".")), "name");
	CHECK_HAS(bad("a.conf", PTP("a.")), "name");
	CHECK_STR(bad("a.conf", PTP("a.b_c-D9")), "(taken)");
	CHECK_HAS(bad("a.conf", PTP("")), "name");
	CHECK_HAS(bad("a.conf", PTP("host")), "name \"host\"");
	CHECK_HAS(bad("a.conf", PTP("all")), "name \"all\"");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"../sh\"}"), "type \"../sh\"");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"a.b\"}"), "type");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"x\",\"ipam\":{\"type\":\"a/b\"}}"), "type of ipam");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"x\",\"ipam\":7}"), "\"ipam\"");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"x\",\"cniVersion\":\"9\"}"), "cniVersion \"9\"");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"type\":\"x\",\"cniVersion\":9}"), "cniVersion");
	CHECK_HAS(bad("a.conf", "{\"name\":\"a\",\"name\":\"b\",\"type\":\"x\"}"), "duplicate key");
	/* and would be deeper still in the record */
	char deep[400] = "{\"name\":\"a\",\"type\":\"x\",\"d\":";
	for (int i = 0; i < 40; i++)
		strcat(deep, "[");
	for (int i = 0; i < 40; i++)
		strcat(deep, "]");
	CHECK_HAS(bad("a.conf", strcat(deep, "}")), "nested");
	/* both files */
	some();
	place(local_dir, "40-again.conf", PTP("one"));
	CHECK(load(&c) < 0);
	CHECK_HAS(said, "net.d/40-again.conf: there is a network \"one\" already");
	CHECK_HAS(said, "net.d/10-one.conf");
	/* too large */
	clear();
	place(local_dir, "a.conf", "");
	char path[300];
	snprintf(path, sizeof(path), "%s/net.d/a.conf", local_dir);
	CHECK(truncate(path, 2 << 20) == 0 && stat(path, &st) == 0);
	CHECK(load(&c) < 0);
	CHECK_HAS(said, "larger");
}

static const char *mode(const char *net)
{
	static const char *const names[] = { "none", "host", "join" };
	enum net_mode m;
	struct err e;

	if (net_mode_parse(net, &m, &e) < 0) {
		snprintf(said, sizeof(said), "%s", e.msg);
		return said;
	}
	return names[m];
}

TEST(modes, "net: the form of --net")
{
	CHECK_STR(mode(""), "join");
	CHECK_STR(mode("none"), "none");
	CHECK_STR(mode("host"), "host");
	CHECK_STR(mode("all"), "join");
	CHECK_STR(mode("a,b:IP=1.2.3.4;X-1=,c"), "join");
	CHECK_HAS(mode("none,a"), "none stands alone");
	CHECK_HAS(mode("a,host"), "host stands alone");
	CHECK_HAS(mode("host:IP=1"), "no arguments");
	CHECK_HAS(mode("all:IP=1"), "no arguments");
	CHECK_HAS(mode("a,b,a:IP=1.2.3.4"), "network a: a pod joins a network only once");
	CHECK_HAS(mode("a,"), "\"\" is not the name");
	CHECK_HAS(mode(","), "\"\" is not the name");
	CHECK_HAS(mode("a b"), "\"a b\" is not the name");
	CHECK_HAS(mode("a:"), "are empty");
	CHECK_HAS(mode("a:IP"), "KEY=VALUE");
	CHECK_HAS(mode("a:=1"), "KEY=VALUE");
	CHECK_HAS(mode("a:IP=1;"), "KEY=VALUE");
	CHECK_HAS(mode("a:IP=1\n2"), "blank");
}

TEST(args, "net: one argument of several")
{
	char v[8];

	CHECK(net_arg("IP=1.2.3;K=V", "IP", v, sizeof(v)));
	CHECK_STR(v, "1.2.3");
	CHECK(net_arg("XIP=1;IP=2", "IP", v, sizeof(v)));
	CHECK_STR(v, "2");
	CHECK(net_arg("A=;IP=", "IP", v, sizeof(v)));
	CHECK_STR(v, "");
	CHECK(net_arg("IP=1234567", "IP", v, sizeof(v)));
	CHECK(!net_arg("IP=12345678", "IP", v, sizeof(v)));
	CHECK(!net_arg("IPX=1", "IP", v, sizeof(v)));
	CHECK(!net_arg("", "IP", v, sizeof(v)));
}

UNIT_MAIN(built_in, selects, overrides, chains, refuses, modes, args)
