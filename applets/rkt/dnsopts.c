/* SPDX-License-Identifier: Apache-2.0
 * dnsopts - see dnsopts.h
 */
#include "applets/rkt/dnsopts.h"

#include <errno.h>

#include "core/base/buf.h"
#include "core/pod/dns.h"

const struct opt dnsopts_table[] = {
	OPT_LIST(0, "dns", "IP|host|none", struct dnsopts, servers,
		"name server for /etc/resolv.conf; host: that file of the host; none: that of the "
		"image, whatever a network says"),
	OPT_LIST(0, "dns-search", "DOMAIN", struct dnsopts, search, "search domain for /etc/resolv.conf"),
	OPT_LIST(0, "dns-opt", "OPTION", struct dnsopts, options, "option for /etc/resolv.conf"),
	OPT_TEXT(0, "dns-domain", "DOMAIN", struct dnsopts, domain, "domain for /etc/resolv.conf"),
	OPT_LIST(0, "hosts-entry", "IP=NAME,...|host", struct dnsopts, hosts,
		"entries for /etc/hosts; host: that file of the host"),
	OPT_END
};

static int set_list(struct appc_pairs *to, enum dns_wish w, const struct opt_list *l, struct err *e)
{
	auto_buf struct buf b = { 0 };

	if (!l->n)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		buf_fmt(&b, "%s%s", i ? "," : "", l->v[i]);
	if (b.failed)
		return err_set(e, ENOMEM, "out of memory");
	return appc_pairs_set(to, dns_annotations[w], b.data, e);
}

static bool about_resolv(const struct dnsopts *o)
{
	return o->servers.n || o->search.n || o->options.n || o->domain;
}

int dnsopts_record(const struct dnsopts *o, struct appc_pairs *to, struct err *e)
{
	struct dns_files check;

	if (about_resolv(o))
		for (int w = DNS_SERVERS; w <= DNS_DOMAIN; w++)
			appc_pairs_remove(to, dns_annotations[w]);
	if (set_list(to, DNS_SERVERS, &o->servers, e) < 0 || set_list(to, DNS_SEARCH, &o->search, e) < 0 ||
	    set_list(to, DNS_OPTIONS, &o->options, e) < 0 || set_list(to, DNS_HOSTS, &o->hosts, e) < 0 ||
	    (o->domain && appc_pairs_set(to, dns_annotations[DNS_DOMAIN], o->domain, e) < 0))
		return -1;
	int r = dns_files(to, "", &check, e);
	dns_files_free(&check);
	return r;
}

int dnsopts_check(const struct dnsopts *o, struct err *e)
{
	struct appc_pairs scratch = { 0 };
	int r = dnsopts_record(o, &scratch, e);

	appc_pairs_clear(&scratch);
	return r;
}
