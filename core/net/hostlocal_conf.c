/* SPDX-License-Identifier: Apache-2.0
 * hostlocal_conf - see hostlocal.h
 */
#include "core/net/hostlocal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/net/ipam.h"

#define RANGES_MAX 256
#define RESOLV_MAX 8192

/* ---- ranges ---- */

bool hl_in(const struct hl_range *r, const struct ip *a)
{
	return a->len == r->first.len && ip_compare(a, &r->first) >= 0 && ip_compare(a, &r->last) <= 0;
}

const char *hl_reserved(const struct hl_range *r, const struct ip *a)
{
	struct ip last = ip_last(&r->subnet);

	if (ip_equal(a, &r->gateway))
		return "it is the gateway's";
	if (ip_equal(a, &r->subnet.ip))
		return "it is the network's own";
	return a->len == 4 && ip_equal(a, &last) ? "it is for broadcasts" : NULL;
}

static int outside(const char *key, const char *text, const struct hl_range *r, struct err *e)
{
	char net[IP_CIDR_MAX];

	return err_set(e, EINVAL, "%s %s is not in subnet %s", key, text, ip_cidr_text(&r->subnet, net));
}

/* @out keeps what it has where the configuration says nothing */
static int range_ip(const cJSON *o, const char *key, const struct hl_range *r, bool inside, struct ip *out, struct err *e)
{
	const char *text;

	if (ipam_member(o, key, &text, e) < 0)
		return -1;
	if (!text)
		return 0;
	if (ip_parse(text, out, e) < 0)
		return err_wrap(e, "%s", key);
	return out->len != r->subnet.ip.len || (inside && !ip_in(out, &r->subnet)) ? outside(key, text, r, e) : 0;
}

static int read_range(const cJSON *o, struct hl_range *r, struct err *e)
{
	const char *text;

	if (ipam_member(o, "subnet", &text, e) < 0)
		return -1;
	if (!text)
		return err_set(e, EINVAL, "a range needs a \"subnet\"");
	if (ip_cidr_parse(text, &r->subnet, e) < 0)
		return err_wrap(e, "subnet");
	if (ip_bits(&r->subnet.ip) - r->subnet.prefix < 2)
		return err_set(e, EINVAL, "subnet %s is too small: a gateway and a pod need two addresses", text);
	r->subnet = ip_network(&r->subnet);
	r->gateway = r->first = r->subnet.ip;
	ip_add(&r->gateway, 1);
	ip_add(&r->first, 2);
	r->last = ip_last(&r->subnet);
	if (r->last.len == 4)
		r->last.b[3]--; /* what is last in a subnet of four or more is odd */
	/* a gateway may be elsewhere: fe80::1 */
	if (range_ip(o, "gateway", r, false, &r->gateway, e) < 0 || range_ip(o, "rangeStart", r, true, &r->first, e) < 0 ||
	    range_ip(o, "rangeEnd", r, true, &r->last, e) < 0)
		return -1;
	if (ip_compare(&r->first, &r->last) > 0)
		return err_set(e, EINVAL, "subnet %s: rangeStart lies behind rangeEnd", text);
	return 0;
}

/* all of one set; the old form is a set of one range */
static int read_set(const cJSON *set, struct hl_range *v, size_t *n, unsigned number, struct err *e)
{
	const cJSON *one;

	if (!cJSON_IsArray(set) || !set->child)
		return err_set(e, EINVAL, "\"ranges\" is not a list of lists of ranges");
	cJSON_ArrayForEach(one, set) {
		v[*n] = (struct hl_range){ .set = number };
		if (read_range(one, &v[*n], e) < 0)
			return -1;
		if (v[*n].subnet.ip.len != v[*n - (size_t)(one == set->child ? 0 : 1)].subnet.ip.len)
			return err_set(e, EINVAL, "IPv4 and IPv6 in one list of \"ranges\": a pod gets one address of each list");
		++*n;
	}
	return 0;
}

static int read_all(const cJSON *ipam, const cJSON *sets, struct hl_range *v, size_t *n, struct err *e)
{
	unsigned number = 0;
	const cJSON *set;

	if (cJSON_GetObjectItemCaseSensitive(ipam, "subnet")) {
		v[*n] = (struct hl_range){ .set = number++ };
		if (read_range(ipam, &v[*n], e) < 0)
			return -1;
		++*n;
	}
	cJSON_ArrayForEach(set, sets)
		if (read_set(set, v, n, number++, e) < 0)
			return -1;
	return *n ? 0 : err_set(e, EINVAL, "neither \"subnet\" nor \"ranges\" say which addresses there are");
}

int hl_ranges(const cJSON *ipam, struct hl_range **out, size_t *n, struct err *e)
{
	const cJSON *sets = cJSON_GetObjectItemCaseSensitive(ipam, "ranges"), *set;
	size_t total = 1;

	cJSON_ArrayForEach(set, sets)
		total += (size_t)cJSON_GetArraySize(set);
	if (total > RANGES_MAX)
		return err_set(e, EINVAL, "more than %d ranges", RANGES_MAX);
	auto_free struct hl_range *v = calloc(total, sizeof(*v));
	if (!v)
		return err_sys(e, "ranges");
	*n = 0;
	if (read_all(ipam, sets, v, n, e) < 0)
		return -1;
	*out = take_ptr(v);
	return 0;
}

/* ---- resolv.conf ---- */

static int add_word(const char *key, const char *word, struct net_dns *d, struct err *e)
{
	struct err ignored;
	struct ip a;

	if (!strcmp(key, "nameserver")) /* what is none is no reason to have none at all */
		return ip_parse(word, &a, &ignored) == 0 ? net_dns_add(&d->servers, &d->n_servers, word, e) : 0;
	if (!strcmp(key, "search"))
		return net_dns_add(&d->search, &d->n_search, word, e);
	if (!strcmp(key, "options"))
		return net_dns_add(&d->options, &d->n_options, word, e);
	if (strcmp(key, "domain") != 0)
		return 0;
	free(d->domain);
	d->domain = strdup(word);
	return d->domain ? 0 : err_sys(e, "domain");
}

static int resolv_lines(char *text, struct net_dns *dns, struct err *e)
{
	for (char *line, *word; (line = strsep(&text, "\n"));) {
		const char *key = NULL;
		line[strcspn(line, "#;")] = '\0';
		while ((word = strsep(&line, " \t\r")))
			if (*word && !key)
				key = word;
			else if (*word && add_word(key, word, dns, e) < 0)
				return -1;
	}
	return 0;
}

int hl_resolv_conf(const char *path, struct net_dns *dns, struct err *e)
{
	struct stat st;
	char text[RESOLV_MAX];
	auto_close int fd = fd_open_input(path, &st, e);

	if (fd < 0)
		return err_wrap(e, "resolvConf %s", path);
	ssize_t n = fd_read_full(fd, text, sizeof(text) - 1);
	if (n == sizeof(text) - 1)
		errno = EFBIG;
	if (n < 0 || n == sizeof(text) - 1)
		return err_sys(e, "resolvConf %s", path);
	text[n] = '\0';
	return resolv_lines(text, dns, e);
}
