/* SPDX-License-Identifier: Apache-2.0
 * fuzz cniresult - any bytes as what a network plug-in printed: refused with a reason, or nothing in it can become a line
 * of resolv.conf, and every version that it is written as reads back as the same
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/utf8.h"
#include "core/net/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void words(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(*v[i] && !strpbrk(v[i], " \t\r\n#;"));
}

static char *printed(const struct net_result *r, const char *version)
{
	struct buf b = { 0 };
	struct err e;
	cJSON *j = net_result_json(r, version, &e);

	must(j != NULL);
	json_print(j, false, &b);
	cJSON_Delete(j);
	return b.data;
}

static void round_trip(const struct net_result *r, const char *version)
{
	char *text = printed(r, version);
	struct net_result again;
	struct err e;
	cJSON *j = json_parse_err(text, strlen(text), &e);

	must(j && net_result_parse(j, &again, &e) == 0);
	char *twice = printed(&again, version);
	must(!strcmp(text, twice));
	cJSON_Delete(j);
	net_result_free(&again);
	free(twice);
	free(text);
}

static void check(const struct net_result *r)
{
	static const char *const versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0" };

	words(r->dns.servers, r->dns.n_servers);
	words(r->dns.search, r->dns.n_search);
	words(r->dns.options, r->dns.n_options);
	words((char **)&r->dns.domain, r->dns.domain != NULL);
	for (size_t i = 0; i < r->n_ips; i++)
		must(r->ips[i].iface >= -1 && r->ips[i].iface < (int)r->n_ifaces);
	for (size_t i = 0; i < r->n_ifaces; i++)
		must(*r->ifaces[i].name && !strpbrk(r->ifaces[i].name, "/ \n"));
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		round_trip(r, versions[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_result r;
	struct err e = { .msg = "" };
	cJSON *j = json_parse_err((const char *)data, size, &e);

	if (!j)
		return 0;
	if (net_result_error(j, &e))
		must(utf8_bad(e.msg, strlen(e.msg)) == strlen(e.msg) || strlen(e.msg) > 500);
	e.msg[0] = 0;
	if (net_result_parse(j, &r, &e) == 0)
		check(&r);
	else
		must(*e.msg && !r.n_ips);
	net_result_free(&r);
	cJSON_Delete(j);
	return 0;
}
