/* SPDX-License-Identifier: Apache-2.0
 * conf_auth - credentials: what files may say, which directory wins, which host gets which
 */
#include "core/base/json.h"
#include "core/conf/auth.h"
#include "testsuite/unit/unit.h"

#define HEAD "{\"rktKind\":\"auth\",\"rktVersion\":\"v1\","
#define BASIC(domain, user) HEAD "\"domains\":[\"" domain "\"],\"type\":\"basic\",\"credentials\":{\"user\":\"" user "\",\"password\":\"p\"}}"

static int add(struct auth *a, unsigned level, const char *file, const char *text, struct err *e)
{
	return auth_parse(a, level, file, text, strlen(text), e);
}

TEST(types, "auth: reads what rkt's documentation shows, and aws")
{
	struct auth a = { 0 };
	struct err e;

	CHECK(add(&a, 0, "a.json", HEAD "\"domains\":[\"coreos.com\",\"tectonic.com\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}", &e) == 0);
	CHECK(add(&a, 0, "b.json", HEAD "\"domains\":[\"s3.example:444\"],\"type\":\"aws\",\"credentials\":{\"accessKeyID\":\"k\","
		  "\"secretAccessKey\":\"s\",\"awsRegion\":\"r\"}}", &e) == 0);
	CHECK(add(&a, 0, "c.json", "{\"rktKind\":\"dockerAuth\",\"rktVersion\":\"v1\",\"registries\":[\"quay.io\",\"coreos.com\"],"
		  "\"credentials\":{\"user\":\"u\",\"password\":\"p\"}}", &e) == 0);
	const struct auth_entry *x = auth_find(&a, "CoreOS.com", 443, true);
	CHECK(x && x->type == AUTH_OAUTH && !strcmp(x->user, "t"));
	CHECK(!auth_find(&a, "coreos.com", 8443, false));
	CHECK(!auth_find(&a, "quay.io", 443, true));
	x = auth_find(&a, "s3.example", 444, false);
	CHECK(x && x->type == AUTH_AWS && !strcmp(x->user, "k") && !strcmp(x->secret, "s") && !strcmp(x->region, "r"));
	auth_free(&a);
}

TEST(overrides, "auth: later directories override single domains, and within one that is an error")
{
	struct auth a = { 0 };
	struct err e;

	CHECK(add(&a, 0, "a.json", HEAD "\"domains\":[\"x.com\",\"y.com\"],\"type\":\"basic\",\"credentials\":{\"user\":\"sys\",\"password\":\"p\"}}", &e) == 0);
	CHECK(add(&a, 1, "b.json", BASIC("X.com", "local"), &e) == 0);
	CHECK(add(&a, 1, "c.json", BASIC("x.com", "again"), &e) < 0);
	CHECK_HAS(e.msg, "b.json");
	CHECK_STR(auth_find(&a, "x.com", 443, true)->user, "local");
	CHECK_STR(auth_find(&a, "y.com", 443, true)->user, "sys");
	CHECK(add(&a, 2, "d.json", BASIC("x.com:443", "port"), &e) == 0);
	CHECK_STR(auth_find(&a, "x.com", 443, true)->user, "port");
	cJSON *list = cJSON_CreateArray();
	struct buf b = { 0 };
	auth_json(&a, list);
	json_print(list, false, &b);
	CHECK_HAS(b.data, "[{\"rktVersion\":\"v1\",\"rktKind\":\"auth\",\"domains\":[\"X.com\"],\"type\":\"basic\","
		  "\"credentials\":{\"user\":\"local\",\"password\":\"p\"}},");
	buf_free(&b);
	cJSON_Delete(list);
	auth_free(&a);
}

TEST(refuses, "auth: refuses what is no configuration of it, with the field")
{
	static const struct { const char *text, *why; } bad[] = {
		{ "{", "" },
		{ "{\"rktKind\":\"paths\",\"rktVersion\":\"v1\"}", "rktKind" },
		{ HEAD "\"domains\":[],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}", "\"domains\"" },
		{ HEAD "\"domains\":[\"https://x.com/\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}", "HOST:PORT" },
		{ HEAD "\"domains\":[\"x.com\"],\"credentials\":{\"token\":\"t\"}}", "\"type\"" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"digest\",\"credentials\":{}}", "basic, oauth, aws" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"oauth\"}", "\"credentials\"" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"\"}}", "\"token\"" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"a\\r\\nX: y\"}}", "control" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"basic\",\"credentials\":{\"user\":\"a:b\",\"password\":\"p\"}}", "colon" },
		{ HEAD "\"domains\":[\"x.com\"],\"type\":\"basic\",\"credentials\":{\"user\":\"a\",\"password\":7}}", "\"password\"" },
		{ HEAD "\"domains\":[\"x.com\",\"x.com\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}", "already" },
	};
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct auth a = { 0 };
		e.msg[0] = 0;
		CHECK(add(&a, 0, "f.json", bad[i].text, &e) < 0);
		CHECK_HAS(e.msg, bad[i].why);
		auth_free(&a);
	}
}

TEST(regions, "auth: finds the region in a host's name")
{
	static const char *const hosts[][2] = {
		{ "bucket.s3.amazonaws.com", "us-east-1" }, { "s3.amazonaws.com", "us-east-1" },
		{ "s3-eu-west-1.amazonaws.com", "eu-west-1" }, { "b.s3-eu-west-1.amazonaws.com", "eu-west-1" },
		{ "b.s3.eu-central-1.amazonaws.com", "eu-central-1" }, { "s3-external-1.amazonaws.com", "us-east-1" },
		{ "example.com", "us-east-1" }, { ".amazonaws.com", "us-east-1" }, { "amazonaws.com", "us-east-1" },
	};
	char region[64];

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		auth_region(hosts[i][0], region, sizeof(region));
		CHECK_STR(region, hosts[i][1]);
	}
}

UNIT_MAIN(types, overrides, refuses, regions)
