/* SPDX-License-Identifier: Apache-2.0
 * dhcp_client - one interface's talk with DHCP servers, over a packet socket: it needs no address, and what apps of the
 * pod listen to does not matter
 */
#pragma once

#include "core/net/dhcp_packet.h"

struct dhcp_client {
	int      fd, index;
	uint8_t  mac[DHCP_MAC_LEN];
	uint8_t  from[DHCP_MAC_LEN]; /* of the last answer */
	uint32_t xid;
	int64_t  begin_ms;
	const struct dhcp_lease *l;
};

/* Errors are of the interface, which the caller names. */

/** dhcp_open() - in the calling thread's network namespace; close(c->fd) */
int dhcp_open(struct dhcp_client *c, const struct dhcp_lease *l, struct err *e);
/** dhcp_open_in() - in @netns_fd; the calling thread is back in its own when this returns */
int dhcp_open_in(int netns_fd, struct dhcp_client *c, const struct dhcp_lease *l, struct err *e);

/** dhcp_send() - fills in what @c knows; to the Ethernet address @mac, NULL: to all */
int dhcp_send(const struct dhcp_client *c, struct dhcp_question *q, const uint8_t *mac, struct err *e);

/** dhcp_acquire() - a new lease, within @limit_ms; ETIMEDOUT: nobody gave one, and what was heard */
int dhcp_acquire(struct dhcp_client *c, int64_t limit_ms, struct dhcp_answer *a, struct err *e);
/** dhcp_extend() - asks once for what the lease has; 1: ACK or NAK in @a, 0: silence for @wait_ms; -1 */
int dhcp_extend(struct dhcp_client *c, bool everybody, int64_t wait_ms, struct dhcp_answer *a, struct err *e);
