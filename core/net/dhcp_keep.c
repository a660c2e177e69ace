/* SPDX-License-Identifier: Apache-2.0
 * dhcp_keep - see dhcp.h: a process that keeps the leases of one pod
 *
 * The addresses have a lifetime in the kernel from the first renewal on, so none is used longer than it is lent, even if
 * this process does not run.
 */
#include "core/net/dhcp_keep.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/net/link.h"

#define ANSWER_MS  3000  /* for one renewal */
#define ACQUIRE_MS 10000 /* for a new lease, and as long until it is tried again */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* ---- the address ---- */

static void put_address(struct nl_msg *m, uint16_t type, uint16_t flags, int index, const struct ip_cidr *a)
{
	struct ifaddrmsg *h = nl_begin(m, type, (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), sizeof(*h));
	struct ip last = ip_last(a);

	h->ifa_family = (unsigned char)ip_family(&a->ip);
	h->ifa_prefixlen = a->prefix;
	h->ifa_index = (unsigned)index;
	nl_put(m, IFA_LOCAL, a->ip.b, a->ip.len);
	nl_put(m, IFA_ADDRESS, a->ip.b, a->ip.len);
	if (a->prefix < 31)
		nl_put(m, IFA_BROADCAST, last.b, last.len);
}

static int set_address(struct nl *n, int index, const struct ip_cidr *a, uint32_t lease_s, struct err *e)
{
	struct ifa_cacheinfo life = { .ifa_prefered = lease_s, .ifa_valid = lease_s };
	NL_MSG(m, 256);

	put_address(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, a);
	nl_put(&m, IFA_CACHEINFO, &life, sizeof(life));
	return nl_ask(n, &m, NULL, e);
}

static void drop_address(struct nl *n, int index, struct dhcp_lease *l)
{
	struct err ignored; /* the kernel may have been faster */
	NL_MSG(m, 256);

	if (!l->address.ip.len)
		return;
	put_address(&m, RTM_DELADDR, 0, index, &l->address);
	(void)nl_ask(n, &m, NULL, &ignored);
	l->address.ip.len = 0;
}

/* ---- one lease ---- */

static int got(struct nl *n, const struct dhcp_client *c, struct dhcp_lease *l, const struct dhcp_answer *a, struct err *e)
{
	struct err ignored;

	bool other_address = !ip_equal(&l->address.ip, &a->address.ip) || l->address.prefix != a->address.prefix;
	bool other_server = !ip_equal(&l->server, &a->server);

	if (other_address)
		drop_address(n, c->index, l);
	dhcp_lent(l, c, a);
	if (other_address || other_server)
		dhcp_note(l);
	if (set_address(n, c->index, &a->address, a->lease_s, e) < 0)
		return -1;
	/* one that cannot be had leaves the others to be tried */
	for (size_t i = 0; i < a->n_routes; i++) {
		NL_MSG(m, LINK_CHANGE_MAX);
		link_put_route(&m, c->index, &a->routes[i].dst, &a->routes[i].gw, NULL, true);
		(void)link_apply(n, &m, l->ifname, &ignored);
	}
	return 0;
}

/* RFC 2131, 4.4.5: after half of the time that is left, but not all the time */
static int64_t retry_ms(const struct dhcp_lease *l, int64_t now)
{
	int64_t limit = now < l->t2_ms ? l->t2_ms : l->end_ms, least = (l->end_ms - l->t1_ms) / 16;

	least = least < RETRY_MIN_MS ? RETRY_MIN_MS : least > RETRY_MAX_MS ? RETRY_MAX_MS : least;
	int64_t wait = (limit - now) / 2 > least ? (limit - now) / 2 : least;
	return now + wait < limit ? now + wait : limit;
}

static int renew(struct nl *n, struct dhcp_client *c, struct dhcp_lease *l, struct err *e)
{
	int64_t now = clock_ms(CLOCK_BOOTTIME), retry = retry_ms(l, now);
	struct dhcp_answer a;
	int r = dhcp_extend(c, now >= l->t2_ms, retry - now < ANSWER_MS ? retry - now : ANSWER_MS, &a, e);

	if (r < 0)
		return -1;
	if (r && a.type == DHCP_ACK)
		return got(n, c, l, &a, e);
	l->next_ms = retry;
	if (r) {
		drop_address(n, c->index, l);
		l->next_ms = l->end_ms = clock_ms(CLOCK_BOOTTIME);
	}
	return 0;
}

static int acquire(struct nl *n, struct dhcp_client *c, struct dhcp_lease *l, struct err *e)
{
	struct dhcp_answer a;

	drop_address(n, c->index, l);
	if (dhcp_acquire(c, ACQUIRE_MS, &a, e) == 0)
		return got(n, c, l, &a, e);
	l->next_ms = clock_ms(CLOCK_BOOTTIME) + ACQUIRE_MS;
	return e->code == ETIMEDOUT ? 0 : -1;
}

/* What goes wrong now may work later; without its interface a lease is of no use. */
static void step(struct nl *n, struct dhcp_lease *l)
{
	struct dhcp_client c = { .fd = -1 };
	struct err why;
	int r = dhcp_open(&c, l, &why);

	if (r == 0)
		r = clock_ms(CLOCK_BOOTTIME) < l->end_ms ? renew(n, &c, l, &why) : acquire(n, &c, l, &why);
	if (r < 0)
		l->next_ms = why.code == ENODEV ? INT64_MAX : clock_ms(CLOCK_BOOTTIME) + ACQUIRE_MS;
	if (c.fd >= 0)
		close(c.fd);
}

/* ---- all of them ---- */

static void sleep_until(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

int dhcp_work(struct dhcp_leases *all, struct err *e)
{
	auto_nl struct nl n = NL_NONE;
	int64_t now = clock_ms(CLOCK_BOOTTIME), next;

	if (!all->n)
		return 0;
	if (setns(all->netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the pod's network namespace");
	if (nl_open(NETLINK_ROUTE, &n, e) < 0)
		return -1;
	/* One that was kept by a process like this that died may well be lent still: it is asked for before it is dropped. */
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].end_ms <= now) {
			all->v[i].t2_ms = all->v[i].next_ms = now;
			all->v[i].end_ms = now + ANSWER_MS;
		}
	while ((next = dhcp_next_ms(all))) {
		sleep_until(next);
		for (size_t i = 0; i < all->n; i++)
			if (all->v[i].next_ms <= clock_ms(CLOCK_BOOTTIME))
				step(&n, &all->v[i]);
	}
	return 0;
}
