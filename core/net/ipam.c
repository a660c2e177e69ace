/* SPDX-License-Identifier: Apache-2.0
 * ipam - see join.h: who gives out the addresses of a network, and what all of them have in common
 *
 * Source: CNI plug-ins' documentation, "host-local", "static"; rkt Documentation/networking/overview.md.
 */
#include "core/net/ipam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/lock.h"
#include "core/net/plugin.h"

#define IPAM_DIR "/run/rkt/networks"

int ipam_member(const cJSON *obj, const char *key, const char **out, struct err *e)
{
	*out = json_str(obj, key);
	if (*out || !cJSON_GetObjectItemCaseSensitive(obj, key))
		return 0;
	return err_set(e, EINVAL, "\"%s\" is not a string", key);
}

/* ---- routes ---- */

static int add_route(const cJSON *item, struct net_result *r, struct err *e)
{
	const char *dst = cJSON_GetStringValue(item), *gw = NULL;
	struct net_route route = { .gw.len = 0 };

	if (!dst && (ipam_member(item, "dst", &dst, e) < 0 || ipam_member(item, "gw", &gw, e) < 0))
		return -1;
	if (!dst)
		return err_set(e, EINVAL, "a route needs a \"dst\"");
	if (ip_cidr_parse(dst, &route.dst, e) < 0 || (gw && ip_parse(gw, &route.gw, e) < 0))
		return err_wrap(e, "routes");
	if (gw && route.gw.len != route.dst.ip.len)
		return err_set(e, EINVAL, "route to %s: gateway %s is of another family", dst, gw);
	route.dst = ip_network(&route.dst);
	return net_result_route(r, &route.dst, &route.gw, e);
}

int ipam_routes(const cJSON *ipam, struct net_result *r, struct err *e)
{
	const cJSON *routes = cJSON_GetObjectItemCaseSensitive(ipam, "routes"), *item;

	if (routes && !cJSON_IsNull(routes) && !cJSON_IsArray(routes))
		return err_set(e, EINVAL, "\"routes\" is not a list");
	cJSON_ArrayForEach(item, routes)
		if (add_route(item, r, e) < 0)
			return -1;
	return 0;
}

/* ---- static: what the configuration or the arguments say ---- */

static int add_static(const char *address, const char *gateway, struct net_result *r, struct err *e)
{
	struct ip_cidr a;
	struct ip gw = { .len = 0 };

	if (!address)
		return err_set(e, EINVAL, "\"addresses\" has one without \"address\"");
	if (ip_cidr_parse(address, &a, e) < 0 || (gateway && ip_parse(gateway, &gw, e) < 0))
		return -1;
	if (gateway && gw.len != a.ip.len)
		return err_set(e, EINVAL, "address %s: gateway %s is of another family", address, gateway);
	return net_result_ip(r, &a, &gw, -1, e);
}

/* "IP=10.1.0.5/24,fd00::5/64;GATEWAY=10.1.0.1": the gateway is of those of its family */
static int static_args(const char *args, struct net_result *r, struct err *e)
{
	char list[1024], gw[IP_TEXT_MAX], *rest = list, *one;
	bool has_gw = net_arg(args, "GATEWAY", gw, sizeof(gw));

	if (!net_arg(args, "IP", list, sizeof(list)))
		return 0;
	while ((one = strsep(&rest, ",")))
		if (add_static(one, has_gw && !strchr(one, ':') == !strchr(gw, ':') ? gw : NULL, r, e) < 0)
			return -1;
	return 0;
}

static int static_add(const struct net_join *j, const cJSON *ipam, struct net_result *r, struct err *e)
{
	const cJSON *item;

	if (static_args(j->args, r, e) < 0)
		return -1;
	if (!r->n_ips) {
		cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(ipam, "addresses"))
			if (add_static(json_str(item, "address"), json_str(item, "gateway"), r, e) < 0)
				return -1;
	}
	if (!r->n_ips)
		return err_set(e, EINVAL, "neither \"addresses\" nor the argument IP says an address");
	if (ipam_routes(ipam, r, e) < 0)
		return -1;
	return net_dns_parse(cJSON_GetObjectItemCaseSensitive(ipam, "dns"), &r->dns, e);
}

static int static_del(const struct net_join *j, const cJSON *ipam, const struct net_result *r, struct err *e)
{
	return 0;
}

static const struct ipam_type ipam_static = { "static", static_add, static_del };

/* ---- which of them ---- */

/* 1: *ipam and *name; 0: none is wanted; -1 */
static int wanted(const struct net_join *j, const cJSON **ipam, const char **name, struct err *e)
{
	*ipam = cJSON_GetObjectItemCaseSensitive(j->conf, "ipam");
	if (!*ipam || cJSON_IsNull(*ipam) || (cJSON_IsObject(*ipam) && !(*ipam)->child))
		return 0;
	*name = json_str(*ipam, "type");
	return *name ? 1 : err_set(e, EINVAL, "\"ipam\" has no \"type\"");
}

/* NULL: a program of others */
static const struct ipam_type *find(const struct net_join *j, const char *name)
{
	static const struct ipam_type *const built_in[] = { &ipam_hostlocal, &ipam_dhcp, &ipam_static };

	for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++)
		if (!strcmp(built_in[i]->name, name))
			return plugin_overrides(j->local, name) ? NULL : built_in[i];
	return NULL;
}

/* what it says of interfaces is not for it to say */
static int plugin_add(const struct net_join *j, const char *name, struct net_result *r, struct err *e)
{
	struct net_result of = { .n_ips = 0 };
	int ret = plugin_run(j, name, "ADD", NULL, &of, e);

	for (size_t i = 0; ret == 0 && i < of.n_ips; i++)
		ret = net_result_ip(r, &of.ips[i].address, &of.ips[i].gateway, -1, e);
	for (size_t i = 0; ret == 0 && i < of.n_routes; i++)
		ret = net_result_route(r, &of.routes[i].dst, &of.routes[i].gw, e);
	if (ret == 0) {
		struct net_dns dns = r->dns;
		r->dns = of.dns;
		of.dns = dns;
	}
	net_result_free(&of);
	return ret;
}

/* @add: receives the result, else what @del has is given up */
static int call(const struct net_join *j, struct net_result *add, const struct net_result *del, struct err *e)
{
	const char *name = NULL;
	const cJSON *ipam;
	int n = wanted(j, &ipam, &name, e);

	if (n <= 0)
		return n;
	const struct ipam_type *t = find(j, name);
	if (!t)
		return add ? plugin_add(j, name, add, e) : plugin_run(j, name, "DEL", NULL, NULL, e);
	return (add ? t->add(j, ipam, add, e) : t->del(j, ipam, del, e)) < 0 ? err_wrap(e, "%s", name) : 0;
}

int ipam_add(const struct net_join *j, struct net_result *r, struct err *e)
{
	return call(j, r, NULL, e);
}

int ipam_del(const struct net_join *j, const struct net_result *r, struct err *e)
{
	return call(j, NULL, r, e);
}

/* ---- the directory of leases ---- */

static int make_dir(int at_fd, const char *name, mode_t mode, struct err *e)
{
	return mkdirat(at_fd, name, mode) < 0 && errno != EEXIST ? err_sys(e, "make directory") : 0;
}

/* Links are followed: it is the administrator who says where, and /var/run is one. */
static int open_data_dir(const char *path, bool create, struct err *e)
{
	char at[PATH_MAX];
	size_t len = strlen(path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create && len < sizeof(at)) {
		for (size_t i = 1; i <= len; i++)
			if (path[i] == '/' || !path[i]) {
				memcpy(at, path, i);
				at[i] = '\0';
				if (make_dir(AT_FDCWD, at, 0755, e) < 0)
					return -1;
			}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, "open") : fd;
}

static int open_locked(const char *path, const char *network, bool create, int *lock_fd, struct err *e)
{
	if (*path != '/' || *network == '.' || strchr(network, '/'))
		return err_set(e, EINVAL, "not an absolute path");
	auto_close int data_fd = open_data_dir(path, create, e);
	if (data_fd < 0 || (create && make_dir(data_fd, network, 0700, e) < 0))
		return -1;
	auto_close int fd = openat(data_fd, network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* the file that CNI's host-local locks too */
	auto_close int lock = fd < 0 ? -1 : openat(fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_sys(e, "open");
	if (lock_wait(lock, LOCK_EXCLUSIVE, e) < 0)
		return -1;
	*lock_fd = take_fd(&lock);
	return take_fd(&fd);
}

int ipam_dir(const char *network, const cJSON *ipam, bool create, int *lock_fd, struct err *e)
{
	const char *path = NULL;

	if (ipam && ipam_member(ipam, "dataDir", &path, e) < 0)
		return -1;
	path = path ? path : IPAM_DIR;
	int fd = open_locked(path, network, create, lock_fd, e);
	return fd < 0 ? err_wrap(e, "leases in %s/%s", path, network) : fd;
}
