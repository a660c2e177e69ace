/* SPDX-License-Identifier: Apache-2.0
 * loopback - the pod's own interface lo, which it has anyway; for configurations that name the type, see join.h
 */
#include "core/net/join.h"
#include "core/net/link.h"

static int add(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	return link_up(j->pod, "lo", e);
}

static int del(const struct net_join *j, const struct net_result *r, struct err *e)
{
	return 0;
}

const struct net_type net_loopback = { "loopback", add, del };
