/* SPDX-License-Identifier: Apache-2.0
 * firewall_remove - all of a pod out of the table; see firewall.h
 *
 * What is its own is found by the comments of elements, which begin with its UUID. A bridge's entry and a network's chain
 * stay while others use them, a table while others have anything in it.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/net/firewall_table.h"

struct entry {
	char iface[IFNAMSIZ], chain[FW_CHAIN_MAX];
	bool ours, closed, six;
};

struct finding {
	const char      *uuid;
	int              set;
	struct nl_msg    del;
	struct nft_elems elems;
	struct entry    *v; /* of all pods */
	size_t           n, cap, n_ours, n_others;
	bool             failed, there[FW_FAMILIES], needed[FW_FAMILIES]; /* tables, and for others than the pod */
};

int fw_dump_set(struct nl *n, int set, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e)
{
	auto_nft struct nl_msg m = { 0 };

	nft_msg(&m, NFT_MSG_GETSETELEM, 0, FW_FAMILY(FW_SET_IS6(set)), FW_TABLE);
	nl_put_str(&m, NFTA_SET_ELEM_LIST_SET, fw_sets[set].name);
	return nl_dump(n, &m, fn, ctx, e);
}

int fw_commit(struct nl *n, struct nl_msg *m, size_t *failed, struct err *e)
{
	int size = m->len > 100000 ? (int)m->len * 2 : 0; /* the kernel counts more than what we send */

	nft_end(m);
	if (m->overflow)
		return err_set(e, ENOMEM, "out of memory");
	if (size && setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(n->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return nl_ask(n, m, failed, e);
}

static void remember(struct finding *f, const char *rest, const struct nlattr *data, bool ours)
{
	const struct nlattr *v[NFTA_DATA_VERDICT + 1], *c[NFTA_VERDICT_CHAIN + 1];

	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct entry *p = realloc(f->v, cap * sizeof(*p));
		if (!p) {
			f->failed = true;
			return;
		}
		f->v = p;
		f->cap = cap;
	}
	struct entry *x = &f->v[f->n++];
	*x = (struct entry){ .ours = ours, .six = FW_SET_IS6(f->set) };
	if (*rest == ' ')
		snprintf(x->iface, sizeof(x->iface), "%.*s", (int)strcspn(rest + 1, " "), rest + 1);
	x->closed = strstr(rest, " closed");
	for (int six = 0; six < FW_FAMILIES; six++)
		f->needed[six] |= !ours && (x->closed || six == x->six);
	if (data && nl_nested(data, v, NFTA_DATA_VERDICT) && v[NFTA_DATA_VERDICT] &&
	    nl_nested(v[NFTA_DATA_VERDICT], c, NFTA_VERDICT_CHAIN))
		snprintf(x->chain, sizeof(x->chain), "%s", nft_str(c[NFTA_VERDICT_CHAIN]));
}

static int on_element(void *ctx, const struct nlattr *entry)
{
	const struct nlattr *a[NFTA_SET_ELEM_USERDATA + 1], *k[NFTA_DATA_VALUE + 1];
	struct finding *f = ctx;

	if (!nl_nested(entry, a, NFTA_SET_ELEM_USERDATA) || !a[NFTA_SET_ELEM_KEY] ||
	    !nl_nested(a[NFTA_SET_ELEM_KEY], k, NFTA_DATA_VALUE) || !k[NFTA_DATA_VALUE])
		return 0;
	const char *comment = nft_comment(a[NFTA_SET_ELEM_USERDATA]);
	size_t len = strlen(f->uuid);
	bool ours = comment && !strncmp(comment, f->uuid, len) && (comment[len] == ' ' || !comment[len]);
	*(ours ? &f->n_ours : &f->n_others) += 1;
	f->needed[FW_SET_IS6(f->set)] |= !ours;
	if (f->set < FW_PORTS)
		remember(f, !comment ? "" : comment + strcspn(comment, " "), a[NFTA_SET_ELEM_DATA], ours);
	if (ours)
		nft_elem(&f->elems, nl_data(k[NFTA_DATA_VALUE]), nl_len(k[NFTA_DATA_VALUE]), NULL, 0, NULL);
	return 0;
}

static int on_elements(void *ctx, const struct nlmsghdr *h)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];

	if (nl_attrs(h, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS))
		nft_each(a[NFTA_SET_ELEM_LIST_ELEMENTS], on_element, ctx);
	return 0;
}

/* 0 also when there is no table: then nothing was found */
static int find_in(struct nl *n, struct finding *f, bool six, struct err *e)
{
	for (f->set = six; f->set < FW_IFACES; f->set += FW_FAMILIES) {
		struct err x;
		f->elems = fw_elements(&f->del, f->set, NFT_MSG_DELSETELEM, 0);
		int r = fw_dump_set(n, f->set, on_elements, f, &x);
		nft_elems_end(&f->elems);
		if (r < 0 && x.code == ENOENT)
			return 0;
		if (r < 0) {
			*e = x;
			return err_wrap(e, "nftables");
		}
		f->there[six] = true;
	}
	return f->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* @msg: to delete, or to get */
static void put_iface(struct nl_msg *m, int set, uint16_t msg, const char *iface)
{
	struct nft_elems s = fw_elements(m, set, msg, 0);
	char two[2][IFNAMSIZ] = { { 0 } };

	snprintf(two[0], sizeof(two[0]), "%s", iface);
	memcpy(two[1], two[0], sizeof(two[0]));
	nft_elem(&s, two, fw_sets[set].key_len, NULL, 0, NULL);
	nft_elems_end(&s);
}

static int on_answer(void *ctx, const struct nlmsghdr *h)
{
	(void)ctx, (void)h;
	return 1;
}

static bool has_iface(struct nl *n, int set, const char *iface)
{
	auto_nft struct nl_msg m = { 0 };
	struct err none;

	put_iface(&m, set, NFT_MSG_GETSETELEM, iface);
	return nl_get(n, &m, on_answer, NULL, &none) > 0;
}

/*
 * What entry @i shares with others is left to the last of them: of another pod, or of its own list. The other family may
 * not know what is closed: the kernel may have got IPv6 after the pod.
 */
static void drop_shared(struct nl *n, struct finding *f, size_t i)
{
	const struct entry *x = &f->v[i];
	bool iface = x->iface[0], closed = iface && x->closed, chain = strcmp(x->chain, "hairpin") != 0;

	for (size_t k = 0; k < f->n; k++) {
		const struct entry *o = &f->v[k];
		if (k == i || (o->ours && k > i))
			continue;
		bool same = !strcmp(o->iface, x->iface);
		iface = iface && !(same && o->six == x->six);
		closed = closed && !(same && o->closed);
		chain = chain && strcmp(o->chain, x->chain) != 0;
	}
	if (iface)
		put_iface(&f->del, FW_IFACES + x->six, NFT_MSG_DELSETELEM, x->iface);
	for (int six = 0; closed && six < FW_FAMILIES; six++)
		if (f->there[six] && (six == x->six || has_iface(n, FW_CLOSED + six, x->iface))) {
			put_iface(&f->del, FW_CLOSED + six, NFT_MSG_DELSETELEM, x->iface);
			put_iface(&f->del, FW_INSIDE + six, NFT_MSG_DELSETELEM, x->iface);
		}
	if (chain) {
		nft_msg(&f->del, NFT_MSG_DELCHAIN, 0, FW_FAMILY(x->six), FW_TABLE);
		nl_put_str(&f->del, NFTA_CHAIN_NAME, x->chain);
	}
}

/* ---- a table with the last pod in it ---- */

static void drop_tables(struct finding *f)
{
	for (int six = 0; six < FW_FAMILIES; six++)
		if (f->there[six] && !f->needed[six])
			nft_msg(&f->del, NFT_MSG_DELTABLE, 0, FW_FAMILY(six), FW_TABLE);
}

struct hosts { size_t n; struct fw_host v[FW_HOSTS_MAX]; };

static int on_chain(void *ctx, const struct nlmsghdr *h)
{
	struct hosts *s = ctx;

	s->n += s->n < FW_HOSTS_MAX && fw_host_read(h, &s->v[s->n]);
	return 0;
}

static int close_hosts(struct nl *n, struct nl_msg *m, struct err *e)
{
	auto_nft struct nl_msg ask = { 0 };
	struct hosts s = { 0 };

	nft_msg(&ask, NFT_MSG_GETCHAIN, 0, NFPROTO_UNSPEC, NULL);
	if (nl_dump(n, &ask, on_chain, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (fw_host_rules(n, &s.v[i], e) < 0)
			return -1;
		if (s.v[i].ours)
			fw_host_forget(m, &s.v[i]);
	}
	return 0;
}

static int remove_found(struct nl *n, struct finding *f, uint32_t generation, struct err *e)
{
	size_t failed = 0;

	nft_begin(&f->del, generation);
	size_t begun = f->del.len, begin_at = f->del.begin;
	if (find_in(n, f, false, e) < 0 || find_in(n, f, true, e) < 0)
		return -1;
	if (f->n_others && !f->n_ours)
		return 0;
	if (!f->n_others) {
		f->del.len = begun; /* they go with the tables */
		f->del.begin = begin_at;
		if (close_hosts(n, &f->del, e) < 0)
			return -1;
	} else {
		for (size_t i = 0; i < f->n; i++)
			if (f->v[i].ours)
				drop_shared(n, f, i);
	}
	drop_tables(f);
	if (f->del.len == begun || fw_commit(n, &f->del, &failed, e) == 0)
		return 0;
	return e->code == ERESTART ? -1 : err_wrap(e, "nftables");
}

static void hold(void *arg)
{
	unsigned fd = *(const unsigned *)arg;

	sys_close_range(fd + 1, ~0u);
	if (fd)
		sys_close_range(0, fd - 1);
	if (chdir("/") == 0) /* so that what we were called in can be unmounted */
		usleep(50000);
	_exit(0);
}

/* While somebody who closes a socket waits, nobody else can change anything. So a process made for it has the socket open
 * until all that was deleted is gone. Its stack, with what it is told below, is its for as long as there is this memory. */
void fw_release(int fd)
{
	size_t size = 8192;
	unsigned *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED)
		return;
	*stack = (unsigned)fd;
	if (sys_beside(0, -1, stack, size, hold, stack) < 0)
		munmap(stack, size);
}

struct removal { const char *uuid; struct nl *n; };

static int on_remove(void *ctx, struct err *e)
{
	const struct removal *v = ctx;
	struct finding f = { .uuid = v->uuid };
	uint32_t generation;

	if (nft_generation(v->n, &generation, e) < 0)
		return e->code == ENOTSUP ? 0 : -1;
	int r = remove_found(v->n, &f, generation, e);
	if (r == 0 && f.n_ours)
		fw_release(v->n->fd);
	nft_free(&f.del);
	free(f.v);
	return r;
}

int firewall_remove(const char *uuid, struct nl *kept, struct err *e)
{
	auto_nl struct nl own = NL_NONE;
	struct removal v = { uuid, kept && kept->fd >= 0 ? kept : &own };

	if (v.n == &own && nl_open(NETLINK_NETFILTER, &own, e) < 0)
		return e->code == EPROTONOSUPPORT ? 0 : -1;
	return fw_retry(on_remove, &v, e);
}
