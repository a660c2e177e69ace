/* SPDX-License-Identifier: Apache-2.0
 * dhcp - see dhcp.h: joining and leaving
 */
#include "core/net/dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/net/dhcp_client.h"
#include "core/net/dhcp_keep.h"
#include "core/net/ipam.h"

#define LIMIT_MS 10000

/* what the file has */
struct note { uint8_t address[4], server[4], mac[DHCP_MAC_LEN]; };

void dhcp_leases_free(struct dhcp_leases *l)
{
	if (l->n)
		close(l->netns_fd);
	free(l->v);
	*l = (struct dhcp_leases){ .netns_fd = -1 };
}

int64_t dhcp_next_ms(const struct dhcp_leases *l)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].next_ms < first)
			first = l->v[i].next_ms;
	return first == INT64_MAX ? 0 : first;
}

/* ---- the file ---- */

static void file_name(const struct dhcp_lease *l, char *out, size_t size)
{
	snprintf(out, size, "dhcp-%s-%s", l->uuid, l->ifname);
}

void dhcp_note(const struct dhcp_lease *l)
{
	struct note n;
	char name[64];
	auto_close int lock = -1;
	struct err ignored;
	auto_close int dir_fd = ipam_dir(l->network, NULL, true, &lock, &ignored);

	file_name(l, name, sizeof(name));
	memcpy(n.address, l->address.ip.b, 4);
	memcpy(n.server, l->server.b, 4);
	memcpy(n.mac, l->server_mac, sizeof(n.mac));
	if (dir_fd >= 0)
		(void)fd_publish(dir_fd, name, &n, sizeof(n), 0600, false, &ignored);
}

/* what the file says, which goes; false: there is none */
static bool take_note(struct dhcp_lease *l)
{
	struct note n;
	char name[64];
	auto_close int lock = -1;
	struct err ignored;
	auto_close int dir_fd = ipam_dir(l->network, NULL, false, &lock, &ignored);

	if (dir_fd < 0)
		return false;
	file_name(l, name, sizeof(name));
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : fd_read_full(fd, &n, sizeof(n));
	unlinkat(dir_fd, name, 0);
	if (got != sizeof(n))
		return false;
	l->address.ip.len = l->server.len = 4;
	memcpy(l->address.ip.b, n.address, 4);
	memcpy(l->server.b, n.server, 4);
	memcpy(l->server_mac, n.mac, sizeof(n.mac));
	return true;
}

/* ---- joining ---- */

void dhcp_lent(struct dhcp_lease *l, const struct dhcp_client *c, const struct dhcp_answer *a)
{
	int64_t now = clock_ms(CLOCK_BOOTTIME);

	l->address = a->address;
	l->server = a->server;
	memcpy(l->server_mac, c->from, sizeof(l->server_mac));
	if (a->lease_s == DHCP_FOREVER) {
		l->next_ms = l->t1_ms = l->t2_ms = l->end_ms = INT64_MAX;
		return;
	}
	l->t1_ms = l->next_ms = now + (int64_t)a->t1_s * 1000;
	l->t2_ms = now + (int64_t)a->t2_s * 1000;
	l->end_ms = now + (int64_t)a->lease_s * 1000;
}

static int fill_result(const struct dhcp_answer *a, struct net_result *r, struct err *e)
{
	char text[IP_TEXT_MAX];

	if (net_result_ip(r, &a->address, &a->gateway, -1, e) < 0)
		return -1;
	for (size_t i = 0; i < a->n_routes; i++)
		if (net_result_route(r, &a->routes[i].dst, &a->routes[i].gw, e) < 0)
			return -1;
	for (size_t i = 0; i < a->n_dns; i++)
		if (net_dns_add(&r->dns.servers, &r->dns.n_servers, ip_text(&a->dns[i], text), e) < 0)
			return -1;
	if (!*a->domain || r->dns.domain)
		return 0;
	r->dns.domain = strdup(a->domain);
	return r->dns.domain ? 0 : err_sys(e, "domain");
}

static int collect(struct dhcp_leases *all, int netns_fd, const struct dhcp_lease *l, struct err *e)
{
	struct dhcp_lease *v = realloc(all->v, (all->n + 1) * sizeof(*v));

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	all->v = v;
	if (!all->n && (all->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return err_sys(e, "keep the network namespace");
	v[all->n++] = *l;
	return 0;
}

static void init(struct dhcp_lease *l, const struct net_join *j)
{
	*l = (struct dhcp_lease){ .end_ms = 0 };
	snprintf(l->uuid, sizeof(l->uuid), "%s", j->uuid);
	snprintf(l->ifname, sizeof(l->ifname), "%s", j->ifname);
	snprintf(l->network, sizeof(l->network), "%s", j->network);
	snprintf(l->hostname, sizeof(l->hostname), "%s%s", j->hostname ? "" : "rkt-", j->hostname ? j->hostname : j->uuid);
}

static int dhcp_add(const struct net_join *j, const cJSON *ipam, struct net_result *r, struct err *e)
{
	struct dhcp_lease l;
	struct dhcp_client c;
	struct dhcp_answer a;

	init(&l, j);
	int ret = dhcp_open_in(j->netns_fd, &c, &l, e);
	if (ret == 0) {
		ret = dhcp_acquire(&c, LIMIT_MS, &a, e);
		close(c.fd);
	}
	if (ret)
		return err_wrap(e, "interface %s", j->ifname);
	dhcp_lent(&l, &c, &a);
	dhcp_note(&l);
	if (fill_result(&a, r, e) < 0)
		return -1;
	return j->dhcp ? collect(j->dhcp, j->netns_fd, &l, e) : 0;
}

/* ---- leaving ---- */

/* A server that does not hear of it lends the address to somebody else when its time is over. */
static void give_back(struct dhcp_lease *l, int netns_fd)
{
	struct dhcp_client c;
	struct err ignored;

	if (!take_note(l) || netns_fd < 0 || dhcp_open_in(netns_fd, &c, l, &ignored) < 0)
		return;
	struct dhcp_question q = { .type = DHCP_RELEASE, .mine = l->address.ip, .server = l->server, .to = l->server };
	(void)dhcp_send(&c, &q, l->server_mac, &ignored);
	close(c.fd);
}

static int dhcp_del(const struct net_join *j, const cJSON *ipam, const struct net_result *r, struct err *e)
{
	struct dhcp_lease l;

	init(&l, j);
	give_back(&l, j->netns_fd);
	return 0;
}

const struct ipam_type ipam_dhcp = { "dhcp", dhcp_add, dhcp_del };
