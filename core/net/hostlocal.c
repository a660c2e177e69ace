/* SPDX-License-Identifier: Apache-2.0
 * hostlocal - addresses of a network that only this host gives out: one file for each that is lent
 *
 * DIR/NETWORK/ADDRESS has the pod's UUID, its interface and our mark, a line each. It is lent as long as somebody holds
 * a lock on it, which the pod's processes do; so whoever crashes gives back, and a file that nobody locks is taken over.
 * Names of files, their lock and the note of what was lent last are those of CNI's host-local, so both can share a
 * directory. Its files lack our mark (and any lock), and are never touched.
 * Everything here happens under the lock of the directory: who sees a file without a lock sees what a crash left.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/dir.h"
#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/net/hostlocal.h"
#include "core/net/ipam.h"
#include "core/net/netconf.h"

#define MARK       "rkt\n"
#define LEASE_MAX  128  /* 36 + 1 + 15 + 1 + the mark, of ours */
#define WANTS_MAX  16
#define HOST_MAX   4096 /* a network that is the host's own as a whole ends the search */

struct leases {
	const struct net_join *j;
	int                    dir_fd;
	const struct hl_range *v; /* of one set */
	size_t                 n;
	/* what stood in the way, and of the last one who it was */
	unsigned pods, others, host;
	char     who[48];
};

/* 0; @name as far as its line goes */
static int stands(struct leases *l, const char *what, const char *name)
{
	snprintf(l->who, sizeof(l->who), "%s%.*s", what, (int)strcspn(name, "\n"), name);
	return 0;
}

/* ---- files ---- */

/* @text of at least LEASE_MAX bytes; length, 0: there is none, or an empty one, which is what a crash leaves; -1/errno */
static ssize_t read_lease(int fd, char *text)
{
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, LEASE_MAX - 1);

	if (n < 0)
		return errno == ENOENT ? 0 : -1;
	text[n] = '\0';
	return n;
}

static int open_lease(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static bool is_ours(const char *text, size_t len)
{
	const size_t mark = sizeof(MARK) - 1;

	return len > mark && !strcmp(text + len - mark, MARK) && text[len - mark - 1] == '\n';
}

/* 1: nobody has it (any more), 0: it is lent, and l->who says to whom; -1 */
static int is_free(struct leases *l, const char *name, struct err *e)
{
	char text[LEASE_MAX];
	auto_close int fd = open_lease(l->dir_fd, name);
	ssize_t n = read_lease(fd, text);

	if (n <= 0)
		return n < 0 ? err_sys(e, "read") : 1;
	if (!is_ours(text, (size_t)n)) {
		l->others++;
		return stands(l, "another program", "");
	}
	int r = lock_try(fd, LOCK_EXCLUSIVE, e);
	if (r)
		return r;
	l->pods++;
	return stands(l, "pod ", text);
}

/* @text of LEASE_MAX bytes */
static size_t whose(const struct net_join *j, char *text)
{
	return (size_t)snprintf(text, LEASE_MAX, "%.36s\n%.15s\n" MARK, j->uuid, j->ifname);
}

/* Locked before it says whose it is, so it is never seen as left over. */
static int fill(const struct leases *l, int fd, struct err *e)
{
	char text[LEASE_MAX];
	size_t n = whose(l->j, text);

	if (lock_try(fd, LOCK_EXCLUSIVE, e) < 0)
		return -1;
	return fd_write_all(fd, text, n) < 0 ? err_sys(e, "write") : 0;
}

/* whether the host itself has the address, or uses it for broadcasts */
static int see_type(void *ctx, const struct nlmsghdr *h)
{
	const struct rtmsg *r = NLMSG_DATA(h);

	if (h->nlmsg_type == RTM_NEWROUTE && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*r)))
		*(bool *)ctx = r->rtm_type == RTN_LOCAL || r->rtm_type == RTN_BROADCAST;
	return 0;
}

static bool is_hosts(struct nl *host, const struct ip *a)
{
	NL_MSG(m, 128);
	struct rtmsg *r = nl_begin(&m, RTM_GETROUTE, 0, sizeof(*r));
	struct err no_route;
	bool is = false;

	r->rtm_family = (unsigned char)ip_family(a);
	r->rtm_dst_len = (unsigned char)ip_bits(a);
	nl_put(&m, RTA_DST, a->b, a->len);
	return host && nl_get(host, &m, see_type, &is, &no_route) == 0 && is;
}

static int make_lease(const struct leases *l, const char *name)
{
	return openat(l->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int take_name(struct leases *l, const char *name, const struct ip *a, struct err *e)
{
	int fd = make_lease(l, name);

	if (fd < 0 && errno == EEXIST) {
		int r = is_free(l, name, e);
		if (r <= 0)
			return r;
		/* not written over: half of a lease would be nobody's */
		unlinkat(l->dir_fd, name, 0);
		fd = make_lease(l, name);
	}
	if (fd < 0)
		return err_sys(e, "create");
	bool hosts = is_hosts(l->j->host, a);
	if (!hosts && fill(l, fd, e) == 0)
		return net_held_add(l->j->held, fd, e) < 0 ? -1 : 1;
	unlinkat(l->dir_fd, name, 0);
	close(fd);
	if (!hosts)
		return -1;
	l->host++;
	return stands(l, "the host", "");
}

/* 1: it is ours now, and held; 0: it is not to be had; -1 */
static int take(struct leases *l, const struct ip *a, struct err *e)
{
	char name[IP_TEXT_MAX];
	int r = take_name(l, ip_text(a, name), a, e);

	return r < 0 ? err_wrap(e, "lease %s", name) : r;
}

/* ---- what is lent next ---- */

static void last_name(const struct leases *l, char *out, size_t size)
{
	snprintf(out, size, "last_reserved_ip.%u", l->v->set);
}

/* That which was lent last: the one behind it is next, so that none is used again at once. Returns its range. */
static size_t begin(const struct leases *l, struct ip *a)
{
	char name[40], text[LEASE_MAX];
	struct err ignored;

	last_name(l, name, sizeof(name));
	auto_close int fd = open_lease(l->dir_fd, name);
	if (read_lease(fd, text) > 0 && ip_parse(text, a, &ignored) == 0)
		for (size_t i = 0; i < l->n; i++)
			if (hl_in(&l->v[i], a))
				return i;
	*a = l->v[l->n - 1].last; /* then comes the first */
	return l->n - 1;
}

static size_t next(const struct leases *l, size_t i, struct ip *a)
{
	if (!ip_equal(a, &l->v[i].last)) {
		ip_add(a, 1);
		return i;
	}
	i = (i + 1) % l->n;
	*a = l->v[i].first;
	return i;
}

/*
 * Without the note addresses only come round sooner; that is no reason not to start a pod. Truncated only where it has
 * to be: ext4 waits for the disk when a file that was truncated is closed.
 */
static void note_last(const struct leases *l, const struct ip *a)
{
	char name[40], text[IP_TEXT_MAX];
	struct stat st;

	last_name(l, name, sizeof(name));
	size_t len = strlen(ip_text(a, text));
	auto_close int fd = openat(l->dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fd_write_all(fd, text, len) == 0 && fstat(fd, &st) == 0 && st.st_size > (off_t)len)
		(void)!ftruncate(fd, (off_t)len);
}

static void exhausted(const struct leases *l, struct err *e)
{
	char net[IP_CIDR_MAX], first[IP_TEXT_MAX], last[IP_TEXT_MAX], more[48] = "";

	if (l->n > 1)
		snprintf(more, sizeof(more), " and %zu more ranges", l->n - 1);
	err_set_text(e, EADDRNOTAVAIL, "network %s: no address of %s (%s to %s)%s is free: %u are held by running pods, %u by "
		       "other programs, %u by the host; see rkt list, rkt gc, or give it a larger range", l->j->network,
		       ip_cidr_text(&l->v->subnet, net), ip_text(&l->v->first, first), ip_text(&l->v->last, last), more,
		       l->pods, l->others, l->host);
}

/* returns its range; NULL: none */
static const struct hl_range *take_any(struct leases *l, struct ip *a, struct err *e)
{
	size_t end_at = begin(l, a), i = end_at;
	const struct ip end = *a;

	do {
		i = next(l, i, a);
		int r = hl_reserved(&l->v[i], a) ? 0 : take(l, a, e);
		if (r)
			return r < 0 ? NULL : &l->v[i];
	} while (l->host < HOST_MAX && !(i == end_at && ip_equal(a, &end)));
	exhausted(l, e);
	return NULL;
}

/* ---- requests ---- */

static int refused(const struct leases *l, const struct ip *a, const char *why, struct err *e)
{
	char text[IP_TEXT_MAX];

	return err_set(e, EADDRNOTAVAIL, "%s: requested IP address \"%s\" is not available in network: %s", why,
		       ip_text(a, text), l->j->network);
}

/* An address that was asked for, and the range it lies in. */
struct want { struct ip ip; const struct hl_range *in; };
struct wants { struct want v[WANTS_MAX]; size_t n; };

static const struct want *want_of(const struct wants *ws, unsigned set)
{
	for (size_t i = 0; i < ws->n; i++)
		if (ws->v[i].in->set == set)
			return &ws->v[i];
	return NULL;
}

/* At most one of each set; what cannot be had is refused before anything is lent. */
static int read_wants(const struct leases *l, const struct hl_range *v, size_t n, struct wants *ws, struct err *e)
{
	char list[WANTS_MAX * IP_TEXT_MAX], *rest = list, *one;

	ws->n = 0;
	if (!l->j->args || !net_arg(l->j->args, "IP", list, sizeof(list)))
		return 0;
	for (; (one = strsep(&rest, ",")); ws->n++) {
		struct want w = { .in = NULL };
		if (ws->n == WANTS_MAX)
			return err_set(e, EINVAL, "argument IP: more than %d addresses", WANTS_MAX);
		if (ip_parse(one, &w.ip, e) < 0)
			return err_wrap(e, "argument IP");
		for (size_t i = 0; i < n && !w.in; i++)
			if (hl_in(&v[i], &w.ip) && !want_of(ws, v[i].set))
				w.in = &v[i];
		if (!w.in)
			return refused(l, &w.ip, "it is in none of the ranges, or asked for beside another one", e);
		ws->v[ws->n] = w;
	}
	return 0;
}

static int take_wanted(struct leases *l, const struct want *w, struct err *e)
{
	const char *never = hl_reserved(w->in, &w->ip);

	if (never)
		return refused(l, &w->ip, never, e);
	int r = take(l, &w->ip, e);
	if (r)
		return r < 0 ? -1 : 0;
	strncat(l->who, " has it", sizeof(l->who) - strlen(l->who) - 1);
	return refused(l, &w->ip, l->who, e);
}

/* one address of the set */
static int lend(struct leases *l, const struct want *w, struct net_result *r, struct err *e)
{
	const struct hl_range *in = w ? w->in : NULL;
	struct ip_cidr got;

	if (w) {
		got.ip = w->ip;
		if (take_wanted(l, w, e) < 0)
			return -1;
	} else {
		in = take_any(l, &got.ip, e);
		if (!in)
			return -1;
		note_last(l, &got.ip);
	}
	got.prefix = in->subnet.prefix;
	return net_result_ip(r, &got, &in->gateway, -1, e);
}

/* ---- joining and leaving ---- */

static int lend_all(struct leases *l, const struct hl_range *v, size_t n, struct net_result *r, struct err *e)
{
	struct wants ws;

	if (read_wants(l, v, n, &ws, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i += l->n) {
		l->v = v + i;
		for (l->n = 1; i + l->n < n && v[i + l->n].set == v[i].set; l->n++)
			;
		l->pods = l->others = l->host = 0;
		if (lend(l, want_of(&ws, v[i].set), r, e) < 0)
			return -1;
	}
	return 0;
}

static int hostlocal_add(const struct net_join *j, const cJSON *ipam, struct net_result *r, struct err *e)
{
	auto_free struct hl_range *v = NULL;
	auto_close int lock = -1;
	const char *resolv;
	size_t n;

	if (hl_ranges(ipam, &v, &n, e) < 0 || ipam_member(ipam, "resolvConf", &resolv, e) < 0 || ipam_routes(ipam, r, e) < 0)
		return -1;
	if (resolv && hl_resolv_conf(resolv, &r->dns, e) < 0)
		return -1;
	auto_close int dir_fd = ipam_dir(j->network, ipam, true, &lock, e);
	if (dir_fd < 0)
		return -1;
	struct leases l = { .j = j, .dir_fd = dir_fd };
	return lend_all(&l, v, n, r, e);
}

/* only what is this pod's */
static int give_back(const struct net_join *j, int dir_fd, const char *name, struct err *e)
{
	char text[LEASE_MAX], mine[LEASE_MAX];
	auto_close int fd = open_lease(dir_fd, name);

	whose(j, mine);
	if (read_lease(fd, text) <= 0 || strcmp(text, mine) != 0 || unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, "remove lease %s", name);
}

static int give_back_all(const struct net_join *j, int dir_fd, const struct net_result *r, struct err *e)
{
	char name[IP_TEXT_MAX];
	struct dir d;

	for (size_t i = 0; r && i < r->n_ips; i++)
		if (give_back(j, dir_fd, ip_text(&r->ips[i].address.ip, name), e) < 0)
			return -1;
	if (r && r->n_ips)
		return 0;
	dir_start(&d, dir_fd);
	for (const struct dirent *one; (one = dir_next(&d));)
		if (give_back(j, dir_fd, one->d_name, e) < 0)
			return -1;
	return errno ? err_sys(e, "read leases") : 0;
}

static int hostlocal_del(const struct net_join *j, const cJSON *ipam, const struct net_result *r, struct err *e)
{
	auto_close int lock = -1;
	struct err why;
	auto_close int dir_fd = ipam_dir(j->network, ipam, false, &lock, &why);

	if (dir_fd >= 0)
		return give_back_all(j, dir_fd, r, e);
	if (why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

const struct ipam_type ipam_hostlocal = { "host-local", hostlocal_add, hostlocal_del };
