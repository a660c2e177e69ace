/* SPDX-License-Identifier: Apache-2.0
 * net - see net.h
 *
 * Order: interfaces and addresses, the firewall, then what listens in user space, which is where a port shows to be in
 * use. Nothing of it needs the pod's processes.
 */
#include "stage1-init/net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/pod/dns.h"
#include "core/pod/ports.h"

#define NETNS_LINK "netns"

int net_mode(const char *net, enum net_mode *out, struct err *e)
{
	*out = NET_NONE;
	if (!net || !*net)
		return 0;
	return net_mode_parse(net, out, e) < 0 ? err_wrap(e, "failed to setup network: --net=%s", net) : 0;
}

/* ---- joining ---- */

/* The apps share the interfaces: nothing but the lowest limit of any keeps each of them to its own. */
static int64_t bandwidth(const struct plan *p)
{
	int64_t least = p->limits.network_bps;

	for (size_t i = 0; i < p->n_apps; i++)
		if (p->apps[i].limits.network_bps < least)
			least = p->apps[i].limits.network_bps;
	return least;
}

static struct podnet_opts join_opts(const struct net_how *how, const struct plan *p)
{
	return (struct podnet_opts){
		.uuid = p->uuid, .net = how->net, .hostname = p->hostname, .system = how->system, .local = how->local,
		.pod_fd = how->pod_fd, .netns_fd = p->netns_fd, .host_mnt_fd = how->host_mnt_fd,
		.bandwidth = bandwidth(p), .debug = how->debug,
	};
}

static int join(struct net *n, const struct net_how *how, struct plan *p, struct err *e)
{
	const struct podnet_opts o = join_opts(how, p);

	n->tried = true;
	if (podnet_up(&o, &n->nets, e) < 0)
		return -1;
	n->netns_fd = fcntl(p->netns_fd, F_DUPFD_CLOEXEC, 3);
	return n->netns_fd < 0 ? err_sys(e, "the pod's network namespace") : 0;
}

/* ---- ports ---- */

struct ports { struct fw_port *v; size_t n; };

/* a port of any address of the host leads to one address of the pod in each family that the pod has */
static int add_port(struct ports *l, const struct podnet *nets, const struct pod_port *p, struct err *e)
{
	static const uint8_t families[] = { 4, 16 };
	uint8_t wanted = p->to.host_ip.len;
	size_t before = l->n;

	for (size_t i = 0; i < 2; i++) {
		const struct ip *a = wanted && wanted != families[i] ? NULL : podnet_port_address(nets, families[i]);
		if (!a)
			continue;
		l->v[l->n] = p->to;
		l->v[l->n++].pod_ip = *a;
	}
	return l->n > before ? 0 :
		err_set(e, EADDRNOTAVAIL, "port \"%s\": no network gave the pod an %saddress that it could lead to", p->name,
			!wanted ? "" : wanted == 4 ? "IPv4 " : "IPv6 ");
}

static int collect_ports(struct ports *l, const struct podnet *nets, const struct plan *p, struct err *e)
{
	auto_free struct pod_port *v = NULL;
	size_t n = 0;

	if (ports_resolve(&p->manifest, &v, &n, e) < 0)
		return -1;
	l->v = calloc(2 * n + 1, sizeof(*l->v));
	if (!l->v)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (add_port(l, nets, &v[i], e) < 0)
			return -1;
	return 0;
}

/*
 * Beside our directory lies that of any other pod that runs, and it is locked; where that of a pod is which has ended, it
 * is no more beside ours. What is not found at all may run with another data directory.
 */
static bool is_alive(void *ctx, const char *uuid, bool port)
{
	static const char *const places[] = { "..", "../../exited-garbage", "../../garbage" };
	const struct net_how *how = ctx;
	char path[80];
	struct err none;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%.40s", places[i], uuid);
		auto_close int fd = openat(how->pod_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			return i == 0 && lock_try(fd, LOCK_SHARED, &none) != 1;
	}
	return port;
}

static int protect(struct net *n, const struct net_how *how, const char *uuid, const struct ports *l, struct err *e)
{
	auto_free struct fw_net *nets = NULL;
	struct fw_pod fw = { .uuid = uuid, .ports = l->v, .n_ports = how->port_proxy ? 0 : l->n, .alive = is_alive,
			     .ctx = (void *)how, .keep = &n->firewall };

	if (podnet_firewall(&n->nets, &nets, &fw.n_nets, e) < 0)
		return -1;
	fw.nets = nets;
	bool needed = fw.n_ports;
	for (size_t i = 0; i < fw.n_nets; i++)
		needed |= nets[i].masquerade || nets[i].closed;
	struct err why;
	if ((!fw.n_nets && !fw.n_ports) || firewall_add(&fw, &why) == 0)
		return 0;
	/* where there is no firewall, nothing keeps out what only has to be let in */
	if (why.code == ENOTSUP && !needed)
		return 0;
	*e = why;
	return -1;
}

/* Whoever reaches the port has to do with this process: it has nothing but the sockets. */
static int serve(struct net *n, struct err *e)
{
	auto_free int *kept = calloc(n->n_wanted, sizeof(*kept));

	if (!kept)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n->n_wanted; i++)
		kept[i] = n->wanted[i].fd;
	worker_close_others(kept, n->n_wanted);
	return worker_give_up_rights(false, e) < 0 ? -1 : proxy_main(n->proxy, e);
}

static int proxy_serve(void *ctx)
{
	struct err e;

	if (serve(ctx, &e) == 0)
		return 0;
	dprintf(2, "stage1: port forwarding: %s\n", e.msg);
	return 1;
}

static int listen_for(struct net *n, const struct net_how *how, const struct ports *l, struct err *e)
{
	if (!l->n)
		return 0;
	n->proxy = proxy_open(l->v, l->n, !how->port_proxy, e);
	if (!n->proxy)
		return -1;
	size_t n_polls = proxy_n_polls(n->proxy);
	n->wanted = calloc(n_polls + 1, sizeof(*n->wanted));
	if (!n->wanted)
		return err_set(e, ENOMEM, "out of memory");
	n->n_wanted = proxy_polls(n->proxy, n->wanted);
	return 0;
}

static int forward(struct net *n, const struct net_how *how, const struct plan *p, struct err *e)
{
	struct ports l = { NULL, 0 };

	int r = collect_ports(&l, &n->nets, p, e);
	if (r == 0)
		r = protect(n, how, p->uuid, &l, e);
	if (r == 0)
		r = listen_for(n, how, &l, e);
	free(l.v);
	return r;
}

/* ---- leases ---- */

static int keep_leases(void *ctx)
{
	struct err e;

	if (dhcp_work(ctx, &e) == 0)
		return 0;
	dprintf(2, "stage1: renewal of addresses: %s\n", e.msg);
	return 1;
}

size_t net_workers(struct net *n, struct worker *out)
{
	int64_t at_ms = dhcp_next_ms(&n->nets.dhcp);
	size_t made = 0;

	if (n->n_wanted)
		out[made++] = (struct worker){ .what = "port forwarding", .wanted = n->wanted, .n_wanted = n->n_wanted,
					       .main = proxy_serve, .ctx = n };
	if (at_ms)
		out[made++] = (struct worker){ .what = "renewal of addresses", .at_ms = at_ms, .main = keep_leases,
					       .ctx = &n->nets.dhcp };
	return made;
}

/* ---- names ---- */

static void add_words(struct buf *list, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_fmt(list, "%s%s", list->len ? "," : "", words[i]);
}

/* All that the networks say, in their order. Of domain and search the last in the file would count, so only one is there. */
static int name_servers(struct net *n, const struct net_how *how, struct err *e)
{
	struct buf lists[DNS_WISHES] = { { 0 } };
	const char *wishes[DNS_WISHES] = { NULL };
	struct dns_files d;
	bool failed = false;

	for (size_t i = 0; i < n->nets.n && !how->no_dns; i++) {
		const struct net_dns *dns = &n->nets.v[i].r.dns;
		add_words(&lists[DNS_SERVERS], dns->servers, dns->n_servers);
		add_words(&lists[DNS_SEARCH], dns->search, dns->n_search);
		add_words(&lists[DNS_OPTIONS], dns->options, dns->n_options);
		if (dns->domain && *dns->domain && !lists[DNS_DOMAIN].len)
			buf_str(&lists[DNS_DOMAIN], dns->domain);
	}
	for (int w = 0; w < DNS_WISHES; w++) {
		failed |= lists[w].failed;
		if (lists[w].len && (w != DNS_DOMAIN || !lists[DNS_SEARCH].len))
			wishes[w] = lists[w].data;
	}
	int r = failed ? err_set(e, ENOMEM, "out of memory") : dns_resolv(wishes, &d, e);
	if (r == 0 && d.resolv == DNS_STAGE0) {
		n->has_dns = true;
		r = dns_install(&d, e);
	}
	if (!failed)
		dns_files_free(&d);
	for (int w = 0; w < DNS_WISHES; w++)
		buf_free(&lists[w]);
	return r;
}

/* ---- the whole ---- */

int net_plan(struct net *n, const struct net_how *how, const struct plan *p, struct err *e)
{
	const struct podnet_opts o = join_opts(how, p);
	enum net_mode mode;

	if (net_mode(how->net, &mode, e) < 0)
		return -1;
	if (mode == NET_NONE && p->manifest.ports.n)
		return err_set(e, EINVAL, "failed to setup network: ports cannot be forwarded with --net=none");
	if (mode != NET_JOIN)
		return 0;
	if (p->rootless)
		return err_set(e, EPERM, "failed to setup network: --net=%s takes root", how->net);
	if (podnet_plan(&o, &n->nets, e) < 0)
		return err_wrap(e, "failed to setup network");
	n->joins = true;
	/* PID 1 sets the manifest's sysctls, and some are about interfaces that come later */
	n->early = p->limits.sysctl || (!how->no_dns && podnet_may_name(&n->nets, how->local));
	return 0;
}

int net_up(struct net *n, const struct net_how *how, struct plan *p, struct err *e)
{
	if (!n->joins)
		return 0;
	if (join(n, how, p, e) == 0 && forward(n, how, p, e) == 0 && name_servers(n, how, e) == 0)
		return 0;
	struct err why = *e;
	/* many never asked for a network, and this host may have none to give */
	if (why.code == ENOTSUP || why.code == EPERM)
		err_set(e, why.code, "%.400s; --net=none starts the pod without%s", why.msg,
			p->manifest.ports.n ? ", and --port-proxy forwards ports without nftables" : "");
	return err_wrap(e, "failed to setup network");
}

void net_child(const struct net *n)
{
	for (size_t i = 0; i < n->n_wanted; i++)
		close(n->wanted[i].fd);
	if (n->netns_fd >= 0)
		close(n->netns_fd);
	if (n->firewall.fd >= 0)
		close(n->firewall.fd);
}

int net_mark(const struct net *n, int pod_fd, pid_t pid1, struct err *e)
{
	char target[32];

	if (!n->tried)
		return 0;
	snprintf(target, sizeof(target), "/proc/%d/ns/net", (int)pid1);
	return symlinkat(target, pod_fd, NETNS_LINK) < 0 ? err_sys(e, "create " NETNS_LINK) : 0;
}

int net_down(struct net *n, const struct net_how *how, const char *uuid, bool ended, struct err *e)
{
	const struct podnet_opts o = {
		.uuid = uuid, .system = how->system, .local = how->local, .pod_fd = how->pod_fd, .netns_fd = n->netns_fd,
		.host_mnt_fd = -1, .debug = how->debug, .ends = ended, .firewall = &n->firewall,
	};

	if (!n->tried)
		return 0;
	if (n->proxy)
		proxy_close(n->proxy);
	n->proxy = NULL;
	int r = podnet_leave(&o, e);
	/* only now: until then nobody else may have the addresses */
	podnet_free(&n->nets);
	free(n->wanted);
	n->wanted = NULL;
	fd_cleanup(&n->netns_fd);
	if (r < 0)
		return err_wrap(e, "warning: leave the networks");
	unlinkat(how->pod_fd, NETNS_LINK, 0);
	return 0;
}
