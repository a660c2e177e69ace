/* SPDX-License-Identifier: Apache-2.0
 * podnet_record - see podnet_record.h
 *
 * A record of rkt's own stage 1 has neither conf nor result: it can be shown, and leaving is that stage 1's business.
 */
#include "core/net/podnet_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/json.h"

#define RECORD_MAX (4u << 20)

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- writing ---- */

/* takes @item */
static bool put(cJSON *o, const char *key, cJSON *item)
{
	if (item && cJSON_AddItemToObject(o, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

/* as a file *.conflist would say it; the plug-ins stay the network's */
static cJSON *chain_json(const struct net_conf *c)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray();
	bool ok = cJSON_AddStringToObject(o, "name", c->name) && cJSON_AddStringToObject(o, "cniVersion", c->version);

	for (size_t i = 0; i < c->n_plugins; i++)
		ok = ok && cJSON_AddItemReferenceToArray(list, c->plugins[i]);
	ok = put(o, "plugins", list) && ok;
	if (ok)
		return o;
	cJSON_Delete(o);
	return NULL;
}

static const struct net_ip *main_ip(const struct podnet_one *one)
{
	const struct net_ip *ip = net_result_first(&one->r, 4);

	return ip ? ip : net_result_first(&one->r, 16);
}

static bool put_one(cJSON *o, const struct podnet_one *one)
{
	const struct net_ip *ip = main_ip(one);
	char text[IP_TEXT_MAX] = "", mask[IP_TEXT_MAX] = "";
	struct err ignored;

	if (ip) {
		ip_text(&ip->address.ip, text);
		ip_mask_text(&ip->address, mask);
	}
	const char *const members[][2] = { { "netName", one->conf.name }, { "netConf", one->conf.file },
		{ "pluginPath", one->plugin }, { "ifName", one->ifname }, { "ip", text }, { "args", one->conf.args },
		{ "mask", mask } };
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (!cJSON_AddStringToObject(o, members[i][0], members[i][1]))
			return false;
	return put(o, "conf", chain_json(&one->conf)) &&
	       (!one->joined || put(o, "result", net_result_json(&one->r, NET_RESULT_VERSION, &ignored)));
}

int podnet_record(const struct podnet *p, int pod_fd, struct err *e)
{
	auto_json cJSON *list = cJSON_CreateArray();
	auto_buf struct buf b = { 0 };
	bool ok = list;

	for (size_t i = 0; ok && i < p->n; i++) {
		cJSON *o = cJSON_CreateObject();
		ok = cJSON_AddItemToArray(list, o) && put_one(o, &p->v[i]);
	}
	json_print(list, false, &b);
	if (!ok || b.failed)
		return no_memory(e);
	if (b.len > RECORD_MAX)
		return err_set(e, E2BIG, "the configurations of all networks are larger than %u bytes", RECORD_MAX);
	return fd_publish(pod_fd, PODNET_FILE, b.data, b.len, 0644, false, e);
}

int podnet_forget(int pod_fd, struct err *e)
{
	return unlinkat(pod_fd, PODNET_FILE, 0) == 0 || errno == ENOENT ? 0 : err_sys(e, "remove %s", PODNET_FILE);
}

/* ---- reading ---- */

static int read_foreign(const cJSON *o, struct podnet_one *one, struct err *e)
{
	const char *name = json_str(o, "netName"), *ip = json_str(o, "ip");
	struct ip_cidr address = { 0 };

	one->conf = (struct net_conf){ .name = strdup(name ? name : ""), .file = strdup(""), .version = strdup("0.1.0"),
				       .args = strdup("") };
	if (!one->conf.name || !one->conf.file || !one->conf.version || !one->conf.args)
		return no_memory(e);
	if (!ip || !*ip)
		return 0;
	if (ip_parse(ip, &address.ip, e) < 0)
		return -1;
	address.prefix = (uint8_t)ip_bits(&address.ip);
	one->joined = true;
	return net_result_ip(&one->r, &address, NULL, -1, e);
}

static int copy_member(const cJSON *o, const char *key, char *out, size_t size, struct err *e)
{
	const char *s = json_str(o, key);
	int n = snprintf(out, size, "%s", s ? s : "");

	return s && n >= 0 && (size_t)n < size ? 0 : err_set(e, EINVAL, "\"%s\" is missing or too long", key);
}

static int read_one(cJSON *o, struct podnet_one *one, struct err *e)
{
	cJSON *conf = cJSON_GetObjectItemCaseSensitive(o, "conf");
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(o, "result");
	const char *file = json_str(o, "netConf"), *args = json_str(o, "args");

	if (!conf)
		return read_foreign(o, one, e);
	if (net_conf_parse(conf, true, file ? file : "", &one->conf, e) < 0 ||
	    copy_member(o, "ifName", one->ifname, sizeof(one->ifname), e) < 0 ||
	    copy_member(o, "pluginPath", one->plugin, sizeof(one->plugin), e) < 0)
		return -1;
	free(one->conf.args);
	if (!(one->conf.args = strdup(args ? args : "")))
		return no_memory(e);
	one->joined = result;
	return result ? net_result_parse(result, &one->r, e) : 0;
}

static int read_all(cJSON *list, struct podnet *out, struct err *e)
{
	cJSON *o;

	if (!cJSON_IsArray(list))
		return err_set(e, EINVAL, "not a list");
	out->v = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*out->v));
	if (!out->v)
		return no_memory(e);
	cJSON_ArrayForEach(o, list)
		if (read_one(o, &out->v[out->n++], e) < 0)
			return -1;
	return 0;
}

int podnet_read(int pod_fd, struct podnet *out, struct err *e)
{
	auto_free char *text = NULL;
	size_t len = 0;

	*out = (struct podnet){ 0 };
	if (fd_read_file(pod_fd, PODNET_FILE, RECORD_MAX, &text, &len, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	auto_json cJSON *list = json_parse_err(text, len, e);
	if (list && read_all(list, out, e) == 0)
		return 0;
	podnet_free(out);
	return err_wrap(e, "%s", PODNET_FILE);
}

int podnet_text(const struct podnet *p, struct buf *b)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < p->n; i++) {
		const struct podnet_one *one = &p->v[i];
		if (!one->r.n_ips)
			buf_fmt(b, "%s%s", i ? ", " : "", one->conf.name);
		for (size_t k = 0; k < one->r.n_ips; k++)
			buf_fmt(b, "%s%s:ip%d=%s", i || k ? ", " : "", one->conf.name, one->r.ips[k].address.ip.len == 4 ? 4 : 6,
				ip_text(&one->r.ips[k].address.ip, text));
	}
	return b->failed ? -1 : 0;
}
