/* SPDX-License-Identifier: Apache-2.0
 * net_firewall - unit tests of core/net/firewall*.c and nft.c: packets between network namespaces, and what is left
 */
#include "core/net/firewall.h"

#include "testsuite/unit/net_world.h"

#include <netinet/in.h>
#include <time.h>

#define UUID "00000000-0000-4000-8000-00000000000"

static struct ip ip(const char *text)
{
	struct ip a = { 0 };
	struct err e;

	CHECK_INT(ip_parse(text, &a, &e), 0);
	return a;
}

static struct fw_net net(const char *iface, const char *address, bool masquerade, bool closed)
{
	struct fw_net n = { .masquerade = masquerade, .closed = closed };
	struct err e;

	snprintf(n.iface, sizeof(n.iface), "%s", iface);
	CHECK_INT(ip_cidr_parse(address, &n.address, &e), 0);
	return n;
}

static struct fw_port port(int protocol, unsigned host, unsigned pod, const char *pod_ip, const char *host_ip)
{
	struct fw_port p = { .protocol = protocol, .host_port = (uint16_t)host, .pod_port = (uint16_t)pod, .count = 1 };

	p.pod_ip = ip(pod_ip);
	if (host_ip)
		p.host_ip = ip(host_ip);
	return p;
}

static int add(const char *uuid, const struct fw_net *nets, size_t n_nets, const struct fw_port *ports, size_t n_ports)
{
	struct fw_pod p = { .uuid = uuid, .nets = nets, .n_nets = n_nets, .ports = ports, .n_ports = n_ports };
	struct err e = { 0 };
	int r = firewall_add(&p, &e);

	if (r < 0)
		printf("# %s\n", e.msg);
	return r;
}

static int drop(const char *uuid)
{
	struct err e = { 0 };
	int r = firewall_remove(uuid, NULL, &e);

	if (r < 0)
		printf("# %s\n", e.msg);
	return r;
}

/* pods 1, 2 (default network) and 3 (closed), with ports */
static void three_pods(void)
{
	const struct fw_net one[] = { net("veth1", "172.16.28.2/24", true, false), net("veth1", "fd00::11/64", true, false) };
	const struct fw_net two[] = { net("veth2", "172.16.28.3/24", true, false) };
	const struct fw_net three[] = { net("veth3", "172.17.0.2/16", false, true) };
	const struct fw_port p1[] = {
		port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL), port(IPPROTO_UDP, 5353, 53, "172.16.28.2", NULL),
		port(IPPROTO_TCP, 8080, 80, "fd00::11", NULL), port(IPPROTO_TCP, 8081, 80, "172.16.28.2", "192.0.2.1"),
		port(IPPROTO_TCP, 8082, 80, "172.16.28.2", "127.0.0.1"), port(IPPROTO_TCP, 8081, 80, "fd00::11", "2001:db8::1"),
	};
	const struct fw_port p3[] = { port(IPPROTO_TCP, 9090, 90, "172.17.0.2", NULL) };

	CHECK_INT(add(UUID "1", one, 2, p1, 6), 0);
	CHECK_INT(add(UUID "2", two, 1, NULL, 0), 0);
	CHECK_INT(add(UUID "3", three, 1, p3, 1), 0);
}

static void serve_all(struct world *w)
{
	world_serve(w, OTHER, SOCK_STREAM, "192.0.2.2", 7);
	world_serve(w, OTHER, SOCK_DGRAM, "192.0.2.2", 7);
	world_serve(w, OTHER, SOCK_STREAM, "2001:db8::2", 7);
	world_serve(w, POD1, SOCK_STREAM, "0.0.0.0", 80);
	world_serve(w, POD1, SOCK_DGRAM, "0.0.0.0", 53);
	world_serve(w, POD1, SOCK_STREAM, "fd00::11", 80);
	world_serve(w, POD2, SOCK_STREAM, "0.0.0.0", 80);
	world_serve(w, POD3, SOCK_STREAM, "0.0.0.0", 90);
}

#define WORLD(w)                                                      \
	struct world w;                                               \
	if (geteuid() != 0 || !world_make(&w))                        \
		SKIP("needs root, network namespaces and ip(8)")

static void check_traffic(struct world *w)
{
	/* masqueraded, but not to the neighbour */
	CHECK_STR(world_ask(w, POD1, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK_STR(world_ask(w, POD1, SOCK_DGRAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK_STR(world_ask(w, POD1, SOCK_STREAM, "2001:db8::2", 7), "2001:db8::1");
	CHECK_STR(world_ask(w, POD1, SOCK_STREAM, "172.16.28.3", 80), "172.16.28.2");
	/* ports from the other host: with its address */
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "192.0.2.1", 8080), "192.0.2.2");
	CHECK_STR(world_ask(w, OTHER, SOCK_DGRAM, "192.0.2.1", 5353), "192.0.2.2");
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "2001:db8::1", 8080), "2001:db8::2");
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "192.0.2.1", 8081), "192.0.2.2");
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "2001:db8::1", 8081), "2001:db8::2");
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "192.0.2.1", 8082), "refused");
	/* from the host's own addresses, but those of loopback are not ours */
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "192.0.2.1", 8080), "172.16.28.1");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "192.0.2.1", 8081), "172.16.28.1");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "2001:db8::1", 8080), "fd00::1");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "172.16.28.1", 8081), "refused");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "127.0.0.1", 8080), "refused");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "::1", 8080), "refused");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "127.0.0.1", 8082), "refused");
	/* hairpin: itself, and the neighbour */
	CHECK_STR(world_ask(w, POD1, SOCK_STREAM, "192.0.2.1", 8080), "172.16.28.1");
	CHECK_STR(world_ask(w, POD2, SOCK_STREAM, "192.0.2.1", 8080), "172.16.28.1");
	/* closed: nothing leaves, nothing comes but through the port */
	CHECK_STR(world_ask(w, POD3, SOCK_STREAM, "192.0.2.2", 7), "refused");
	CHECK_INT(world_sh(w, "on $pod3 ip route add default via 172.17.0.1"), 0);
	CHECK_STR(world_ask(w, POD3, SOCK_STREAM, "192.0.2.2", 7), "nothing");
	CHECK_STR(world_ask(w, POD3, SOCK_STREAM, "172.16.28.2", 80), "nothing");
	CHECK_STR(world_ask(w, POD3, SOCK_STREAM, "192.0.2.1", 8080), "nothing");
	CHECK_STR(world_ask(w, POD1, SOCK_STREAM, "172.17.0.2", 90), "nothing");
	CHECK_INT(world_sh(w, "on $pod3 ip route del default; on $other ip route add 172.17.0.0/16 via 192.0.2.1"), 0);
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "172.17.0.2", 90), "nothing");
	CHECK_INT(world_sh(w, "on $pod3 nft -f - <<'EOF'\n"
		"table inet t { chain c { type filter hook prerouting priority 0; meta l4proto tcp tcp dport 90 ip saddr 192.0.2.2 counter; }; }\nEOF"), 0);
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "172.17.0.2", 90), "nothing");
	CHECK_INT(world_sh(w, "on $pod3 nft list ruleset | grep -q 'packets 0 '; on $pod3 nft flush ruleset"), 0);
	CHECK_STR(world_ask(w, OTHER, SOCK_STREAM, "192.0.2.1", 9090), "172.17.0.1");
	CHECK_STR(world_ask(w, HOST, SOCK_STREAM, "192.0.2.1", 9090), "172.17.0.1");
	CHECK_INT(world_sh(w, "on $other ip route del 172.17.0.0/16"), 0);
}

TEST(traffic, "firewall: masquerades, forwards ports and keeps closed networks closed")
{
	WORLD(w);
	struct err e = { 0 };

	CHECK_INT(firewall_available(&e), 0);
	CHECK_STR(e.msg, "");
	serve_all(&w);
	three_pods();
	check_traffic(&w);
	CHECK_INT(drop(UUID "1"), 0);
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", 8080), "refused");
	CHECK_STR(world_ask(&w, POD2, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK_INT(drop(UUID "2"), 0);
	CHECK_INT(drop(UUID "3"), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}


TEST(beside_nft, "firewall: works beside tables of nftables that drop forwards, by policy or by a last rule")
{
	WORLD(w);
	char *before, *after;

	serve_all(&w);
	CHECK_INT(world_sh(&w, "nft -f - <<'EOF'\n"
		"table inet host { chain f { type filter hook forward priority 0; policy drop; ct state invalid drop; }\n"
		" chain other { type filter hook input priority 0; policy accept; }; }\n"
		"table ip host4 { chain f { type filter hook forward priority 10; policy accept; tcp dport 1 accept\n"
		" counter reject with icmp type admin-prohibited; }; }\n"
		"table ip6 host6 { chain f { type filter hook forward priority -10; counter drop; }\n"
		" chain fine { type filter hook forward priority 5; tcp dport 1 drop; }; }\n"
		"\nEOF"), 0);
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "172.16.28.2", 80), "refused");
	before = world_read("nft -s list ruleset");
	three_pods();
	check_traffic(&w);
	/* what is not ours is still the host's business */
	CHECK_INT(world_sh(&w, "on $other ip route add 172.16.28.0/24 via 192.0.2.1"), 0);
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "172.16.28.2", 80), "nothing");
	after = world_read("nft -s list ruleset | grep -c 'comment \"rktbox\"'");
	CHECK_STR(after, "3"); /* not in chain fine */
	free(after);
	/* an administrator saves and loads everything */
	CHECK_INT(world_sh(&w, "nft list ruleset >/tmp/net_firewall.$$; nft flush ruleset; nft -f /tmp/net_firewall.$$\n"
		"rm /tmp/net_firewall.$$"), 0);
	check_traffic(&w);
	/* and loads the own table alone: the rule comes back with the next pod */
	CHECK_INT(world_sh(&w, "nft -f - <<'EOF'\n"
		"flush chain inet host f\nadd rule inet host f ct state invalid drop\nEOF"), 0);
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "nothing");
	CHECK_INT(drop(UUID "2"), 0);
	const struct fw_net two[] = { net("veth2", "172.16.28.3/24", true, false) };
	CHECK_INT(add(UUID "2", two, 1, NULL, 0), 0);
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	for (int i = 1; i <= 3; i++) {
		char uuid[48];
		snprintf(uuid, sizeof(uuid), UUID "%d", i);
		CHECK_INT(drop(uuid), 0);
	}
	after = world_read("nft -s list ruleset");
	CHECK_STR(after, before);
	free(before);
	free(after);
	world_end(&w);
}

TEST(beside_iptables, "firewall: works beside iptables-nft with FORWARD DROP, which goes on showing and loading its rules")
{
	WORLD(w);
	if (world_sh(&w, "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP\n"
			 "iptables-nft -A FORWARD -p tcp --dport 1 -j ACCEPT") != 0) {
		world_end(&w);
		SKIP("needs iptables-nft");
	}
	char *before = world_read("iptables-nft -S; ip6tables-nft -S");
	serve_all(&w);
	three_pods();
	check_traffic(&w);
	CHECK(world_has("iptables-nft -S FORWARD | sed -n 2p",
		"-m mark --mark 0x72000000/0xff000000 -m comment --comment rktbox -j ACCEPT"));
	CHECK(world_has("nft list ruleset 2>&1", "table ip rktbox"));
	CHECK_INT(world_sh(&w, "on $other ip route add 172.16.28.0/24 via 192.0.2.1"), 0);
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "172.16.28.2", 80), "nothing");
	CHECK_INT(world_sh(&w, "iptables-nft-save | iptables-nft-restore; iptables-nft -I FORWARD -p tcp --dport 2 -j ACCEPT"), 0);
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", 8080), "192.0.2.2");
	CHECK_INT(world_sh(&w, "iptables-nft -F FORWARD; iptables-nft -A FORWARD -p tcp --dport 1 -j ACCEPT"), 0);
	CHECK_INT(drop(UUID "2"), 0);
	const struct fw_net two[] = { net("veth2", "172.16.28.3/24", true, false) };
	CHECK_INT(add(UUID "2", two, 1, NULL, 0), 0);
	check_traffic(&w);
	for (int i = 1; i <= 3; i++) {
		char uuid[48];
		snprintf(uuid, sizeof(uuid), UUID "%d", i);
		CHECK_INT(drop(uuid), 0);
	}
	char *after = world_read("iptables-nft -S; ip6tables-nft -S");
	CHECK_STR(after, before);
	free(before);
	free(after);
	world_end(&w);
}

TEST(marks, "firewall: leaves packets alone that somebody else has marked in the same byte")
{
	WORLD(w);

	serve_all(&w);
	CHECK_INT(world_sh(&w, "nft -f - <<'EOF'\n"
		"table inet host { chain m { type filter hook prerouting priority -200; meta mark set 0x01000002; }\n"
		" chain p { type filter hook postrouting priority 0; meta mark 0x01000002 counter; }; }\nEOF"), 0);
	three_pods();
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK(!world_has("nft list chain inet host p", "packets 0 "));
	usleep(200000); /* the connection's last packets: chains of a table are not hooked in all at once */
	CHECK_INT(world_sh(&w, "nft -f - <<'EOF'\ndelete table inet host\n"
		"table inet host { chain m { type filter hook prerouting priority -200; meta mark set 0x00000002; }\n"
		" chain p { type filter hook postrouting priority 0; iifname veth1 meta mark != 2 counter; }; }\nEOF"), 0);
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK(world_has("nft list chain inet host p", "packets 0 "));
	world_end(&w);
}

TEST(flows, "firewall: datagrams of one who goes on sending get to the pod that has the port now")
{
	WORLD(w);
	const struct fw_port one = port(IPPROTO_UDP, 5353, 54, "172.16.28.2", NULL), two = port(IPPROTO_UDP, 5353, 53, "172.16.28.3", NULL);
	const struct fw_net n1 = net("veth1", "172.16.28.2/24", true, false), n2 = net("veth2", "172.16.28.3/24", true, false);
	union world_addr a;
	socklen_t len = world_addr(&a, "192.0.2.1", 5353);
	struct timeval t = { 0, 300000 };
	char got[64];

	world_serve(&w, POD2, SOCK_DGRAM, "0.0.0.0", 53);
	CHECK_INT(add(UUID "3", &n2, 1, NULL, 0), 0); /* so that connections are tracked */
	CHECK_INT(setns(w.ns[OTHER], CLONE_NEWNET), 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK_INT(setns(w.ns[HOST], CLONE_NEWNET), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	CHECK_INT(connect(fd, &a.a, len), 0);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			CHECK_INT(add(UUID "1", &n1, 1, &one, 1), 0);
		if (i == 2) {
			CHECK_INT(drop(UUID "1"), 0);
			CHECK_INT(drop(UUID "3"), 0);
			CHECK_INT(add(UUID "2", &n2, 1, &two, 1), 0);
		}
		for (int k = 0; k < 3; k++) {
			CHECK(send(fd, "?", 1, 0) == 1 || errno == ECONNREFUSED);
			CHECK_INT(recv(fd, got, sizeof(got), 0) > 0, i == 2);
		}
	}
	close(fd);
	world_end(&w);
}

TEST(owner, "firewall: leaves tables alone that belong to a program alone")
{
	WORLD(w);
	FILE *f = popen("nft -i >/dev/null 2>&1", "w");

	REQUIRE(f);
	fputs("add table inet own { flags owner; }\nadd chain inet own f { type filter hook forward priority 0; policy drop; }\n", f);
	fputs("add table inet host\nadd chain inet host f { type filter hook forward priority 0; policy drop; }\n", f);
	fflush(f);
	usleep(300000);
	CHECK(world_has("nft list ruleset", "flags owner"));
	three_pods();
	CHECK(world_has("nft list chain inet host f", "comment \"rktbox\""));
	CHECK(!world_has("nft list chain inet own f", "rktbox"));
	for (int i = 1; i <= 3; i++) {
		char uuid[48];
		snprintf(uuid, sizeof(uuid), UUID "%d", i);
		CHECK_INT(drop(uuid), 0);
	}
	CHECK(!world_has("nft list ruleset", "rktbox"));
	pclose(f);
	world_end(&w);
}

/* pods 1 and 2 on a bridge as well, the host's firewall being shown what bridges carry */
static bool on_bridge(struct world *w)
{
	return world_sh(w, "ip link add br0 type bridge; ip addr add 10.5.0.1/24 dev br0; ip link set br0 up\n"
		"for i in 1 2; do eval p=\\$pod$i; ip link add brv$i type veth peer name eth1 netns $p\n"
		"ip link set brv$i master br0 up; on $p ip addr add 10.5.0.1$i/24 dev eth1; on $p ip link set eth1 up\n"
		"on $p ip route add 192.0.2.0/24 via 10.5.0.1; done\n"
		"echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; iptables-nft -P FORWARD DROP") == 0;
}

TEST(bridged, "firewall: neighbours on a bridge reach each other, on a closed one as well, and their ports")
{
	WORLD(w);
	if (!on_bridge(&w)) {
		world_end(&w);
		SKIP("needs bridges, br_netfilter and iptables-nft");
	}
	const struct fw_port p = port(IPPROTO_TCP, 8080, 80, "10.5.0.11", NULL);

	world_serve(&w, POD1, SOCK_STREAM, "0.0.0.0", 80);
	world_serve(&w, OTHER, SOCK_STREAM, "192.0.2.2", 7);
	CHECK_STR(world_ask(&w, POD2, SOCK_STREAM, "10.5.0.11", 80), "nothing");
	for (int closed = 0; closed < 2; closed++) {
		const struct fw_net a = net("br0", "10.5.0.11/24", false, closed), b = net("br0", "10.5.0.12/24", false, closed);
		CHECK_INT(add(UUID "1", &a, 1, &p, 1), 0);
		CHECK_INT(add(UUID "2", &b, 1, NULL, 0), 0);
		CHECK_STR(world_ask(&w, POD2, SOCK_STREAM, "10.5.0.11", 80), "10.5.0.12");
		CHECK_STR(world_ask(&w, POD2, SOCK_STREAM, "192.0.2.1", 8080), "10.5.0.1");
		CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", 8080), closed ? "10.5.0.1" : "192.0.2.2");
		/* the other host knows no way back */
		CHECK_STR(world_ask(&w, POD2, SOCK_STREAM, "192.0.2.2", 7), "nothing");
		CHECK_INT(drop(UUID "1"), 0);
		CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "10.5.0.12", 80), "refused");
		CHECK_INT(drop(UUID "2"), 0);
	}
	world_end(&w);
}

/* ---- conflicts ---- */

static int try_port(const char *uuid, const struct fw_port *p, bool (*alive)(void *ctx, const char *uuid, bool port),
		    struct err *e)
{
	struct fw_pod x = { .uuid = uuid, .ports = p, .n_ports = 1, .alive = alive };

	*e = (struct err){ 0 };
	return firewall_add(&x, e);
}

static bool one_is_dead(void *ctx, const char *uuid, bool port)
{
	return strcmp(uuid, UUID "1") != 0;
}

TEST(conflicts, "firewall: a port that another pod has is refused with that pod's UUID, a dead pod's is taken over")
{
	WORLD(w);
	struct err e = { 0 };
	struct fw_port any = port(IPPROTO_TCP, 1000, 80, "172.16.28.2", NULL), one = port(IPPROTO_TCP, 1000, 80, "172.16.28.3", "192.0.2.1");
	struct fw_port two = port(IPPROTO_TCP, 1000, 80, "172.16.28.3", "192.0.2.9"), udp = port(IPPROTO_UDP, 1000, 80, "172.16.28.3", NULL);
	struct fw_port six = port(IPPROTO_TCP, 1000, 80, "fd00::12", NULL), range = port(IPPROTO_TCP, 990, 1, "172.16.28.3", NULL);
	range.count = 20;

	CHECK_INT(try_port(UUID "1", &any, NULL, &e), 0);
	CHECK_INT(try_port(UUID "2", &any, NULL, &e), -1);
	CHECK_INT(e.code, EADDRINUSE);
	CHECK_STR(e.msg, "tcp port 1000 of the host is forwarded to pod " UUID "1 already: choose another one with --port, or stop that pod");
	CHECK_INT(try_port(UUID "2", &one, NULL, &e), -1);
	CHECK_INT(e.code, EADDRINUSE);
	CHECK_INT(try_port(UUID "2", &range, NULL, &e), -1);
	CHECK_HAS(e.msg, "tcp port 1000 of the host is forwarded to pod " UUID "1");
	CHECK_INT(try_port(UUID "2", &udp, NULL, &e), 0);
	CHECK_INT(try_port(UUID "3", &six, NULL, &e), 0);
	CHECK_INT(drop(UUID "1"), 0);
	CHECK_INT(try_port(UUID "1", &one, NULL, &e), 0);
	CHECK_INT(try_port(UUID "4", &two, NULL, &e), 0);
	CHECK_INT(try_port(UUID "5", &any, NULL, &e), -1);
	CHECK_HAS(e.msg, "tcp port 1000");
	CHECK_INT(drop(UUID "1"), 0);
	CHECK_INT(try_port(UUID "5", &any, one_is_dead, &e), -1);
	CHECK_HAS(e.msg, UUID "4 already");
	CHECK_INT(drop(UUID "4"), 0);
	CHECK_INT(try_port(UUID "1", &one, NULL, &e), 0);
	CHECK_INT(try_port(UUID "5", &any, one_is_dead, &e), 0);
	CHECK(!world_has("nft list ruleset", UUID "1"));
	CHECK(world_has("nft list ruleset", UUID "5"));
	/* an address of a pod that is gone without anybody having said so */
	const struct fw_net n[] = { net("veth1", "172.16.28.2/24", true, false) };
	CHECK_INT(add(UUID "6", n, 1, NULL, 0), 0);
	CHECK_INT(add(UUID "7", n, 1, NULL, 0), 0);
	CHECK(!world_has("nft list ruleset", UUID "6"));
	CHECK(world_has("nft list ruleset", UUID "7"));
	for (int i = 1; i < 8; i++) {
		char uuid[48];
		snprintf(uuid, sizeof(uuid), UUID "%d", i);
		CHECK_INT(drop(uuid), 0);
	}
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(shared, "firewall: a bridge and a network's chain stay until the last pod on them goes")
{
	WORLD(w);
	const struct fw_net a[] = { net("br0", "10.5.0.2/16", true, true), net("br1", "10.6.0.2/16", true, false) };
	const struct fw_net b[] = { net("br0", "10.5.0.3/16", true, true) };
	const struct fw_net c[] = { net("br2", "10.7.0.3/16", false, false), net("br2", "fd01::3/64", true, false) };

	CHECK_INT(add(UUID "1", a, 2, NULL, 0), 0);
	CHECK_INT(add(UUID "2", b, 1, NULL, 0), 0);
	CHECK_INT(add(UUID "3", c, 2, NULL, 0), 0);
	CHECK_INT(drop(UUID "1"), 0);
	CHECK(world_has("nft list set ip rktbox interfaces", "br0"));
	CHECK(!world_has("nft list set ip rktbox interfaces", "br1"));
	CHECK(world_has("nft list set ip rktbox closed", "br0"));
	CHECK(world_has("nft list ruleset", "chain net-10.5.0.0/16"));
	CHECK(!world_has("nft list ruleset", "chain net-10.6.0.0/16"));
	CHECK_INT(drop(UUID "3"), 0);
	CHECK(!world_has("nft list ruleset", "br2"));
	CHECK(!world_has("nft list ruleset", "net-fd01"));
	CHECK_INT(drop(UUID "2"), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(families, "firewall: a table for each family that pods have; what is closed is closed for both")
{
	WORLD(w);
	const struct fw_net one[] = { net("veth1", "172.16.28.2/24", true, false) };
	const struct fw_net both[] = { net("veth2", "172.16.28.3/24", true, false), net("veth2", "fd00::12/64", true, false) };
	const struct fw_net closed[] = { net("veth3", "172.17.0.2/16", false, true) };

	world_serve(&w, OTHER, SOCK_STREAM, "2001:db8::2", 7);
	CHECK_INT(world_sh(&w, "ip addr add fd99::1/64 dev veth3 nodad; on $pod3 ip addr add fd99::2/64 dev eth0 nodad\n"
		"on $pod3 ip route add default via fd99::1; on $other ip route add fd99::/64 via 2001:db8::1"), 0);
	CHECK_INT(add(UUID "1", one, 1, NULL, 0), 0);
	CHECK(world_has("nft list tables", "table ip rktbox"));
	CHECK(!world_has("nft list tables", "ip6 rktbox"));
	CHECK_INT(add(UUID "2", both, 2, NULL, 0), 0);
	CHECK(world_has("nft list set ip6 rktbox interfaces", "veth2"));
	CHECK(!world_has("nft list tables", "inet"));
	/* the host cannot look for anybody before its own address of the link is known to be the only one */
	for (int i = 0; i < 20 && strcmp(world_ask(&w, POD3, SOCK_STREAM, "2001:db8::2", 7), "fd99::2"); i++)
		usleep(100000);
	CHECK_STR(world_ask(&w, POD3, SOCK_STREAM, "2001:db8::2", 7), "fd99::2");
	CHECK_INT(add(UUID "3", closed, 1, NULL, 0), 0);
	CHECK_STR(world_ask(&w, POD3, SOCK_STREAM, "2001:db8::2", 7), "nothing");
	CHECK_INT(drop(UUID "2"), 0);
	CHECK(!world_has("nft list set ip rktbox interfaces", "veth2"));
	CHECK_STR(world_ask(&w, POD3, SOCK_STREAM, "2001:db8::2", 7), "nothing");
	CHECK_INT(drop(UUID "3"), 0);
	CHECK_STR(world_ask(&w, POD3, SOCK_STREAM, "2001:db8::2", 7), "fd99::2");
	CHECK(!world_has("nft list tables", "ip6 rktbox"));
	CHECK(!world_has("nft list table ip rktbox", "veth3"));
	CHECK(world_has("nft list set ip rktbox interfaces", "veth1"));
	/* as where IPv6 came to the kernel when the closed pod was there */
	CHECK_INT(add(UUID "2", both, 2, NULL, 0), 0);
	CHECK_INT(add(UUID "3", closed, 1, NULL, 0), 0);
	CHECK_INT(world_sh(&w, "nft flush set ip6 rktbox closed; nft flush set ip6 rktbox inside"), 0);
	CHECK_INT(drop(UUID "3"), 0);
	CHECK(!world_has("nft list ruleset", "veth3"));
	CHECK(world_has("nft list set ip6 rktbox interfaces", "veth2"));
	CHECK_INT(drop(UUID "2"), 0);
	CHECK_INT(drop(UUID "1"), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(hooks, "firewall: packets are marked where somebody may look at the mark, and as soon as somebody does")
{
	WORLD(w);
	const struct fw_net one[] = { net("veth1", "172.16.28.2/24", true, false) };
	const struct fw_net both[] = { net("veth2", "172.16.28.3/24", true, false), net("veth2", "fd00::12/64", true, false) };

	CHECK_INT(add(UUID "1", one, 1, NULL, 0), 0);
	CHECK(!world_has("nft list ruleset", "hook forward"));
	CHECK_INT(world_sh(&w, "nft -f - <<'EOF'\n"
		"table inet host { chain f { type filter hook forward priority 0; policy drop; }; }\nEOF"), 0);
	CHECK_INT(add(UUID "2", both, 2, NULL, 0), 0);
	CHECK(world_has("nft list chain ip rktbox forward", "mark-it"));
	CHECK(world_has("nft list chain ip6 rktbox forward", "mark-it"));
	CHECK(world_has("nft list chain inet host f", "comment \"rktbox\""));
	CHECK_INT(drop(UUID "1"), 0);
	CHECK_INT(drop(UUID "2"), 0);
	CHECK(!world_has("nft list ruleset", "rktbox"));
	/* one that only drops in its middle, of one family */
	CHECK_INT(world_sh(&w, "nft flush ruleset; nft -f - <<'EOF'\n"
		"table ip6 host { chain f { type filter hook forward priority 0; tcp dport 7 drop; accept; }; }\nEOF"), 0);
	CHECK_INT(add(UUID "2", both, 2, NULL, 0), 0);
	CHECK(!world_has("nft list table ip rktbox", "hook forward"));
	CHECK(world_has("nft list table ip6 rktbox", "hook forward"));
	CHECK_INT(drop(UUID "2"), 0);
	CHECK_INT(world_sh(&w, "nft flush ruleset"), 0);
	if (world_sh(&w, "iptables-legacy -P FORWARD DROP; iptables-legacy -I FORWARD -m mark --mark 0x72000000/0xff000000 -j ACCEPT")) {
		world_end(&w);
		SKIP("no iptables-legacy in this kernel");
	}
	world_serve(&w, OTHER, SOCK_STREAM, "192.0.2.2", 7);
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "nothing");
	CHECK_INT(add(UUID "1", one, 1, NULL, 0), 0);
	CHECK_STR(world_ask(&w, POD1, SOCK_STREAM, "192.0.2.2", 7), "192.0.2.1");
	CHECK_INT(drop(UUID "1"), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

/* ---- many ---- */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static int one_of_many(int i, bool remove)
{
	char uuid[48], iface[IFNAMSIZ], address[IP_CIDR_MAX];
	struct err e = { 0 };

	snprintf(uuid, sizeof(uuid), "00000000-0000-4000-8000-%012d", i);
	if (remove)
		return firewall_remove(uuid, NULL, &e);
	snprintf(iface, sizeof(iface), "veth%08x", (unsigned)i);
	snprintf(address, sizeof(address), "172.16.%d.%d/16", i / 250, i % 250 + 2);
	const struct fw_net n[] = { net(iface, address, true, false) };
	const struct fw_port p[] = { port(IPPROTO_TCP, 10000 + (unsigned)i, 80, "172.16.28.2", NULL) };
	return add(uuid, n, 1, p, i & 1);
}

TEST(many, "firewall: 300 pods come and go, leave nothing, and cost well under a millisecond each")
{
	WORLD(w);
	int64_t at[4];

	CHECK_INT(one_of_many(1000, false), 0);
	at[0] = now_us();
	for (int i = 0; i < 300; i++)
		CHECK_INT(one_of_many(i, false), 0);
	at[1] = now_us();
	for (int i = 0; i < 300; i++)
		CHECK_INT(one_of_many(i, true), 0);
	at[2] = now_us();
	CHECK_INT(one_of_many(1000, true), 0);
	printf("# %d us to add, %d us to remove\n", (int)(at[1] - at[0]) / 300, (int)(at[2] - at[1]) / 300);
	at[0] = now_us();
	CHECK_INT(one_of_many(1000, false), 0);
	at[1] = now_us();
	CHECK_INT(one_of_many(1000, true), 0);
	at[2] = now_us();
	printf("# the first and last: %d us to add, %d us to remove\n", (int)(at[1] - at[0]), (int)(at[2] - at[1]));
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(range, "firewall: 65535 ports in one transaction")
{
	WORLD(w);
	struct fw_port all = port(IPPROTO_TCP, 1, 1, "172.16.28.2", NULL), last = port(IPPROTO_TCP, 65535, 1, "172.16.28.2", NULL);
	struct err e = { 0 };

	all.count = 65535;
	int64_t at = now_us();
	CHECK_INT(try_port(UUID "1", &all, NULL, &e), 0);
	CHECK_STR(e.msg, "");
	printf("# %d ms to add\n", (int)(now_us() - at) / 1000);
	CHECK_INT(try_port(UUID "2", &last, NULL, &e), -1);
	CHECK_HAS(e.msg, "tcp port 65535 of the host is forwarded to pod " UUID "1");
	last.protocol = IPPROTO_SCTP;
	CHECK_INT(try_port(UUID "2", &last, NULL, &e), 0);
	at = now_us();
	CHECK_INT(drop(UUID "1"), 0);
	printf("# %d ms to remove\n", (int)(now_us() - at) / 1000);
	CHECK(world_has("nft list ruleset", "sctp . 65535"));
	CHECK_INT(drop(UUID "2"), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(at_once, "firewall: eight processes at once lose nothing of each other's")
{
	WORLD(w);
	pid_t pid[8];
	int bad = 0, status;

	for (int i = 0; i < 8; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			int failed = 0;
			for (int k = 0; k < 40; k++) {
				failed |= one_of_many(i * 100 + k, false);
				if (k & 3)
					failed |= one_of_many(i * 100 + k, true);
			}
			_exit(failed != 0);
		}
	}
	for (int i = 0; i < 8; i++)
		bad += waitpid(pid[i], &status, 0) < 0 || status != 0;
	CHECK_INT(bad, 0);
	char *n = world_read("nft list set ip rktbox interfaces | grep -o veth | wc -l");
	CHECK_STR(n, "80");
	free(n);
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 40; k += 4)
			CHECK_INT(one_of_many(i * 100 + k, true), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

TEST(killed, "firewall: who is killed leaves whole pods only")
{
	WORLD(w);

	for (int round = 0; round < 60; round++) {
		pid_t pid = fork();
		if (pid == 0)
			for (int k = 0;; k = (k + 1) % 20) {
				one_of_many(k, false);
				one_of_many((k + 10) % 20, true);
			}
		usleep(1000 + (unsigned)round * 137);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		/* odd pods have a port too, and all an interface */
		CHECK_INT(world_sh(&w, "nft list table ip rktbox >/tmp/net_firewall.$$ 2>&1 || : >/tmp/net_firewall.$$\n"
			"n() { grep -o \"$1\" /tmp/net_firewall.$$ | wc -l; }\n"
			"test $(n 'goto net') = $(n '\"veth[0-9a-f]*\"') && test $(n 'tcp \\. 1....') = $(n '[13579] veth')\n"
			"r=$?; rm /tmp/net_firewall.$$; exit $r"), 0);
	}
	for (int k = 0; k < 20; k++)
		CHECK_INT(one_of_many(k, true), 0);
	CHECK(!world_has("nft list ruleset", "t"));
	world_end(&w);
}

/* ---- none ---- */

TEST(unavailable, "firewall: says what is missing where it cannot work, and removing is no error where nothing can be")
{
	struct err e = { 0 };
	pid_t pid = fork();
	int status = -1;

	/* a user namespace without the network: no capability there */
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(2);
		_exit(!(firewall_available(&e) == -1 && e.code == EPERM && strstr(e.msg, "CAP_NET_ADMIN")));
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		SKIP("needs user namespaces");
	CHECK_INT(status, 0);
	CHECK_INT(drop(UUID "1"), 0);
}

UNIT_MAIN(traffic, beside_nft, beside_iptables, marks, flows, owner, bridged, conflicts, shared, families, hooks, many, range, at_once, killed, unavailable)
