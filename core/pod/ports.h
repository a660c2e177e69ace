/* SPDX-License-Identifier: Apache-2.0
 * ports - the exposed ports of a pod manifest: which ports of the host lead to which of the apps'
 *
 * One name may stand for several ports of an app, one a protocol, as that of DNS does; then all of them are exposed.
 * Source: appc spec, spec/pods.md, "ports"; spec/aci.md, "ports"; hostIP and podPort of the reference schema.
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/net/firewall.h"

#define PORTS_MAX 512 /* of a pod; more would be a mistake, or an attack on our time */

struct pod_port {
	const char    *name; /* borrowed from the manifest */
	struct fw_port to;   /* pod_ip is not known yet */
};

/**
 * ports_parse() - "NAME:[IP:]HOSTPORT" into one more exposed port of @m; an IPv6 address is in brackets
 */
int ports_parse(const char *arg, struct pod_manifest *m, struct err *e);

/**
 * ports_resolve() - of a manifest that is checked and whose apps are spelled out; free(out)
 * ENOENT: no app has a port of that name; says which ones there are. EEXIST: two of them want the same port of the host.
 * ERANGE: a range goes beyond 65535. EPROTONOSUPPORT: neither tcp, udp nor sctp.
 */
int ports_resolve(const struct pod_manifest *m, struct pod_port **out, size_t *n, struct err *e);
