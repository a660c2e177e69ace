/* SPDX-License-Identifier: Apache-2.0
 * result - what joining a network gave a pod: interfaces, addresses, routes, DNS; and as CNI writes that as JSON
 *
 * Lists are small; everything belongs to the struct, net_result_free() releases it and zeroes it.
 * Source: CNI specification 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, "Result types" / "Success".
 */
#pragma once

#include <cjson/cJSON.h>
#include <net/if.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/net/ip.h"

#define NET_RESULT_VERSION "1.0.0" /* what we write where nobody asks for another one */

struct net_iface {
	char name[IFNAMSIZ], mac[18]; /* mac "": not said */
	bool in_pod;                  /* else on the host */
	char sandbox[128];            /* as a plug-in said it; "": is written as "pod" where in_pod */
};
struct net_ip { struct ip_cidr address; struct ip gateway; int iface; }; /* iface: index in ifaces, -1: not said */
struct net_route { struct ip_cidr dst; struct ip gw; };                  /* gw len 0: the network's own gateway, or on link */
struct net_dns { char **servers, **search, **options, *domain; size_t n_servers, n_search, n_options; };

struct net_result {
	struct net_iface *ifaces;
	struct net_ip    *ips;
	struct net_route *routes;
	size_t            n_ifaces, n_ips, n_routes;
	struct net_dns    dns;
};
void net_result_free(struct net_result *r);

/* each copies; -1: ENOMEM */
int net_result_iface(struct net_result *r, const char *name, const char *mac, bool in_pod, struct err *e);
int net_result_ip(struct net_result *r, const struct ip_cidr *address, const struct ip *gateway, int iface, struct err *e);
int net_result_route(struct net_result *r, const struct ip_cidr *dst, const struct ip *gw, struct err *e);
int net_dns_add(char ***list, size_t *n, const char *word, struct err *e);

/** net_result_first() - the first address of that family (4 or 16 bytes), or NULL; borrowed */
const struct net_ip *net_result_first(const struct net_result *r, int len);

/** net_result_parse() - of any of these versions, told by cniVersion (absent: 0.1.0); a JSON object that is checked */
int net_result_parse(const cJSON *j, struct net_result *out, struct err *e);
/** net_result_error() - what a plug-in says about its failure, into *e ("msg: details"; EAGAIN when it says to try again,
 * else EIO); false: @j says nothing of that kind, *e is left alone */
bool net_result_error(const cJSON *j, struct err *e);
/** net_result_json() - as that version has it; EINVAL: not one of them; cJSON_Delete() it */
cJSON *net_result_json(const struct net_result *r, const char *version, struct err *e);
/** net_version_check() - of the specification, "0.4.0": which one, from 0; EINVAL: not known, says which are. Since
 * NET_VERSION_CHAINS there are chains, since NET_VERSION_DEL the result goes with DEL. */
enum { NET_VERSION_CHAINS = 2, NET_VERSION_DEL = 4 };
int net_version_check(const char *version, struct err *e);
/** net_dns_parse() - the member "dns" of a configuration or a result; NULL: nothing */
int net_dns_parse(const cJSON *j, struct net_dns *out, struct err *e);
void net_dns_free(struct net_dns *d);
