/* SPDX-License-Identifier: Apache-2.0
 * fuzz dhcp - any bytes as a packet that a server may have sent: what is taken for an answer is fit to be used
 *
 * So that the fuzzer gets past what guards the door, the identifier, the hardware address and the checksum of the IP
 * header are made to fit.
 */
#include <stdlib.h>
#include <string.h>

#include "core/net/dhcp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static const uint8_t mac[DHCP_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };

static void make_fit(uint8_t *p, size_t len)
{
	size_t head = len ? (size_t)(p[0] & 15) * 4 : 0;
	uint32_t sum = 0;

	if (head < 20 || len < head + 8 + 34)
		return;
	memcpy(p + head + 8 + 4, "\1\2\3\4", 4);
	memcpy(p + head + 8 + 28, mac, sizeof(mac));
	p[10] = p[11] = 0;
	for (size_t i = 0; i < head; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
}

static void check_host(const struct ip *a)
{
	must(a->len == 4 && a->b[0] && a->b[0] != 127 && a->b[0] < 224);
}

static void check(const struct dhcp_answer *a)
{
	must(a->type == DHCP_OFFER || a->type == DHCP_ACK || a->type == DHCP_NAK);
	check_host(&a->server);
	must(memchr(a->text, '\0', sizeof(a->text)) && memchr(a->domain, '\0', sizeof(a->domain)));
	for (const char *s = a->text; *s; s++)
		must(*s >= ' ' && *s < 0x7f);
	for (const char *s = a->domain; *s; s++)
		must(*s > ' ' && *s < 0x7f && *s != '#' && *s != ';');
	if (a->type == DHCP_NAK)
		return;
	check_host(&a->address.ip);
	must(a->address.prefix <= 32 && a->lease_s > 0);
	must((a->t1_s && a->t1_s < a->t2_s && a->t2_s < a->lease_s) || (a->lease_s == DHCP_FOREVER && a->t1_s == DHCP_FOREVER));
	must(!a->gateway.len || a->gateway.len == 4);
	must(a->n_dns <= DHCP_DNS_MAX && a->n_routes <= DHCP_ROUTES_MAX);
	for (size_t i = 0; i < a->n_dns; i++)
		check_host(&a->dns[i]);
	for (size_t i = 0; i < a->n_routes; i++) {
		const struct net_route *r = &a->routes[i];
		struct ip_cidr net = ip_network(&r->dst);
		must(r->dst.ip.len == 4 && r->dst.prefix <= 32 && ip_equal(&net.ip, &r->dst.ip));
		if (r->gw.len)
			check_host(&r->gw);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size ? size : 1);
	struct dhcp_answer a;

	if (!p)
		return 0;
	if (size)
		memcpy(p, data, size);
	if (dhcp_read(p, size, 0x01020304, mac, &a))
		check(&a);
	make_fit(p, size);
	if (dhcp_read(p, size, 0x01020304, mac, &a))
		check(&a);
	free(p);
	return 0;
}
