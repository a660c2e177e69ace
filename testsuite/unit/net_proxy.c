/* SPDX-License-Identifier: Apache-2.0
 * net_proxy - unit tests of core/net/proxy*.c: connections and datagrams between network namespaces
 */
#include "core/net/proxy.h"

#include "testsuite/unit/net_world.h"

#include <netinet/in.h>
#include <time.h>

#define WORLD(w)                                                      \
	struct world w;                                               \
	if (geteuid() != 0 || !world_make(&w))                        \
		SKIP("needs root, network namespaces and ip(8)")

static struct fw_port port(int protocol, unsigned host, unsigned pod, const char *pod_ip, const char *host_ip)
{
	struct fw_port p = { .protocol = protocol, .host_port = (uint16_t)host, .pod_port = (uint16_t)pod, .count = 1 };
	struct err e;

	CHECK_INT(ip_parse(pod_ip, &p.pod_ip, &e), 0);
	if (host_ip)
		CHECK_INT(ip_parse(host_ip, &p.host_ip, &e), 0);
	return p;
}

/* a proxy at work; ends with the world */
static bool start(struct world *w, const struct fw_port *ports, size_t n, bool loopback, size_t n_polls)
{
	struct err e = { 0 };
	struct proxy *p = proxy_open(ports, n, loopback, &e);

	CHECK_STR(e.msg, "");
	if (!p)
		return false;
	CHECK_INT(proxy_n_polls(p), n_polls);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(proxy_main(p, &e) < 0);
	}
	w->servers[w->n_servers++] = pid;
	proxy_close(p);
	return true;
}

TEST(localhost, "proxy: serves 127.0.0.1 and ::1, tcp and udp, and nobody else")
{
	WORLD(w);
	const struct fw_port p[] = {
		port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL), port(IPPROTO_UDP, 5353, 53, "172.16.28.2", NULL),
		port(IPPROTO_TCP, 8081, 80, "172.16.28.2", NULL), port(IPPROTO_TCP, 8081, 80, "fd00::11", NULL),
		port(IPPROTO_TCP, 8082, 80, "172.16.28.2", "192.0.2.1"), port(IPPROTO_TCP, 8083, 80, "172.16.28.2", "127.0.0.1"),
		port(IPPROTO_TCP, 8084, 99, "172.16.28.2", NULL),
	};

	world_serve(&w, POD1, SOCK_STREAM, "0.0.0.0", 80);
	world_serve(&w, POD1, SOCK_DGRAM, "0.0.0.0", 53);
	world_serve(&w, POD1, SOCK_STREAM, "fd00::11", 80);
	REQUIRE(start(&w, p, 7, true, 2 + 2 + 1 + 1 + 0 + 1 + 2));
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "127.0.0.1", 8080), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "::1", 8080), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_DGRAM, "127.0.0.1", 5353), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_DGRAM, "::1", 5353), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "127.0.0.1", 8081), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "::1", 8081), "fd00::1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "127.0.0.1", 8083), "172.16.28.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "127.0.0.1", 8084), "refused"); /* nobody hears in the pod */
	for (int i = 8080; i <= 8084; i++) {
		CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", i), "refused");
		CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "192.0.2.1", i), "refused");
	}
	CHECK_STR(world_ask(&w, OTHER, SOCK_DGRAM, "192.0.2.1", 5353), "refused");
	world_end(&w);
}

TEST(all, "proxy: serves everybody where there is no nftables, and answers from the address that was asked")
{
	WORLD(w);
	const struct fw_port p[] = {
		port(IPPROTO_TCP, 8080, 80, "172.17.0.2", NULL), port(IPPROTO_UDP, 5353, 53, "172.17.0.2", NULL),
		port(IPPROTO_TCP, 8082, 80, "172.17.0.2", "192.0.2.77"),
	};

	CHECK_INT(world_sh(&w, "ip addr add 192.0.2.77/24 dev lan; ip addr add 2001:db8::77/64 dev lan nodad"), 0);
	world_serve(&w, POD3, SOCK_STREAM, "0.0.0.0", 80);
	world_serve(&w, POD3, SOCK_DGRAM, "0.0.0.0", 53);
	REQUIRE(start(&w, p, 3, false, 2 + 2 + 1));
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", 8080), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "2001:db8::1", 8080), "172.17.0.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_STREAM, "127.0.0.1", 8080), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.77", 8082), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_STREAM, "192.0.2.1", 8082), "refused");
	CHECK_STR(world_ask(&w, OTHER, SOCK_DGRAM, "192.0.2.1", 5353), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_DGRAM, "192.0.2.77", 5353), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_DGRAM, "2001:db8::1", 5353), "172.17.0.1");
	CHECK_STR(world_ask(&w, OTHER, SOCK_DGRAM, "2001:db8::77", 5353), "172.17.0.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_DGRAM, "127.0.0.1", 5353), "172.17.0.1");
	CHECK_STR(world_ask(&w, HOST, SOCK_DGRAM, "192.0.2.77", 5353), "172.17.0.1");
	world_end(&w);
}

/* ---- streams ---- */

static int connected(const char *address, int number)
{
	union world_addr a;
	socklen_t len = world_addr(&a, address, number);
	int fd = socket(a.a.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval t = { 20, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	if (connect(fd, &a.a, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* a server in pod 1 that does @what with each connection, one after the other */
static void serve_with(struct world *w, int number, void (*what)(int fd))
{
	int ready[2];
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		union world_addr a;
		socklen_t len = world_addr(&a, "0.0.0.0", number);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		int fd = setns(w->ns[POD1], CLONE_NEWNET) < 0 ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, &a.a, len) < 0 || listen(fd, 1000) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;) {
			int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
			what(one);
			close(one);
		}
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &c, 1), 1);
	close(ready[0]);
	w->servers[w->n_servers++] = pid;
}

#define LOTS (64 << 20)
static char block[1 << 16];

static uint64_t sum(uint64_t s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s = s * 31 + (unsigned char)p[i];
	return s;
}

/* reads slowly to the end, then answers with the sum */
static void add_up(int fd)
{
	uint64_t s = 0;
	ssize_t n;

	usleep(300000);
	while ((n = read(fd, block, sizeof(block))) > 0)
		s = sum(s, block, (size_t)n);
	if (write(fd, &s, sizeof(s)) != sizeof(s))
		return;
}

TEST(half_close, "proxy: hands on that one side has ended while the other still answers, and loses nothing of 64 MB that wait")
{
	WORLD(w);
	const struct fw_port p[] = { port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL) };
	uint64_t want = 0, got = 0;

	serve_with(&w, 80, add_up);
	REQUIRE(start(&w, p, 1, true, 2));
	int fd = connected("127.0.0.1", 8080);
	REQUIRE(fd >= 0);
	unsigned x = 1;
	for (size_t done = 0; done < LOTS; done += sizeof(block)) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (char)((x = x * 1103515245u + 12345u) >> 16);
		want = sum(want, block, sizeof(block));
		for (size_t at = 0; at < sizeof(block);) {
			ssize_t n = write(fd, block + at, sizeof(block) - at);
			REQUIRE(n > 0);
			at += (size_t)n;
		}
	}
	CHECK_INT(shutdown(fd, SHUT_WR), 0);
	CHECK_INT(recv(fd, &got, sizeof(got), MSG_WAITALL), sizeof(got));
	CHECK(got == want);
	CHECK_INT(read(fd, &got, 1), 0);
	close(fd);
	world_end(&w);
}

static void reset(int fd)
{
	struct linger l = { 1, 0 };

	if (read(fd, block, 1) == 1)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* writes down how it ended */
static void how_it_ended(int fd)
{
	ssize_t n = read(fd, block, 1);

	while (n > 0)
		n = read(fd, block, 1);
	int out = open("/tmp/net_proxy.end", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dprintf(out, "%s\n", n == 0 ? "end" : errno == ECONNRESET ? "reset" : strerror(errno));
	close(out);
}

/* waits behind the other side's end, without sending anything */
static void after_its_end(int fd)
{
	struct pollfd p = { fd, 0, 0 };

	while (read(fd, block, 1) > 0)
		;
	int out = open("/tmp/net_proxy.end", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dprintf(out, "%s\n", poll(&p, 1, 2000) == 1 && p.revents & POLLERR ? "reset" : "nothing");
	close(out);
}

TEST(resets, "proxy: hands resets on, both ways")
{
	WORLD(w);
	const struct fw_port p[] = { port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL), port(IPPROTO_TCP, 8081, 81, "172.16.28.2", NULL),
				     port(IPPROTO_TCP, 8082, 82, "172.16.28.2", NULL) };
	struct linger l = { 1, 0 };
	char c;

	serve_with(&w, 80, reset);
	serve_with(&w, 81, how_it_ended);
	serve_with(&w, 82, after_its_end);
	REQUIRE(start(&w, p, 3, true, 6));
	int fd = connected("127.0.0.1", 8080);
	CHECK_INT(write(fd, "x", 1), 1);
	CHECK_INT(read(fd, &c, 1), -1);
	CHECK_INT(errno, ECONNRESET);
	close(fd);
	unlink("/tmp/net_proxy.end");
	fd = connected("127.0.0.1", 8081);
	CHECK_INT(write(fd, "x", 1), 1);
	usleep(100000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
	usleep(200000);
	CHECK(world_has("cat /tmp/net_proxy.end", "reset"));
	fd = connected("127.0.0.1", 8081);
	close(fd);
	usleep(200000);
	CHECK(world_has("cat /tmp/net_proxy.end", "end"));
	unlink("/tmp/net_proxy.end");
	fd = connected("127.0.0.1", 8082);
	shutdown(fd, SHUT_WR);
	usleep(100000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
	usleep(200000);
	CHECK(world_has("cat /tmp/net_proxy.end", "reset"));
	unlink("/tmp/net_proxy.end");
	world_end(&w);
}

static void keep_it(int fd)
{
	if (fcntl(fd, F_DUPFD_CLOEXEC, 100) < 0 || write(fd, "k", 1) != 1)
		printf("# cannot keep a connection\n");
}

TEST(many, "proxy: bounds its connections at 512; the next ones wait until there is room, idle ones are not cut")
{
	WORLD(w);
	const struct fw_port p[] = { port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL) };
	static int fds[600];
	int n = 0;
	char c;

	serve_with(&w, 80, keep_it);
	REQUIRE(start(&w, p, 1, true, 2));
	for (int i = 0; i < 600; i++) {
		fds[i] = connected("127.0.0.1", 8080);
		CHECK(fds[i] >= 0);
	}
	usleep(500000);
	for (int i = 0; i < 600; i++)
		n += recv(fds[i], &c, 1, MSG_DONTWAIT) == 1;
	CHECK_INT(n, 512);
	/* closed by us alone: the server keeps its side, so these are reset to make room */
	struct linger l = { 1, 0 };
	for (int i = 0; i < 100; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		close(fds[i]);
	}
	usleep(500000);
	for (int i = 100; i < 600; i++)
		n += recv(fds[i], &c, 1, MSG_DONTWAIT) == 1;
	CHECK_INT(n, 600);
	for (int i = 100; i < 600; i++)
		close(fds[i]);
	world_end(&w);
}

TEST(sessions, "proxy: bounds its sessions of udp; one more takes the place of the oldest")
{
	WORLD(w);
	const struct fw_port p[] = { port(IPPROTO_UDP, 5353, 53, "172.16.28.2", NULL) };
	static int fds[700];
	union world_addr a;
	socklen_t len = world_addr(&a, "127.0.0.1", 5353);
	struct timeval t = { 1, 0 };
	char got[64];
	int n = 0;

	world_serve(&w, POD1, SOCK_DGRAM, "0.0.0.0", 53);
	REQUIRE(start(&w, p, 1, true, 2));
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 700; i++) {
			if (!round) {
				fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
				setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
			}
			if ((round || connect(fds[i], &a.a, len) == 0) && send(fds[i], "?", 1, 0) == 1)
				n += recv(fds[i], got, sizeof(got), 0) > 0;
		}
	CHECK_INT(n, 1400);
	for (int i = 0; i < 700; i++)
		close(fds[i]);
	world_end(&w);
}

static void swallow(int fd)
{
	while (read(fd, block, sizeof(block)) > 0)
		;
}

TEST(throughput, "proxy: carries Gbit/s")
{
	WORLD(w);
	const struct fw_port p[] = { port(IPPROTO_TCP, 8080, 80, "172.16.28.2", NULL) };
	struct timespec a, b;
	char c;

	serve_with(&w, 80, swallow);
	REQUIRE(start(&w, p, 1, true, 2));
	int fd = connected("127.0.0.1", 8080);
	REQUIRE(fd >= 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int64_t left = INT64_C(1) << 30; left > 0;) {
		ssize_t n = write(fd, block, sizeof(block));
		REQUIRE(n > 0);
		left -= n;
	}
	shutdown(fd, SHUT_WR);
	CHECK_INT(read(fd, &c, 1), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("# %.1f Gbit/s\n", 8.0 * (1 << 30) / s / 1e9);
	CHECK(s < 17); /* half a Gbit/s, on a machine that does much else */
	close(fd);
	world_end(&w);
}

/* ---- conflicts ---- */

static int user(int type, const char *address, int number)
{
	union world_addr a;
	socklen_t len = world_addr(&a, address, number);
	int fd = socket(a.a.sa_family, type | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	CHECK_INT(bind(fd, &a.a, len), 0);
	if (type == SOCK_STREAM)
		CHECK_INT(listen(fd, 1), 0);
	return fd;
}

TEST(conflicts, "proxy: a port that a program of the host uses is refused, and the program named")
{
	WORLD(w);
	static const struct { int type, protocol; const char *user, *port, *want; } c[] = {
		{ SOCK_STREAM, IPPROTO_TCP, "0.0.0.0", NULL, "tcp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", NULL, "tcp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "192.0.2.1", NULL, "tcp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "::", NULL, "tcp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "::1", NULL, "tcp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "0.0.0.0", "192.0.2.1", "tcp port 777 of 192.0.2.1 is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", "127.0.0.1", "tcp port 777 of 127.0.0.1 is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_TCP, "192.0.2.1", "127.0.0.1", NULL },
		{ SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", "192.0.2.1", NULL },
		{ SOCK_DGRAM, IPPROTO_UDP, "0.0.0.0", NULL, "udp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_DGRAM, IPPROTO_UDP, "::1", NULL, "udp port 777 of the host is used by net_proxy (pid " },
		{ SOCK_DGRAM, IPPROTO_UDP, "0.0.0.0", "192.0.2.1", "udp port 777 of 192.0.2.1 is used by net_proxy (pid " },
		{ SOCK_STREAM, IPPROTO_UDP, "0.0.0.0", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct fw_port p = port(c[i].protocol, 777, 80, "172.16.28.2", c[i].port);
		struct err e = { 0 };
		int fd = user(c[i].type, c[i].user, 777);
		for (int loopback = 0; loopback < 2; loopback++) {
			struct proxy *x = proxy_open(&p, 1, loopback, &e);
			CHECK_INT(!x, c[i].want != NULL);
			if (c[i].want) {
				CHECK_HAS(e.msg, c[i].want);
				CHECK_INT(e.code, EADDRINUSE);
			}
			proxy_close(x);
		}
		close(fd);
	}
	world_end(&w);
}

TEST(leaves, "proxy: with loopback alone nothing of it stays on other addresses")
{
	WORLD(w);
	struct fw_port p[] = { port(IPPROTO_TCP, 777, 80, "172.16.28.2", NULL), port(IPPROTO_UDP, 777, 80, "172.16.28.2", NULL) };
	struct err e = { 0 };

	p[0].count = 20;
	struct proxy *x = proxy_open(p, 2, true, &e);
	REQUIRE(x);
	CHECK_INT(proxy_n_polls(x), 42);
	close(user(SOCK_STREAM, "192.0.2.1", 777));
	close(user(SOCK_DGRAM, "192.0.2.1", 777));
	proxy_close(x);
	close(user(SOCK_STREAM, "0.0.0.0", 777));
	world_end(&w);
}

TEST(sctp, "proxy: sctp that the kernel lacks is nobody's to connect with, and explained where it would be served")
{
	WORLD(w);
	const struct fw_port p = port(IPPROTO_SCTP, 777, 80, "172.16.28.2", NULL);
	struct err e = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd >= 0) {
		close(fd);
		world_end(&w);
		SKIP("the kernel has sctp");
	}
	struct proxy *x = proxy_open(&p, 1, true, &e);
	REQUIRE(x);
	CHECK_INT(proxy_n_polls(x), 0);
	proxy_close(x);
	CHECK(!proxy_open(&p, 1, false, &e));
	CHECK_HAS(e.msg, "sctp port 777 of the host: the kernel lacks it (CONFIG_IP_SCTP): ");
	world_end(&w);
}

UNIT_MAIN(localhost, all, half_close, resets, many, sessions, throughput, conflicts, leaves, sctp)
