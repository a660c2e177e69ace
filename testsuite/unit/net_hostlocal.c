/* SPDX-License-Identifier: Apache-2.0
 * net_hostlocal - unit tests of host-local and static: what the configuration may say, and who gets which address
 */
#include "core/net/ipam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "testsuite/unit/unit.h"

/* ---- a pod that joins ---- */

struct pod {
	struct net_join   j;
	struct net_held   held;
	struct net_result r;
	char              uuid[37];
	cJSON            *conf;
	struct err        e;
};

static char dir[PATH_MAX]; /* of the case that runs */

static void begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/rktbox-unit-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(2);
	}
}

static void end(void)
{
	struct err e = { 0 };

	CHECK(fd_remove_tree(AT_FDCWD, dir, &e) == 0);
}

/* @ipam: members behind the data directory */
static void pod_init(struct pod *p, unsigned id, const char *ipam, const char *args)
{
	char text[8192];
	struct err e = { 0 };

	*p = (struct pod){ .j = { .network = "lan", .ifname = "eth0", .netns_fd = -1, .args = args, .host_mnt_fd = -1 } };
	snprintf(p->uuid, sizeof(p->uuid), "%08x-0000-4000-8000-000000000000", id);
	snprintf(text, sizeof(text), "{\"name\":\"lan\",\"type\":\"ptp\",\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"%s/a/b\",%s}}",
		 dir, ipam);
	p->conf = json_parse_err(text, strlen(text), &e);
	if (!p->conf) {
		printf("# %s: %s\n", text, e.msg);
		exit(2);
	}
	p->j.uuid = p->uuid;
	p->j.conf = p->conf;
	p->j.held = &p->held;
}

static int pod_join(struct pod *p, unsigned id, const char *ipam, const char *args)
{
	pod_init(p, id, ipam, args);
	return ipam_add(&p->j, &p->r, &p->e);
}

/* as a crash does */
static void pod_crash(struct pod *p)
{
	net_held_close(&p->held);
	net_result_free(&p->r);
	cJSON_Delete(p->conf);
}

static void pod_leave(struct pod *p)
{
	CHECK_INT(ipam_del(&p->j, p->r.n_ips ? &p->r : NULL, &p->e), 0);
	pod_crash(p);
}

static const char *address(const struct pod *p, size_t i)
{
	static char text[4][IP_CIDR_MAX];

	return i < p->r.n_ips ? ip_cidr_text(&p->r.ips[i].address, text[i]) : "none";
}

static const char *lease_path(const char *name)
{
	static char path[PATH_MAX + 300];

	snprintf(path, sizeof(path), "%s/a/b/lan/%s", dir, name);
	return path;
}

static void put_lease(const char *name, const char *text)
{
	FILE *f = fopen(lease_path(name), "w");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		exit(2);
	}
}

static void check_lease(const char *name, const char *want)
{
	char text[200] = "";
	FILE *f = fopen(lease_path(name), "r");

	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	CHECK_STR(text, want);
}

#define SMALL "\"subnet\":\"10.1.0.0/29\"" /* .2 to .6 */

/* ---- what is lent ---- */

TEST(first, "host-local: the first pod gets the second address, the next one the next; the gateway is the first")
{
	struct pod a, b;
	struct stat st;
	char gw[IP_TEXT_MAX];

	begin();
	CHECK_INT(pod_join(&a, 1, "\"subnet\":\"10.1.0.0/16\"", NULL), 0);
	CHECK_INT(pod_join(&b, 2, "\"subnet\":\"10.1.0.0/16\"", ""), 0);
	CHECK_STR(address(&a, 0), "10.1.0.2/16");
	CHECK_STR(address(&b, 0), "10.1.0.3/16");
	CHECK_INT(a.r.n_ips, 1);
	CHECK_INT(a.r.ips[0].iface, -1);
	CHECK_STR(ip_text(&a.r.ips[0].gateway, gw), "10.1.0.1");
	CHECK(stat(lease_path(""), &st) == 0 && (st.st_mode & 07777) == 0700);
	check_lease("10.1.0.3", "00000002-0000-4000-8000-000000000000\neth0\nrkt\n");
	pod_leave(&a);
	pod_leave(&b);
	CHECK(access(lease_path("10.1.0.2"), F_OK) < 0 && access(lease_path("10.1.0.3"), F_OK) < 0);
	end();
}

TEST(sets, "host-local: one address of each list of ranges, the next range when one is full")
{
	static const char conf[] = "\"ranges\":[[{\"subnet\":\"10.1.0.0/16\",\"rangeStart\":\"10.1.5.7\",\"rangeEnd\":\"10.1.5.7\","
		"\"gateway\":\"10.1.0.254\"},{\"subnet\":\"172.16.5.0/24\"}],[{\"subnet\":\"fd00:0:0:1ff::/64\",\"rangeStart\":"
		"\"fd00:0:0:1ff::10\",\"gateway\":\"fe80::1\"}]],\"routes\":[\"0.0.0.0/0\",{\"dst\":\"fd00:1::1/64\",\"gw\":\"fd00::1\"}]";
	struct pod a, b;
	char text[IP_CIDR_MAX];

	begin();
	CHECK_INT(pod_join(&a, 1, conf, NULL), 0);
	CHECK_STR(address(&a, 0), "10.1.5.7/16");
	CHECK_STR(address(&a, 1), "fd00:0:0:1ff::10/64");
	REQUIRE(a.r.n_ips == 2);
	CHECK_STR(ip_text(&a.r.ips[0].gateway, text), "10.1.0.254");
	CHECK_STR(ip_text(&a.r.ips[1].gateway, text), "fe80::1");
	REQUIRE(a.r.n_routes == 2);
	CHECK_STR(ip_cidr_text(&a.r.routes[0].dst, text), "0.0.0.0/0");
	CHECK_INT(a.r.routes[0].gw.len, 0);
	CHECK_STR(ip_cidr_text(&a.r.routes[1].dst, text), "fd00:1::/64");
	CHECK_STR(ip_text(&a.r.routes[1].gw, text), "fd00::1");
	CHECK_INT(pod_join(&b, 2, conf, NULL), 0);
	CHECK_STR(address(&b, 0), "172.16.5.2/24");
	CHECK_STR(address(&b, 1), "fd00:0:0:1ff::11/64");
	pod_leave(&a);
	pod_leave(&b);
	end();
}

TEST(both_forms, "host-local: the old form beside ranges is one more list, the first")
{
	struct pod a;

	begin();
	CHECK_INT(pod_join(&a, 1, SMALL ",\"ranges\":[[{\"subnet\":\"fd00::/126\"}]]", NULL), 0);
	CHECK_STR(address(&a, 0), "10.1.0.2/29");
	CHECK_STR(address(&a, 1), "fd00::2/126");
	pod_leave(&a);
	end();
}

TEST(exhausted, "host-local: a full network says who holds what; neither gateway nor broadcast address are lent")
{
	struct pod p[6];

	begin();
	for (unsigned i = 0; i < 5; i++) {
		char want[32];
		CHECK_INT(pod_join(&p[i], i, SMALL, NULL), 0);
		snprintf(want, sizeof(want), "10.1.0.%u/29", i + 2);
		CHECK_STR(address(&p[i], 0), want);
	}
	CHECK_INT(pod_join(&p[5], 5, SMALL, NULL), -1);
	CHECK_INT(p[5].e.code, EADDRNOTAVAIL);
	CHECK_HAS(p[5].e.msg, "network lan: no address of 10.1.0.0/29 (10.1.0.2 to 10.1.0.6) is free: 5 are held by running pods, "
			      "0 by other programs, 0 by the host");
	CHECK_HAS(p[5].e.msg, "rkt gc");
	for (unsigned i = 0; i < 6; i++)
		pod_leave(&p[i]);
	end();
}

TEST(reserved, "host-local: what the range includes but no pod can have is passed over")
{
	static const char conf[] = SMALL ",\"rangeStart\":\"10.1.0.0\",\"rangeEnd\":\"10.1.0.7\",\"gateway\":\"10.1.0.3\"";
	struct pod p[6];
	static const char *const want[] = { "10.1.0.1/29", "10.1.0.2/29", "10.1.0.4/29", "10.1.0.5/29", "10.1.0.6/29", "none" };

	begin();
	for (unsigned i = 0; i < 6; i++) {
		CHECK_INT(pod_join(&p[i], i, conf, NULL), i < 5 ? 0 : -1);
		CHECK_STR(address(&p[i], 0), want[i]);
	}
	for (unsigned i = 0; i < 6; i++)
		pod_leave(&p[i]);
	end();
}

TEST(rotation, "host-local: an address that was given back comes round last")
{
	struct pod a;
	static const char *const want[] = { "10.1.0.2/29", "10.1.0.3/29", "10.1.0.4/29", "10.1.0.5/29", "10.1.0.6/29",
					    "10.1.0.2/29" };

	begin();
	for (unsigned i = 0; i < 6; i++) {
		CHECK_INT(pod_join(&a, i, SMALL, NULL), 0);
		CHECK_STR(address(&a, 0), want[i]);
		pod_leave(&a);
	}
	put_lease("last_reserved_ip.0", "10.1.0.4"); /* as CNI's host-local notes it */
	CHECK_INT(pod_join(&a, 9, SMALL, NULL), 0);
	CHECK_STR(address(&a, 0), "10.1.0.5/29");
	pod_leave(&a);
	put_lease("last_reserved_ip.0", "10.9.0.4"); /* the configuration was another one */
	CHECK_INT(pod_join(&a, 9, SMALL, NULL), 0);
	CHECK_STR(address(&a, 0), "10.1.0.2/29");
	pod_leave(&a);
	end();
}

TEST(wide, "host-local: a network of 2^64 addresses costs what those in use cost")
{
	struct pod a, b;
	struct timespec t0, t1;

	begin();
	clock_gettime(CLOCK_MONOTONIC, &t0);
	CHECK_INT(pod_join(&a, 1, "\"subnet\":\"fd00:1::/64\"", NULL), 0);
	CHECK_STR(address(&a, 0), "fd00:1::2/64");
	put_lease("last_reserved_ip.0", "fd00:1::ffff:ffff:ffff:ffff");
	CHECK_INT(pod_join(&b, 2, "\"subnet\":\"fd00:1::/64\"", NULL), 0);
	CHECK_STR(address(&b, 0), "fd00:1::3/64");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK(t1.tv_sec - t0.tv_sec < 5);
	pod_leave(&a);
	pod_leave(&b);
	end();
}

/* ---- requests ---- */

#define TAIL(ip) "requested IP address \"" ip "\" is not available in network: lan"

static void check_refused(const char *conf, const char *args, const char *why, const char *tail)
{
	struct pod p;

	CHECK_INT(pod_join(&p, 77, conf, args), -1);
	CHECK_HAS(p.e.msg, why);
	size_t len = strlen(p.e.msg), n = strlen(tail);
	CHECK_STR(len > n ? p.e.msg + len - n : p.e.msg, tail);
	pod_leave(&p);
}

TEST(requests, "host-local: an address that is asked for is lent, or refused with a reason and in rkt's words")
{
	static const char dual[] = SMALL ",\"ranges\":[[{\"subnet\":\"fd00::/64\"}]]";
	struct pod a, b;

	begin();
	CHECK_INT(pod_join(&a, 1, SMALL, "K=V;IP=10.1.0.5"), 0);
	CHECK_STR(address(&a, 0), "10.1.0.5/29");
	CHECK_INT(pod_join(&b, 2, SMALL, NULL), 0); /* where others begin does not depend on it */
	CHECK_STR(address(&b, 0), "10.1.0.2/29");
	check_refused(SMALL, "IP=10.1.0.5", "pod 00000001-0000-4000-8000-000000000000 has it", TAIL("10.1.0.5"));
	check_refused(SMALL ",\"gateway\":\"10.1.0.3\"", "IP=10.1.0.3", "it is the gateway's", TAIL("10.1.0.3"));
	check_refused(SMALL, "IP=10.1.0.1", "none of the ranges", TAIL("10.1.0.1"));
	check_refused(SMALL, "IP=10.1.0.7", "none of the ranges", TAIL("10.1.0.7"));
	check_refused(SMALL, "IP=10.2.0.5", "none of the ranges", TAIL("10.2.0.5"));
	check_refused(SMALL, "IP=10.1.0.3,10.1.0.4", "beside another", TAIL("10.1.0.4"));
	CHECK(access(lease_path("10.1.0.3"), F_OK) < 0);
	put_lease("10.1.0.6", "1234\r\neth0");
	check_refused(SMALL, "IP=10.1.0.6", "another program has it", TAIL("10.1.0.6"));
	check_refused(SMALL, "IP=10.1.0.300", "argument IP", "");
	pod_leave(&a);
	pod_leave(&b);
	CHECK_INT(pod_join(&a, 3, dual, "IP=fd00::99,10.1.0.4"), 0);
	CHECK_STR(address(&a, 0), "10.1.0.4/29");
	CHECK_STR(address(&a, 1), "fd00::99/64");
	CHECK_INT(pod_join(&b, 4, dual, "IP=fd00::98"), 0);
	CHECK_STR(address(&b, 0), "10.1.0.3/29");
	CHECK_STR(address(&b, 1), "fd00::98/64");
	pod_leave(&a);
	pod_leave(&b);
	end();
}

/* ---- who holds, and who does not ---- */

TEST(stale, "host-local: what a crash left is taken over, what a process of the pod still holds is not")
{
	struct pod a, b, c;
	static const char one[] = SMALL ",\"rangeEnd\":\"10.1.0.2\"";

	begin();
	CHECK_INT(pod_join(&a, 1, one, NULL), 0);
	int go[2], child_fd = a.held.n ? a.held.fds[0] : -1;
	REQUIRE(child_fd >= 0 && pipe(go) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		char x;
		close(go[1]);
		_exit(read(go[0], &x, 1) < 0); /* with the lease's descriptor */
	}
	pod_crash(&a);
	CHECK_INT(pod_join(&b, 2, one, NULL), -1);
	CHECK_HAS(b.e.msg, "1 are held by running pods");
	check_lease("10.1.0.2", "00000001-0000-4000-8000-000000000000\neth0\nrkt\n");
	pod_leave(&b);
	close(go[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(go[0]);
	CHECK_INT(pod_join(&c, 3, one, NULL), 0);
	CHECK_STR(address(&c, 0), "10.1.0.2/29");
	check_lease("10.1.0.2", "00000003-0000-4000-8000-000000000000\neth0\nrkt\n");
	pod_leave(&c);
	end();
}

TEST(foreign, "host-local: what another program has written is never taken over; an empty file is nobody's")
{
	static const char *const texts[] = { "1234\r\neth0", "x", "00000001-0000-4000-8000-000000000000\neth0\nrkt", "rkt\n",
					     "\nrkt\n\n" };
	struct pod a, b;

	begin();
	CHECK_INT(pod_join(&a, 1, SMALL ",\"rangeEnd\":\"10.1.0.3\"", NULL), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put_lease("10.1.0.3", texts[i]);
		CHECK_INT(pod_join(&b, 2, SMALL ",\"rangeEnd\":\"10.1.0.3\"", NULL), -1);
		CHECK_HAS(b.e.msg, "1 are held by running pods, 1 by other programs");
		pod_leave(&b);
		check_lease("10.1.0.3", texts[i]);
	}
	put_lease("10.1.0.3", "");
	CHECK_INT(pod_join(&b, 2, SMALL ",\"rangeEnd\":\"10.1.0.3\"", NULL), 0);
	CHECK_STR(address(&b, 0), "10.1.0.3/29");
	pod_leave(&a);
	pod_leave(&b);
	end();
}

TEST(leaving, "host-local: leaving without a record finds the pod's leases, and only those of its interface")
{
	struct pod a, b, c;

	begin();
	pod_init(&a, 1, SMALL, NULL);
	CHECK_INT(ipam_del(&a.j, NULL, &a.e), 0); /* nothing was ever lent */
	CHECK(access(lease_path(""), F_OK) < 0);
	pod_crash(&a);
	CHECK_INT(pod_join(&a, 1, SMALL, NULL), 0);
	CHECK_INT(pod_join(&b, 1, SMALL, "IP=10.1.0.6"), 0);
	pod_init(&c, 1, SMALL, NULL);
	c.j.ifname = "eth1";
	CHECK_INT(ipam_add(&c.j, &c.r, &c.e), 0);
	CHECK_INT(ipam_del(&a.j, NULL, &a.e), 0);
	CHECK(access(lease_path("10.1.0.2"), F_OK) < 0 && access(lease_path("10.1.0.6"), F_OK) < 0);
	CHECK(access(lease_path("10.1.0.3"), F_OK) == 0);
	CHECK_INT(ipam_del(&a.j, NULL, &a.e), 0);
	CHECK_INT(ipam_del(&a.j, &c.r, &a.e), 0); /* a record of something that is another one's now */
	CHECK(access(lease_path("10.1.0.3"), F_OK) == 0);
	pod_leave(&c);
	pod_crash(&a);
	pod_crash(&b);
	end();
}

TEST(many, "host-local: 8 at once, 25 times each, never get the same address, not even where each is one that a crash left")
{
	enum { PROCS = 8, EACH = 25 };
	static bool seen[256];
	int out[2], hold[2];
	pid_t pids[PROCS];

	begin();
	for (unsigned i = 0; i < 253; i++) {
		struct pod p;
		CHECK_INT(pod_join(&p, 1 << 20 | i, "\"subnet\":\"10.1.0.0/24\"", NULL), 0);
		pod_crash(&p);
	}
	REQUIRE(pipe(out) == 0 && pipe(hold) == 0);
	for (unsigned k = 0; k < PROCS; k++) {
		pids[k] = fork();
		if (pids[k])
			continue;
		close(hold[1]);
		for (unsigned i = 0; i < EACH; i++) {
			struct pod p;
			uint8_t last = pod_join(&p, k << 8 | i, "\"subnet\":\"10.1.0.0/24\"", NULL) ? 0 : p.r.ips[0].address.ip.b[3];
			if (!last)
				fprintf(stderr, "# %s\n", p.e.msg);
			if (write(out[1], &last, 1) != 1)
				_exit(1);
		}
		char x;
		_exit(read(hold[0], &x, 1) < 0);
	}
	close(out[1]);
	for (unsigned i = 0; i < PROCS * EACH; i++) {
		uint8_t last = 0;
		CHECK(read(out[0], &last, 1) == 1 && last && !seen[last]);
		seen[last] = true;
	}
	close(hold[1]);
	for (unsigned k = 0; k < PROCS; k++)
		CHECK(waitpid(pids[k], NULL, 0) == pids[k]);
	close(out[0]);
	close(hold[0]);
	end();
}

TEST(killed, "host-local: whoever is killed in the middle leaves nothing that the next ones cannot take over")
{
	struct pod p[6];

	begin();
	for (unsigned i = 0; i < 150; i++) {
		pid_t pid = fork();
		if (pid == 0)
			for (unsigned k = 0;; k++) {
				struct pod one;
				if (pod_join(&one, i << 8 | k, SMALL, NULL) < 0)
					_exit(1);
				if (k % 2)
					pod_leave(&one);
				else
					pod_crash(&one);
			}
		nanosleep(&(struct timespec){ .tv_nsec = 500000 + i * 20011 }, NULL);
		CHECK(kill(pid, SIGKILL) == 0);
		int status = 0;
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	}
	for (unsigned i = 0; i < 6; i++) {
		CHECK_INT(pod_join(&p[i], i, SMALL, NULL), i < 5 ? 0 : -1);
		if (i < 5 && !p[i].r.n_ips)
			printf("# %s\n", p[i].e.msg);
	}
	for (unsigned i = 0; i < 6; i++)
		pod_leave(&p[i]);
	end();
}

TEST(hosts, "host-local: an address of the host is never lent")
{
	struct pod a, b;
	struct nl host = NL_NONE;

	if (unshare(CLONE_NEWNET) < 0)
		SKIP("needs a network namespace of its own");
	begin();
	CHECK_INT(system("ip link set lo up && ip addr add 10.1.0.2/30 dev lo && ip addr add fd00::2/128 dev lo nodad"), 0);
	pod_init(&a, 1, SMALL ",\"rangeEnd\":\"10.1.0.4\",\"ranges\":[[{\"subnet\":\"fd00::/64\"}]]", NULL);
	REQUIRE(nl_open(NETLINK_ROUTE, &host, &a.e) == 0);
	a.j.host = &host;
	CHECK_INT(ipam_add(&a.j, &a.r, &a.e), 0);
	CHECK_STR(address(&a, 0), "10.1.0.4/29"); /* .3 is a broadcast address of the host's */
	CHECK_STR(address(&a, 1), "fd00::3/64");
	CHECK(access(lease_path("10.1.0.2"), F_OK) < 0);
	pod_init(&b, 2, SMALL ",\"rangeEnd\":\"10.1.0.4\"", "IP=10.1.0.2");
	b.j.host = &host;
	CHECK_INT(ipam_add(&b.j, &b.r, &b.e), -1);
	CHECK_HAS(b.e.msg, "the host has it");
	b.j.args = NULL;
	CHECK_INT(ipam_add(&b.j, &b.r, &b.e), -1);
	CHECK_HAS(b.e.msg, "1 are held by running pods, 0 by other programs, 2 by the host");
	pod_leave(&b);
	pod_leave(&a);
	CHECK_INT(system("ip route add local 10.0.0.0/8 dev lo"), 0);
	pod_init(&a, 1, "\"subnet\":\"10.0.0.0/8\"", NULL);
	a.j.host = &host;
	CHECK_INT(ipam_add(&a.j, &a.r, &a.e), -1); /* and does not take for ever */
	CHECK_HAS(a.e.msg, "by the host");
	pod_leave(&a);
	nl_close(&host);
	end();
}

/* ---- programs of others ---- */

TEST(shared, "host-local: CNI's own host-local on the same directory and we never lend what the other has lent")
{
	static const char program[] = "/usr/lib/cni/host-local";
	char cmd[PATH_MAX + 600];
	struct pod a, b;

	if (access(program, X_OK) < 0)
		SKIP("needs the package containernetworking-plugins");
	begin();
	for (unsigned i = 0; i < 2; i++) {
		CHECK_INT(pod_join(i ? &b : &a, i, SMALL, NULL), 0);
		snprintf(cmd, sizeof(cmd), "echo '{\"cniVersion\":\"0.4.0\",\"name\":\"lan\",\"ipam\":{\"type\":\"host-local\",\"subnet\":"
			 "\"10.1.0.0/29\",\"dataDir\":\"%s/a/b\"}}' | CNI_COMMAND=ADD CNI_CONTAINERID=c%u CNI_NETNS=/dev/null "
			 "CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni %s | grep -q 10.1.0.%u/29", dir, i, program, 3 + 2 * i);
		CHECK_INT(system(cmd), 0);
	}
	CHECK_STR(address(&a, 0), "10.1.0.2/29");
	CHECK_STR(address(&b, 0), "10.1.0.4/29");
	pod_leave(&a);
	pod_leave(&b);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const want[] = { "10.1.0.6/29", "10.1.0.2/29", "10.1.0.4/29" };
		CHECK_INT(pod_join(&a, i, SMALL, NULL), 0);
		CHECK_STR(address(&a, 0), want[i]);
		pod_leave(&a);
	}
	end();
}

TEST(plugin, "ipam: a type that is a program gets the configuration, and its addresses, routes and DNS are taken")
{
	char path[PATH_MAX + 20];
	struct pod p;

	begin();
	snprintf(path, sizeof(path), "%s/net.d", dir);
	REQUIRE(mkdir(path, 0755) == 0);
	snprintf(path, sizeof(path), "%s/net.d/mine", dir);
	FILE *f = fopen(path, "w");
	REQUIRE(f && fputs("#!/bin/sh\ngrep -q '\"secret\":7' || exit 1\n[ $CNI_COMMAND = DEL ] && : >\"${0%/*}/left\" && exit\n"
			   "echo '{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.7.0.7/24\",\"gateway\":"
			   "\"10.7.0.1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"nameservers\":[\"10.7.0.53\"]}}'\n", f) >= 0);
	REQUIRE(fchmod(fileno(f), 0755) == 0 && fclose(f) == 0);
	pod_init(&p, 1, "\"secret\":7", NULL);
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(p.conf, "ipam"), "type", cJSON_CreateString("mine"));
	cJSON_AddStringToObject(p.conf, "cniVersion", "0.3.1");
	p.j.local = dir;
	CHECK_INT(ipam_add(&p.j, &p.r, &p.e), 0);
	CHECK_STR(address(&p, 0), "10.7.0.7/24");
	CHECK(p.r.n_routes == 1 && p.r.dns.n_servers == 1);
	CHECK_INT(ipam_del(&p.j, &p.r, &p.e), 0);
	snprintf(path, sizeof(path), "%s/net.d/left", dir);
	CHECK(access(path, F_OK) == 0);
	pod_crash(&p);
	end();
}

/* ---- configurations ---- */

TEST(wrong, "host-local: a configuration that cannot be meant so is refused, and says where")
{
	static const struct { const char *conf, *says; } bad[] = {
		{ "\"x\":1", "neither \"subnet\" nor \"ranges\"" },
		{ "\"subnet\":5", "\"subnet\" is not a string" },
		{ "\"subnet\":\"10.1.0.0\"", "subnet" },
		{ "\"subnet\":\"10.1.0.0/33\"", "subnet" },
		{ "\"subnet\":\"10.1.0.0/31\"", "too small" },
		{ "\"subnet\":\"fd00::/127\"", "too small" },
		{ SMALL ",\"rangeStart\":\"10.1.0.8\"", "rangeStart 10.1.0.8 is not in subnet 10.1.0.0/29" },
		{ SMALL ",\"rangeEnd\":\"10.0.255.255\"", "rangeEnd 10.0.255.255 is not in subnet" },
		{ SMALL ",\"rangeStart\":\"fd00::1\"", "is not in subnet" },
		{ SMALL ",\"gateway\":\"fd00::1\"", "gateway fd00::1 is not in subnet" },
		{ SMALL ",\"gateway\":\"10.1.0\"", "gateway" },
		{ SMALL ",\"rangeStart\":\"10.1.0.5\",\"rangeEnd\":\"10.1.0.4\"", "rangeStart lies behind rangeEnd" },
		{ SMALL ",\"rangeStart\":null", "\"rangeStart\" is not a string" },
		{ SMALL ",\"ranges\":[{\"subnet\":\"10.2.0.0/24\"}]", "not a list of lists" },
		{ "\"ranges\":[[]]", "not a list of lists" },
		{ "\"ranges\":[[5]]", "a range needs a \"subnet\"" },
		{ "\"ranges\":[[{\"subnet\":\"10.2.0.0/24\"},{\"subnet\":\"fd00::/64\"}]]", "IPv4 and IPv6 in one list" },
		{ SMALL ",\"routes\":\"0.0.0.0/0\"", "\"routes\" is not a list" },
		{ SMALL ",\"routes\":[\"0.0.0.0\"]", "routes" },
		{ SMALL ",\"routes\":[{\"gw\":\"10.1.0.1\"}]", "a route needs a \"dst\"" },
		{ SMALL ",\"routes\":[5]", "a route needs a \"dst\"" },
		{ SMALL ",\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"fd00::1\"}]", "another family" },
		{ SMALL ",\"resolvConf\":\"/does/not/exist\"", "resolvConf /does/not/exist" },
		{ SMALL ",\"resolvConf\":\"/dev/null\"", "resolvConf /dev/null" },
	};

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct pod p;
		CHECK_INT(pod_join(&p, 1, bad[i].conf, NULL), -1);
		CHECK_HAS(p.e.msg, "host-local: ");
		CHECK_HAS(p.e.msg, bad[i].says);
		CHECK_INT(p.held.n, 0);
		pod_crash(&p);
	}
	CHECK(access(lease_path(""), F_OK) < 0);
	end();
}

TEST(resolv, "host-local: resolvConf names the pod's name servers")
{
	char conf[PATH_MAX + 100];
	struct pod a;

	begin();
	snprintf(conf, sizeof(conf), "%s/resolv", dir);
	FILE *f = fopen(conf, "w");
	REQUIRE(f);
	fputs("# nameserver 1.1.1.1\nnameserver 10.0.0.53\n nameserver\tfd00::53 ; second\r\nnameserver bad\nnameserver\n\n"
	      "domain example.org\nsearch a.example b.example\noptions ndots:2 rotate\nsortlist 1.2.3.4", f);
	fclose(f);
	snprintf(conf, sizeof(conf), SMALL ",\"resolvConf\":\"%s/resolv\"", dir);
	CHECK_INT(pod_join(&a, 1, conf, NULL), 0);
	const struct net_dns *d = &a.r.dns;
	REQUIRE(d->n_servers == 2 && d->n_search == 2 && d->n_options == 2);
	CHECK_STR(d->servers[0], "10.0.0.53");
	CHECK_STR(d->servers[1], "fd00::53");
	CHECK_STR(d->domain, "example.org");
	CHECK_STR(d->search[1], "b.example");
	CHECK_STR(d->options[0], "ndots:2");
	pod_leave(&a);
	end();
}

/* ---- the others ---- */

static int add_text(const char *conf, const char *args, struct net_result *r, struct err *e)
{
	struct net_join j = { .uuid = "u", .network = "lan", .ifname = "eth0", .netns_fd = -1, .args = args };
	cJSON *c = json_parse_err(conf, strlen(conf), e);

	j.conf = c;
	int ret = c ? ipam_add(&j, r, e) : -2;
	if (ret == 0)
		ret = ipam_del(&j, r, e);
	cJSON_Delete(c);
	return ret;
}

TEST(statics, "static: addresses, gateways, routes and DNS as they are written; arguments go before")
{
	static const char conf[] = "{\"ipam\":{\"type\":\"static\",\"addresses\":[{\"address\":\"10.1.0.5/24\",\"gateway\":\"10.1.0.9\"},"
		"{\"address\":\"fd00::5/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"nameservers\":[\"10.0.0.53\"]}}}";
	struct net_result r = { 0 };
	struct err e;
	char text[IP_CIDR_MAX];

	CHECK_INT(add_text(conf, NULL, &r, &e), 0);
	REQUIRE(r.n_ips == 2 && r.n_routes == 1 && r.dns.n_servers == 1);
	CHECK_STR(ip_cidr_text(&r.ips[0].address, text), "10.1.0.5/24");
	CHECK_STR(ip_text(&r.ips[0].gateway, text), "10.1.0.9");
	CHECK_INT(r.ips[1].gateway.len, 0);
	net_result_free(&r);
	CHECK_INT(add_text(conf, "IP=10.2.0.5/16,fd01::5/64;GATEWAY=10.2.0.1", &r, &e), 0);
	REQUIRE(r.n_ips == 2);
	CHECK_STR(ip_cidr_text(&r.ips[0].address, text), "10.2.0.5/16");
	CHECK_STR(ip_text(&r.ips[0].gateway, text), "10.2.0.1");
	CHECK_INT(r.ips[1].gateway.len, 0);
	net_result_free(&r);
	CHECK_INT(add_text("{\"ipam\":{\"type\":\"static\"}}", NULL, &r, &e), -1);
	CHECK_HAS(e.msg, "static: neither");
	CHECK_INT(add_text("{\"ipam\":{\"type\":\"static\",\"addresses\":[{\"address\":\"10.1.0.5\"}]}}", NULL, &r, &e), -1);
	CHECK_INT(add_text("{\"ipam\":{\"type\":\"static\",\"addresses\":[{}]}}", NULL, &r, &e), -1);
	CHECK_INT(add_text("{\"ipam\":{\"type\":\"static\",\"addresses\":[{\"address\":\"10.1.0.5/8\",\"gateway\":\"::1\"}]}}", NULL, &r, &e),
		  -1);
	net_result_free(&r);
}

TEST(none, "ipam: none is none; one without a type, or of a type that nobody has, is an error")
{
	struct net_result r = { 0 };
	struct err e;

	CHECK_INT(add_text("{}", NULL, &r, &e), 0);
	CHECK_INT(add_text("{\"ipam\":{}}", NULL, &r, &e), 0);
	CHECK_INT(add_text("{\"ipam\":null}", NULL, &r, &e), 0);
	CHECK_INT(r.n_ips, 0);
	CHECK_INT(add_text("{\"ipam\":{\"subnet\":\"10.1.0.0/24\"}}", NULL, &r, &e), -1);
	CHECK_HAS(e.msg, "no \"type\"");
	CHECK_INT(add_text("{\"ipam\":5}", NULL, &r, &e), -1);
	CHECK_INT(add_text("{\"ipam\":{\"type\":\"no-such-ipam\"}}", NULL, &r, &e), -1);
	CHECK_HAS(e.msg, "no-such-ipam");
}

UNIT_MAIN(first, sets, both_forms, exhausted, reserved, rotation, wide, requests, stale, foreign, leaving, many, killed, hosts,
	  shared, plugin, wrong, resolv, statics, none)
