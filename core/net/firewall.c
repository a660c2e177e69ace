/* SPDX-License-Identifier: Apache-2.0
 * firewall - see firewall.h: what a pod adds to the table, and is there a firewall at all
 *
 * To add costs one dump, of chains, and one batch; who has ports dumps those of others that would overlap.
 */
#include "core/net/firewall.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/net/firewall_table.h"

#define TRIES      2000 /* each but the last was lost to somebody who got on */
#define NETS_MAX   64   /* bits of seen.chains */
#define UUID_MAX   40

static bool has_entry(const struct fw_net *n)
{
	return n->iface[0] || n->masquerade;
}

static bool has_element(const struct fw_port *p)
{
	return !p->host_ip.len || !ip_is_loopback(&p->host_ip);
}

static bool is6(const struct ip *a)
{
	return a->len == 16;
}

static bool is_closed(const struct fw_net *n)
{
	return n->iface[0] && n->closed;
}

/* Of which families there have to be tables, a bit for each. What is closed is closed for both, whatever addresses the
 * pod gives itself. */
static unsigned families(const struct fw_pod *p)
{
	unsigned all = access("/proc/sys/net/ipv6", F_OK) == 0 ? 3 : 1, f = 0;

	for (size_t i = 0; i < p->n_nets; i++)
		if (has_entry(&p->nets[i]))
			f |= is_closed(&p->nets[i]) ? all : 1u << is6(&p->nets[i].address.ip);
	for (size_t i = 0; i < p->n_ports; i++)
		if (has_element(&p->ports[i]))
			f |= 1u << is6(&p->ports[i].pod_ip);
	return f;
}

/* ---- what is there ---- */

struct seen {
	const struct fw_pod *pod;
	unsigned       tables, forward; /* of ours, and those at the hook forward, a bit for each family */
	uint64_t       chains; /* of the pod's networks, those that have theirs */
	size_t         n_hosts;
	struct fw_host hosts[FW_HOSTS_MAX];
};

static int on_chain(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[NFTA_CHAIN_NAME + 1];
	const struct nfgenmsg *g = NLMSG_DATA(h);
	struct seen *s = ctx;
	char name[FW_CHAIN_MAX];

	if (s->n_hosts < FW_HOSTS_MAX && fw_host_read(h, &s->hosts[s->n_hosts]))
		s->n_hosts++;
	if (!nl_attrs(h, sizeof(*g), a, NFTA_CHAIN_NAME))
		return 0;
	int six = fw_is_table(g->nfgen_family, nft_str(a[NFTA_CHAIN_TABLE]));
	if (six < 0)
		return 0;
	s->tables |= 1u << six;
	if (!strcmp(nft_str(a[NFTA_CHAIN_NAME]), FW_FORWARD))
		s->forward |= 1u << six;
	for (size_t i = 0; s->pod && i < s->pod->n_nets; i++)
		if (!strcmp(nft_str(a[NFTA_CHAIN_NAME]), fw_chain_name(&s->pod->nets[i].address, name)))
			s->chains |= UINT64_C(1) << i;
	return 0;
}

static int look(struct nl *n, struct seen *s, struct err *e)
{
	auto_nft struct nl_msg m = { 0 };

	nft_msg(&m, NFT_MSG_GETCHAIN, 0, NFPROTO_UNSPEC, NULL);
	return nl_dump(n, &m, on_chain, s, e);
}

/* ---- who is in the way ---- */

struct clash {
	const struct fw_pod *pod;
	unsigned             tables; /* those there are */
	int                  set;
	char                 uuid[UUID_MAX], what[IP_TEXT_MAX + 40];
};

static const char *protocol_name(int protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "sctp";
}

/* Whether a port of the pod is what @key of one of the four maps of ports is about, in words. An address in @key or in
 * the port alone does not make them differ. */
static bool is_port(struct clash *c, const uint8_t *key)
{
	size_t len = c->set == FW_ADDRESSES ? 4 : c->set == FW_ADDRESSES6 ? 16 : 0;
	bool six = FW_SET_IS6(c->set);
	unsigned port = (unsigned)key[len + 4] << 8 | key[len + 5];

	for (size_t i = 0; i < c->pod->n_ports; i++) {
		const struct fw_port *p = &c->pod->ports[i];
		if (p->protocol != key[len] || port < p->host_port || port - p->host_port >= p->count || is6(&p->pod_ip) != six ||
		    !has_element(p) || (len && p->host_ip.len && memcmp(p->host_ip.b, key, len)))
			continue;
		snprintf(c->what, sizeof(c->what), "%s port %u", protocol_name(p->protocol), port);
		return true;
	}
	return false;
}

static bool is_address(struct clash *c, const uint8_t *key)
{
	for (size_t i = 0; i < c->pod->n_nets; i++) {
		const struct fw_net *n = &c->pod->nets[i];
		if (is6(&n->address.ip) == (c->set == FW_PODS6) && has_entry(n) &&
		    !memcmp(n->address.ip.b, key, n->address.ip.len)) {
			ip_text(&n->address.ip, c->what);
			return true;
		}
	}
	return false;
}

static int on_other(void *ctx, const struct nlattr *entry)
{
	const struct nlattr *a[NFTA_SET_ELEM_USERDATA + 1], *k[NFTA_DATA_VALUE + 1];
	struct clash *c = ctx;

	if (!nl_nested(entry, a, NFTA_SET_ELEM_USERDATA) || !a[NFTA_SET_ELEM_KEY] ||
	    !nl_nested(a[NFTA_SET_ELEM_KEY], k, NFTA_DATA_VALUE) || !k[NFTA_DATA_VALUE] ||
	    nl_len(k[NFTA_DATA_VALUE]) < fw_sets[c->set].key_len)
		return 0;
	const uint8_t *key = nl_data(k[NFTA_DATA_VALUE]);
	const char *comment = nft_comment(a[NFTA_SET_ELEM_USERDATA]);
	if (!(c->set < FW_PORTS ? is_address(c, key) : is_port(c, key)))
		return 0;
	snprintf(c->uuid, sizeof(c->uuid), "%.*s", comment ? (int)strcspn(comment, " ") : 1, comment ? comment : "?");
	return 1;
}

static int on_others(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];

	return nl_attrs(h, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS)
		       ? nft_each(a[NFTA_SET_ELEM_LIST_ELEMENTS], on_other, ctx) : 0;
}

/* 1: somebody has what would be in the way in one of @sets, a bit for each */
static int find(struct nl *n, struct clash *c, unsigned sets, struct err *e)
{
	for (c->set = 0; c->set < FW_IFACES; c->set++) {
		if (!(sets & 1u << c->set) || !(c->tables & 1u << FW_SET_IS6(c->set)))
			continue;
		int r = fw_dump_set(n, c->set, on_others, c, e);
		if (r)
			return r;
	}
	return 0;
}

/* The kernel finds the same key twice; what it cannot find is one address in the way of any, and the other way round. */
static unsigned overlapping(const struct fw_pod *p)
{
	unsigned sets = 0;

	for (size_t i = 0; i < p->n_ports; i++)
		if (has_element(&p->ports[i]))
			sets |= 1u << ((p->ports[i].host_ip.len ? FW_PORTS : FW_ADDRESSES) + is6(&p->ports[i].pod_ip));
	return sets;
}

/* whose are gone, or it is an error */
static int make_way(const struct clash *c, struct err *e)
{
	const struct fw_pod *p = c->pod;
	bool port = c->set >= FW_PORTS;

	if (strcmp(c->uuid, p->uuid) != 0 && (p->alive ? p->alive(p->ctx, c->uuid, port) : port))
		return err_set(e, EADDRINUSE, port ? "%s of the host is forwarded to pod %s already: choose another one with "
						     "--port, or stop that pod"
						   : "address %s is that of pod %s already", c->what, c->uuid);
	return firewall_remove(c->uuid, NULL, e);
}

/* ---- what a pod adds ---- */

static void put_one(struct nl_msg *m, int set, uint16_t flags, const void *key, const char *chain, const char *comment)
{
	struct nft_elems s = fw_elements(m, set, NFT_MSG_NEWSETELEM, flags | NLM_F_CREATE);

	nft_elem(&s, key, fw_sets[set].key_len, chain, 0, comment);
	nft_elems_end(&s);
}

static void put_iface(struct nl_msg *m, const struct fw_net *n, bool six)
{
	char two[2][IFNAMSIZ] = { { 0 } };

	snprintf(two[0], sizeof(two[0]), "%s", n->iface);
	memcpy(two[1], two[0], sizeof(two[0]));
	/* a bridge is several pods' */
	if (is6(&n->address.ip) == six)
		put_one(m, FW_IFACES + six, 0, two[0], NULL, NULL);
	if (n->closed) {
		put_one(m, FW_CLOSED + six, 0, two[0], NULL, NULL);
		put_one(m, FW_INSIDE + six, 0, two, NULL, NULL);
	}
}

static void put_net(struct nl_msg *m, const struct fw_pod *p, const struct fw_net *n, unsigned tables)
{
	char chain[FW_CHAIN_MAX] = "hairpin", comment[UUID_MAX + IFNAMSIZ + 10];

	if (n->masquerade)
		fw_chain_name(&n->address, chain);
	snprintf(comment, sizeof(comment), "%s%s%s%s", p->uuid, n->iface[0] ? " " : "", n->iface, n->closed ? " closed" : "");
	put_one(m, FW_PODS + is6(&n->address.ip), NLM_F_EXCL, n->address.ip.b, chain, comment);
	for (int six = 0; n->iface[0] && six < FW_FAMILIES; six++)
		if (tables & 1u << six)
			put_iface(m, n, six);
}

static size_t put_port_number(uint8_t *at, unsigned port)
{
	at[0] = (uint8_t)(port >> 8);
	at[1] = (uint8_t)port;
	return 4; /* registers have four bytes */
}

static void put_port(struct nl_msg *m, const struct fw_pod *pod, const struct fw_port *p)
{
	int set = (p->host_ip.len ? FW_ADDRESSES : FW_PORTS) + is6(&p->pod_ip);
	struct nft_elems s = fw_elements(m, set, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);

	for (unsigned i = 0; i < p->count; i++) {
		uint8_t key[24] = { 0 }, to[20] = { 0 };
		size_t n = p->host_ip.len;
		memcpy(key, p->host_ip.b, n);
		key[n] = (uint8_t)p->protocol;
		n += 4;
		n += put_port_number(key + n, p->host_port + i);
		memcpy(to, p->pod_ip.b, p->pod_ip.len);
		nft_elem(&s, key, n, to, p->pod_ip.len + put_port_number(to + p->pod_ip.len, p->pod_port + i), pod->uuid);
	}
	nft_elems_end(&s);
}

static void put_pod(struct nl_msg *m, const struct fw_pod *p, unsigned tables, uint64_t chains)
{
	char name[FW_CHAIN_MAX], other[FW_CHAIN_MAX];

	for (size_t i = 0; i < p->n_nets; i++) {
		if (p->nets[i].masquerade && !(chains & UINT64_C(1) << i)) {
			fw_chain_name(&p->nets[i].address, name);
			fw_put_network(m, name, &p->nets[i].address);
			for (size_t k = i; k < p->n_nets; k++)
				if (!strcmp(fw_chain_name(&p->nets[k].address, other), name))
					chains |= UINT64_C(1) << k;
		}
		if (has_entry(&p->nets[i]))
			put_net(m, p, &p->nets[i], tables);
	}
	for (size_t i = 0; i < p->n_ports; i++)
		if (has_element(&p->ports[i]))
			put_port(m, p, &p->ports[i]);
}

/* ---- adding ---- */

/* What failed at a chain of the host's: without iptables' modules, then without that chain */
struct avoid { uint32_t xt, all; };

static int put_hosts(struct nl *n, struct nl_msg *m, struct seen *s, unsigned tables, const struct avoid *v, size_t *which,
		     size_t *n_which, struct err *e)
{
	for (size_t i = 0; i < s->n_hosts; i++) {
		struct fw_host *c = &s->hosts[i];
		if (v->all & 1u << i || !fw_host_is_asked(c, tables))
			continue;
		if (fw_host_rules(n, c, e) < 0)
			return -1;
		if (c->ours || !(c->drops || c->iptables))
			continue;
		fw_host_accept(m, c, v->xt & 1u << i);
		which[(*n_which)++] = i;
	}
	return 0;
}

/* Whether packets have to be marked, or dropped: somebody may look at the mark, also a rule that an administrator wrote. */
static bool wants_forward(const struct fw_pod *p, const struct seen *s, bool six)
{
	for (size_t i = 0; i < p->n_nets; i++)
		if (is_closed(&p->nets[i]))
			return true;
	for (size_t i = 0; i < s->n_hosts; i++)
		if (fw_host_is_asked(&s->hosts[i], 1u << six))
			return true;
	return fw_host_legacy(six);
}

static void put_tables(struct nl_msg *m, const struct fw_pod *p, const struct seen *s, unsigned tables)
{
	for (int six = 0; six < FW_FAMILIES; six++) {
		if (!(tables & 1u << six))
			continue;
		if (!(s->tables & 1u << six))
			fw_put_table(m, six);
		if (!(s->forward & 1u << six) && wants_forward(p, s, six))
			fw_put_forward(m, six);
	}
}

static uint16_t type_of(const struct nl_msg *m, size_t which)
{
	const struct nlmsghdr *h = (const void *)m->data;

	while (which--)
		h = (const void *)((const char *)h + h->nlmsg_len);
	return h->nlmsg_type & 0xff;
}

/* what the kernel lacks when it does not take a message of ours */
static int explain(const struct nl_msg *m, size_t failed, struct err *e)
{
	static const struct { int type; const char *what; } kinds[] = {
		{ NFT_MSG_NEWTABLE, "CONFIG_NF_TABLES_IPV4 or CONFIG_NF_TABLES_IPV6" },
		{ NFT_MSG_NEWCHAIN, "address translation (CONFIG_NFT_NAT)" },
		{ NFT_MSG_NEWRULE, "one of CONFIG_NFT_NAT, CONFIG_NFT_MASQ, CONFIG_NFT_CT, CONFIG_NFT_FIB_IPV4 and "
				   "CONFIG_NFT_FIB_IPV6" },
	};

	if (e->code != ENOENT && e->code != EOPNOTSUPP && e->code != EPROTONOSUPPORT && e->code != EAFNOSUPPORT)
		return err_wrap(e, "nftables");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (type_of(m, failed) == kinds[i].type) {
			e->code = ENOTSUP;
			return err_wrap(e, "nftables: the kernel lacks %s", kinds[i].what);
		}
	return err_wrap(e, "nftables");
}

static int add_once(const struct fw_pod *p, struct avoid *v, struct err *e)
{
	struct seen s = { .pod = p };
	struct clash c = { .pod = p };
	unsigned tables = families(p);
	size_t which[FW_HOSTS_MAX], n_which = 0, failed = 0, first = 1; /* message 0 begins the batch */
	auto_nft struct nl_msg m = { 0 };
	auto_nl struct nl n = NL_NONE;
	uint32_t generation;

	if (nl_open(NETLINK_NETFILTER, &n, e) < 0 || nft_generation(&n, &generation, e) < 0 || look(&n, &s, e) < 0)
		return -1;
	c.tables = s.tables;
	int r = find(&n, &c, overlapping(p), e);
	if (r)
		return r < 0 || make_way(&c, e) < 0 ? -1 : err_set(e, ERESTART, "again");
	nft_begin(&m, generation);
	if (put_hosts(&n, &m, &s, tables, v, which, &n_which, e) < 0)
		return -1;
	put_tables(&m, p, &s, tables);
	put_pod(&m, p, tables, s.chains);
	if (fw_commit(&n, &m, &failed, e) == 0) {
		if (p->keep) {
			nl_close(p->keep);
			*p->keep = n;
			n.fd = -1;
		} else {
			fw_release(n.fd);
		}
		return 0;
	}
	if (failed >= first && failed - first < n_which) {
		uint32_t bit = 1u << which[failed - first];
		v->all |= v->xt & bit || !s.hosts[which[failed - first]].iptables ? bit : 0;
		v->xt |= bit;
		e->code = ERESTART;
	} else if (e->code == EEXIST) {
		nl_close(&n); /* with the answers that are still to come */
		if (nl_open(NETLINK_NETFILTER, &n, e) < 0)
			return -1;
		r = find(&n, &c, (1u << FW_IFACES) - 1, e);
		if (r < 0 || (r && make_way(&c, e) < 0))
			return -1;
		e->code = ERESTART;
	} else if (e->code != ERESTART) {
		return explain(&m, failed, e);
	}
	return -1;
}

int fw_retry(int (*once)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	struct err x;

	for (int i = 0; i < TRIES; i++) {
		if (once(ctx, &x) == 0)
			return 0;
		/* ENOENT, EEXIST: somebody was faster; EINTR: a dump that never saw one state */
		if (x.code != ERESTART && x.code != EINTR)
			break;
		struct timespec t = { .tv_nsec = (i < 20 ? i : 20) * (long)(20000 + getpid() % 64 * 1000) };
		nanosleep(&t, NULL);
	}
	*e = x;
	return -1;
}

struct adding { const struct fw_pod *pod; struct avoid avoid; };

static int on_add(void *ctx, struct err *e)
{
	struct adding *a = ctx;

	return add_once(a->pod, &a->avoid, e);
}

int firewall_add(const struct fw_pod *p, struct err *e)
{
	size_t n = 0;

	if (p->n_nets > NETS_MAX)
		return err_set(e, EINVAL, "firewall: more than %d networks", NETS_MAX);
	for (size_t i = 0; i < p->n_nets; i++)
		n += has_entry(&p->nets[i]);
	for (size_t i = 0; i < p->n_ports; i++) {
		const struct fw_port *q = &p->ports[i];
		if (q->host_ip.len && q->host_ip.len != q->pod_ip.len && has_element(q))
			return err_set(e, EINVAL, "%s port %u: the host's address and the pod's are of different families",
				       protocol_name(q->protocol), q->host_port);
		n += has_element(q);
	}
	if (n && fw_retry(on_add, &(struct adding){ .pod = p }, e) < 0)
		return -1;
	fw_forget_flows(p);
	return 0;
}

/* ---- is there one ---- */

int firewall_available(struct err *e)
{
	auto_nft struct nl_msg m = { 0 };
	auto_nl struct nl n = NL_NONE;
	struct seen s = { 0 };
	uint32_t generation;
	size_t failed = 0;

	if (nl_open(NETLINK_NETFILTER, &n, e) < 0) {
		e->code = ENOTSUP;
		return err_wrap(e, "the kernel lacks nftables (CONFIG_NF_TABLES)");
	}
	if (nft_generation(&n, &generation, e) < 0 || look(&n, &s, e) < 0)
		return -1;
	if (s.tables)
		return 0;
	/* A batch without an end is looked at and thrown away. */
	nft_begin(&m, 0);
	fw_put_table(&m, false);
	fw_put_forward(&m, false);
	nft_end(&m);
	if (!m.overflow)
		m.len = m.begin;
	return nl_ask(&n, &m, &failed, e) < 0 ? explain(&m, failed, e) : 0;
}
