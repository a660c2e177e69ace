/* SPDX-License-Identifier: Apache-2.0
 * flannel - see flannel.h
 */
#include "core/net/flannel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"
#include "core/net/ip.h"
#include "core/net/netconf.h"

#define SUBNET_FILE "/run/flannel/subnet.env"
#define FILE_MAX    65536

enum { NETWORK, SUBNET, NETWORK6, SUBNET6, MTU, IPMASQ, N_FACTS };
static const char *const keys[N_FACTS] = { "NETWORK", "SUBNET", "IPV6_NETWORK", "IPV6_SUBNET", "MTU", "IPMASQ" };

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* "FLANNEL_KEY=VALUE" on each line; @text is cut into pieces */
static void read_facts(char *text, const char *facts[N_FACTS])
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		char *value = strchr(line, '=');
		if (!value || strncmp(line, "FLANNEL_", 8))
			continue;
		*value++ = 0;
		for (size_t i = 0; i < N_FACTS; i++)
			if (!strcmp(line + 8, keys[i]) && *value)
				facts[i] = value;
	}
}

/* adds the network that @fact names as { @key: "10.1.17.0/24" } to @list, as the only element of a list if @nest */
static int add_net(cJSON *list, const char *key, const char *fact, bool nest, struct err *e)
{
	struct ip_cidr net;
	char text[IP_CIDR_MAX];

	if (ip_cidr_parse(fact, &net, e) < 0)
		return -1;
	net = ip_network(&net);
	cJSON *o = cJSON_CreateObject(), *in = nest ? cJSON_CreateArray() : NULL;
	bool ok = o && cJSON_AddStringToObject(o, key, ip_cidr_text(&net, text)) && cJSON_AddItemToArray(nest ? in : list, o);
	if (!ok)
		cJSON_Delete(o);
	else if (!nest || cJSON_AddItemToArray(list, in))
		return 0;
	cJSON_Delete(in);
	return no_memory(e);
}

static int add_ipam(cJSON *conf, const char *const facts[N_FACTS], struct err *e)
{
	cJSON *ipam = cJSON_AddObjectToObject(conf, "ipam");
	cJSON *ranges = cJSON_AddArrayToObject(ipam, "ranges"), *routes = cJSON_AddArrayToObject(ipam, "routes");

	if (!ranges || !routes || !cJSON_AddStringToObject(ipam, "type", "host-local"))
		return no_memory(e);
	for (size_t i = NETWORK; i <= NETWORK6; i += NETWORK6)
		if (facts[i] && facts[i + 1] &&
		    (add_net(routes, "dst", facts[i], false, e) < 0 || add_net(ranges, "subnet", facts[i + 1], true, e) < 0))
			return -1;
	return ranges->child ? 0 : err_set(e, EINVAL, "FLANNEL_NETWORK and FLANNEL_SUBNET are missing");
}

static bool lacks(const cJSON *o, const char *key)
{
	return !cJSON_GetObjectItemCaseSensitive(o, key);
}

static int fill(cJSON *conf, const char *const facts[N_FACTS], struct err *e)
{
	uint64_t mtu = 0;
	bool masquerades = false;

	if (!facts[MTU] || !facts[IPMASQ])
		return err_set(e, EINVAL, "FLANNEL_%s is missing", keys[facts[MTU] ? IPMASQ : MTU]);
	if (num_u64(facts[MTU], 65535, &mtu, e) < 0 || num_bool(facts[IPMASQ], &masquerades, e) < 0)
		return -1;
	if ((lacks(conf, "type") && !cJSON_AddStringToObject(conf, "type", "bridge")) ||
	    (lacks(conf, "mtu") && !cJSON_AddNumberToObject(conf, "mtu", (double)mtu)) ||
	    (lacks(conf, "ipMasq") && !cJSON_AddBoolToObject(conf, "ipMasq", !masquerades)))
		return no_memory(e);
	const char *type = json_str(conf, "type");
	if (type && !strcmp(type, "bridge") && lacks(conf, "isGateway") && !cJSON_AddBoolToObject(conf, "isGateway", true))
		return no_memory(e);
	return add_ipam(conf, facts, e);
}

/* what stands in the outer configuration and is not for the delegate to say */
static int take_over(const cJSON *outer, cJSON *conf, struct err *e)
{
	static const char *const members[] = { "name", "cniVersion", "args", "restricted" };

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(outer, members[i]);
		cJSON *copy = v ? cJSON_Duplicate(v, true) : NULL;
		cJSON_DeleteItemFromObjectCaseSensitive(conf, members[i]);
		if (v && (!copy || !cJSON_AddItemToObject(conf, members[i], copy))) {
			cJSON_Delete(copy);
			return no_memory(e);
		}
	}
	return 0;
}

static int check_delegate(const cJSON *d, struct err *e)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(d, "type");

	if (d && !cJSON_IsObject(d))
		return err_set(e, EINVAL, "\"delegate\" is not an object");
	if (!lacks(d, "name") || !lacks(d, "ipam"))
		return err_set(e, EINVAL, "\"delegate\" may not have \"name\" and \"ipam\", which are flannel's to say");
	if (type && (!cJSON_IsString(type) || !strcmp(type->valuestring, "flannel") || !net_type_name(type->valuestring)))
		return err_set(e, EINVAL, "\"delegate\" is not of a type that can be delegated to");
	return 0;
}

static int expand(cJSON **conf, const char *file, struct err *e)
{
	const cJSON *d = cJSON_GetObjectItemCaseSensitive(*conf, "delegate");
	const char *facts[N_FACTS] = { NULL };
	auto_free char *text = NULL;
	auto_json cJSON *made = d ? cJSON_Duplicate(d, true) : cJSON_CreateObject();

	if (!made)
		return no_memory(e);
	if (check_delegate(d, e) < 0 || take_over(*conf, made, e) < 0 ||
	    fd_read_file(AT_FDCWD, file, FILE_MAX, &text, NULL, e) < 0)
		return -1;
	read_facts(text, facts);
	if (fill(made, facts, e) < 0)
		return err_wrap(e, "%s", file);
	cJSON_Delete(*conf);
	*conf = take_ptr(made);
	return 0;
}

int flannel_expand(cJSON **conf, struct err *e)
{
	const char *file = json_str(*conf, "subnetFile");

	if (expand(conf, file && *file ? file : SUBNET_FILE, e) == 0)
		return 0;
	return err_wrap(e, e->code == ENOENT ? "flannel: flanneld has to run first" : "flannel");
}
