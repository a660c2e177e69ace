/* SPDX-License-Identifier: Apache-2.0
 * dhcp_packet - see dhcp_packet.h
 *
 * Source: RFC 791, RFC 768, RFC 2131 section 2 and table 5, RFC 2132, RFC 3396, RFC 3442.
 */
#include "core/net/dhcp_packet.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define IP_HEAD     20
#define UDP_HEAD    8
#define BOOTP_HEAD  240 /* with the magic number of options */
#define BOOTP_MIN   300 /* shorter ones are dropped by some relays */
#define AT_SNAME    44
#define AT_FILE     108

enum option {
	OPT_PAD = 0, OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_HOSTNAME = 12, OPT_DOMAIN = 15, OPT_WANTED = 50,
	OPT_LEASE = 51, OPT_OVERLOAD = 52, OPT_TYPE = 53, OPT_SERVER = 54, OPT_LIST = 55, OPT_TEXT = 56, OPT_SIZE = 57,
	OPT_T1 = 58, OPT_T2 = 59, OPT_CLIENT = 61, OPT_ROUTES = 121, OPT_END = 255,
};

static const uint8_t magic[4] = { 99, 130, 83, 99 };

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* RFC 1071; @sum: what came before, of an even number of bytes */
static uint32_t add_up(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	return len ? sum + ((uint32_t)*p << 8) : sum;
}

static unsigned checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* ---- ours ---- */

static uint8_t *put(uint8_t *p, enum option code, const void *data, size_t len)
{
	*p++ = (uint8_t)code;
	*p++ = (uint8_t)len;
	memcpy(p, data, len);
	return p + len;
}

static uint8_t *put_options(uint8_t *p, const struct dhcp_question *q)
{
	/* classless routes before routers: RFC 3442 */
	static const uint8_t list[] = { OPT_MASK, OPT_ROUTES, OPT_ROUTER, OPT_DNS, OPT_DOMAIN, OPT_LEASE, OPT_T1, OPT_T2 };
	static const uint8_t size[] = { 1500 >> 8, 1500 & 0xff };
	char text[80];

	text[0] = (char)q->type;
	p = put(p, OPT_TYPE, text, 1);
	text[0] = 0; /* an identifier that is no hardware address */
	int n = snprintf(text + 1, sizeof(text) - 1, "%s/%s", q->uuid, q->ifname);
	p = put(p, OPT_CLIENT, text, (size_t)n < sizeof(text) - 1 ? (size_t)n + 1 : sizeof(text) - 1);
	if (q->wanted.len)
		p = put(p, OPT_WANTED, q->wanted.b, 4);
	if (q->server.len)
		p = put(p, OPT_SERVER, q->server.b, 4);
	if (q->type != DHCP_RELEASE) {
		p = put(p, OPT_HOSTNAME, q->hostname, strlen(q->hostname));
		p = put(p, OPT_SIZE, size, sizeof(size));
		p = put(p, OPT_LIST, list, sizeof(list));
	}
	*p++ = OPT_END;
	return p;
}

size_t dhcp_write(const struct dhcp_question *q, uint8_t *out)
{
	uint8_t *udp = out + IP_HEAD, *b = udp + UDP_HEAD;

	memset(out, 0, DHCP_PACKET_MAX);
	b[0] = 1; /* to a server */
	b[1] = 1; /* Ethernet */
	b[2] = DHCP_MAC_LEN;
	put16(b + 4, q->xid >> 16);
	put16(b + 6, q->xid);
	put16(b + 8, q->secs);
	if (q->mine.len)
		memcpy(b + 12, q->mine.b, 4);
	else
		b[10] = 0x80; /* who has no address yet hears only what goes to all, on ipvlan at least */
	memcpy(b + 28, q->mac, DHCP_MAC_LEN);
	memcpy(b + 236, magic, sizeof(magic));
	size_t len = (size_t)(put_options(b + BOOTP_HEAD, q) - b);
	len = UDP_HEAD + (len < BOOTP_MIN ? BOOTP_MIN : len);

	put16(udp, DHCP_CLIENT_PORT);
	put16(udp + 2, DHCP_SERVER_PORT);
	put16(udp + 4, (unsigned)len);
	memcpy(out + 12, b + 12, 4);
	memset(out + 16, 0xff, 4);
	if (q->to.len)
		memcpy(out + 16, q->to.b, 4);
	unsigned sum = checksum(add_up(17 + (uint32_t)len, out + 12, 8 + len)); /* both addresses and what follows */
	put16(udp + 6, sum ? sum : 0xffff);
	out[0] = 0x45;
	put16(out + 2, (unsigned)(IP_HEAD + len));
	out[8] = 64;
	out[9] = 17;
	put16(out + 10, checksum(add_up(0, out, IP_HEAD)));
	return IP_HEAD + len;
}

/* ---- theirs ---- */

/* The message in the packet. Its UDP checksum is not looked at: a server on this host leaves that to hardware that never
 * sees the packet. */
static const uint8_t *unwrap(const uint8_t *p, size_t *len)
{
	if (*len < IP_HEAD || p[0] >> 4 != 4)
		return NULL;
	size_t head = (size_t)(p[0] & 15) * 4, total = get16(p + 2);
	if (head < IP_HEAD || total > *len || total < head + UDP_HEAD || p[9] != 17 || get16(p + 6) & 0x3fff ||
	    checksum(add_up(0, p, head)))
		return NULL;
	const uint8_t *udp = p + head;
	size_t n = get16(udp + 4);
	if (n < UDP_HEAD || n > total - head || get16(udp) != DHCP_SERVER_PORT || get16(udp + 2) != DHCP_CLIENT_PORT)
		return NULL;
	*len = n - UDP_HEAD;
	return udp + UDP_HEAD;
}

struct value {
	uint8_t b[512];
	size_t  len;
};

/* an option that comes in pieces is their sum: RFC 3396 */
static bool collect(const uint8_t *p, size_t len, enum option code, struct value *v)
{
	for (size_t i = 0; i < len && p[i] != OPT_END;) {
		if (p[i] == OPT_PAD) {
			i++;
			continue;
		}
		if (len - i < 2 || len - i - 2 < p[i + 1])
			return false;
		size_t n = p[i + 1];
		if (p[i] == code) {
			if (n > sizeof(v->b) - v->len)
				return false;
			memcpy(v->b + v->len, p + i + 2, n);
			v->len += n;
		}
		i += 2 + n;
	}
	return true;
}

struct message {
	const uint8_t *b;
	size_t         len;
	uint8_t        overload; /* bit 0: there are options in "file", bit 1: in "sname" */
	bool           bad;
};

/* its value, at least @min bytes in units of @unit; len 0: none that is fit */
static void find(struct message *m, enum option code, size_t min, size_t unit, struct value *v)
{
	v->len = 0;
	if (!collect(m->b + BOOTP_HEAD, m->len - BOOTP_HEAD, code, v) ||
	    (m->overload & 1 && !collect(m->b + AT_FILE, 128, code, v)) ||
	    (m->overload & 2 && !collect(m->b + AT_SNAME, 64, code, v)))
		m->bad = true;
	if (m->bad || v->len < min || v->len % unit)
		v->len = 0;
}

/* an address that one host can have */
static bool host_ip(const uint8_t *p, struct ip *out)
{
	if (p[0] == 0 || p[0] == 127 || p[0] >= 224)
		return false;
	*out = (struct ip){ .len = 4 };
	memcpy(out->b, p, 4);
	return true;
}

static uint32_t seconds(struct message *m, enum option code)
{
	struct value v;

	find(m, code, 4, 4, &v);
	return v.len == 4 ? get32(v.b) : 0;
}

static bool read_times(struct message *m, struct dhcp_answer *a)
{
	uint32_t lease = seconds(m, OPT_LEASE);

	a->t1_s = seconds(m, OPT_T1);
	a->t2_s = seconds(m, OPT_T2);
	a->lease_s = lease < 4 && lease ? 4 : lease; /* nothing that could be kept is shorter */
	if (lease == DHCP_FOREVER)
		a->t1_s = a->t2_s = lease;
	else if (!a->t1_s || a->t1_s >= a->t2_s || a->t2_s >= a->lease_s) {
		a->t1_s = a->lease_s / 2;
		a->t2_s = a->lease_s - a->lease_s / 8 - (a->lease_s < 8);
	}
	return lease > 0;
}

/* What says no mask, or one with gaps, is of the time of classes. */
static uint8_t read_prefix(struct message *m, const struct ip *a)
{
	struct value v;

	find(m, OPT_MASK, 4, 4, &v);
	uint32_t hosts = v.len ? ~get32(v.b) : 1;
	if (hosts & (hosts + 1) || hosts == UINT32_MAX || !v.len)
		return a->b[0] < 128 ? 8 : a->b[0] < 192 ? 16 : 24;
	uint8_t prefix = 32;
	for (; hosts; hosts >>= 1)
		prefix--;
	return prefix;
}

static void add_route(struct dhcp_answer *a, const uint8_t *dst, size_t n_dst, uint8_t prefix, const struct ip *gw)
{
	struct net_route r = { .dst = { .ip.len = 4, .prefix = prefix }, .gw = *gw };

	if (n_dst)
		memcpy(r.dst.ip.b, dst, n_dst);
	r.dst = ip_network(&r.dst);
	if (a->n_routes < DHCP_ROUTES_MAX)
		a->routes[a->n_routes++] = r;
}

/* Where classless routes are said, the router does not count. */
static void read_routes(struct message *m, struct dhcp_answer *a)
{
	struct value v;

	find(m, OPT_ROUTER, 4, 4, &v);
	if (v.len)
		host_ip(v.b, &a->gateway);
	find(m, OPT_ROUTES, 5, 1, &v);
	if (!v.len && a->gateway.len)
		add_route(a, NULL, 0, 0, &a->gateway);
	for (size_t i = 0; i < v.len;) {
		uint8_t prefix = v.b[i++];
		size_t n = (prefix + 7u) / 8;
		struct ip gw = { .len = 0 };
		if (prefix > 32 || v.len - i < n + 4) {
			m->bad = true;
			return;
		}
		/* 0.0.0.0: on the link itself, which a route without gateway only is where the network has none */
		if (host_ip(v.b + i + n, &gw))
			add_route(a, v.b + i, n, prefix, &gw);
		else if (!get32(v.b + i + n)) {
			a->gateway.len = 0;
			add_route(a, v.b + i, n, prefix, &gw);
		}
		i += n + 4;
	}
}

static void read_names(struct message *m, struct dhcp_answer *a)
{
	struct value v;
	size_t n;

	find(m, OPT_DNS, 4, 4, &v);
	for (size_t i = 0; i < v.len && a->n_dns < DHCP_DNS_MAX; i += 4)
		a->n_dns += host_ip(v.b + i, &a->dns[a->n_dns]);
	find(m, OPT_DOMAIN, 1, 1, &v);
	while (v.len && !v.b[v.len - 1])
		v.len--;
	for (n = 0; n < v.len && (isalnum(v.b[n]) || strchr("-._", v.b[n])) && v.b[n]; n++)
		;
	if (n == v.len && n < sizeof(a->domain))
		memcpy(a->domain, v.b, n);
}

static void read_text(struct message *m, struct dhcp_answer *a)
{
	struct value v;

	find(m, OPT_TEXT, 1, 1, &v);
	for (size_t i = 0; i < v.len && i < sizeof(a->text) - 1; i++)
		a->text[i] = v.b[i] >= ' ' && v.b[i] < 0x7f ? (char)v.b[i] : '?';
}

static bool read_options(struct message *m, struct dhcp_answer *a)
{
	struct value v;

	find(m, OPT_OVERLOAD, 1, 1, &v);
	m->overload = v.len == 1 ? v.b[0] & 3 : 0;
	find(m, OPT_TYPE, 1, 1, &v);
	a->type = v.len == 1 ? v.b[0] : 0;
	find(m, OPT_SERVER, 4, 4, &v);
	if (v.len != 4 || !host_ip(v.b, &a->server))
		return false;
	if (a->type == DHCP_NAK) {
		read_text(m, a);
		return !m->bad;
	}
	if ((a->type != DHCP_OFFER && a->type != DHCP_ACK) || !host_ip(m->b + 16, &a->address.ip) || !read_times(m, a))
		return false;
	a->address.prefix = read_prefix(m, &a->address.ip);
	read_routes(m, a);
	read_names(m, a);
	return !m->bad;
}

bool dhcp_read(const uint8_t *packet, size_t len, uint32_t xid, const uint8_t *mac, struct dhcp_answer *out)
{
	struct message m = { .b = unwrap(packet, &len) };

	m.len = len;
	*out = (struct dhcp_answer){ .type = 0 };
	return m.b && m.len >= BOOTP_HEAD && m.b[0] == 2 && m.b[1] == 1 && m.b[2] == DHCP_MAC_LEN && get32(m.b + 4) == xid &&
	       !memcmp(m.b + 28, mac, DHCP_MAC_LEN) && !memcmp(m.b + 236, magic, sizeof(magic)) && read_options(&m, out);
}
