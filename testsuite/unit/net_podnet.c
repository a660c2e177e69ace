/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of a pod's networks: joined, recorded, left, also after failures and crashes in the middle
 *
 * Network namespaces are the test's own. Plug-ins that fail on demand are scripts; networks of types that are built in,
 * and Debian's plug-ins, are real.
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/appc/isolator.h"
#include "core/base/json.h"
#include "core/net/flannel.h"
#include "core/net/podnet.h"
#include "testsuite/unit/scratch.h"

#define UUID "6f1c0b5e-0000-4000-8000-0000000000a1"

static char local[100], said[600];
static int pod_fd = -1, host_ns = -1, pod_ns = -1;

/* @text with the directory for each @ */
static const char *fill(const char *text)
{
	static char out[1000];
	size_t n = 0;

	for (; *text && n + sizeof(root) < sizeof(out); text++)
		if (*text == '@')
			n += (size_t)sprintf(out + n, "%s", root);
		else
			out[n++] = *text;
	out[n] = 0;
	return out;
}

static void sh(const char *cmd)
{
	if (system(fill(cmd)) != 0)
		printf("# failed: %s\n", cmd);
}

/* a directory for configuration and pod, and two namespaces, of which the test stays in the host's; false: none can be */
static bool begin(void)
{
	if (*root) {
		close(pod_fd);
		close(host_ns);
		close(pod_ns);
	}
	scratch("net_podnet");
	snprintf(local, sizeof(local), "%s/local", root);
	sh("mkdir -p @/local/net.d");
	sh("mkdir @/pod");
	char path[100];
	snprintf(path, sizeof(path), "%s/pod", root);
	pod_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	pod_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	host_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return pod_fd >= 0 && pod_ns >= 0 && host_ns >= 0 && system("ip link set lo up") == 0;
}

static void place(const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/net.d/%s", local, name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, strchr(name, '.') ? 0644 : 0755) < 0)
		abort();
}

/* a plug-in that notes what it is asked, and does what the file of its name and command says */
static void place_fake(const char *name)
{
	char text[1000];

	snprintf(text, sizeof(text),
		 "#!/bin/sh\n"
		 "in=$(cat)\n"
		 "echo \"$CNI_COMMAND %s $CNI_IFNAME ${CNI_NETNS:+ns} $(case $in in *prevResult*) echo prev;; esac)\" >>%s/log\n"
		 "echo \"$in\" >%s/in.%s.$CNI_COMMAND\n"
		 "if [ -e %s/%s.$CNI_COMMAND ]; then . %s/%s.$CNI_COMMAND; fi\n"
		 "echo '{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"v%s\"},{\"name\":\"'$CNI_IFNAME'\",\"sandbox\":"
		 "\"'$CNI_NETNS'\"}],\"ips\":[{\"version\":\"4\",\"address\":\"10.9.0.5/24\",\"interface\":1}]}'\n",
		 name, root, root, name, root, name, root, name, name);
	place(name, text);
}

static void behave(const char *what, const char *script)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, what);
	unlink(path);
	FILE *f = *script ? fopen(path, "w") : NULL;
	if (f && (fputs(script, f) < 0 || fclose(f) != 0))
		abort();
}

static bool recorded(void)
{
	return faccessat(pod_fd, PODNET_FILE, F_OK, 0) == 0;
}

static int up(const char *net, struct podnet *p)
{
	struct err e = { .msg = "" };
	struct podnet_opts o = { .uuid = UUID, .net = net, .local = local, .pod_fd = pod_fd, .netns_fd = pod_ns,
				 .host_mnt_fd = -1, .bandwidth = APPC_UNLIMITED };
	*p = (struct podnet){ 0 };
	int r = podnet_up(&o, p, &e);
	snprintf(said, sizeof(said), "%s", e.msg);
	return r;
}

static int down(void)
{
	struct err e = { .msg = "" };
	const struct podnet_opts o = { .uuid = UUID, .local = local, .pod_fd = pod_fd, .netns_fd = -1, .host_mnt_fd = -1 };
	int r = podnet_leave(&o, &e);

	snprintf(said, sizeof(said), "%s", e.msg);
	return r;
}

static const char *text(const struct podnet *p)
{
	static char out[500];
	struct buf b = { 0 };

	podnet_text(p, &b);
	snprintf(out, sizeof(out), "%s", b.data ? b.data : "");
	buf_free(&b);
	return out;
}

#define FAKE(name, type) "{\"cniVersion\":\"0.4.0\",\"name\":\"" name "\",\"type\":\"" type "\"}"

/* "default", so that nothing is added, and "two" behind it: both fake */
static bool begin_fake(void)
{
	bool good = begin();

	place("10-one.conf", FAKE("default", "one"));
	place("20-two.conf", FAKE("two", "two"));
	place_fake("one");
	place_fake("two");
	return good;
}

TEST(joins, "net: networks are joined in order, recorded, and left in the reverse order")
{
	struct podnet p, again;
	struct err e;

	if (!begin_fake())
		SKIP("no network namespaces");
	REQUIRE(up("two,default:IP=10.9.0.5", &p) == 0);
	CHECK_STR(said, "");
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \n");
	CHECK_STR(text(&p), "default:ip4=10.9.0.5, two:ip4=10.9.0.5");
	CHECK(p.v[0].joined && p.v[1].joined);
	REQUIRE(podnet_read(pod_fd, &again, &e) == 0);
	CHECK_STR(text(&again), text(&p));
	CHECK_STR(again.v[1].ifname, "eth1");
	CHECK_STR(again.v[0].conf.args, "IP=10.9.0.5");
	CHECK_HAS(again.v[0].plugin, "net.d/one");
	CHECK_INT(again.v[0].r.n_ifaces, 2);
	podnet_free(&again);
	podnet_free(&p);
	const char *record = scratch_content("pod/" PODNET_FILE);
	CHECK_HAS(record, "[{\"netName\":\"default\",\"netConf\":\"/tmp/");
	CHECK_HAS(record, "/net.d/10-one.conf\",\"pluginPath\":\"/tmp/");
	CHECK_HAS(record, "\"ifName\":\"eth0\",\"ip\":\"10.9.0.5\",\"args\":\"IP=10.9.0.5\",\"mask\":\"255.255.255.0\",\"conf\":{");
	/* the files are not needed any more */
	sh("rm @/local/net.d/*.conf");
	CHECK_INT(down(), 0);
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \nDEL two eth1  prev\nDEL one eth0  prev\n");
	CHECK(!recorded());
	CHECK_INT(down(), 0);
}

TEST(fails_in_the_middle, "net: when one network fails the others are left again, and nothing is recorded")
{
	struct podnet p;

	if (!begin_fake())
		SKIP("no network namespaces");
	behave("two.ADD", "echo '{\"code\":100,\"msg\":\"the sky fell\"}'; exit 1");
	CHECK_INT(up("default,two", &p), -1);
	CHECK_STR(said, "network two: plug-in two: ADD: the sky fell");
	CHECK_INT(p.n, 0);
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \nDEL two eth1 ns \nDEL one eth0 ns prev\n");
	CHECK(!recorded());
	/* what cannot be undone stays on record, and the cause of it all is what is said */
	sh("rm @/log");
	behave("two.DEL", "exit 9");
	CHECK_INT(up("default,two", &p), -1);
	CHECK_HAS(said, "the sky fell");
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \nDEL two eth1 ns \nDEL one eth0 ns prev\n");
	CHECK(recorded());
	/* it is asked once more, and then let go */
	sh("rm @/log");
	CHECK_INT(down(), 0);
	CHECK_STR(scratch_content("log"), "DEL two eth1  \nDEL one eth0  \n");
	CHECK(!recorded());
	/* unlike one that was joined */
	CHECK_INT(up("default", &p), 0);
	podnet_free(&p);
	behave("one.DEL", "exit 9");
	CHECK_INT(down(), -1);
	CHECK_STR(said, "network default: plug-in one: DEL: it ended with status 9");
	CHECK(recorded());
	behave("one.DEL", "");
	CHECK_INT(down(), 0);
	CHECK(!recorded());
}

TEST(no_program, "net: a network whose program is missing is nothing to leave, but one that was joined is")
{
	struct podnet p;

	if (!begin_fake())
		SKIP("no network namespaces");
	place("20-two.conf", FAKE("two", "nowhere"));
	CHECK_INT(up("default,two", &p), -1);
	CHECK_HAS(said, "network two: plug-in nowhere: ADD: there is no program of that name");
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nDEL one eth0 ns prev\n");
	CHECK(!recorded());
	REQUIRE(up("default", &p) == 0);
	podnet_free(&p);
	sh("mv @/local/net.d/one @/one");
	CHECK_INT(down(), -1);
	CHECK_HAS(said, "network default: plug-in one: DEL: there is no program");
	CHECK(recorded());
	sh("mv @/one @/local/net.d/one");
	CHECK_INT(down(), 0);
	CHECK(!recorded());
}

TEST(goes_on, "net: leaving does not end at the first error, which is the one that is said")
{
	struct podnet p;

	if (!begin_fake())
		SKIP("no network namespaces");
	REQUIRE(up("default,two", &p) == 0);
	podnet_free(&p);
	behave("two.DEL", "echo '{\"msg\":\"first\"}'; exit 1");
	behave("one.DEL", "echo '{\"msg\":\"second\"}'; exit 1");
	CHECK_INT(down(), -1);
	CHECK_HAS(said, "first");
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \nDEL two eth1  prev\nDEL one eth0  prev\n");
	CHECK(recorded());
}

TEST(crash, "net: what a crash in the middle leaves is on record")
{
	struct podnet p;
	struct err e;
	int status;

	if (!begin_fake())
		SKIP("no network namespaces");
	behave("two.ADD", "kill -9 $PPID; sleep 20");
	pid_t pid = fork();
	if (pid == 0) {
		up("default,two", &p);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	REQUIRE(podnet_read(pod_fd, &p, &e) == 0);
	CHECK_INT(p.n, 2);
	CHECK(!p.v[0].joined && !p.v[1].joined);
	CHECK_STR(text(&p), "default, two");
	podnet_free(&p);
	CHECK_INT(down(), 0);
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth1 ns \nDEL two eth1  \nDEL one eth0  \n");
	CHECK(!recorded());
}

TEST(chain, "net: the plug-ins of a chain get what the one before gave, and are all asked to leave")
{
	struct podnet p;

	if (!begin_fake())
		SKIP("no network namespaces");
	place("10-one.conf", FAKE("other", "one"));
	place("15-chain.conflist", "{\"cniVersion\":\"0.4.0\",\"name\":\"default\",\"plugins\":[{\"type\":\"one\"},{\"type\":"
				   "\"two\"},{\"type\":\"one\",\"third\":1}]}");
	REQUIRE(up("", &p) == 0);
	CHECK_INT(p.n, 1);
	CHECK_HAS(scratch_content("in.two.ADD"), "\"name\":\"v");
	CHECK_HAS(scratch_content("in.two.ADD"), "\"prevResult\":{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"vone\"}");
	CHECK_HAS(scratch_content("in.one.ADD"), "\"interfaces\":[{\"name\":\"vtwo\"}");
	podnet_free(&p);
	CHECK_INT(down(), 0);
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth0 ns prev\nADD one eth0 ns prev\n"
				  "DEL one eth0  prev\nDEL two eth0  prev\nDEL one eth0  prev\n");
	behave("log", "");
	behave("two.ADD", "exit 1");
	CHECK_INT(up("", &p), -1);
	CHECK_STR(scratch_content("log"), "ADD one eth0 ns \nADD two eth0 ns prev\nDEL one eth0 ns \nDEL two eth0 ns \nDEL one eth0 ns \n");
	CHECK(!recorded());
}

/* ---- without any network: what the record says ---- */

static int read_record(const char *text_of, struct podnet *p)
{
	struct err e = { .msg = "" };

	behave("pod/" PODNET_FILE, text_of);
	int r = podnet_read(pod_fd, p, &e);
	snprintf(said, sizeof(said), "%s", e.msg);
	return r;
}

#define ONE(name, plugin, conf, result) "{\"netName\":\"x\",\"netConf\":\"\",\"pluginPath\":\"" plugin "\",\"ifName\":\"eth0\"," \
	"\"args\":\"\",\"conf\":{\"name\":\"" name "\",\"cniVersion\":\"0.4.0\",\"plugins\":[{\"type\":\"ptp\"" conf "}]}" result "}"
#define RESULT(iface, v4, v6) ",\"result\":{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"pod\"}," \
	"{\"name\":\"" iface "\"}],\"ips\":[{\"address\":\"" v4 "\"},{\"address\":\"" v6 "\"}]}"

static const char *port(const struct podnet *p, uint8_t len)
{
	static char out[IP_TEXT_MAX];
	const struct ip *ip = podnet_port_address(p, len);

	return ip ? ip_text(ip, out) : "none";
}

TEST(firewall, "net: what the firewall hears: masqueraded by us, closed, and where forwarded ports lead")
{
	struct podnet p;
	struct fw_net *f;
	struct err e;
	size_t n;

	if (!begin())
		SKIP("no network namespaces");
	REQUIRE(read_record("[" ONE("a", "", "", RESULT("veth1", "10.0.1.2/24", "fd01::2/64")) ","
			    ONE("b", "", ",\"ipMasq\":true", RESULT("br0", "10.0.2.2/24", "fd02::2/64")) ","
			    ONE("c", "/x/ptp", ",\"ipMasq\":true", RESULT("veth3", "10.0.3.2/24", "fd03::2/64")) ","
			    ONE("d", "", ",\"restricted\":true", RESULT("veth4", "10.0.4.2/24", "fd04::2/64")) ","
			    ONE("e", "", ",\"ipMasq\":true", "") "]", &p) == 0);
	CHECK_STR(port(&p, 4), "10.0.2.2");
	CHECK_STR(port(&p, 16), "fd02::2");
	REQUIRE(podnet_firewall(&p, &f, &n, &e) == 0);
	CHECK_INT(n, 8);
	CHECK_STR(f[0].iface, "veth1");
	CHECK(!f[0].masquerade && !f[0].closed);
	CHECK_STR(f[2].iface, "br0");
	CHECK(f[2].masquerade && f[3].masquerade);
	CHECK(!f[4].masquerade);
	CHECK(f[6].closed && f[7].closed && !f[5].closed);
	CHECK_INT(f[7].address.ip.len, 16);
	CHECK_INT(f[7].address.prefix, 64);
	free(f);
	CHECK_HAS(text(&p), "d:ip4=10.0.4.2, d:ip6=fd04::2, e");
	podnet_free(&p);
	/* nobody is masqueraded: the last one */
	REQUIRE(read_record("[" ONE("a", "", "", RESULT("v", "10.0.1.2/24", "fd01::2/64")) ","
			    ONE("d", "", "", RESULT("v", "10.0.4.2/24", "10.0.4.3/24")) "," ONE("e", "", "", "") "]", &p) == 0);
	CHECK_STR(port(&p, 4), "10.0.4.2");
	CHECK_STR(port(&p, 16), "fd01::2");
	podnet_free(&p);
}

TEST(records, "net: records of rkt's stage 1 can be shown, and what is none is refused")
{
	struct podnet p;

	if (!begin())
		SKIP("no network namespaces");
	REQUIRE(read_record("[{\"netName\":\"default\",\"netConf\":\"net/99-default.conf\",\"pluginPath\":\"stage1/x/ptp\",\"ifName\":"
			    "\"eth0\",\"ip\":\"172.16.28.2\",\"args\":\"\",\"mask\":\"255.255.255.0\"},{\"netName\":\"l2\",\"ip\":\"\"}]",
			    &p) == 0);
	CHECK_STR(text(&p), "default:ip4=172.16.28.2, l2");
	podnet_free(&p);
	CHECK_INT(down(), 0);
	REQUIRE(read_record("", &p) == 0);
	CHECK_INT(p.n, 0);
	CHECK(read_record("{}", &p) < 0);
	CHECK_STR(said, "net-info.json: not a list");
	CHECK(read_record("[", &p) < 0);
	CHECK(read_record("[7]", &p) == 0);
	podnet_free(&p);
	CHECK(read_record("[" ONE("../a", "", "", "") "]", &p) < 0);
	CHECK(read_record("[" ONE("a", "", "", ",\"result\":7") "]", &p) < 0);
	CHECK_INT(p.n, 0);
}

/* ---- flannel ---- */

static const char *flannel(const char *conf, const char *env)
{
	static char out[1000];
	struct err e = { .msg = "" };
	struct buf b = { 0 };

	behave("subnet.env", env);
	const char *with_file = fill(conf);
	cJSON *j = json_parse_err(with_file, strlen(with_file), &e);
	if (!j || flannel_expand(&j, &e) < 0)
		snprintf(out, sizeof(out), "%s", e.msg);
	else {
		json_print(j, false, &b);
		snprintf(out, sizeof(out), "%s", b.data);
		buf_free(&b);
	}
	cJSON_Delete(j);
	return out;
}

#define FLANNEL(more) "{\"name\":\"f\",\"cniVersion\":\"0.4.0\",\"type\":\"flannel\",\"subnetFile\":\"@/subnet.env\"" more "}"
#define ENV "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=true\n"
#define IPAM "\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.17.0/24\"}]],\"routes\":[{\"dst\":\"10.1.0.0/16\"}],\"type\":\"host-local\"}"

TEST(flannels, "net: flannel's configuration becomes that of its delegate")
{
	if (!begin())
		SKIP("no network namespaces");
	CHECK_STR(flannel(FLANNEL(""), ENV), "{\"name\":\"f\",\"cniVersion\":\"0.4.0\",\"type\":\"bridge\",\"mtu\":1472,\"ipMasq\":"
					    "false,\"isGateway\":true," IPAM "}");
	CHECK_STR(flannel(FLANNEL(",\"delegate\":{\"mtu\":1400,\"ipMasq\":true,\"isGateway\":false,\"bridge\":\"b7\"}"), ENV),
		  "{\"mtu\":1400,\"ipMasq\":true,\"isGateway\":false,\"bridge\":\"b7\",\"name\":\"f\",\"cniVersion\":\"0.4.0\","
		  "\"type\":\"bridge\"," IPAM "}");
	CHECK_STR(flannel(FLANNEL(",\"delegate\":{\"type\":\"ipvlan\",\"master\":\"eth0\"}"), ENV),
		  "{\"type\":\"ipvlan\",\"master\":\"eth0\",\"name\":\"f\",\"cniVersion\":\"0.4.0\",\"mtu\":1472,\"ipMasq\":false,"
		  IPAM "}");
	CHECK_HAS(flannel(FLANNEL(""), ENV "FLANNEL_IPV6_NETWORK=fd01::/48\nFLANNEL_IPV6_SUBNET=fd01:0:0:7::1/64\n"),
		  "\"ranges\":[[{\"subnet\":\"10.1.17.0/24\"}],[{\"subnet\":\"fd01:0:0:7::/64\"}]],\"routes\":[{\"dst\":"
		  "\"10.1.0.0/16\"},{\"dst\":\"fd01::/48\"}]");
	CHECK_HAS(flannel(FLANNEL(""), ""), "flanneld has to run");
	CHECK_HAS(flannel(FLANNEL(""), "FLANNEL_MTU=1472\n"), "subnet.env: FLANNEL_IPMASQ is missing");
	CHECK_HAS(flannel(FLANNEL(""), "FLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n"), "FLANNEL_NETWORK and FLANNEL_SUBNET");
	CHECK_HAS(flannel(FLANNEL(""), "FLANNEL_NETWORK=x\nFLANNEL_SUBNET=y\nFLANNEL_MTU=1\nFLANNEL_IPMASQ=false\n"), "\"x\"");
	CHECK_HAS(flannel(FLANNEL(",\"delegate\":{\"ipam\":{}}"), ENV), "\"delegate\" may not have");
	CHECK_HAS(flannel(FLANNEL(",\"delegate\":{\"type\":\"flannel\"}"), ENV), "type that can be delegated");
	CHECK_HAS(flannel(FLANNEL(",\"delegate\":{\"type\":\"../x\"}"), ENV), "type that can be delegated");
	CHECK_HAS(flannel(FLANNEL(",\"delegate\":{\"type\":\"a.b\"}"), ENV), "type that can be delegated");
	CHECK_HAS(flannel(FLANNEL(",\"delegate\":7"), ENV), "not an object");
}

/* ---- real ones ---- */

/* a shell in the pod's namespace: its exit status */
static int in_pod(const char *cmd)
{
	if (setns(pod_ns, CLONE_NEWNET) < 0)
		abort();
	int r = system(cmd);
	if (setns(host_ns, CLONE_NEWNET) < 0)
		abort();
	return r;
}

#define NO_LINKS "! ip -o link | grep -qv ': lo:'"
#define LEASES "\"dataDir\":\"@/leases\""

static void place_in(const char *name, const char *conf)
{
	place(name, fill(conf));
}

TEST(real_ptp, "net: ptp is joined, reaches the host, is shaped at both ends, and is gone afterwards")
{
	struct podnet p = { 0 };
	struct err e = { .msg = "" };

	if (!begin())
		SKIP("no network namespaces");
	place_in("10-default.conf", "{\"cniVersion\":\"0.4.0\",\"name\":\"default\",\"type\":\"ptp\",\"dns\":{\"nameservers\":[\"10.55.0.1\"],"
		 "\"search\":[\"lan\"]},\"ipMasq\":true,\"ipam\":{\"type\":"
		 "\"host-local\",\"subnet\":\"10.55.0.0/24\"," LEASES ",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}");
	struct podnet_opts o = { .uuid = UUID, .net = "default:IP=10.55.0.9", .local = local, .pod_fd = pod_fd,
				 .netns_fd = pod_ns, .host_mnt_fd = -1, .bandwidth = 1000000 };
	CHECK_INT(podnet_up(&o, &p, &e), 0);
	CHECK_STR(e.msg, "");
	REQUIRE(p.n == 1);
	CHECK_STR(text(&p), "default:ip4=10.55.0.9");
	CHECK_STR(p.v[0].plugin, "");
	REQUIRE(p.v[0].r.dns.n_servers == 1 && p.v[0].r.dns.n_search == 1);
	CHECK_STR(p.v[0].r.dns.servers[0], "10.55.0.1");
	CHECK_INT(in_pod("ping -c 1 -W 2 10.55.0.1 >/dev/null"), 0);
	CHECK_INT(in_pod("tc qdisc show dev eth0 | grep -q 'tbf.*rate 8Mbit'"), 0);
	CHECK_INT(in_pod("! tc qdisc show dev lo | grep -q tbf"), 0);
	CHECK_INT(system("tc qdisc show | grep -q 'tbf.*dev veth.*rate 8Mbit'"), 0);
	podnet_free(&p);
	CHECK_INT(down(), 0);
	CHECK_STR(said, "");
	CHECK_INT(in_pod(NO_LINKS), 0);
	CHECK_INT(system(NO_LINKS), 0);
	CHECK(!recorded());
}

TEST(real_override, "net: a program in LOCAL/net.d comes before a type of ours")
{
	struct podnet p;

	if (!begin_fake())
		SKIP("no network namespaces");
	place("10-one.conf", FAKE("default", "ptp"));
	place_fake("ptp");
	REQUIRE(up("", &p) == 0);
	CHECK_HAS(p.v[0].plugin, "net.d/ptp");
	CHECK_STR(scratch_content("log"), "ADD ptp eth0 ns \n");
	podnet_free(&p);
	CHECK_INT(down(), 0);
}

TEST(real_chain, "net: our bridge with Debian's address management, then its tuning and bandwidth; its ptp beside ours")
{
	struct podnet p = { 0 };

	if (access("/usr/lib/cni/tuning", X_OK) < 0)
		SKIP("containernetworking-plugins is not installed");
	if (!begin())
		SKIP("no network namespaces");
	sh("ln -s /usr/lib/cni/host-local @/local/net.d/host-local"); /* in the place of ours */
	place_in("10-a.conflist", "{\"cniVersion\":\"0.4.0\",\"name\":\"default\",\"plugins\":[{\"type\":\"bridge\",\"bridge\":\"br7\","
		 "\"isGateway\":true,\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.56.0.0/24\"," LEASES "}},{\"type\":\"tuning\","
		 "\"mtu\":1300},{\"type\":\"bandwidth\",\"ingressRate\":8000000,\"ingressBurst\":80000}]}");
	sh("cp /usr/lib/cni/ptp @/local/net.d/others-ptp");
	place_in("20-b.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"b\",\"type\":\"others-ptp\",\"ipam\":{\"type\":\"host-local\","
		 "\"subnet\":\"10.57.0.0/24\"," LEASES "}}");
	CHECK_INT(up("all", &p), 0);
	CHECK_STR(said, "");
	REQUIRE(p.n == 2);
	CHECK_STR(text(&p), "default:ip4=10.56.0.2, b:ip4=10.57.0.2");
	CHECK_INT(in_pod("ping -c 1 -W 2 10.56.0.1 >/dev/null && ping -c 1 -W 2 10.57.0.1 >/dev/null"), 0);
	CHECK_INT(in_pod("ip link show eth0 | grep -q 'mtu 1300'"), 0);
	CHECK_INT(system("tc qdisc show | grep -q 'tbf.*dev veth'"), 0);
	CHECK_HAS(scratch_content("leases/default/10.56.0.2"), "6f1c0b5e");
	podnet_free(&p);
	CHECK_INT(down(), 0);
	CHECK_STR(said, "");
	CHECK_STR(scratch_content("leases/default/10.56.0.2"), "");
	CHECK_STR(scratch_content("leases/b/10.57.0.2"), "");
	/* theirs leaves its interface to the end of the namespace, when it is not told where that is */
	close(pod_ns);
	pod_ns = -1;
	CHECK_INT(system("for i in 1 2 3 4 5 6 7 8 9; do ip -o link | grep -q veth || exit 0; sleep .3; done; exit 1"), 0);
}

TEST(real_leave, "net: while the pod's namespace is there Debian's ptp takes its interface back itself")
{
	struct podnet p;
	struct err e = { .msg = "" };

	if (access("/usr/lib/cni/ptp", X_OK) < 0)
		SKIP("containernetworking-plugins is not installed");
	if (!begin())
		SKIP("no network namespaces");
	sh("cp /usr/lib/cni/ptp @/local/net.d/others-ptp");
	place_in("10-a.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"default\",\"type\":\"others-ptp\",\"ipam\":{\"type\":"
		 "\"host-local\",\"subnet\":\"10.57.0.0/24\"," LEASES "}}");
	REQUIRE(up("", &p) == 0);
	podnet_free(&p);
	CHECK_INT(in_pod(NO_LINKS) == 0, 0);
	struct podnet_opts o = { .uuid = UUID, .local = local, .pod_fd = pod_fd, .netns_fd = pod_ns, .host_mnt_fd = -1 };
	CHECK_INT(podnet_leave(&o, &e), 0);
	CHECK_STR(e.msg, "");
	CHECK_INT(in_pod(NO_LINKS), 0);
	CHECK_INT(system(NO_LINKS), 0);
	CHECK(!recorded());
}

TEST(real_failure, "net: the second network's failure takes the first one's interface and lease back")
{
	struct podnet p;

	if (!begin())
		SKIP("no network namespaces");
	place_in("10-default.conf", "{\"name\":\"default\",\"type\":\"ptp\",\"ipam\":{\"type\":\"host-local\",\"subnet\":"
		 "\"10.55.0.0/24\"," LEASES "}}");
	place("20-b.conf", "{\"name\":\"b\",\"type\":\"macvlan\",\"master\":\"nope0\"}");
	CHECK_INT(up("default,b", &p), -1);
	CHECK_HAS(said, "network b: ");
	CHECK_HAS(said, "nope0");
	CHECK_INT(in_pod(NO_LINKS), 0);
	CHECK_INT(system(NO_LINKS), 0);
	CHECK(!recorded());
	place("20-b.conf", "{\"name\":\"b\",\"type\":\"loopback\"}");
	REQUIRE(up("default:IP=10.55.0.2,b", &p) == 0);
	CHECK_STR(text(&p), "default:ip4=10.55.0.2, b");
	podnet_free(&p);
	CHECK_INT(down(), 0);
}

TEST(real_flannel, "net: flannel and the built-in default: leaving needs no file of flanneld's, and leaves nothing")
{
	struct podnet p;

	if (!begin())
		SKIP("no network namespaces");
	/* leases of the built-in network stand in /run, where those of the host's pods are */
	if (unshare(CLONE_NEWNS) < 0)
		SKIP("no mount namespaces");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("none", "/run", "tmpfs", 0, NULL) == 0);
	place_in("10-f.conf", "{\"name\":\"f\",\"cniVersion\":\"0.4.0\",\"type\":\"flannel\",\"subnetFile\":\"@/subnet.env\","
		 "\"delegate\":{\"bridge\":\"fl0\"}}");
	behave("subnet.env", "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1372\nFLANNEL_IPMASQ=true\n");
	CHECK_INT(up("default,f", &p), 0);
	CHECK_STR(said, "");
	REQUIRE(p.n == 2);
	CHECK_STR(text(&p), "f:ip4=10.1.17.2, default:ip4=172.16.28.2");
	CHECK_INT(in_pod("ip link show eth0 | grep -q 'mtu 1372'"), 0);
	CHECK_INT(in_pod("ping -c 1 -W 2 10.1.17.1 >/dev/null && ping -c 1 -W 2 172.16.28.1 >/dev/null"), 0);
	CHECK_INT(in_pod("ip route | grep -q '^10.1.0.0/16 via 10.1.17.1' && ip route | grep -q '^default via 172.16.28.1'"), 0);
	podnet_free(&p);
	behave("subnet.env", "");
	CHECK_INT(down(), 0);
	CHECK_STR(said, "");
	CHECK_INT(system("! ip -o link | grep -q veth"), 0);
	CHECK_INT(system("! find /run/rkt/networks -name '1*' | grep -q ."), 0);
	CHECK(!recorded());
}

UNIT_MAIN(joins, fails_in_the_middle, no_program, goes_on, crash, chain, firewall, records, flannels, real_ptp, real_override, real_chain, real_leave,
	  real_failure, real_flannel)
