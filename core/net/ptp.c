/* SPDX-License-Identifier: Apache-2.0
 * ptp - a cable between pod and host, see join.h
 *
 * There is nobody else on the cable, so all of the network is reached through the gateway, which is the host's end. All
 * pods of the network may have the same gateway: of each pod's address the host knows behind which interface it is.
 */
#include <errno.h>

#include "core/net/type.h"

/* A route that is there already leads to an interface whose pod is gone, and which the kernel is about to remove. */
static int host_end(const struct net_join *j, const struct link *l, struct net_result *r, struct err *e)
{
	NL_MSG(m, 2048);

	if (type_host(l->name, r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_ips; i++) {
		struct net_ip *ip = &r->ips[i];
		type_gateway(ip);
		const struct ip_cidr gateway = { ip->gateway, (uint8_t)ip_bits(&ip->gateway) };
		const struct ip_cidr pod = { ip->address.ip, (uint8_t)ip_bits(&ip->address.ip) };
		if (ip->gateway.len)
			link_put_address(&m, l->index, &gateway, true);
		link_put_route(&m, l->index, &pod, NULL, ip->gateway.len == 4 ? &ip->gateway : NULL, true);
		if (m.cap - m.len < 2 * LINK_CHANGE_MAX) {
			if (link_apply(j->host, &m, l->name, e) < 0)
				return -1;
			m.len = m.begin = 0;
		}
	}
	return link_apply(j->host, &m, l->name, e);
}

static int add(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	char name[IFNAMSIZ];
	struct type_conf c;
	struct link host, pod;

	if (type_conf_read(j, &c, e) < 0)
		return -1;
	const struct link_new end = type_pod_end(j, &c);
	net_veth_name(j->uuid, j->network, j->ifname, name);
	if (link_veth(j->host, name, &end, 0, &host, e) < 0 || type_iface(r, &host, false, e) < 0 ||
	    type_begin(j, r, &pod, e) < 0)
		return -1;
	if (!r->n_ips)
		return err_set(e, EINVAL, "ptp needs addresses: the configuration has no \"ipam\" that gives any");
	if (host_end(j, &host, r, e) < 0 || type_forward(r, e) < 0 || type_finish(j, r, &pod, true, e) < 0)
		return -1;
	type_settle(j, r, &host);
	return 0;
}

const struct net_type net_ptp = { "ptp", add, type_del };
