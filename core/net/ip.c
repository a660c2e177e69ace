/* SPDX-License-Identifier: Apache-2.0
 * ip - see ip.h
 *
 * An address of IPv4 that is written as one of IPv6 (::ffff:1.2.3.4) is refused: it would be two addresses to us and one
 * to the kernel.
 */
#include "core/net/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/num.h"

int ip_family(const struct ip *a)
{
	return a->len == 4 ? AF_INET : AF_INET6;
}

static bool is_mapped(const struct ip *a)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return a->len == 16 && !memcmp(a->b, head, sizeof(head));
}

int ip_parse(const char *text, struct ip *out, struct err *e)
{
	struct ip a = { .len = strchr(text, ':') ? 16 : 4 };

	if (inet_pton(ip_family(&a), text, a.b) != 1 || is_mapped(&a))
		return err_set(e, EINVAL, "\"%s\" is not an IP address", text);
	*out = a;
	return 0;
}

int ip_cidr_parse(const char *text, struct ip_cidr *out, struct err *e)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX];
	struct ip_cidr c;
	struct err ignored;
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		goto bad;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (ip_parse(address, &c.ip, &ignored) < 0 || num_u64(slash + 1, (uint64_t)ip_bits(&c.ip), &prefix, &ignored) < 0)
		goto bad;
	c.prefix = (uint8_t)prefix;
	*out = c;
	return 0;
bad:
	return err_set(e, EINVAL, "\"%s\" is not an IP address with the length of a prefix, as 10.1.0.0/16", text);
}

static unsigned group(const struct ip *a, unsigned i)
{
	return (unsigned)a->b[2 * i] << 8 | a->b[2 * i + 1];
}

/* The C library's inet_ntop() shortens a single group of zeros too, which RFC 5952 forbids. */
static char *ip6_text(const struct ip *a, char *out)
{
	unsigned best = 8, longest = 1, n = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned run = 0;
		while (i + run < 8 && group(a, i + run) == 0)
			run++;
		if (run > longest) {
			longest = run;
			best = i;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			n += (unsigned)sprintf(out + n, "::");
			i += longest - 1;
		} else {
			n += (unsigned)sprintf(out + n, n && out[n - 1] != ':' ? ":%x" : "%x", group(a, i));
		}
	}
	return out;
}

char *ip_text(const struct ip *a, char *out)
{
	if (a->len == 16)
		return ip6_text(a, out);
	*out = '\0';
	if (a->len)
		snprintf(out, IP_TEXT_MAX, "%u.%u.%u.%u", a->b[0], a->b[1], a->b[2], a->b[3]);
	return out;
}

char *ip_cidr_text(const struct ip_cidr *c, char *out)
{
	size_t n = strlen(ip_text(&c->ip, out));

	snprintf(out + n, IP_CIDR_MAX - n, "/%u", c->prefix);
	return out;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	return a->len != b->len ? a->len - b->len : memcmp(a->b, b->b, a->len);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

/* of the byte @i of an address those bits that belong to the prefix */
static uint8_t mask(unsigned prefix, unsigned i)
{
	return prefix >= 8 * i + 8 ? 0xff : prefix <= 8 * i ? 0 : (uint8_t)(0xff00 >> (prefix - 8 * i));
}

bool ip_in(const struct ip *a, const struct ip_cidr *net)
{
	if (a->len != net->ip.len)
		return false;
	for (unsigned i = 0; i < a->len; i++)
		if ((a->b[i] ^ net->ip.b[i]) & mask(net->prefix, i))
			return false;
	return true;
}

struct ip_cidr ip_network(const struct ip_cidr *c)
{
	struct ip_cidr net = *c;

	for (unsigned i = 0; i < net.ip.len; i++)
		net.ip.b[i] &= mask(net.prefix, i);
	return net;
}

struct ip ip_last(const struct ip_cidr *c)
{
	struct ip last = c->ip;

	for (unsigned i = 0; i < last.len; i++)
		last.b[i] |= (uint8_t)~mask(c->prefix, i);
	return last;
}

bool ip_add(struct ip *a, uint64_t n)
{
	struct ip sum = *a;

	for (unsigned i = sum.len; i-- > 0;) {
		unsigned byte = sum.b[i] + (unsigned)(n & 0xff);
		sum.b[i] = (uint8_t)byte;
		n = (n >> 8) + (byte >> 8);
	}
	if (n)
		return false;
	*a = sum;
	return true;
}

bool ip_is_zero(const struct ip *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->b, zero, a->len);
}

/* 127.0.0.0/8 and ::1 */
bool ip_is_loopback(const struct ip *a)
{
	struct ip rest = *a;

	if (a->len != 16)
		return a->len && a->b[0] == 127;
	rest.b[15] ^= 1;
	return ip_is_zero(&rest);
}

char *ip_mask_text(const struct ip_cidr *c, char *out)
{
	struct ip m = { .len = c->ip.len };

	for (unsigned i = 0; i < m.len; i++)
		m.b[i] = mask(c->prefix, i);
	if (m.len == 4)
		return ip_text(&m, out);
	for (unsigned i = 0; i < m.len; i++)
		sprintf(out + (size_t)2 * i, "%02x", m.b[i]);
	return out;
}
