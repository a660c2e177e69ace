/* SPDX-License-Identifier: Apache-2.0
 * net_dhcp - unit tests of DHCP: packets, and our client against udhcpd on the other end of a veth pair, with leases of
 * seconds, so that renewing, being refused and running out happen while one waits
 */
#include "core/net/dhcp_packet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/net/dhcp_client.h"
#include "core/net/join.h"
#include "testsuite/unit/unit.h"

/* ---- packets ---- */

#define XID 0x01020304
static const uint8_t mac[DHCP_MAC_LEN] = { 2, 0, 0, 0, 0, 1 };

struct packet { uint8_t b[2048]; size_t len; };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned sum(const uint8_t *p, size_t len)
{
	uint32_t s = 0;

	for (size_t i = 0; i < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static void seal(struct packet *p)
{
	put16(p->b + 2, (unsigned)p->len);
	put16(p->b + 24, (unsigned)p->len - 20);
	put16(p->b + 10, 0);
	put16(p->b + 10, sum(p->b, 20));
}

/* an answer of 10.0.0.1 that lends 10.0.0.5; @options: what stands behind type, server and lease */
static void make(struct packet *p, uint8_t type, const void *options, size_t len)
{
	static const uint8_t head[] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 255, 255, 255, 255,
					0, 67, 0, 68, 0, 0, 0, 0, 2, 1, 6, 0, 1, 2, 3, 4 };
	uint8_t *b = p->b + 28;

	memset(p, 0, sizeof(*p));
	memcpy(p->b, head, sizeof(head));
	memcpy(b + 16, "\12\0\0\5", 4);
	memcpy(b + 28, mac, sizeof(mac));
	memcpy(b + 236, "\143\202\123\143\065\1\0\066\4\12\0\0\1\063\4\0\0\0\144", 4 + 3 + 6 + 6);
	b[242] = type;
	memcpy(b + 255, options, len);
	p->len = 28 + 255 + len;
	seal(p);
}

#define MAKE(p, type, options) make((p), (type), (options), sizeof(options) - 1)

static bool takes(const struct packet *p, struct dhcp_answer *a)
{
	/* from memory that ends where the packet does, which the sanitizer watches */
	uint8_t *copy = malloc(p->len);

	if (!copy)
		exit(2);
	memcpy(copy, p->b, p->len);
	bool r = dhcp_read(copy, p->len, XID, mac, a);
	free(copy);
	return r;
}

#define ROUTER "\3\4\12\0\0\1"
#define MASK   "\1\4\377\377\377\0"

TEST(plain, "dhcp: address, mask, router, name servers, domain and times of an answer")
{
	struct packet p;
	struct dhcp_answer a;
	char t[IP_CIDR_MAX];

	MAKE(&p, DHCP_ACK, MASK ROUTER "\6\10\12\0\0\1\12\0\0\2\17\14example.org\0\72\4\0\0\0\12\73\4\0\0\0\24\377");
	REQUIRE(takes(&p, &a));
	CHECK_INT(a.type, DHCP_ACK);
	CHECK_STR(ip_cidr_text(&a.address, t), "10.0.0.5/24");
	CHECK_STR(ip_text(&a.server, t), "10.0.0.1");
	CHECK_STR(ip_text(&a.gateway, t), "10.0.0.1");
	CHECK_INT(a.n_dns, 2);
	CHECK_STR(a.domain, "example.org");
	CHECK_INT(a.lease_s, 100);
	CHECK_INT(a.t1_s, 10);
	CHECK_INT(a.t2_s, 20);
	REQUIRE(a.n_routes == 1);
	CHECK_STR(ip_cidr_text(&a.routes[0].dst, t), "0.0.0.0/0");
	CHECK_STR(ip_text(&a.routes[0].gw, t), "10.0.0.1");
}

TEST(lacking, "dhcp: what an answer does not say is what the standards say")
{
	struct packet p;
	struct dhcp_answer a;

	MAKE(&p, DHCP_OFFER, "\377");
	REQUIRE(takes(&p, &a));
	CHECK_INT(a.address.prefix, 8);
	CHECK_INT(a.t1_s, 50);
	CHECK(a.t2_s > 80 && a.t2_s < 100);
	CHECK(a.n_routes == 0 && !a.gateway.len && !a.n_dns && !*a.domain);
	MAKE(&p, DHCP_OFFER, "\72\4\0\0\0\144\73\4\0\0\0\24\1\4\377\0\377\0"); /* T1 behind T2; a mask with a gap; no end */
	REQUIRE(takes(&p, &a));
	CHECK_INT(a.t1_s, 50);
	CHECK_INT(a.address.prefix, 8);
	MAKE(&p, DHCP_OFFER, "\72\2\0\1\6\3\12\0\0\17\3a;b\377"); /* of lengths that they cannot have; no domain */
	REQUIRE(takes(&p, &a));
	CHECK_INT(a.t1_s, 50);
	CHECK(!a.n_dns && !*a.domain);
}

TEST(times, "dhcp: leases for ever, and those too short to be kept")
{
	static const struct { const char *lease; uint32_t s; bool good; } t[] = {
		{ "\377\377\377\377", DHCP_FOREVER, true }, { "\0\0\0\0", 0, false }, { "\0\0\0\1", 4, true },
		{ "\0\0\0\7", 7, true }, { "\377\377\377\376", 0xfffffffe, true },
	};
	struct packet p;
	struct dhcp_answer a;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		MAKE(&p, DHCP_ACK, "\377");
		memcpy(p.b + 28 + 251, t[i].lease, 4);
		CHECK_INT(takes(&p, &a), t[i].good);
		if (!t[i].good)
			continue;
		CHECK_INT(a.lease_s, t[i].s);
		CHECK(a.t1_s && (t[i].s == DHCP_FOREVER ? a.t1_s == t[i].s && a.t2_s == t[i].s : a.t1_s < a.t2_s && a.t2_s < a.lease_s));
	}
}

TEST(routes, "dhcp: classless routes go before the router; those in pieces are put together")
{
	struct packet p;
	struct dhcp_answer a;
	char t[IP_CIDR_MAX];

	MAKE(&p, DHCP_ACK, MASK ROUTER "\171\11\30\300\250\7\12\0\0\2\0\171\4\12\0\0\3\377");
	REQUIRE(takes(&p, &a));
	REQUIRE(a.n_routes == 2);
	CHECK_STR(ip_cidr_text(&a.routes[0].dst, t), "192.168.7.0/24");
	CHECK_STR(ip_text(&a.routes[0].gw, t), "10.0.0.2");
	CHECK_STR(ip_cidr_text(&a.routes[1].dst, t), "0.0.0.0/0");
	CHECK_STR(ip_text(&a.routes[1].gw, t), "10.0.0.3");
	MAKE(&p, DHCP_ACK, ROUTER "\171\10\30\300\250\7\0\0\0\0\377"); /* on the link */
	REQUIRE(takes(&p, &a));
	CHECK(a.n_routes == 1 && !a.routes[0].gw.len && !a.gateway.len);
	MAKE(&p, DHCP_ACK, "\171\5\41\12\0\0\2\377");
	CHECK(!takes(&p, &a)); /* 33 bits */
	MAKE(&p, DHCP_ACK, "\171\6\30\300\250\12\0\0\377");
	CHECK(!takes(&p, &a)); /* ends in the middle */
}

TEST(overload, "dhcp: options may go on in the fields for file and server name")
{
	struct packet p;
	struct dhcp_answer a;

	MAKE(&p, DHCP_ACK, "\64\1\3\377");
	memcpy(p.b + 28 + 108, ROUTER "\377", 7);
	memcpy(p.b + 28 + 44, "\6\4\12\0\0\11\377", 7);
	REQUIRE(takes(&p, &a));
	CHECK(a.gateway.len == 4 && a.n_dns == 1);
	memcpy(p.b + 28 + 44, "\6\100\12\0", 4);
	CHECK(!takes(&p, &a)); /* longer than the field */
}

TEST(nak, "dhcp: a refusal needs no address, and its reason is printable")
{
	struct packet p;
	struct dhcp_answer a;

	MAKE(&p, DHCP_NAK, "\70\6no\33[1m\377");
	memset(p.b + 28 + 16, 0, 4);
	REQUIRE(takes(&p, &a));
	CHECK_INT(a.type, DHCP_NAK);
	CHECK_STR(a.text, "no?[1m");
}

TEST(refused, "dhcp: what is no answer to us, or not whole, is not taken")
{
	/* one byte of a good answer, and what it may not be */
	static const struct { size_t at; uint8_t is; const char *what; } wrong[] = {
		{ 0, 0x65, "version" }, { 0, 0x44, "head too short" }, { 0, 0x4f, "head longer than it is" }, { 9, 6, "TCP" },
		{ 6, 0x20, "a fragment follows" }, { 7, 1, "a later fragment" }, { 2, 0xff, "longer than it is" },
		{ 21, 66, "from another port" }, { 23, 67, "to another port" }, { 24, 0xff, "UDP longer than IP" },
		{ 28, 1, "a question" }, { 29, 2, "no Ethernet" }, { 30, 8, "another address length" }, { 35, 9, "xid" },
		{ 28 + 16, 0, "0.0.0.5" }, { 28 + 16, 224, "multicast" }, { 28 + 16, 127, "loopback" },
		{ 28 + 28, 9, "another client's" }, { 28 + 236, 9, "magic" }, { 28 + 242, 4, "another type" },
		{ 28 + 242, 0, "no type" }, { 28 + 245, 255, "server is broadcast" }, { 28 + 250, 200, "option longer than all" },
	};
	struct packet good, p;
	struct dhcp_answer a;

	MAKE(&good, DHCP_ACK, "\377");
	REQUIRE(takes(&good, &a));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		p = good;
		p.b[wrong[i].at] = wrong[i].is;
		if (wrong[i].at < 20) {
			put16(p.b + 10, 0);
			put16(p.b + 10, sum(p.b, 20));
		}
		CHECK(!takes(&p, &a));
		if (takes(&p, &a))
			printf("# taken: %s\n", wrong[i].what);
	}
	p = good;
	p.b[8]--;
	CHECK(!takes(&p, &a)); /* the checksum */
	for (size_t n = 0; n < good.len - 1; n++) {
		p = good;
		p.len = n;
		CHECK(!takes(&p, &a)); /* cut off by the network */
		if (n < 28)
			continue;
		seal(&p);
		bool whole = n >= 28 + 255 - 1; /* then only the end mark lacks */
		CHECK_INT(takes(&p, &a), whole && n >= 28 + 255);
	}
}

TEST(ours, "dhcp: questions have what servers look for, and checksums that fit")
{
	struct ip me = { 4, { 10, 0, 0, 5 } }, server = { 4, { 10, 0, 0, 1 } };
	struct dhcp_question q = { .type = DHCP_REQUEST, .xid = XID, .mac = mac, .uuid = "6f1c", .ifname = "eth0", .hostname = "web",
				   .wanted = me, .server = server };
	uint8_t b[DHCP_PACKET_MAX], pseudo[DHCP_PACKET_MAX + 12];

	size_t len = dhcp_write(&q, b);
	CHECK(len >= 28 + 300 && !(len % 2));
	CHECK_INT(sum(b, 20), 0);
	memcpy(pseudo, b + 12, 8);
	memcpy(pseudo + 8, "\0\21", 2);
	memcpy(pseudo + 10, b + 24, 2);
	memcpy(pseudo + 12, b + 20, len - 20);
	CHECK_INT(sum(pseudo, len - 20 + 12), 0);
	CHECK(!memcmp(b + 16, "\377\377\377\377", 4) && b[28 + 10] == 0x80);
	CHECK(memmem(b, len, "\75\12\0" "6f1c/eth0", 12) && memmem(b, len, "\14\3web", 5));
	CHECK(memmem(b, len, "\62\4\12\0\0\5", 6) && memmem(b, len, "\66\4\12\0\0\1", 6));
	q = (struct dhcp_question){ .type = DHCP_RELEASE, .mac = mac, .uuid = "6f1c", .ifname = "eth0", .hostname = "web", .mine = me, .server = server,
				    .to = server };
	len = dhcp_write(&q, b);
	CHECK(!memcmp(b + 12, me.b, 4) && !memcmp(b + 16, server.b, 4) && !b[28 + 10] && !memmem(b, len, "\62\4", 2) &&
	      !memmem(b, len, "web", 3));
}

/* ---- a server on the other end ---- */

static char dir[PATH_MAX];
static pid_t holder, server, worker;
static int pod_fd = -1, ear = -1; /* the pod's network namespace; hears what the server hears */

__attribute__((format(printf, 1, 2))) static int sh(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

/* in the pod's network namespace; the first line that comes out */
__attribute__((format(printf, 1, 2))) static const char *pod_sh(const char *fmt, ...)
{
	static char out[4096];
	char cmd[1024];
	int n = snprintf(cmd, sizeof(cmd), "nsenter --net=/proc/%d/ns/net ", (int)holder);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - (size_t)n, fmt, ap);
	va_end(ap);
	FILE *f = popen(cmd, "r");
	out[f ? fread(out, 1, sizeof(out) - 1, f) : 0] = '\0';
	if (f)
		pclose(f);
	return out;
}

static void stop(pid_t *pid)
{
	if (*pid > 0 && kill(*pid, SIGKILL) == 0)
		waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* lends 10.9.0.@last for 6 s; @forget: whatever it lent before */
static void start_server(unsigned last, bool forget)
{
	char conf[PATH_MAX + 20];

	snprintf(conf, sizeof(conf), "%s/conf", dir);
	FILE *f = fopen(conf, "w");
	CHECK(f && fprintf(f, "start 10.9.0.%u\nend 10.9.0.%u\ninterface srv\nlease_file %s/leases\npidfile %s/pid\nmin_lease 1\n"
			   "opt subnet 255.255.255.0\nopt router 10.9.0.1\nopt dns 10.9.0.1\nopt domain example.org\nopt lease 6\n",
			   last, last, dir, dir) > 0 && fclose(f) == 0);
	snprintf(conf, sizeof(conf), "%s/leases", dir);
	if (forget)
		unlink(conf);
	close(open(conf, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	server = child();
	if (server == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		dup2(null, 2);
		execlp("udhcpd", "udhcpd", "-f", conf, (char *)NULL);
		_exit(127);
	}
	pause_ms(300);
}

/* false: why not, for SKIP */
static bool begin(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		return false;
	snprintf(dir, sizeof(dir), "/run/test");
	CHECK(mkdir(dir, 0700) == 0);
	int ready[2];
	CHECK(pipe(ready) == 0);
	holder = child();
	if (holder == 0) {
		char x = (char)unshare(CLONE_NEWNET);
		(void)!write(ready[1], &x, 1);
		for (;;)
			pause();
	}
	char x = 1;
	CHECK(read(ready[0], &x, 1) == 1 && x == 0);
	close(ready[0]);
	close(ready[1]);
	CHECK_INT(sh("ip link set lo up && ip link add srv type veth peer name eth0 netns %d && ip addr add 10.9.0.1/24 dev srv && "
		     "ip link set srv up", (int)holder), 0);
	CHECK_STR(pod_sh("ip link set eth0 up 2>&1"), "");
	snprintf(dir, sizeof(dir), "/proc/%d/ns/net", (int)holder);
	pod_fd = open(dir, O_RDONLY | O_CLOEXEC);
	snprintf(dir, sizeof(dir), "/run/test");
	ear = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP));
	CHECK(pod_fd >= 0 && ear >= 0);
	return true;
}

static void end(void)
{
	stop(&worker);
	stop(&server);
	stop(&holder);
	close(pod_fd);
	close(ear);
	CHECK_INT(umount2("/run", MNT_DETACH), 0);
}

/* What the server has heard since this was last asked: D(iscover), R(equest) to all, r(equest) to it alone, l: release */
static const char *heard(void)
{
	static char out[200];
	uint8_t b[2048];
	ssize_t n;
	size_t at = 0;

	while ((n = recv(ear, b, sizeof(b), 0)) > 0)
		if (n > 28 + 243 && b[9] == 17 && b[23] == 67 && at < sizeof(out) - 1) {
			static const char all[] = "?D?R???L", one[] = "?d?r???l";
			out[at++] = (b[16] == 255 ? all : one)[b[28 + 242] & 7];
		}
	out[at] = '\0';
	return out;
}

static struct dhcp_leases leases;
static struct net_result result;
static cJSON *conf;

static struct net_join joining(void)
{
	static struct net_held held;

	if (!conf)
		conf = cJSON_Parse("{\"name\":\"lan\",\"type\":\"macvlan\",\"ipam\":{\"type\":\"dhcp\"}}");
	return (struct net_join){ .uuid = "00000001-0000-4000-8000-000000000000", .network = "lan", .ifname = "eth0", .conf = conf,
				  .args = "", .netns_fd = pod_fd, .held = &held, .dhcp = &leases, .host_mnt_fd = -1 };
}

static bool wait_for(int s, const char *cmd, const char *want)
{
	for (int i = 0; i < s * 5; i++) {
		if (strstr(pod_sh("%s", cmd), want))
			return true;
		pause_ms(200);
	}
	printf("# %s: %s\n#   lacks %s\n", cmd, pod_sh("%s", cmd), want);
	return false;
}

#define SHOW_ADDRESS "ip -4 -o addr show dev eth0"

TEST(kept, "dhcp: an address is lent, kept, replaced when it is refused, dropped when its time is over, and given back")
{
	struct err e = { 0 };
	char text[IP_CIDR_MAX];
	struct stat st;

	if (!begin())
		SKIP("needs namespaces of its own");
	start_server(10, true);
	struct net_join j = joining();
	CHECK_INT(ipam_add(&j, &result, &e), 0);
	if (e.code)
		printf("# %s\n", e.msg);
	REQUIRE(result.n_ips == 1 && result.n_routes == 1 && result.dns.n_servers == 1);
	ip_cidr_text(&result.ips[0].address, text);
	CHECK_STR(text, "10.9.0.10/24");
	CHECK_STR(result.dns.domain, "example.org");
	const char *h = heard();
	CHECK(*h == 'D'); /* udhcpd first looks whether the address is free, so we may ask twice */
	CHECK_STR(h + strspn(h, "D"), "R");
	CHECK(leases.n == 1 && dhcp_next_ms(&leases) > clock_ms(CLOCK_BOOTTIME) && dhcp_next_ms(&leases) <= clock_ms(CLOCK_BOOTTIME) + 3000);
	CHECK(stat("/run/rkt/networks/lan/dhcp-00000001-0000-4000-8000-000000000000-eth0", &st) == 0 && (st.st_mode & 0777) == 0600);
	/* what the network type does */
	CHECK_STR(pod_sh("sh -c 'ip addr add %s dev eth0 && ip route add default via 10.9.0.1' 2>&1", text), "");

	worker = child();
	if (worker == 0) {
		dhcp_work(&leases, &e);
		_exit(1);
	}
	pause_ms(8000); /* longer than the lease */
	CHECK_HAS(pod_sh(SHOW_ADDRESS), "10.9.0.10/24");
	CHECK_HAS(pod_sh(SHOW_ADDRESS), "valid_lft ");
	CHECK(!strstr(pod_sh(SHOW_ADDRESS), "forever"));
	CHECK(strspn(heard(), "r") >= 2);

	/* the server is another one, which nobody but a question to all reaches */
	stop(&server);
	CHECK_INT(sh("ip addr del 10.9.0.1/24 dev srv && ip addr add 10.9.0.2/24 dev srv"), 0);
	start_server(10, false);
	pause_ms(7000);
	CHECK_HAS(pod_sh(SHOW_ADDRESS), "10.9.0.10/24");
	CHECK_HAS(heard(), "R");

	/* it knows nothing of us any more, and has other addresses */
	stop(&server);
	start_server(15, true);
	CHECK(wait_for(10, SHOW_ADDRESS, "10.9.0.15/24"));
	CHECK(!strstr(pod_sh(SHOW_ADDRESS), "10.9.0.10/"));
	CHECK_HAS(heard(), "DR");
	CHECK_HAS(pod_sh("ip route"), "default via 10.9.0.1 dev eth0");

	/* it is gone, and comes back */
	stop(&server);
	pause_ms(7000);
	CHECK_STR(pod_sh(SHOW_ADDRESS), "");
	start_server(15, true);
	CHECK(wait_for(15, SHOW_ADDRESS, "10.9.0.15/24"));
	CHECK_HAS(pod_sh("ip route"), "default via 10.9.0.1 dev eth0");
	stop(&worker);
	heard();

	j.dhcp = NULL;
	CHECK_INT(ipam_del(&j, NULL, &e), 0);
	CHECK_STR(heard(), "l");
	CHECK(stat("/run/rkt/networks/lan/dhcp-00000001-0000-4000-8000-000000000000-eth0", &st) < 0);
	CHECK_INT(ipam_del(&j, NULL, &e), 0);
	CHECK_STR(heard(), "");
	dhcp_leases_free(&leases);
	net_result_free(&result);
	end();
}

TEST(given_back, "dhcp: the host side gives back what its pod was lent; a worker that starts late asks before it drops")
{
	struct err e = { 0 };

	if (!begin())
		SKIP("needs namespaces of its own");
	start_server(10, true);
	struct net_join j = joining();
	j.hostname = "web";
	CHECK_INT(ipam_add(&j, &result, &e), 0);
	REQUIRE(leases.n == 1);
	CHECK_STR(pod_sh("ip addr add 10.9.0.10/24 dev eth0"), "");
	heard();
	leases.v[0].t1_ms = leases.v[0].t2_ms = leases.v[0].next_ms = leases.v[0].end_ms = 1;
	worker = child();
	if (worker == 0) {
		dhcp_work(&leases, &e);
		_exit(1);
	}
	pause_ms(1000);
	CHECK_STR(heard(), "R");
	CHECK_HAS(pod_sh(SHOW_ADDRESS), "10.9.0.10/24");
	stop(&worker);
	CHECK_INT(ipam_del(&j, NULL, &e), 0);
	CHECK_STR(heard(), "l");
	dhcp_leases_free(&leases);
	net_result_free(&result);
	end();
}

static bool lease_file_has(const char *text)
{
	char line[PATH_MAX + 20];
	bool has = false;

	snprintf(line, sizeof(line), "%s/dnsmasq", dir);
	FILE *f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		has = has || strstr(line, text);
	if (f)
		fclose(f);
	return has;
}

TEST(dnsmasq, "dhcp: dnsmasq lends by our host name, with classless routes, and hears that it gets back")
{
	struct err e = { 0 };
	char text[IP_CIDR_MAX], file[PATH_MAX + 40];

	if (!begin())
		SKIP("needs namespaces of its own");
	snprintf(file, sizeof(file), "--dhcp-leasefile=%s/dnsmasq", dir);
	server = child();
	if (server == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		dup2(null, 2);
		execlp("dnsmasq", "dnsmasq", "-d", "-C", "/dev/null", "--port=0", "--interface=srv", "--no-ping", "--user=root",
		       "--dhcp-range=10.9.0.30,10.9.0.30,255.255.255.0,120", "--dhcp-option=6,10.9.0.53",
		       "--dhcp-option=121,192.168.7.0/24,10.9.0.2,0.0.0.0/0,10.9.0.1", file, (char *)NULL);
		_exit(127);
	}
	pause_ms(500);
	struct net_join j = joining();
	j.hostname = "web";
	CHECK_INT(ipam_add(&j, &result, &e), 0);
	if (e.code)
		printf("# %s\n", e.msg);
	REQUIRE(result.n_ips == 1 && result.n_routes == 2);
	CHECK_STR(ip_cidr_text(&result.ips[0].address, text), "10.9.0.30/24");
	CHECK_STR(ip_cidr_text(&result.routes[0].dst, text), "192.168.7.0/24");
	CHECK_STR(ip_text(&result.routes[1].gw, text), "10.9.0.1");
	CHECK(result.dns.n_servers == 1 && !strcmp(result.dns.servers[0], "10.9.0.53"));
	CHECK(dhcp_next_ms(&leases) > clock_ms(CLOCK_BOOTTIME) + 50000);
	CHECK(lease_file_has(" 10.9.0.30 web "));
	CHECK_INT(ipam_del(&j, NULL, &e), 0);
	pause_ms(500);
	CHECK(!lease_file_has("10.9.0.30"));
	dhcp_leases_free(&leases);
	net_result_free(&result);
	end();
}

TEST(nobody, "dhcp: where no server is, joining fails after 10 seconds and says which interface heard nothing")
{
	struct err e = { 0 };

	if (!begin())
		SKIP("needs namespaces of its own");
	int64_t t = clock_ms(CLOCK_BOOTTIME);
	struct net_join j = joining();
	CHECK_INT(ipam_add(&j, &result, &e), -1);
	t = clock_ms(CLOCK_BOOTTIME) - t;
	CHECK(t >= 9900 && t < 12000);
	CHECK_INT(e.code, ETIMEDOUT);
	CHECK_HAS(e.msg, "dhcp: interface eth0: heard no DHCP server in 10 s");
	CHECK(strspn(heard(), "D") >= 4);
	CHECK_INT(leases.n, 0);
	j.ifname = "eth7";
	CHECK_INT(ipam_add(&j, &result, &e), -1);
	CHECK_HAS(e.msg, "interface eth7");
	j.ifname = "lo";
	CHECK_INT(ipam_add(&j, &result, &e), -1);
	CHECK_HAS(e.msg, "no Ethernet");
	net_result_free(&result);
	end();
}


UNIT_MAIN(plain, lacking, times, routes, overload, nak, refused, ours, kept, given_back, dnsmasq, nobody)
