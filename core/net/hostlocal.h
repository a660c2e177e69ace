/* SPDX-License-Identifier: Apache-2.0
 * hostlocal - what the configuration of host-local says: ranges of addresses, and a file with name servers
 *
 * Source: CNI plug-ins' documentation, "host-local"; rkt Documentation/networking/overview.md; resolv.conf(5).
 */
#pragma once

#include <cjson/cJSON.h>

#include "core/net/result.h"

/* Of ranges with the same set one address is given out; those of a set follow each other. */
struct hl_range {
	unsigned       set;
	struct ip_cidr subnet;
	struct ip      first, last, gateway;
};

/** hl_ranges() - free(*out) after; at least one, sets counted from 0 without gaps */
int hl_ranges(const cJSON *ipam, struct hl_range **out, size_t *n, struct err *e);

bool hl_in(const struct hl_range *r, const struct ip *a);
/** hl_reserved() - why an address of the range is never given out, or NULL */
const char *hl_reserved(const struct hl_range *r, const struct ip *a);

/** hl_resolv_conf() - adds what the file @path says */
int hl_resolv_conf(const char *path, struct net_dns *dns, struct err *e);
