/* SPDX-License-Identifier: Apache-2.0
 * type - see type.h and join.h
 *
 * A pod can send whatever it wants, router advertisements too (CVE-2020-10749). Therefore no interface of the host's
 * that leads to one takes them, and none of a pod's; that is settled before the pod's end is up.
 */
#include "core/net/type.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/sha.h"
#include "core/net/inside.h"

const struct net_type *net_type_find(const char *name)
{
	static const struct net_type *const types[] = { &net_ptp, &net_bridge, &net_macvlan, &net_ipvlan, &net_loopback };

	for (size_t i = 0; name && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

void net_veth_name(const char *uuid, const char *network, const char *ifname, char *out)
{
	const char *const parts[] = { uuid, network, ifname };
	uint8_t digest[SHA_LEN_MAX];
	struct sha s;

	sha_start(&s, SHA_512);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		sha_feed(&s, parts[i], strlen(parts[i]) + 1); /* with the NUL: "a", "bc" is not "ab", "c" */
	sha_final(&s, digest);
	memcpy(out, "veth", 4);
	hash_hex(digest, 4, out + 4);
}

/* ---- configuration ---- */

enum member { STRING, NUMBER, BOOLEAN, DENIED };

static const struct { const char *name; enum member is; size_t at; int max; } members[] = {
	{ "bridge", STRING, offsetof(struct type_conf, bridge), 0 },
	{ "master", STRING, offsetof(struct type_conf, master), 0 },
	{ "mode", STRING, offsetof(struct type_conf, mode), 0 },
	{ "mtu", NUMBER, offsetof(struct type_conf, mtu), 65535 },
	{ "vlan", NUMBER, offsetof(struct type_conf, vlan), 4094 },
	{ "isGateway", BOOLEAN, offsetof(struct type_conf, is_gateway), 0 },
	{ "isDefaultGateway", BOOLEAN, offsetof(struct type_conf, is_default_gateway), 0 },
	{ "hairpinMode", BOOLEAN, offsetof(struct type_conf, hairpin), 0 },
	{ "promiscMode", BOOLEAN, offsetof(struct type_conf, promisc), 0 },
	{ "forceAddress", BOOLEAN, offsetof(struct type_conf, force_address), 0 },
	/* who writes these relies on them */
	{ "vlanTrunk", DENIED, 0, 0 },
	{ "macspoofchk", DENIED, 0, 0 },
	{ "portIsolation", DENIED, 0, 0 },
	{ "linkInContainer", DENIED, 0, 0 },
};

/* false: of another type */
static bool read_member(const cJSON *v, enum member is, int max, void *at)
{
	int64_t *n = at;

	switch (is) {
	case STRING:
		if (cJSON_IsString(v) && *v->valuestring)
			*(const char **)at = v->valuestring;
		return cJSON_IsString(v);
	case NUMBER:
		return json_int(v, n) && *n >= 0 && *n <= max;
	case BOOLEAN:
		*(bool *)at = cJSON_IsTrue(v);
		break;
	case DENIED:
		break;
	}
	return cJSON_IsBool(v);
}

int type_conf_read(const struct net_join *j, struct type_conf *out, struct err *e)
{
	char mac[LINK_MAC_TEXT + 2];

	*out = (struct type_conf){ 0 };
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(j->conf, members[i].name);
		if (!v || cJSON_IsNull(v))
			continue;
		if (members[i].is == DENIED && !cJSON_IsFalse(v))
			return err_set(e, ENOTSUP, "\"%s\": the built-in type does not know that; in net.d, CNI's plug-in of the same "
				       "name takes its place", members[i].name);
		if (!read_member(v, members[i].is, members[i].max, (char *)out + members[i].at))
			return err_set(e, EINVAL, "\"%s\" has a wrong value", members[i].name);
	}
	if (j->args && net_arg(j->args, "MAC", mac, sizeof(mac))) {
		if (!link_mac_parse(mac, out->mac))
			return err_set(e, EINVAL, "argument MAC: \"%s\" is not an address of an interface", mac);
		out->has_mac = true;
	}
	return 0;
}

/* ---- settings ---- */

/* of a kernel without IPv6 there is nothing to ask for */
static int set(const char *path, const char *value, struct err *e)
{
	struct err why;

	if (inside_sysctl(path, value, &why) == 0 || why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

static int set_of6(const char *name, const char *what, const char *value, struct err *e)
{
	char path[80];

	snprintf(path, sizeof(path), "ipv6/conf/%s/%s", name, what);
	return set(path, value, e);
}

/* Interfaces have it from "default" when they come. Of "all", IPv4's is looked at as well. The others on a network learn
 * where an address is now (arp_notify). */
static int prepare_pod(void *ctx, struct err *e)
{
	static const struct { const char *path, *value; } settings[] = {
		{ "ipv6/conf/default/accept_ra", "0" },
		{ "ipv6/conf/default/accept_redirects", "0" },
		{ "ipv4/conf/all/accept_redirects", "0" },
		{ "ipv4/conf/default/accept_redirects", "0" },
		{ "ipv4/conf/default/arp_notify", "1" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (set(settings[i].path, settings[i].value, e) < 0)
			return -1;
	return 0;
}

int net_prepare_pod(int netns_fd, struct err *e)
{
	return inside_call(netns_fd, prepare_pod, NULL, e);
}

static bool has_ip6(const struct net_result *r)
{
	return net_result_first(r, 16) != NULL;
}

int type_host(const char *name, const struct net_result *r, struct err *e)
{
	if (set_of6(name, "accept_ra", "0", e) < 0)
		return -1;
	/* the address of the link is usable at once too, without which the host could not look for the pod */
	return has_ip6(r) && (set_of6(name, "disable_ipv6", "0", e) < 0 || set_of6(name, "accept_dad", "0", e) < 0) ? -1 : 0;
}

int type_forward(const struct net_result *r, struct err *e)
{
	if (net_result_first(r, 4) && set("ipv4/ip_forward", "1", e) < 0)
		return -1;
	return has_ip6(r) ? set("ipv6/conf/all/forwarding", "1", e) : 0;
}

static int prepare_iface6(void *ctx, struct err *e)
{
	const char *const *ifname = ctx;

	return set_of6(*ifname, "disable_ipv6", "0", e) < 0 ? -1 : set_of6(*ifname, "ndisc_notify", "1", e);
}

/* ---- joining ---- */

int type_iface(struct net_result *r, const struct link *l, bool in_pod, struct err *e)
{
	char mac[LINK_MAC_TEXT];

	return net_result_iface(r, l->name, link_mac_text(l->mac, mac), in_pod, e);
}

int type_begin(const struct net_join *j, struct net_result *r, struct link *pod, struct err *e)
{
	const cJSON *ipam = cJSON_GetObjectItemCaseSensitive(j->conf, "ipam");
	const char *type = json_str(ipam, "type");

	if (link_get(j->pod, j->ifname, pod, e) < 0 || type_iface(r, pod, true, e) < 0)
		return -1;
	/* who asks others for an address needs an interface that can send */
	if (type && strcmp(type, "host-local") && strcmp(type, "static") && link_up(j->pod, j->ifname, e) < 0)
		return -1;
	if (ipam_add(j, r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_ips; i++)
		r->ips[i].iface = (int)r->n_ifaces - 1;
	return 0;
}

void type_gateway(struct net_ip *ip)
{
	struct ip first = ip_network(&ip->address).ip;

	if (!ip->gateway.len && ip_add(&first, 1) && ip_in(&first, &ip->address) && !ip_equal(&first, &ip->address.ip))
		ip->gateway = first;
}

int type_room(struct nl *n, struct nl_msg *m, const char *name, struct err *e)
{
	if (m->cap - m->len >= LINK_CHANGE_MAX)
		return 0;
	int r = link_apply(n, m, name, e);
	m->len = m->begin = 0;
	return r;
}

static void put_through_gateway(struct nl_msg *m, int index, const struct net_ip *ip)
{
	const struct ip_cidr gateway = { ip->gateway, (uint8_t)ip_bits(&ip->gateway) }, net = ip_network(&ip->address);

	if (!ip->gateway.len)
		return;
	link_put_route(m, index, &gateway, NULL, &ip->address.ip, false);
	if (net.prefix < ip_bits(&net.ip))
		link_put_route(m, index, &net, &ip->gateway, &ip->address.ip, false);
}

int type_finish(const struct net_join *j, const struct net_result *r, const struct link *pod, bool through_gateway,
		struct err *e)
{
	NL_MSG(m, 4096);

	if (has_ip6(r) && inside_call(j->netns_fd, prepare_iface6, &(const char *){ j->ifname }, e) < 0)
		return -1;
	/* of IPv4 before it is up, so that it announces them; of IPv6 they would wait until it is */
	for (int len = 4; len <= 16; len += 12) {
		for (size_t i = 0; i < r->n_ips; i++) {
			if (r->ips[i].address.ip.len == len)
				link_put_address(&m, pod->index, &r->ips[i].address, !through_gateway);
			if (type_room(j->pod, &m, j->ifname, e) < 0)
				return -1;
		}
		if (len == 4)
			link_put_up(&m, pod->index, IFF_UP);
	}
	for (size_t i = 0; through_gateway && i < r->n_ips; i++) {
		if (type_room(j->pod, &m, j->ifname, e) < 0)
			return -1;
		put_through_gateway(&m, pod->index, &r->ips[i]);
	}
	for (size_t i = 0; i < r->n_routes; i++) {
		const struct net_route *way = &r->routes[i];
		const struct net_ip *own = net_result_first(r, way->dst.ip.len);
		if (type_room(j->pod, &m, j->ifname, e) < 0)
			return -1;
		link_put_route(&m, pod->index, &way->dst, way->gw.len || !own ? &way->gw : &own->gateway, NULL, false);
	}
	return link_apply(j->pod, &m, j->ifname, e);
}

void type_settle(const struct net_join *j, const struct net_result *r, const struct link *host)
{
	if (host)
		link_settle(j->host, host->index);
	for (size_t i = 0; i < r->n_ips; i++) {
		link_settle_address(j->pod, &r->ips[i].address.ip);
		if (host)
			link_settle_address(j->host, &r->ips[i].gateway);
	}
}

/* ---- leaving ---- */

int type_del(const struct net_join *j, const struct net_result *r, struct err *e)
{
	char name[IFNAMSIZ];
	struct err second;
	int ret = ipam_del(j, r, e); /* first: what was borrowed may have to be given back through the interface */

	net_veth_name(j->uuid, j->network, j->ifname, name);
	/* the kernel lets whoever deletes an interface wait until no processor can look at it any more, 10 ms and longer */
	if (!j->ends && link_delete(j->host, name, ret < 0 ? &second : e) < 0)
		ret = -1;
	return ret;
}
