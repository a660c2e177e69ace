/* SPDX-License-Identifier: Apache-2.0
 * register - how a pod without a network of its own becomes known to `rkt metadata-service`
 *
 * Over a Unix socket that only root can talk to: its UUID, its token, and a descriptor of its directory, from which the
 * service takes the rest, and on whose lock it sees that the pod has ended. Both ends are ours, so this is no HTTP.
 */
#pragma once

#include "core/mds/service.h"

#define MDS_SOCKET "/run/rkt/metadata-svc.sock"

/** mds_register_check() - whether there can be a service, before there is a pod */
int mds_register_check(struct err *e);

/** mds_register() - by stage 0; @port: receives where the service listens. ECONNREFUSED: there is no service */
int mds_register(const char *uuid, const char *token, int pod_fd, unsigned *port, struct err *e);

/* what the service hears */
struct mds_registration {
	int  conn_fd, pod_fd;
	char uuid[37], token[MDS_TOKEN_LEN + 1];
};
/** mds_registration_take() - the next of @socket_fd; EPERM and the like: somebody had no business there, who was told */
int mds_registration_take(int socket_fd, struct mds_registration *r, struct err *e);
/** mds_registration_reply() - @why NULL: it is registered; closes what is open */
void mds_registration_reply(struct mds_registration *r, unsigned port, const struct err *why);
