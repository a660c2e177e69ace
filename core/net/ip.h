/* SPDX-License-Identifier: Apache-2.0
 * ip - addresses and networks of IPv4 and IPv6: reading, printing, arithmetic
 *
 * Source: RFC 4632 and RFC 4291 for the notation; RFC 5952 for how IPv6 is printed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define IP_TEXT_MAX  46 /* with the NUL, as INET6_ADDRSTRLEN */
#define IP_CIDR_MAX  50

struct ip {
	uint8_t len;   /* bytes: 4, 16; 0: none */
	uint8_t b[16]; /* network byte order */
};

/* "10.1.2.3/16": an address and the length of its network's prefix. Of a network the bits behind that are 0. */
struct ip_cidr { struct ip ip; uint8_t prefix; };

static inline int ip_bits(const struct ip *a) { return a->len * 8; }
int ip_family(const struct ip *a); /* AF_INET, AF_INET6 */

/** ip_parse() - nothing but an address: no zone, no blanks, no octets like 010; EINVAL names it */
int ip_parse(const char *text, struct ip *out, struct err *e);
/** ip_cidr_parse() - "ADDRESS/PREFIX"; the address may have bits behind the prefix */
int ip_cidr_parse(const char *text, struct ip_cidr *out, struct err *e);
/** ip_text(), ip_cidr_text() - returns @out, which has IP_TEXT_MAX or IP_CIDR_MAX bytes */
char *ip_text(const struct ip *a, char *out);
char *ip_cidr_text(const struct ip_cidr *c, char *out);

/** ip_compare() - IPv4 before IPv6, then by value, as memcmp() */
int ip_compare(const struct ip *a, const struct ip *b);
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_in(const struct ip *a, const struct ip_cidr *net);
/** ip_network() - @c with the bits behind the prefix 0; ip_last() - with all of them 1 */
struct ip_cidr ip_network(const struct ip_cidr *c);
struct ip ip_last(const struct ip_cidr *c);
/** ip_add() - @a + @n; false when that is beyond the last address of its family */
bool ip_add(struct ip *a, uint64_t n);
bool ip_is_zero(const struct ip *a);
bool ip_is_loopback(const struct ip *a);
/** ip_mask_text() - "255.255.255.0" of a prefix of IPv4, hex of one of IPv6 as Go prints a mask */
char *ip_mask_text(const struct ip_cidr *c, char *out);
