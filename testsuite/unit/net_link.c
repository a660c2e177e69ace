/* SPDX-License-Identifier: Apache-2.0
 * net_link - interfaces, addresses, routes and limits of bandwidth, with the kernel and in namespaces of their own
 */
#include "testsuite/unit/net_kit.h"

#include <linux/if_link.h>

TEST(finds, "link: an interface by its name, or that there is none")
{
	auto_nl struct nl n = NL_NONE;
	struct link l;

	if (!new_host(&n))
		SKIP("needs network namespaces");
	CHECK_INT(link_find(&n, "lo", &l, &e), 1);
	CHECK_STR(l.name, "lo");
	CHECK_STR(l.kind, "");
	CHECK(l.index == 1 && l.up && l.mtu == 65536 && l.master == 0);
	CHECK_INT(link_find(&n, "eth9", &l, &e), 0);
	CHECK_INT(link_get(&n, "eth9", &l, &e), -1);
	CHECK_INT(e.code, ENODEV);
	CHECK_STR(e.msg, "interface eth9: No such device");
	CHECK_INT(link_find(&n, "a-name-that-is-too-long", &l, &e), -1);
	CHECK_HAS(e.msg, "interface a-name-that-is-too-long: ");
	CHECK_INT(link_up(&n, "eth9", &e), -1);
	CHECK_HAS(e.msg, "interface eth9: bring up: No such device");
	OK(link_delete(&n, "eth9", &e));
	CHECK_INT(link_default(&n, &l, &e), -1);
	CHECK_INT(e.code, ENOENT);
}

TEST(macs, "link: addresses of Ethernet")
{
	static const char *const bad[] = { "", "02", "02:00:00:00:00", "02:00:00:00:00:01:", "02:00:00:00:00:0g", "02-00-00-00-00-01",
		"2:0:0:0:0:1", "020000000001", "03:00:00:00:00:01", "02:00:00:00:00:01:02", " 2:00:00:00:00:01" };
	uint8_t mac[LINK_MAC_LEN];
	char text[LINK_MAC_TEXT];

	CHECK(link_mac_parse("0a:1B:2c:9D:e0:fF", mac));
	CHECK_STR(link_mac_text(mac, text), "0a:1b:2c:9d:e0:ff");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!link_mac_parse(bad[i], mac));
}

TEST(veths, "link: a pair of interfaces, one here and one in the pod")
{
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	const uint8_t mac[LINK_MAC_LEN] = { 2, 0, 0, 0, 0, 7 };
	struct link a, b;

	if (!new_host(&host))
		SKIP("needs network namespaces");
	const struct link_new eth0 = { "eth0", new_pod(&pod), 1400, mac }, eth1 = { "eth1", eth0.netns_fd, 0, NULL };
	OK(link_veth(&host, "veth1", &eth0, 0, &a, &e));
	CHECK_STR(a.name, "veth1");
	OK(link_get(&host, "veth1", &b, &e));
	CHECK_INT(a.index, b.index);
	CHECK(!memcmp(a.mac, b.mac, sizeof(a.mac)));
	CHECK(b.up && b.mtu == 1400);
	CHECK_STR(b.kind, "veth");
	OK(link_get(&pod, "eth0", &b, &e));
	CHECK(!b.up && b.mtu == 1400 && !memcmp(b.mac, mac, sizeof(mac)));
	CHECK(sh(-1, "ip -d link show group 7498612 | grep -q veth1"));

	CHECK_INT(link_veth(&host, "veth1", &eth1, 0, &a, &e), -1);
	CHECK_INT(e.code, EEXIST);
	CHECK_STR(e.msg, "interface veth1: make veth: there is an interface of that name already");
	CHECK_INT(link_veth(&host, "veth2", &eth0, 0, &a, &e), -1);
	CHECK_INT(link_find(&host, "veth2", &a, &e), 0); /* nothing half is left */
	OK(link_delete(&host, "veth1", &e));
	CHECK_INT(link_find(&pod, "eth0", &a, &e), 0);
	close(eth0.netns_fd);
}

TEST(addresses, "link: addresses and routes, in one go, again without harm, and errors that name them")
{
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct ip_cidr a4 = cidr("10.9.0.2/24"), a6 = cidr("fd09::2/64"), all4 = cidr("0.0.0.0/0"), all6 = cidr("::/0"), far = cidr("10.8.0.0/16");
	struct ip gw4 = cidr("10.9.0.1/24").ip, gw6 = cidr("fd09::1/64").ip, wrong = cidr("10.7.0.1/8").ip;
	struct link a, b;

	if (!new_host(&host))
		SKIP("needs network namespaces");
	const struct link_new eth0 = { "eth0", new_pod(&pod), 0, NULL };
	OK(link_veth(&host, "veth1", &eth0, 0, &a, &e));
	give(&host, "veth1", "10.9.0.1/24");
	give(&host, "veth1", "fd09::1/64");
	OK(link_get(&pod, "eth0", &b, &e));
	for (int i = 0; i < 2; i++) {
		NL_MSG(m, 7 * LINK_CHANGE_MAX);
		link_put_address(&m, b.index, &a4, true);
		link_put_up(&m, b.index, IFF_UP);
		link_put_address(&m, b.index, &a6, true);
		link_put_route(&m, b.index, &all4, &gw4, &a4.ip, false);
		link_put_route(&m, b.index, &all6, &gw6, NULL, false);
		link_put_route(&m, b.index, &far, NULL, NULL, true);
		OK(link_apply(&pod, &m, "eth0", &e));
	}
	CHECK(sh(eth0.netns_fd, "ip -4 -o addr show dev eth0 | grep -q 'inet 10.9.0.2/'"));
	CHECK(sh(eth0.netns_fd, "ip -6 -o addr show dev eth0 | grep -q 'inet6 fd09::2/'"));
	CHECK(sh(eth0.netns_fd, "ip route show default | grep -q 'via 10.9.0.1 dev eth0 .*src 10.9.0.2'"));
	CHECK(sh(eth0.netns_fd, "ip route show 10.8.0.0/16 | grep -q 'dev eth0 .*scope link'"));
	CHECK(sh(eth0.netns_fd, "ip -6 route show default | grep -q 'via fd09::1 dev eth0'"));
	CHECK(sh(eth0.netns_fd, "ip addr show eth0 | grep -q 'inet 10.9.0.2/24 brd 10.9.0.255'"));
	CHECK(!sh(eth0.netns_fd, "ip -6 addr show eth0 | grep fd09 | grep -q tentative"));
	CHECK(arrives(eth0.netns_fd, this_net(), "10.9.0.1"));
	CHECK(arrives(eth0.netns_fd, this_net(), "fd09::1"));
	OK(link_default(&pod, &a, &e));
	CHECK_STR(a.name, "eth0");

	NL_MSG(bad, 3 * LINK_CHANGE_MAX);
	link_put_up(&bad, b.index, IFF_UP);
	link_put_route(&bad, b.index, &far, &wrong, NULL, true);
	CHECK_INT(link_apply(&pod, &bad, "eth0", &e), -1);
	CHECK_INT(e.code, ENETUNREACH);
	CHECK_HAS(e.msg, "interface eth0: add route 10.8.0.0/16: Network ");
	bad.len = 0;
	link_put_address(&bad, 1000, &a6, true);
	CHECK_INT(link_apply(&pod, &bad, "eth0", &e), -1);
	CHECK_HAS(e.msg, "interface eth0: add address fd09::2/64: ");
	bad.len = 0;
	link_put_up(&bad, 1000, IFF_UP);
	CHECK_INT(link_apply(&pod, &bad, "eth0", &e), -1);
	CHECK_HAS(e.msg, "interface eth0: bring up: ");
	close(eth0.netns_fd);
}

TEST(largest, "link: the largest change fits what is set aside for one")
{
	struct ip_cidr a = cidr("ffff::1/128");
	NL_MSG(m, LINK_CHANGE_MAX);

	link_put_route(&m, 1, &a, &a.ip, &a.ip, true);
	CHECK(!m.overflow);
	m.len = 0;
	link_put_address(&m, 1, &a, true);
	CHECK(!m.overflow);
	m.len = 0;
	link_put_port(&m, 1, true, 5, false);
	CHECK(!m.overflow);
}

TEST(bridges, "link: a bridge is made once, and keeps its address whatever its ports are")
{
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct link br, again, v;

	if (!new_host(&host))
		SKIP("needs network namespaces");
	OK(link_bridge(&host, "rkt0", 1300, false, &br, &e));
	CHECK(!br.up && br.mtu == 1300);
	CHECK_STR(br.kind, "bridge");
	const struct link_new eth0 = { "eth0", new_pod(&pod), 0, (const uint8_t[]){ 2, 0, 0, 0, 0, 9 } };
	OK(link_veth(&host, "veth1", &eth0, br.index, &v, &e));
	give(&host, "rkt0", "10.9.0.1/24");
	give(&pod, "eth0", "10.9.0.2/24");
	OK(link_bridge(&host, "rkt0", 0, false, &again, &e));
	CHECK(again.index == br.index && !memcmp(again.mac, br.mac, sizeof(br.mac)) && again.up);
	OK(link_get(&host, "veth1", &v, &e));
	CHECK_INT(v.master, br.index);
	CHECK(arrives(eth0.netns_fd, this_net(), "10.9.0.1"));

	NL_MSG(m, LINK_CHANGE_MAX);
	link_put_port(&m, v.index, true, 0, false);
	link_put_up(&m, br.index, IFF_PROMISC);
	OK(link_apply(&host, &m, "veth1", &e));
	CHECK(sh(-1, "bridge -d link show dev veth1 | grep -q 'hairpin on'"));
	CHECK(sh(-1, "ip link show rkt0 | grep -q PROMISC"));
	CHECK_INT(link_bridge(&host, "veth1", 0, false, &again, &e), -1);
	CHECK_STR(e.msg, "interface veth1: is there, but not a bridge");
	close(eth0.netns_fd);
}

TEST(children, "link: macvlan, and kinds that the kernel does not have")
{
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct link a, b, m;

	if (!new_host(&host))
		SKIP("needs network namespaces");
	const struct link_new up = { "up", -1, 1440, NULL }, eth0 = { "eth0", new_pod(&pod), 0, NULL };
	const struct link_new eth1 = { "eth1", eth0.netns_fd, 1280, NULL }, eth2 = { "eth2", eth0.netns_fd, 0, NULL };
	OK(link_veth(&host, "veth1", &up, 0, &a, &e));
	OK(link_get(&host, "up", &b, &e));
	OK(link_child(&host, "macvlan", b.index, MACVLAN_MODE_BRIDGE, &eth0, &e));
	OK(link_get(&pod, "eth0", &m, &e));
	CHECK_STR(m.kind, "macvlan");
	CHECK(m.mtu == 1440 && !m.up && memcmp(m.mac, b.mac, sizeof(m.mac)));
	OK(link_child(&host, "macvlan", b.index, MACVLAN_MODE_PRIVATE, &eth1, &e));
	OK(link_get(&pod, "eth1", &m, &e));
	CHECK_INT(m.mtu, 1280);
	CHECK(sh(eth0.netns_fd, "ip -d link show eth0 | grep -q 'macvlan mode bridge'"));
	CHECK(sh(eth0.netns_fd, "ip -d link show eth1 | grep -q 'macvlan mode private'"));
	CHECK_INT(link_child(&host, "macvlan", b.index, MACVLAN_MODE_PASSTHRU, &eth2, &e), -1);
	CHECK_HAS(e.msg, "interface eth2: make macvlan: ");
	CHECK_INT(link_child(&host, "macvlan", 1000, MACVLAN_MODE_BRIDGE, &eth2, &e), -1);
	CHECK_INT(link_child(&host, "nosuch", b.index, 0, &eth2, &e), -1);
	CHECK_INT(e.code, ENOTSUP);
	CHECK_STR(e.msg, "interface eth2: make nosuch: the kernel has no interfaces of the kind nosuch (see rkt doctor nosuch)");
	close(eth0.netns_fd);
}

/* ---- bandwidth ---- */

struct tcp { struct sockaddr_in at; int socket; };

static int open_tcp(void *ctx, struct err *err)
{
	struct tcp *t = ctx;

	t->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return t->socket < 0 ? err_sys(err, "socket") : 0;
}

static double now(void)
{
	return (double)now_ns() / 1e9;
}

static double read_for(int fd, double seconds)
{
	static char room[1 << 20];
	double sum = 0, begin = now();
	ssize_t n;

	while (now() < begin + seconds && (n = read(fd, room, sizeof(room))) > 0)
		sum += (double)n;
	return sum / (now() - begin);
}

/* bytes of frames per second that arrive from the pod, after the first moments */
static double measure(int pod_fd, double seconds)
{
	static char room[1 << 20];
	struct tcp here = { .at = { .sin_family = AF_INET, .sin_port = htons(4243), .sin_addr.s_addr = htonl(0x0a090001) } }, there = here;

	OK(open_tcp(&here, &e));
	OK(inside_call(pod_fd, open_tcp, &there, &e));
	CHECK(setsockopt(here.socket, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	CHECK(bind(here.socket, (struct sockaddr *)&here.at, sizeof(here.at)) == 0 && listen(here.socket, 1) == 0);
	CHECK(connect(there.socket, (struct sockaddr *)&there.at, sizeof(there.at)) == 0);
	int fd = accept(here.socket, NULL, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		while (write(there.socket, room, sizeof(room)) > 0)
			;
		_exit(0);
	}
	close(there.socket);
	read_for(fd, 0.3);
	double rate = read_for(fd, seconds);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	close(here.socket);
	return rate * 1514 / 1448;
}

TEST(shapes, "link: a limit of bandwidth is kept, and reached")
{
	static const struct { int64_t rate; double seconds, least; } v[] = {
		{ 100000, 2, 0.95 }, { 3000000, 1, 0.95 }, { 40000000, 1, 0.9 },
		{ 1000000000, 1, 0.1 }, /* of a machine that is slow or busy as much cannot be asked */
	};
	auto_nl struct nl host = NL_NONE, pod = NL_NONE;
	struct link l;

	if (!new_host(&host))
		SKIP("needs network namespaces");
	const struct link_new eth0 = { "eth0", new_pod(&pod), 0, NULL };
	OK(link_veth(&host, "veth1", &eth0, 0, &l, &e));
	give(&host, "veth1", "10.9.0.1/24");
	give(&pod, "eth0", "10.9.0.2/24");
	OK(link_get(&pod, "eth0", &l, &e));
	if (link_shape(&pod, l.index, l.mtu, 100000, &e) < 0 && e.code == ENOENT)
		SKIP("the kernel has no tbf");
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		OK(link_shape(&pod, l.index, l.mtu, v[i].rate, &e)); /* in place of the one before */
		double part = measure(eth0.netns_fd, v[i].seconds) / (double)v[i].rate;
		printf("# %.1f MB/s: %.3f of that\n", (double)v[i].rate / 1e6, part);
		CHECK(part > v[i].least && part < 1.05);
	}
	OK(link_shape(&pod, l.index, l.mtu, 20000000000, &e)); /* more than 32 bits */
	CHECK(sh(eth0.netns_fd, "tc qdisc show dev eth0 | grep -q 'tbf .*rate 160Gbit'"));
	OK(link_shape(&pod, l.index, l.mtu, 0, &e));
	CHECK(!sh(eth0.netns_fd, "tc qdisc show dev eth0 | grep -q 'rate 0'"));
	CHECK_INT(link_shape(&pod, 1000, 1500, 1000, &e), -1);
	CHECK_HAS(e.msg, "limit of bandwidth: ");
	close(eth0.netns_fd);
}

UNIT_MAIN(finds, macs, veths, addresses, largest, bridges, children, shapes)
