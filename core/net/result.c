/* SPDX-License-Identifier: Apache-2.0
 * result - see result.h
 *
 * 0.1.0 and 0.2.0 have one address of each family with routes of its own; since 0.3.0 there are lists, of which 1.0.0
 * dropped the family ("version") of an address. What is read comes from programs that others wrote: every string is
 * checked for what it is before it is kept, because it ends up in messages, in resolv.conf and in the kernel.
 */
#include "core/net/result.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/utf8.h"

#define LIST_MAX 256 /* of each; nobody has so many */
#define WORD_MAX 255

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static void free_words(char **v, size_t n)
{
	while (n)
		free(v[--n]);
	free(v);
}

void net_dns_free(struct net_dns *d)
{
	free_words(d->servers, d->n_servers);
	free_words(d->search, d->n_search);
	free_words(d->options, d->n_options);
	free(d->domain);
	*d = (struct net_dns){ 0 };
}

void net_result_free(struct net_result *r)
{
	free(r->ifaces);
	free(r->ips);
	free(r->routes);
	net_dns_free(&r->dns);
	*r = (struct net_result){ 0 };
}

/* ---- adding ---- */

/* room for one more; returns it, zeroed */
static void *more(void *list, size_t *n, size_t size, struct err *e)
{
	void **v = list;

	if (*n == LIST_MAX) {
		err_set(e, E2BIG, "more than %d entries in one list", LIST_MAX);
		return NULL;
	}
	char *p = realloc(*v, (*n + 1) * size);
	if (!p) {
		no_memory(e);
		return NULL;
	}
	*v = p;
	return memset(p + (*n)++ * size, 0, size);
}

int net_result_iface(struct net_result *r, const char *name, const char *mac, bool in_pod, struct err *e)
{
	struct net_iface *i = more(&r->ifaces, &r->n_ifaces, sizeof(*i), e);

	if (!i)
		return -1;
	snprintf(i->name, sizeof(i->name), "%s", name);
	snprintf(i->mac, sizeof(i->mac), "%s", mac ? mac : "");
	i->in_pod = in_pod;
	return 0;
}

int net_result_ip(struct net_result *r, const struct ip_cidr *address, const struct ip *gateway, int iface, struct err *e)
{
	struct net_ip *i = more(&r->ips, &r->n_ips, sizeof(*i), e);

	if (!i)
		return -1;
	i->address = *address;
	if (gateway)
		i->gateway = *gateway;
	i->iface = iface;
	return 0;
}

int net_result_route(struct net_result *r, const struct ip_cidr *dst, const struct ip *gw, struct err *e)
{
	struct net_route *t = more(&r->routes, &r->n_routes, sizeof(*t), e);

	if (!t)
		return -1;
	t->dst = *dst;
	if (gw)
		t->gw = *gw;
	return 0;
}

int net_dns_add(char ***list, size_t *n, const char *word, struct err *e)
{
	char *copy = strdup(word), **at = copy ? more(list, n, sizeof(*at), e) : NULL;

	if (!copy)
		return no_memory(e);
	if (!at) {
		free(copy);
		return -1;
	}
	*at = copy;
	return 0;
}

const struct net_ip *net_result_first(const struct net_result *r, int len)
{
	for (size_t i = 0; i < r->n_ips; i++)
		if (r->ips[i].address.ip.len == len)
			return &r->ips[i];
	return NULL;
}

/* ---- reading ---- */

enum form { OLD, LISTS, LISTS_1 };
static const struct { const char *version; enum form form; } versions[] = {
	{ "0.1.0", OLD }, { "0.2.0", OLD }, { "0.3.0", LISTS }, { "0.3.1", LISTS }, { "0.4.0", LISTS }, { "1.0.0", LISTS_1 },
};

int net_version_check(const char *version, struct err *e)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (!strcmp(versions[i].version, version))
			return (int)i;
	return err_set(e, EINVAL, "cniVersion \"%.40s\" is not known; 0.1.0 to 1.0.0 are", version);
}

/* A word of resolv.conf or the name of an interface: a blank or a line break would make another one of it. */
static bool is_word(const char *s)
{
	size_t len = strlen(s), n;

	for (const char *p = s; *p; p += n)
		if (!(n = utf8_len(p, len - (size_t)(p - s))) || utf8_is_control(p, n) || strchr(" #;", *p))
			return false;
	return *s && len <= WORD_MAX;
}

/* Go writes what it has nothing in as null; that and "" are what is not there */
static const cJSON *get(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNull(v) || (cJSON_IsString(v) && !*v->valuestring) ? NULL : v;
}

/* the member's string in *out, NULL: not there */
static int get_str(const cJSON *o, const char *key, const char **out, struct err *e)
{
	const cJSON *v = get(o, key);

	*out = NULL;
	if (!v)
		return 0;
	if (!cJSON_IsString(v))
		return err_set(e, EINVAL, "\"%s\" is not a string", key);
	*out = v->valuestring;
	return 0;
}

static int get_ip(const cJSON *o, const char *key, struct ip *out, struct err *e)
{
	const char *s;

	if (get_str(o, key, &s, e) < 0)
		return -1;
	return s && ip_parse(s, out, e) < 0 ? err_wrap(e, "\"%s\"", key) : 0;
}

static int get_cidr(const cJSON *o, const char *key, struct ip_cidr *out, struct err *e)
{
	const char *s;

	if (get_str(o, key, &s, e) < 0)
		return -1;
	if (!s)
		return err_set(e, EINVAL, "\"%s\" is missing", key);
	return ip_cidr_parse(s, out, e) < 0 ? err_wrap(e, "\"%s\"", key) : 0;
}

typedef int read_item(const cJSON *item, struct net_result *r, struct err *e);

/* calls @fn for each element of the member, which have to be objects */
static int each(const cJSON *o, const char *key, read_item *fn, struct net_result *r, struct err *e)
{
	const cJSON *list = get(o, key), *item;

	if (list && !cJSON_IsArray(list))
		return err_set(e, EINVAL, "\"%s\" is not a list", key);
	cJSON_ArrayForEach(item, list)
		if ((cJSON_IsObject(item) ? fn(item, r, e) : err_set(e, EINVAL, "not an object")) < 0)
			return err_wrap(e, "\"%s\"", key);
	return 0;
}

static int read_route(const cJSON *j, struct net_result *r, struct err *e)
{
	struct ip_cidr dst = { 0 };
	struct ip gw = { 0 };

	if (get_cidr(j, "dst", &dst, e) < 0 || get_ip(j, "gw", &gw, e) < 0)
		return -1;
	return net_result_route(r, &dst, &gw, e);
}

static int read_iface(const cJSON *j, struct net_result *r, struct err *e)
{
	const char *name, *mac, *sandbox;

	if (get_str(j, "name", &name, e) < 0 || get_str(j, "mac", &mac, e) < 0 || get_str(j, "sandbox", &sandbox, e) < 0)
		return -1;
	if (!name || !is_word(name) || strlen(name) >= IFNAMSIZ || strchr(name, '/'))
		return err_set(e, EINVAL, "\"name\" is not the name of an interface");
	if (mac && (strlen(mac) != 17 || strspn(mac, "0123456789abcdefABCDEF:") != 17))
		mac = NULL; /* what has no address of Ethernet: it is for information only */
	if (sandbox && strlen(sandbox) >= sizeof(r->ifaces->sandbox))
		return err_set(e, EINVAL, "\"sandbox\" is longer than %zu bytes", sizeof(r->ifaces->sandbox) - 1);
	if (net_result_iface(r, name, mac, sandbox != NULL, e) < 0)
		return -1;
	if (sandbox)
		memcpy(r->ifaces[r->n_ifaces - 1].sandbox, sandbox, strlen(sandbox) + 1);
	return 0;
}

static int read_ip(const cJSON *j, struct net_result *r, struct err *e)
{
	const cJSON *index = get(j, "interface");
	struct ip_cidr address = { 0 };
	struct ip gateway = { 0 };
	const char *version;
	int64_t iface = -1;

	if (get_str(j, "version", &version, e) < 0 || get_cidr(j, "address", &address, e) < 0 ||
	    get_ip(j, "gateway", &gateway, e) < 0)
		return -1;
	if (version && strcmp(version, address.ip.len == 4 ? "4" : "6"))
		return err_set(e, EINVAL, "\"version\" is not that of the address");
	if (index && (!json_int(index, &iface) || iface < 0 || (size_t)iface >= r->n_ifaces))
		return err_set(e, EINVAL, "\"interface\" is none of the interfaces");
	return net_result_ip(r, &address, &gateway, (int)iface, e);
}

static int read_old(const cJSON *j, const char *key, int len, struct net_result *r, struct err *e)
{
	const cJSON *o = get(j, key);
	struct ip_cidr address = { 0 };
	struct ip gateway = { 0 };

	if (!o)
		return 0;
	if (!cJSON_IsObject(o))
		return err_set(e, EINVAL, "\"%s\" is not an object", key);
	if (get_cidr(o, "ip", &address, e) < 0 || get_ip(o, "gateway", &gateway, e) < 0 ||
	    each(o, "routes", read_route, r, e) < 0)
		return err_wrap(e, "\"%s\"", key);
	if (address.ip.len != len)
		return err_set(e, EINVAL, "\"%s\" has an address of the other family", key);
	return net_result_ip(r, &address, &gateway, -1, e);
}

static int read_words(const cJSON *o, const char *key, bool addresses, char ***list, size_t *n, struct err *e)
{
	const cJSON *v = get(o, key), *item;
	struct ip ip;

	if (v && !cJSON_IsArray(v))
		return err_set(e, EINVAL, "\"%s\" is not a list", key);
	cJSON_ArrayForEach(item, v) {
		if (!cJSON_IsString(item) || !is_word(item->valuestring))
			return err_set(e, EINVAL, "\"%s\" holds what is not a word", key);
		if (addresses && ip_parse(item->valuestring, &ip, e) < 0)
			return err_wrap(e, "\"%s\"", key);
		if (net_dns_add(list, n, item->valuestring, e) < 0)
			return -1;
	}
	return 0;
}

static int read_dns(const cJSON *j, struct net_dns *d, struct err *e)
{
	const char *domain;

	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "not an object");
	if (get_str(j, "domain", &domain, e) < 0)
		return -1;
	if (domain && !is_word(domain))
		return err_set(e, EINVAL, "\"domain\" is not a word");
	if (domain && !(d->domain = strdup(domain)))
		return no_memory(e);
	if (read_words(j, "nameservers", true, &d->servers, &d->n_servers, e) < 0 ||
	    read_words(j, "search", false, &d->search, &d->n_search, e) < 0)
		return -1;
	return read_words(j, "options", false, &d->options, &d->n_options, e);
}

int net_dns_parse(const cJSON *j, struct net_dns *out, struct err *e)
{
	*out = (struct net_dns){ 0 };
	if (!j || cJSON_IsNull(j) || read_dns(j, out, e) == 0)
		return 0;
	net_dns_free(out);
	return err_wrap(e, "\"dns\"");
}

static int read_result(const cJSON *j, struct net_result *r, struct err *e)
{
	const char *version;

	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "not a JSON object");
	if (get_str(j, "cniVersion", &version, e) < 0)
		return -1;
	int v = version ? net_version_check(version, e) : 0;
	if (v < 0 || net_dns_parse(get(j, "dns"), &r->dns, e) < 0)
		return -1;
	if (versions[v].form == OLD)
		return read_old(j, "ip4", 4, r, e) < 0 ? -1 : read_old(j, "ip6", 16, r, e);
	if (each(j, "interfaces", read_iface, r, e) < 0 || each(j, "ips", read_ip, r, e) < 0)
		return -1;
	return each(j, "routes", read_route, r, e);
}

int net_result_parse(const cJSON *j, struct net_result *out, struct err *e)
{
	*out = (struct net_result){ 0 };
	if (read_result(j, out, e) == 0)
		return 0;
	net_result_free(out);
	return -1;
}

bool net_result_error(const cJSON *j, struct err *e)
{
	const char *msg = json_str(j, "msg"), *details = json_str(j, "details");
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(j, "code");
	struct buf b = { 0 };
	int64_t n = 0;

	if (!msg || (code && !json_int(code, &n)))
		return false;
	buf_clean(&b, msg, strlen(msg));
	if (details && *details) {
		buf_str(&b, *msg ? ": " : "");
		buf_clean(&b, details, strlen(details));
	}
	err_set(e, n == 11 ? EAGAIN : EIO, "%s", b.len ? b.data : "it does not say why");
	buf_free(&b);
	return true;
}

/* ---- writing ---- */

/* takes @item; *ok becomes false when there was no memory, for it or for @item */
static void put(cJSON *o, const char *key, cJSON *item, bool *ok)
{
	if (item && (key ? cJSON_AddItemToObject(o, key, item) : cJSON_AddItemToArray(o, item)))
		return;
	cJSON_Delete(item);
	*ok = false;
}

static void put_str(cJSON *o, const char *key, const char *s, bool *ok)
{
	if (*s)
		put(o, key, cJSON_CreateString(s), ok);
}

static void put_ip(cJSON *o, const char *key, const struct ip *a, bool *ok)
{
	char text[IP_TEXT_MAX];

	if (a->len)
		put_str(o, key, ip_text(a, text), ok);
}

static void put_cidr(cJSON *o, const char *key, const struct ip_cidr *c, bool *ok)
{
	char text[IP_CIDR_MAX];

	put_str(o, key, ip_cidr_text(c, text), ok);
}

/* @len: those of one family; 0: all */
static cJSON *routes_json(const struct net_result *r, int len, bool *ok)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < r->n_routes; i++) {
		if (len && r->routes[i].dst.ip.len != len)
			continue;
		cJSON *o = cJSON_CreateObject();
		put_cidr(o, "dst", &r->routes[i].dst, ok);
		put_ip(o, "gw", &r->routes[i].gw, ok);
		put(list, NULL, o, ok);
	}
	return list;
}

static void put_old(cJSON *j, const char *key, const struct net_result *r, int len, bool *ok)
{
	const struct net_ip *ip = net_result_first(r, len);

	if (!ip)
		return;
	cJSON *o = cJSON_CreateObject();
	put_cidr(o, "ip", &ip->address, ok);
	put_ip(o, "gateway", &ip->gateway, ok);
	put(o, "routes", routes_json(r, len, ok), ok);
	put(j, key, o, ok);
}

static cJSON *ifaces_json(const struct net_result *r, bool *ok)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < r->n_ifaces; i++) {
		const struct net_iface *f = &r->ifaces[i];
		cJSON *o = cJSON_CreateObject();
		put_str(o, "name", f->name, ok);
		put_str(o, "mac", f->mac, ok);
		/* that it is there tells the pod's from the host's */
		put_str(o, "sandbox", !f->in_pod ? "" : *f->sandbox ? f->sandbox : "pod", ok);
		put(list, NULL, o, ok);
	}
	return list;
}

static cJSON *ips_json(const struct net_result *r, bool family, bool *ok)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < r->n_ips; i++) {
		const struct net_ip *ip = &r->ips[i];
		cJSON *o = cJSON_CreateObject();
		if (family)
			put_str(o, "version", ip->address.ip.len == 4 ? "4" : "6", ok);
		if (ip->iface >= 0)
			put(o, "interface", cJSON_CreateNumber(ip->iface), ok);
		put_cidr(o, "address", &ip->address, ok);
		put_ip(o, "gateway", &ip->gateway, ok);
		put(list, NULL, o, ok);
	}
	return list;
}

static void put_words(cJSON *o, const char *key, char **v, size_t n, bool *ok)
{
	if (n)
		put(o, key, cJSON_CreateStringArray((const char *const *)v, (int)n), ok);
}

static cJSON *dns_json(const struct net_dns *d, bool *ok)
{
	cJSON *o = cJSON_CreateObject();

	put_words(o, "nameservers", d->servers, d->n_servers, ok);
	put_str(o, "domain", d->domain ? d->domain : "", ok);
	put_words(o, "search", d->search, d->n_search, ok);
	put_words(o, "options", d->options, d->n_options, ok);
	return o;
}

cJSON *net_result_json(const struct net_result *r, const char *version, struct err *e)
{
	int v = net_version_check(version, e);
	bool ok = true;

	if (v < 0)
		return NULL;
	cJSON *j = cJSON_CreateObject();
	put_str(j, "cniVersion", version, &ok);
	if (versions[v].form == OLD) {
		put_old(j, "ip4", r, 4, &ok);
		put_old(j, "ip6", r, 16, &ok);
	} else {
		if (r->n_ifaces)
			put(j, "interfaces", ifaces_json(r, &ok), &ok);
		put(j, "ips", ips_json(r, versions[v].form == LISTS, &ok), &ok);
		if (r->n_routes)
			put(j, "routes", routes_json(r, 0, &ok), &ok);
	}
	put(j, "dns", dns_json(&r->dns, &ok), &ok);
	if (ok)
		return j;
	cJSON_Delete(j);
	no_memory(e);
	return NULL;
}
