/* SPDX-License-Identifier: Apache-2.0
 * dhcp_packet - messages of DHCP with the heads of IP and UDP around them, as a packet socket sends and receives them
 *
 * What comes in is anybody's on that network: every length is checked, and of the values only what is fit to be used
 * as an address, a route or a line of resolv.conf comes out.
 */
#pragma once

#include "core/net/dhcp.h"
#include "core/net/result.h"

enum dhcp_type {
	DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_NAK = 6, DHCP_RELEASE = 7,
};

#define DHCP_CLIENT_PORT 68
#define DHCP_SERVER_PORT 67
#define DHCP_PACKET_MAX  1024 /* of ours */
#define DHCP_FOREVER     UINT32_MAX

struct dhcp_question {
	enum dhcp_type type;
	uint32_t       xid;
	uint16_t       secs;                    /* since it began */
	const uint8_t *mac;
	const char    *uuid, *ifname, *hostname;
	struct ip      mine;                    /* len 0: no address yet */
	struct ip      wanted, server;          /* len 0: not said */
	struct ip      to;                      /* len 0: everybody */
};

/** dhcp_write() - the packet into @out of DHCP_PACKET_MAX bytes; its length */
size_t dhcp_write(const struct dhcp_question *q, uint8_t *out);

#define DHCP_DNS_MAX    4
#define DHCP_ROUTES_MAX 32

struct dhcp_answer {
	enum dhcp_type   type;               /* OFFER, ACK or NAK */
	struct ip_cidr   address;            /* not of NAK */
	struct ip        server, gateway;    /* gateway len 0: none */
	uint32_t         lease_s, t1_s, t2_s; /* not of NAK: 0 < t1 < t2 < lease, or all DHCP_FOREVER */
	struct ip        dns[DHCP_DNS_MAX];
	struct net_route routes[DHCP_ROUTES_MAX];
	size_t           n_dns, n_routes;
	char             domain[254];        /* "": none */
	char             text[128];          /* what the server says of a NAK; printable */
};

/** dhcp_read() - false: not a whole answer to the question of that @xid and @mac */
bool dhcp_read(const uint8_t *packet, size_t len, uint32_t xid, const uint8_t *mac, struct dhcp_answer *out);
