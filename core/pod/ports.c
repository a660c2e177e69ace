/* SPDX-License-Identifier: Apache-2.0
 * ports - see ports.h
 */
#include "core/pod/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/types.h"
#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"

static const struct { const char *name; int number; } protocols[] = {
	{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP },
};
#define N_PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

static const char *protocol_name(int number)
{
	size_t i = 0;

	while (i + 1 < N_PROTOCOLS && protocols[i].number != number)
		i++;
	return protocols[i].name;
}

/* ---- the option ---- */

/* @text is cut up: [IP:]HOSTPORT, IP perhaps in brackets; the address, or NULL */
static const char *split(char *text, const char **port)
{
	char *colon = strrchr(text, ':');

	*port = text;
	if (!colon)
		return NULL;
	*port = colon + 1;
	*colon = 0;
	if (*text == '[' && colon > text + 1 && colon[-1] == ']') {
		colon[-1] = 0;
		return text + 1;
	}
	/* one of IPv6 without brackets is no address, since nobody can tell where it ends */
	return strchr(text, ':') ? "" : text;
}

static int parse(char *name, struct appc_exposed_port *x, struct err *e)
{
	char *rest = strchr(name, ':');
	const char *ip, *port;
	struct ip addr;
	uint64_t n;

	if (!rest)
		return err_set(e, EINVAL, "want NAME:[IP:]HOSTPORT");
	*rest++ = 0;
	if (!ac_name_ok(name))
		return err_set(e, EINVAL, "\"%s\" is no name of a port (a-z, 0-9 and -)", name);
	ip = split(rest, &port);
	if (ip && ip_parse(ip, &addr, e) < 0)
		return *ip ? -1 : err_set(e, EINVAL, "want NAME:[IP:]HOSTPORT, with an IPv6 address in brackets");
	if (num_u64(port, 65535, &n, e) < 0 || !n)
		return err_set(e, EINVAL, "host port \"%s\" is not a number from 1 to 65535", port);
	x->host_port = (int64_t)n;
	return appc_string_set(&x->name, name, e) < 0 ? -1 : appc_string_set(&x->host_ip, ip, e);
}

int ports_parse(const char *arg, struct pod_manifest *m, struct err *e)
{
	auto_free char *copy = strdup(arg);
	struct appc_exposed_port *x = copy ? pod_manifest_add_port(m, e) : NULL;

	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	return x ? parse(copy, x, e) : -1;
}

/* ---- the manifest ---- */

struct list { struct pod_port *v; size_t n; };

static int add(struct list *l, const struct appc_exposed_port *x, const struct appc_port *p, struct err *e)
{
	struct fw_port to = { .host_port = (uint16_t)x->host_port, .pod_port = (uint16_t)p->port,
			      .count = (uint16_t)p->count };

	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (!strcmp(protocols[i].name, p->protocol))
			to.protocol = protocols[i].number;
	if (!to.protocol)
		return err_set(e, EPROTONOSUPPORT, "its protocol is %s: only those of tcp, udp and sctp can be forwarded",
			       p->protocol);
	if (x->host_port + p->count > 65536)
		return err_set(e, ERANGE, "%lld ports from %lld of the host on: the last would be above 65535",
			       (long long)p->count, (long long)x->host_port);
	if (x->host_ip && *x->host_ip && ip_parse(x->host_ip, &to.host_ip, e) < 0)
		return -1;
	/* 0.0.0.0 and :: mean all, here as in bind() */
	if (ip_is_zero(&to.host_ip))
		to.host_ip.len = 0;
	if (l->n == PORTS_MAX)
		return err_set(e, E2BIG, "a pod can have at most %d forwarded ports or ranges", PORTS_MAX);
	struct pod_port *more = reallocarray(l->v, l->n + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	l->v = more;
	more[l->n++] = (struct pod_port){ x->name, to };
	return 0;
}

static int add_own(struct list *l, const struct appc_exposed_port *x, struct err *e)
{
	int64_t port = 0, count = 1;
	/* the manifest is checked, so these are there and in range */
	struct appc_port p = { .protocol = (char *)json_str(x->pod_port, "protocol") };

	json_int(cJSON_GetObjectItemCaseSensitive(x->pod_port, "port"), &port);
	json_int(cJSON_GetObjectItemCaseSensitive(x->pod_port, "count"), &count);
	p.port = port;
	p.count = count;
	return p.protocol ? add(l, x, &p, e) : err_set(e, EINVAL, "podPort has no protocol");
}

static int unknown(const struct pod_manifest *m, struct err *e)
{
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < m->apps.n; i++) {
		const struct appc_app *a = m->apps.v[i].app;
		for (size_t j = 0; a && j < a->ports.n; j++)
			buf_fmt(&b, "%s%s (%s %lld, app %s)", b.len ? ", " : "", a->ports.v[j].name, a->ports.v[j].protocol,
				(long long)a->ports.v[j].port, m->apps.v[i].name);
	}
	if (!b.len || b.failed)
		return err_set(e, ENOENT, "no app of the pod has a port of that name, nor any other port");
	return err_set(e, ENOENT, "no app of the pod has a port of that name; there are: %.300s", b.data);
}

static int resolve(struct list *l, const struct pod_manifest *m, const struct appc_exposed_port *x, struct err *e)
{
	size_t before = l->n;

	if (x->pod_port)
		return add_own(l, x, e);
	for (size_t i = 0; i < m->apps.n; i++) {
		const struct appc_app *a = m->apps.v[i].app;
		for (size_t j = 0; a && j < a->ports.n; j++)
			if (!strcmp(a->ports.v[j].name, x->name) && add(l, x, &a->ports.v[j], e) < 0)
				return -1;
	}
	return l->n > before ? 0 : unknown(m, e);
}

static bool collide(const struct fw_port *a, const struct fw_port *b)
{
	return a->protocol == b->protocol && a->host_port < b->host_port + b->count &&
	       b->host_port < a->host_port + a->count &&
	       (!a->host_ip.len || !b->host_ip.len || ip_equal(&a->host_ip, &b->host_ip));
}

static int check_last(const struct list *l, size_t first, struct err *e)
{
	for (size_t i = first; i < l->n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct fw_port *a = &l->v[j].to, *b = &l->v[i].to;
			if (collide(a, b))
				return err_set(e, EEXIST, "port %d/%s of the host leads to port \"%s\" already: give one of them "
					"another port, or each an address of the host",
					a->host_port > b->host_port ? a->host_port : b->host_port,
					protocol_name(a->protocol), l->v[j].name);
		}
	return 0;
}

int ports_resolve(const struct pod_manifest *m, struct pod_port **out, size_t *n, struct err *e)
{
	struct list l = { NULL, 0 };

	for (size_t i = 0; i < m->ports.n; i++) {
		size_t first = l.n;
		if (resolve(&l, m, &m->ports.v[i], e) < 0 || check_last(&l, first, e) < 0) {
			free(l.v);
			return err_wrap(e, "port \"%s\"", m->ports.v[i].name);
		}
	}
	*out = l.v;
	*n = l.n;
	return 0;
}
