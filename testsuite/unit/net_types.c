/* SPDX-License-Identifier: Apache-2.0
 * net_types - the built-in network types, with the kernel: hosts and pods are namespaces of the test's own
 */
#include "testsuite/unit/net_kit.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include "core/base/json.h"
#include "core/net/join.h"
#include "core/net/type.h"

/* One pod on one network. */
struct member {
	struct nl         pod;
	struct net_join   j;
	struct net_held   held;
	struct net_result r;
	cJSON            *conf;
	char              uuid[40];
};

static struct nl host = NL_NONE;
static int host_fd = -1;
static char leases[] = "/tmp/net_types.XXXXXX";
static unsigned n_members;
static long add_ns; /* how long the last one took */

static bool start(void)
{
	if (!new_host(&host))
		return false;
	host_fd = this_net();
	strcpy(strrchr(leases, '.'), ".XXXXXX");
	return mkdtemp(leases) != NULL;
}

static void end(void)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -r %s", leases);
	sh(-1, command);
	nl_close(&host);
	close(host_fd);
}

/* @conf: with ' for ", and @ for where leases are */
static int join(struct member *m, const char *conf, const char *args)
{
	char text[2000];
	size_t n = 0;

	*m = (struct member){ .pod = NL_NONE };
	for (const char *p = conf; *p; p++)
		if (*p == '@')
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\"dataDir\":\"%s\"", leases);
		else
			text[n++] = *p == '\'' ? '"' : *p;
	m->conf = json_parse_err(text, n, &e);
	if (!m->conf) {
		CHECK_STR(e.msg, "");
		return -1;
	}
	snprintf(m->uuid, sizeof(m->uuid), "00000000-0000-4000-8000-%012u", ++n_members);
	int fd = new_pod(&m->pod);
	m->j = (struct net_join){ .uuid = m->uuid, .network = json_str(m->conf, "name"), .ifname = "eth0", .conf = m->conf,
				  .args = args, .netns_fd = fd, .host = &host, .pod = &m->pod, .held = &m->held, .host_mnt_fd = -1 };
	OK(net_prepare_pod(fd, &e));
	const struct net_type *t = net_type_find(json_str(m->conf, "type"));
	if (!t) {
		CHECK(t);
		return -1;
	}
	add_ns = -now_ns();
	int r = t->add(&m->j, NULL, &m->r, &e);
	add_ns += now_ns();
	return r;
}

/* @gone: the pod's namespace is */
static void leave(struct member *m, bool gone)
{
	const struct net_type *t = net_type_find(json_str(m->conf, "type"));

	if (gone) {
		close(m->j.netns_fd);
		nl_close(&m->pod);
		m->j.netns_fd = -1;
		m->j.pod = NULL;
	}
	for (int i = 0; i < 2; i++)
		OK(t->del(&m->j, &m->r, &e));
	net_held_close(&m->held);
	net_result_free(&m->r);
	nl_close(&m->pod);
	if (m->j.netns_fd >= 0)
		close(m->j.netns_fd);
	cJSON_Delete(m->conf);
}

/* the pod's address of that length */
static const char *address(const struct member *m, int len)
{
	static char out[4][IP_TEXT_MAX];
	static int i;
	const struct net_ip *a = net_result_first(&m->r, len);

	CHECK(a);
	i = (i + 1) % 4;
	return a ? ip_text(&a->address.ip, out[i]) : "";
}

static bool reaches(const struct member *a, const struct member *b, int len)
{
	return arrives(a->j.netns_fd, b->j.netns_fd, address(b, len));
}

static bool host_has(const char *name)
{
	struct link l;

	return link_find(&host, name, &l, &e) == 1;
}

#define RANGE4(net) "{'type':'host-local',@,'subnet':'" net "'}"
#define BOTH(net4, net6) "{'type':'host-local',@,'ranges':[[{'subnet':'" net4 "'}],[{'subnet':'" net6 "'}]]"

/* ---- ---- */

/* Linux 6.8 and later, see link_settle() */
static bool link_settles(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	return uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2 && major * 100 + minor >= 608;
}

TEST(names, "types: the host's end has a name of its own, always the same for a join")
{
	static const char *const v[][3] = { { "u", "net", "eth0" }, { "u", "net", "eth1" }, { "v", "net", "eth0" }, { "u", "nete", "th0" },
		{ "un", "et", "eth0" } };
	char name[5][IFNAMSIZ], again[IFNAMSIZ];

	for (size_t i = 0; i < 5; i++) {
		net_veth_name(v[i][0], v[i][1], v[i][2], name[i]);
		net_veth_name(v[i][0], v[i][1], v[i][2], again);
		CHECK_STR(name[i], again);
		CHECK(strlen(name[i]) == 12 && !strncmp(name[i], "veth", 4));
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(name[i], name[k]) != 0);
	}
	CHECK(net_type_find("ptp") == &net_ptp && net_type_find("ipvlan") == &net_ipvlan && !net_type_find("flannel") &&
	      !net_type_find("PTP") && !net_type_find("") && !net_type_find(NULL));
}

TEST(ptp, "types: pods on ptp reach the host and each other through it, with both families")
{
	static const char conf[] = "{'name':'p','type':'ptp','mtu':1400,'ipam':" BOTH("10.5.0.0/24", "fd05::/64")
		",'routes':[{'dst':'0.0.0.0/0'},{'dst':'::/0'},{'dst':'10.77.0.0/16','gw':'10.5.0.1'}]}}";
	struct member a, b;
	struct link l;

	if (!start())
		SKIP("needs network namespaces");
	OK(inside_sysctl("ipv6/conf/all/disable_ipv6", "1", &e)); /* each interface that needs it gets it back */
	OK(inside_sysctl("ipv6/conf/default/disable_ipv6", "1", &e));
	OK(join(&a, conf, NULL));
	OK(join(&b, conf, "MAC=02:00:00:00:00:0b"));
	slowest_ns = 0;
	CHECK_STR(address(&a, 4), "10.5.0.2");
	CHECK_STR(address(&b, 16), "fd05::3");
	CHECK(arrives(a.j.netns_fd, host_fd, "10.5.0.1") && arrives(host_fd, a.j.netns_fd, address(&a, 4)));
	CHECK(arrives(a.j.netns_fd, host_fd, "fd05::1") && arrives(host_fd, a.j.netns_fd, address(&a, 16)));
	CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4));
	CHECK(reaches(&a, &b, 16) && reaches(&b, &a, 16));
	if (link_settles())
		CHECK(slowest_ns < 250000000); /* nothing was sent, or asked for, twice */

	REQUIRE(a.r.n_ifaces == 2 && a.r.n_ips == 2);
	CHECK(!a.r.ifaces[0].in_pod && a.r.ifaces[1].in_pod && a.r.ips[0].iface == 1 && a.r.ips[1].iface == 1);
	CHECK_STR(a.r.ifaces[1].name, "eth0");
	CHECK_STR(b.r.ifaces[1].mac, "02:00:00:00:00:0b");
	OK(link_get(&host, a.r.ifaces[0].name, &l, &e));
	CHECK(l.up && l.mtu == 1400);
	CHECK(sh(a.j.netns_fd, "ip route show 10.5.0.0/24 | grep -q '^10.5.0.0/24 via 10.5.0.1 dev eth0'"));
	CHECK(sh(a.j.netns_fd, "ip route show default | grep -q 'via 10.5.0.1'"));
	CHECK(sh(a.j.netns_fd, "ip -6 route show default | grep -q 'via fd05::1'"));
	CHECK(sh(a.j.netns_fd, "ip route show 10.77.0.0/16 | grep -q 'via 10.5.0.1'"));
	CHECK(sh(a.j.netns_fd, "ip link show eth0 | grep -q 'mtu 1400'"));
	CHECK(sh(-1, "ip addr show | grep -q 'inet 10.5.0.1/32'"));

	char name[IFNAMSIZ];
	strcpy(name, a.r.ifaces[0].name);
	leave(&a, false);
	CHECK(!host_has(name));
	strcpy(name, b.r.ifaces[0].name);
	leave(&b, true);
	CHECK(!host_has(name));
	end();
}

TEST(believes, "types: neither the pod nor the host's end believes routers that announce themselves")
{
	static const char conf[] = "{'name':'p','type':'ptp','ipam':" RANGE4("10.5.0.0/24") "}", check[] =
		"cd /proc/sys/net/ipv6/conf && grep -q 1 ../../ipv4/conf/eth0/arp_notify && test $(cat default/accept_ra "
		"eth0/accept_ra default/accept_redirects eth0/accept_redirects ../../ipv4/conf/all/accept_redirects "
		"../../ipv4/conf/default/accept_redirects ../../ipv4/conf/eth0/accept_redirects | tr -d '\\n') = 0000000";
	struct member a;
	char command[100];

	if (!start())
		SKIP("needs network namespaces");
	OK(join(&a, conf, NULL));
	CHECK(sh(a.j.netns_fd, check));
	snprintf(command, sizeof(command), "grep -q '^0$' /proc/sys/net/ipv6/conf/%s/accept_ra", a.r.ifaces[0].name);
	CHECK(sh(-1, command));
	CHECK(sh(-1, "grep -q 1 /proc/sys/net/ipv4/ip_forward && grep -q 0 /proc/sys/net/ipv6/conf/all/forwarding"));
	CHECK(sh(-1, "! cat /proc/sys/net/ipv4/conf/*/route_localnet | grep -q 1"));
	leave(&a, true);
	end();
}

TEST(stale, "types: a route that a crashed pod left leads to nobody")
{
	static const char conf[] = "{'name':'p','type':'ptp','ipam':" BOTH("10.5.0.0/24", "fd05::/64") "}}";
	struct member a;

	if (!start())
		SKIP("needs network namespaces");
	CHECK(sh(-1, "ip link add old type veth peer name older && ip link set old up && ip link set older up && "
		     "ip route add 10.5.0.2 dev old && ip -6 route add fd05::2 dev old"));
	OK(join(&a, conf, NULL));
	CHECK(arrives(host_fd, a.j.netns_fd, address(&a, 4)));
	CHECK(arrives(host_fd, a.j.netns_fd, address(&a, 16)));
	leave(&a, true);
	end();
}

TEST(bridges, "types: pods on one bridge reach each other, and nobody on another one")
{
	static const char one[] = "{'name':'one','type':'bridge','ipam':" BOTH("10.6.0.0/24", "fd06::/64") "}}";
	static const char two[] = "{'name':'two','type':'bridge','bridge':'br2','ipam':" BOTH("10.7.0.0/24", "fd07::/64")
		",'routes':[{'dst':'0.0.0.0/0'},{'dst':'::/0'}]}}";
	struct member a, b, c;
	struct link before, after;

	if (!start())
		SKIP("needs network namespaces");
	OK(join(&a, one, NULL));
	OK(link_get(&host, "rkt0", &before, &e));
	OK(join(&b, one, NULL));
	OK(join(&c, two, NULL));
	CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4) && reaches(&a, &b, 16));
	CHECK(sh(a.j.netns_fd, "ip route add default dev eth0"));
	CHECK(!reaches(&c, &a, 4) && !reaches(&a, &c, 4) && !reaches(&c, &a, 16));
	CHECK(sh(-1, "! ip addr show rkt0 | grep -q 'inet '"));
	CHECK(sh(-1, "! ip route | grep ."));
	REQUIRE(a.r.n_ifaces == 3);
	CHECK_STR(a.r.ifaces[0].name, "rkt0");
	CHECK(!a.r.ifaces[1].in_pod && a.r.ifaces[2].in_pod && a.r.ips[0].iface == 2);
	CHECK(sh(-1, "grep -q '^0$' /proc/sys/net/ipv6/conf/rkt0/accept_ra"));
	leave(&a, false);
	leave(&b, true);
	leave(&c, true);
	OK(link_get(&host, "rkt0", &after, &e)); /* it stays, as it was */
	CHECK(after.index == before.index && !memcmp(after.mac, before.mac, sizeof(after.mac)));
	CHECK(sh(-1, "! ip link show | grep -q veth"));
	end();
}

TEST(gateways, "types: a bridge that is the gateway, of two networks with a route between them")
{
	static const char one[] = "{'name':'one','type':'bridge','isDefaultGateway':true,'ipam':" BOTH("10.6.0.0/24", "fd06::/64") "}}";
	static const char two[] = "{'name':'two','type':'bridge','bridge':'br2','isGateway':true,'hairpinMode':true,'ipam':"
		BOTH("10.7.0.0/24", "fd07::/64") ",'routes':[{'dst':'0.0.0.0/0'},{'dst':'::/0'}]}}";
	static const char other[] = "{'name':'three','type':'bridge','isGateway':true,'ipam':" RANGE4("10.8.0.0/24") "}";
	static const char force[] = "{'name':'four','type':'bridge','isGateway':true,'forceAddress':true,'ipam':" RANGE4("10.9.0.0/24") "}";
	struct member a, b, c, d;

	if (!start())
		SKIP("needs network namespaces");
	OK(join(&a, one, NULL));
	OK(join(&b, two, NULL));
	CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4) && reaches(&a, &b, 16) && reaches(&b, &a, 16));
	CHECK_INT(a.r.n_routes, 2);
	CHECK(arrives(a.j.netns_fd, host_fd, "10.6.0.1") && arrives(a.j.netns_fd, host_fd, "fd06::1"));
	CHECK_INT(join(&c, other, NULL), -1);
	CHECK_STR(e.msg, "rkt0 has the address 10.6.0.1/24, so it cannot have 10.8.0.1/24; use another bridge, or \"forceAddress\"");
	leave(&c, false);
	OK(join(&d, force, NULL));
	CHECK(sh(-1, "ip addr show rkt0 | grep -q 'inet 10.9.0.1/24' && ! ip addr show rkt0 | grep -q 'inet 10.6.0.1/24'"));
	leave(&a, true);
	leave(&b, true);
	leave(&d, true);
	end();
}

TEST(vlans, "types: vlans of one bridge do not reach each other")
{
	static const char ten[] = "{'name':'ten','type':'bridge','vlan':10,'ipam':" RANGE4("10.6.0.0/16") "}";
	static const char twenty[] = "{'name':'twenty','type':'bridge','vlan':20,'ipam':" RANGE4("10.6.0.0/16") "}";
	static const char none[] = "{'name':'none','type':'bridge','ipam':" RANGE4("10.6.0.0/16") "}";
	static const char gate[] = "{'name':'gate','type':'bridge','vlan':30,'isGateway':true,'ipam':" RANGE4("10.30.0.0/16") "}";
	struct member a, b, c, d;

	if (!start())
		SKIP("needs network namespaces");
	if (join(&a, ten, NULL) < 0) {
		CHECK_STR(e.msg, "interface rkt0: the kernel has no bridges with vlans (CONFIG_BRIDGE_VLAN_FILTERING)");
		leave(&a, true);
		end();
		SKIP("the kernel's bridges have no vlans");
	}
	OK(join(&b, ten, NULL));
	OK(join(&c, twenty, "IP=10.6.0.9"));
	OK(join(&d, none, "IP=10.6.0.10"));
	CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4));
	CHECK(!reaches(&a, &c, 4) && !reaches(&c, &a, 4) && !reaches(&d, &a, 4) && !reaches(&a, &d, 4));
	leave(&a, true);
	leave(&b, true);
	leave(&c, true);
	leave(&d, true);
	CHECK(sh(-1, "ip link set rkt0 type bridge vlan_filtering 0"));
	CHECK_INT(join(&a, ten, NULL), -1);
	CHECK_HAS(e.msg, "bridge rkt0 does not tell vlans apart; ip link set rkt0 type bridge vlan_filtering 1 makes it");
	leave(&a, true);
	CHECK(sh(-1, "ip link set rkt0 type bridge vlan_filtering 1"));
	if (join(&a, gate, NULL) == 0) {
		CHECK(arrives(a.j.netns_fd, host_fd, "10.30.0.1"));
		CHECK_STR(a.r.ifaces[0].name, "rkt0.30");
	} else {
		CHECK_HAS(e.msg, "the kernel has no interfaces of the kind vlan");
	}
	leave(&a, true);
	end();
}

TEST(at_once, "types: eight at once make one bridge")
{
	static const char conf[] = "{'name':'one','type':'bridge','isGateway':true,'ipam':" RANGE4("10.6.0.0/24") "}";
	pid_t pids[8];
	struct member m;

	if (!start())
		SKIP("needs network namespaces");
	for (int i = 0; i < 8; i++) {
		n_members++;
		pids[i] = fork();
		if (pids[i] == 0) {
			nl_close(&host);
			if (nl_open(NETLINK_ROUTE, &host, &e) < 0 || join(&m, conf, NULL) < 0) {
				printf("# %s\n", e.msg);
				_exit(1);
			}
			_exit(arrives(m.j.netns_fd, host_fd, "10.6.0.1") ? 0 : 2);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;
		waitpid(pids[i], &status, 0);
		CHECK_INT(status, 0);
	}
	CHECK(sh(-1, "test $(ip link show type bridge | grep -c rkt0) = 1"));
	end();
}

TEST(macvlans, "types: macvlan and ipvlan on an interface of the host's")
{
	static const char bridge[] = "{'name':'m','type':'macvlan','master':'uplink','ipam':" BOTH("10.6.0.0/24", "fd06::/64") "}}";
	static const char private[] = "{'name':'m','type':'macvlan','mode':'private','mtu':1400,'ipam':" RANGE4("10.6.0.0/24") "}";
	static const char ipvlan[] = "{'name':'m','type':'ipvlan','mode':'l3','master':'other','ipam':" RANGE4("10.7.0.0/24") "}";
	struct member a, b, c;

	if (!start())
		SKIP("needs network namespaces");
	CHECK(sh(-1, "ip link add uplink type veth peer name far && ip link set uplink up && ip link set far up && ip addr add 10.6.0.200/24 dev far && "
		     "ip link add other type veth peer name off && ip link set other up && ip link set off up"));
	OK(join(&a, bridge, NULL));
	OK(join(&b, bridge, NULL));
	CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4) && reaches(&a, &b, 16));
	CHECK(arrives(a.j.netns_fd, host_fd, "10.6.0.200"));
	CHECK(a.r.n_ifaces == 1 && a.r.ifaces[0].in_pod && a.r.ips[0].iface == 0);
	CHECK_INT(join(&c, private, NULL), -1); /* no master, and no default route to take it from */
	CHECK_HAS(e.msg, "master: there is no default route");
	leave(&c, false);
	CHECK(sh(-1, "ip route add default dev uplink"));
	OK(join(&c, private, NULL));
	CHECK(!reaches(&a, &c, 4) && !reaches(&c, &a, 4));
	CHECK(sh(c.j.netns_fd, "ip -d link show eth0 | grep -q 'mtu 1400'"));
	leave(&c, false);
	leave(&b, true);
	leave(&a, false);
	if (join(&a, ipvlan, NULL) == 0) {
		OK(join(&b, ipvlan, NULL));
		CHECK(reaches(&a, &b, 4) && reaches(&b, &a, 4));
		CHECK(sh(b.j.netns_fd, "ip -d link show eth0 | grep -q 'ipvlan *mode l3'"));
		leave(&b, false);
	} else {
		CHECK_HAS(e.msg, "on other: interface eth0: make ipvlan: the kernel has no interfaces of the kind ipvlan (see rkt doctor ipvlan)");
	}
	leave(&a, true);
	end();
}

TEST(announces, "types: who is on the network learns where the pod's address is now")
{
	static const char conf[] = "{'name':'m','type':'macvlan','master':'uplink','ipam':" RANGE4("10.6.0.0/24") "}";
	struct member a;

	if (!start())
		SKIP("needs network namespaces");
	CHECK(sh(-1, "ip link add uplink type veth peer name far && ip link set uplink up && ip link set far up && ip addr add 10.6.0.200/24 dev far && "
		     "ip neigh add 10.6.0.2 lladdr 02:00:00:00:00:01 nud stale dev far"));
	OK(join(&a, conf, "MAC=02:00:00:00:00:77"));
	CHECK(sh(-1, "for i in 1 2 3 4 5 6 7 8 9; do ip neigh show 10.6.0.2 | grep -q 02:00:00:00:00:77 && exit 0; sleep 0.1; done; exit 1"));
	leave(&a, true);
	end();
}

TEST(wrong, "types: configurations that cannot be meant are refused with the reason, and nothing is left")
{
	static const struct { const char *conf, *args, *says; } v[] = {
		{ "{'name':'n','type':'ptp'}", NULL, "ptp needs addresses" },
		{ "{'name':'n','type':'ptp','mtu':'1500'}", NULL, "\"mtu\" has a wrong value" },
		{ "{'name':'n','type':'ptp','mtu':70000}", NULL, "\"mtu\" has a wrong value" },
		{ "{'name':'n','type':'ptp','mtu':1}", NULL, "make veth: " },
		{ "{'name':'n','type':'bridge','isGateway':'yes'}", NULL, "\"isGateway\" has a wrong value" },
		{ "{'name':'n','type':'bridge','bridge':7}", NULL, "\"bridge\" has a wrong value" },
		{ "{'name':'n','type':'bridge','bridge':'a-name-that-is-too-long'}", NULL, "interface a-name-that-is-too-long: " },
		{ "{'name':'n','type':'bridge','bridge':'lo'}", NULL, "interface lo: is there, but not a bridge" },
		{ "{'name':'n','type':'bridge','vlan':4095}", NULL, "\"vlan\" has a wrong value" },
		{ "{'name':'n','type':'bridge','macspoofchk':true}", NULL, "\"macspoofchk\": the built-in type does not know that" },
		{ "{'name':'n','type':'bridge','vlanTrunk':[{'id':1}]}", NULL, "\"vlanTrunk\": the built-in type does not know that" },
		{ "{'name':'n','type':'bridge','hairpinMode':true,'promiscMode':true}", NULL, "exclude each other" },
		{ "{'name':'n','type':'bridge'}", "MAC=01:00:00:00:00:01", "argument MAC: " },
		{ "{'name':'n','type':'macvlan','master':'nosuch'}", NULL, "master: interface nosuch: No such device" },
		{ "{'name':'n','type':'macvlan','mode':'l2'}", NULL, "macvlan has no mode \"l2\"" },
		{ "{'name':'n','type':'ipvlan','mode':'bridge'}", NULL, "ipvlan has no mode \"bridge\"" },
	};
	struct member m;

	if (!start())
		SKIP("needs network namespaces");
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		CHECK_INT(join(&m, v[i].conf, v[i].args), -1);
		CHECK_HAS(e.msg, v[i].says);
		leave(&m, false);
	}
	CHECK(sh(-1, "test $(ip -o link show | grep -vc 'rkt0\\|sit0\\|tun') -le 1 || ! ip link show | grep veth"));
	end();
}

TEST(plain, "types: a bridge without addresses, and loopback")
{
	struct member a, b;

	if (!start())
		SKIP("needs network namespaces");
	OK(join(&a, "{'name':'n','type':'bridge'}", NULL));
	CHECK(sh(a.j.netns_fd, "ip link show eth0 | grep -q 'state UP'"));
	CHECK_INT(a.r.n_ips, 0);
	OK(join(&b, "{'name':'l','type':'loopback'}", NULL));
	CHECK(arrives(b.j.netns_fd, b.j.netns_fd, "127.0.0.1"));
	leave(&a, true);
	leave(&b, true);
	end();
}

TEST(time_of_one, "types: how long joining takes (no limit here: that is the bench's)")
{
	static const char conf[] = "{'name':'p','type':'ptp','ipam':{'type':'host-local',@,'subnet':'172.16.28.0/24','routes':[{'dst':'0.0.0.0/0'}]}}";
	static struct member m[20];
	long best = 1000000000;

	if (!start())
		SKIP("needs network namespaces");
	for (int i = 0; i < 20; i++) {
		OK(join(&m[i], conf, NULL));
		best = add_ns < best ? add_ns : best;
	}
	printf("# ptp: %ld us\n", best / 1000);
	for (int i = 0; i < 20; i++)
		leave(&m[i], true);
	end();
}

UNIT_MAIN(names, ptp, believes, stale, bridges, gateways, vlans, at_once, macvlans, announces, wrong, plain, time_of_one)
