/* SPDX-License-Identifier: Apache-2.0
 * podnet - see podnet.h: joining and leaving; podnet_record.c writes down what, and shows it
 */
#include "core/net/podnet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/isolator.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/net/flannel.h"
#include "core/net/link.h"
#include "core/net/plugin.h"
#include "core/net/podnet_record.h"

void podnet_free(struct podnet *p)
{
	for (size_t i = 0; i < p->n; i++) {
		net_conf_free(&p->v[i].conf);
		net_result_free(&p->v[i].r);
	}
	free(p->v);
	net_held_close(&p->held);
	dhcp_leases_free(&p->dhcp);
	*p = (struct podnet){ 0 };
}

static bool is_type(const cJSON *plugin, const char *type)
{
	const char *is = json_str(plugin, "type");

	return is && !strcmp(is, type);
}

static const struct net_type *type_of(const cJSON *plugin, const char *local)
{
	const char *name = json_str(plugin, "type");
	const struct net_type *t = plugin_overrides(local, name) ? NULL : net_type_find(name);

	return t ? t : &plugin_type;
}

/* ---- leaving ---- */

/* the first error is kept, the others add nothing for who reads it */
static void note(int r, const struct err *why, int *result, struct err *e)
{
	if (r < 0 && *result == 0)
		*e = *why;
	*result = r < 0 ? -1 : *result;
}

/*
 * Its plug-ins in the reverse order, all of them, whether they have been asked to add or not.
 * @again: one that could not add, for want of an interface say, often cannot delete for the same reason; it is asked twice,
 * but no pod is kept for that
 */
static int leave_one(struct net_join *j, const struct podnet_one *one, bool again, struct err *e)
{
	int result = 0;
	struct err why;

	j->network = one->conf.name;
	j->ifname = one->ifname;
	j->args = one->conf.args;
	for (size_t i = one->conf.n_plugins; i-- > 0;) {
		j->conf = one->conf.plugins[i];
		const struct net_type *t = type_of(j->conf, j->local);
		int r = t->del(j, one->joined ? &one->r : NULL, &why);
		if (one->joined || !again || t != &plugin_type)
			note(r, &why, &result, e);
	}
	return result < 0 ? err_wrap(e, "network %s", one->conf.name) : 0;
}

/* the first @n of them */
static int leave(struct net_join *j, const struct podnet *p, size_t n, bool again, struct err *e)
{
	int result = 0;
	struct err why;

	while (n-- > 0)
		note(leave_one(j, &p->v[n], again, &why), &why, &result, e);
	return result;
}

int podnet_leave(const struct podnet_opts *o, struct err *e)
{
	struct podnet p = { 0 };
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct net_join j = { .uuid = o->uuid, .hostname = o->hostname, .netns_fd = -1, .host = &host, .held = &p.held,
			      .system = o->system, .local = o->local, .host_mnt_fd = o->host_mnt_fd, .debug = o->debug,
			      .ends = o->ends };
	int result = 0;
	struct err why;

	if (podnet_read(o->pod_fd, &p, e) < 0)
		return -1;
	if (!p.n)
		return 0;
	if (o->netns_fd >= 0 && nl_open_in(o->netns_fd, NETLINK_ROUTE, &pod, &why) == 0) {
		j.netns_fd = o->netns_fd;
		j.pod = &pod;
	}
	/* before the addresses can be another pod's */
	note(firewall_remove(o->uuid, o->firewall, &why), &why, &result, e);
	int r = nl_open(NETLINK_ROUTE, &host, &why);
	note(r, &why, &result, e);
	if (r == 0)
		note(leave(&j, &p, p.n, true, &why), &why, &result, e);
	podnet_free(&p);
	/* what is left is tried again by whoever finds the record */
	return result < 0 ? -1 : podnet_forget(o->pod_fd, e);
}

/* ---- joining ---- */

static int shape_one(struct nl *n, const char *name, bool veth_only, int64_t bandwidth, struct err *e)
{
	struct link l;
	int r = link_find(n, name, &l, e);

	if (r <= 0 || (veth_only && strcmp(l.kind, "veth")))
		return r < 0 ? -1 : 0;
	return link_shape(n, l.index, l.mtu, bandwidth, e);
}

/* what the pod sends, and what the other end sends to it */
static int shape(const struct net_join *j, const struct net_result *r, int64_t bandwidth, struct err *e)
{
	if (bandwidth == APPC_UNLIMITED)
		return 0;
	if (shape_one(j->pod, j->ifname, false, bandwidth, e) < 0)
		return err_wrap(e, "resource/network-bandwidth");
	for (size_t i = 0; i < r->n_ifaces; i++)
		if (!r->ifaces[i].in_pod && shape_one(j->host, r->ifaces[i].name, true, bandwidth, e) < 0)
			return err_wrap(e, "resource/network-bandwidth");
	return 0;
}

/* where the pod's interfaces are, as plug-ins that come later, or for DEL, want to hear it */
static void add_sandbox(const struct net_join *j, struct net_result *r)
{
	for (size_t i = 0; i < r->n_ifaces; i++)
		if (r->ifaces[i].in_pod && !*r->ifaces[i].sandbox)
			plugin_netns(j, r->ifaces[i].sandbox, sizeof(r->ifaces[i].sandbox));
}

/* What the configuration says of DNS counts before what its address management found out, as in CNI's own plug-ins. */
static int own_dns(const cJSON *conf, struct net_result *r, struct err *e)
{
	const cJSON *said = cJSON_GetObjectItemCaseSensitive(conf, "dns");
	struct net_dns dns;

	if (!said || !said->child)
		return 0;
	if (net_dns_parse(said, &dns, e) < 0)
		return -1;
	net_dns_free(&r->dns);
	r->dns = dns;
	return 0;
}

static int join_one(struct net_join *j, struct podnet_one *one, struct err *e)
{
	j->network = one->conf.name;
	j->ifname = one->ifname;
	j->args = one->conf.args;
	for (size_t i = 0; i < one->conf.n_plugins; i++) {
		struct net_result r = { 0 };
		j->conf = one->conf.plugins[i];
		const struct net_type *t = type_of(j->conf, j->local);
		if (t->add(j, i ? &one->r : NULL, &r, e) < 0 || (t != &plugin_type && own_dns(j->conf, &r, e) < 0)) {
			net_result_free(&r);
			return -1;
		}
		add_sandbox(j, &r);
		net_result_free(&one->r);
		one->r = r;
	}
	one->joined = true;
	return 0;
}

static int join_all(const struct podnet_opts *o, struct net_join *j, struct podnet *p, struct err *e)
{
	struct err ignored;

	for (size_t i = 0; i < p->n; i++) {
		if (join_one(j, &p->v[i], e) == 0 && shape(j, &p->v[i].r, o->bandwidth, e) == 0)
			continue;
		err_wrap(e, "network %s", p->v[i].conf.name);
		return leave(j, p, i + 1, false, &ignored) < 0 ? -2 : -1;
	}
	if (podnet_record(p, o->pod_fd, e) == 0)
		return 0;
	return leave(j, p, p->n, false, &ignored) < 0 ? -2 : -1;
}

static int connect_both(const struct podnet_opts *o, struct nl *host, struct nl *pod, struct err *e)
{
	return nl_open(NETLINK_ROUTE, host, e) < 0 || nl_open_in(o->netns_fd, NETLINK_ROUTE, pod, e) < 0 ?
		       -1 : net_prepare_pod(o->netns_fd, e);
}

static int up(const struct podnet_opts *o, struct podnet *p, struct err *e)
{
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct net_join j = { .uuid = o->uuid, .hostname = o->hostname, .netns_fd = o->netns_fd, .host = &host, .pod = &pod,
			      .held = &p->held, .dhcp = &p->dhcp, .system = o->system, .local = o->local,
			      .host_mnt_fd = o->host_mnt_fd, .debug = o->debug };
	struct err ignored;

	if (connect_both(o, &host, &pod, e) < 0 || podnet_record(p, o->pod_fd, e) < 0)
		return -1;
	int r = join_all(o, &j, p, e);
	/* what could not be taken back is left to gc, which finds the record */
	if (r == -1)
		podnet_forget(o->pod_fd, &ignored);
	return r < 0 ? -1 : 0;
}

/* what is known of it before it is joined */
static int prepare_one(const struct podnet_opts *o, size_t i, struct podnet_one *one, struct err *e)
{
	const struct net_join j = { .system = o->system, .local = o->local };
	struct net_conf *c = &one->conf;

	snprintf(one->ifname, sizeof(one->ifname), "eth%u", (unsigned)i);
	for (size_t k = 0; k < c->n_plugins; k++)
		if (is_type(c->plugins[k], "flannel") && !plugin_overrides(o->local, "flannel") &&
		    flannel_expand(&c->plugins[k], e) < 0)
			return err_wrap(e, "network %s", c->name);
	if (type_of(c->plugins[0], o->local) == &plugin_type)
		plugin_find(&j, json_str(c->plugins[0], "type"), one->plugin, sizeof(one->plugin));
	return 0;
}

/* takes the networks of @c */
static int prepare(const struct podnet_opts *o, struct net_confs *c, struct podnet *p, struct err *e)
{
	struct err none;

	p->v = calloc(c->n + 1, sizeof(*p->v));
	if (!p->v)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < c->n; i++) {
		/* a closed network takes a firewall; without one it is for those to miss who want it */
		if (c->v[i].unasked && firewall_available(&none) < 0 && none.code == ENOTSUP)
			continue;
		p->v[p->n].conf = c->v[i];
		c->v[i] = (struct net_conf){ 0 };
		p->n++;
		if (prepare_one(o, p->n - 1, &p->v[p->n - 1], e) < 0)
			return -1;
	}
	return 0;
}

int podnet_plan(const struct podnet_opts *o, struct podnet *out, struct err *e)
{
	struct net_confs c = { 0 };

	*out = (struct podnet){ 0 };
	int r = net_confs_load(o->system, o->local, &c, e);
	if (r == 0)
		r = net_confs_select(&c, o->net, e);
	if (r == 0)
		r = prepare(o, &c, out, e);
	net_confs_free(&c);
	if (r < 0)
		podnet_free(out);
	return r;
}

static bool may_name(const cJSON *plugin, const char *local)
{
	const cJSON *ipam = cJSON_GetObjectItemCaseSensitive(plugin, "ipam");
	const char *type = json_str(ipam, "type");

	return type_of(plugin, local) == &plugin_type || cJSON_HasObjectItem(plugin, "dns") ||
	       (ipam && ipam->child && (!type || strcmp(type, "host-local") != 0 || plugin_overrides(local, type) ||
					cJSON_HasObjectItem(ipam, "resolvConf")));
}

bool podnet_may_name(const struct podnet *p, const char *local)
{
	bool may = false;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->v[i].conf.n_plugins; k++)
			may |= may_name(p->v[i].conf.plugins[k], local);
	return may;
}

int podnet_up(const struct podnet_opts *o, struct podnet *p, struct err *e)
{
	if (!p->v && podnet_plan(o, p, e) < 0)
		return -1;
	int r = up(o, p, e);
	if (r < 0)
		podnet_free(p);
	return r;
}

/* ---- what the firewall has to know ---- */

static bool says(const struct podnet_one *one, const char *member)
{
	return one->conf.n_plugins && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(one->conf.plugins[0], member));
}

const struct ip *podnet_port_address(const struct podnet *p, uint8_t len)
{
	const struct net_ip *last = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct net_ip *ip = p->v[i].joined ? net_result_first(&p->v[i].r, len) : NULL;
		if (ip && says(&p->v[i], "ipMasq"))
			return &ip->address.ip;
		last = ip ? ip : last;
	}
	return last ? &last->address.ip : NULL;
}

/* the first on the host: the veth of ptp, the bridge of bridge, as these and CNI's own plug-ins list them */
static const char *host_iface(const struct net_result *r)
{
	for (size_t i = 0; i < r->n_ifaces; i++)
		if (!r->ifaces[i].in_pod)
			return r->ifaces[i].name;
	return "";
}

int podnet_firewall(const struct podnet *p, struct fw_net **out, size_t *n, struct err *e)
{
	size_t most = 1;

	for (size_t i = 0; i < p->n; i++)
		most += p->v[i].r.n_ips;
	*n = 0;
	*out = calloc(most, sizeof(**out));
	if (!*out)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n; i++) {
		const struct podnet_one *one = &p->v[i];
		for (size_t k = 0; one->joined && k < one->r.n_ips; k++) {
			struct fw_net *f = &(*out)[(*n)++];
			/* a plug-in of others is told the same word, and does it itself */
			*f = (struct fw_net){ .address = one->r.ips[k].address, .closed = says(one, "restricted"),
					      .masquerade = !*one->plugin && says(one, "ipMasq") };
			snprintf(f->iface, sizeof(f->iface), "%s", host_iface(&one->r));
		}
	}
	return 0;
}
