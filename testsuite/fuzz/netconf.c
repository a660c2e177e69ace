/* SPDX-License-Identifier: Apache-2.0
 * fuzz netconf - any bytes as --net and as a file of net.d: refused with a reason, or names and types are what may become
 * part of a path, and what was taken is taken again as the record has it
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/net/netconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_name(const char *s, bool dots)
{
	must(s && *s && *s != '.' && s[strlen(s) - 1] != '.' && strlen(s) <= NET_NAME_MAX);
	for (; *s; s++)
		must((*s >= '0' && *s <= '9') || ((*s | 32) >= 'a' && (*s | 32) <= 'z') || *s == '-' || *s == '_' ||
		     (dots && *s == '.'));
}

static void check_conf(const struct net_conf *c)
{
	must(c->n_plugins && c->n_plugins <= 16);
	check_name(c->name, true);
	must(strcmp(c->name, "all") && strcmp(c->name, "none") && strcmp(c->name, "host"));
	for (size_t i = 0; i < c->n_plugins; i++) {
		const cJSON *ipam = cJSON_GetObjectItemCaseSensitive(c->plugins[i], "ipam");
		check_name(json_str(c->plugins[i], "type"), false);
		if (json_str(ipam, "type"))
			check_name(json_str(ipam, "type"), false);
		must(!strcmp(json_str(c->plugins[i], "name"), c->name));
		must(!strcmp(json_str(c->plugins[i], "cniVersion"), c->version));
	}
}

/* as deep as the record of a pod's networks has it */
static void recorded(const cJSON *plugin)
{
	struct buf b = { 0 };
	struct err e;

	buf_str(&b, "[{\"conf\":{\"plugins\":[");
	json_print(plugin, false, &b);
	buf_str(&b, "]}}]");
	cJSON *j = json_parse_err(b.data, b.len, &e);
	must(j != NULL);
	cJSON_Delete(j);
	buf_free(&b);
}

static void file(const char *text, size_t len, bool chain)
{
	struct net_conf c, again;
	struct err e = { .msg = "" };
	cJSON *j = json_parse_err(text, len, &e);

	if (!j)
		return;
	if (net_conf_parse(j, chain, "f", &c, &e) < 0) {
		must(*e.msg && !c.name && !c.n_plugins);
		cJSON_Delete(j);
		return;
	}
	cJSON_Delete(j);
	check_conf(&c);
	recorded(c.plugins[c.n_plugins - 1]);
	must(net_conf_parse(c.plugins[0], false, "f", &again, &e) == 0);
	net_conf_free(&again);
	net_conf_free(&c);
}

static void list(const char *net)
{
	struct net_confs c;
	struct err e = { .msg = "" };
	enum net_mode mode;
	char ip[64];
	bool good = net_mode_parse(net, &mode, &e) == 0;

	must(good || *e.msg);
	must(net_confs_load(NULL, NULL, &c, &e) == 0);
	if (net_confs_select(&c, net, &e) == 0) {
		must(good && mode == NET_JOIN && c.n >= 1 && c.n <= 2);
		for (size_t i = 0; i < c.n; i++)
			if (net_arg(c.v[i].args, "IP", ip, sizeof(ip)))
				must(!strpbrk(ip, ",; \n"));
	}
	net_confs_free(&c);
}

/* --net, NUL, then the file; the first byte says which kind of file */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = 0;
	if (size) {
		size_t n = strlen(text + 1) + 1;
		list(text + 1);
		if (n < size)
			file(text + n + 1, size - n - 1, *text & 1);
	}
	free(text);
	return 0;
}
