/* SPDX-License-Identifier: Apache-2.0
 * ipam - between ipam.c, which join.h tells of, and the ways of managing addresses that are built in
 */
#pragma once

#include "core/net/join.h"

struct ipam_type {
	const char *name;
	/* @ipam: that member of the configuration; the rest as of net_type */
	int (*add)(const struct net_join *j, const cJSON *ipam, struct net_result *r, struct err *e);
	int (*del)(const struct net_join *j, const cJSON *ipam, const struct net_result *r, struct err *e);
};
extern const struct ipam_type ipam_hostlocal, ipam_dhcp;

/** ipam_member() - the string @key of @obj; absent: *out NULL; EINVAL: something else than a string */
int ipam_member(const cJSON *obj, const char *key, const char **out, struct err *e);

/** ipam_routes() - the member "routes", strings as rkt's documentation has them or objects as CNI's, into @r */
int ipam_routes(const cJSON *ipam, struct net_result *r, struct err *e);

/**
 * ipam_dir() - where the leases of a network stand: dataDir/NETWORK, 0700; also @lock_fd, which holds the lock on them
 * @ipam: with "dataDir", or NULL; without it: /run/rkt/networks, which does not outlive the boot, as pods do not either
 * Without @create ENOENT: nothing was ever lent.
 */
int ipam_dir(const char *network, const cJSON *ipam, bool create, int *lock_fd, struct err *e);
