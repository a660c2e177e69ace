/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of external network plug-ins: small ones written here, and those of Debian's containernetworking-plugins, in
 * network namespaces of the test's own
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/net/plugin.h"
#include "testsuite/unit/scratch.h"

static char local[100], net_d[120];

static void clear(void)
{
	scratch("net_plugin");
	snprintf(local, sizeof(local), "%s/local", root);
	snprintf(net_d, sizeof(net_d), "%s/net.d", local);
	if (mkdir(local, 0755) < 0 || mkdir(net_d, 0755) < 0)
		abort();
}

/* a plug-in; %s in the text is the directory that it may write to */
static void place(const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", net_d, name);
	FILE *f = fopen(path, "w");
	if (!f || fprintf(f, "#!/bin/sh\ndir=%s\n%s\n", root, text) < 0 || fclose(f) != 0 || chmod(path, 0755) < 0)
		abort();
}

static struct net_join join(const char *conf)
{
	struct err e;
	cJSON *j = json_parse_err(conf, strlen(conf), &e);

	if (!j) {
		printf("# %s: %s\n", conf, e.msg);
		abort();
	}
	return (struct net_join){ .uuid = "6f1c0b5e-0000-4000-8000-000000000001", .network = "n", .ifname = "eth0", .conf = j,
				  .args = "IP=1.2.3.4", .netns_fd = -1, .local = local, .host_mnt_fd = -1 };
}

static char said[600];

/* 0, or -1 and in @said why */
static int run(const struct net_join *j, const char *command, const struct net_result *prev, struct net_result *r)
{
	struct err e = { .msg = "" };
	int got = plugin_run(j, json_str(j->conf, "type"), command, prev, r, &e);

	snprintf(said, sizeof(said), "%s", e.msg);
	errno = got < 0 ? e.code : 0;
	return got;
}

#define CONF(type) "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"" type "\",\"x\":[1]}"

TEST(protocol, "net: a plug-in gets environment and configuration, and gives a result")
{
	clear();
	place("good", "env >$dir/env; cat >$dir/in; echo '{\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.9/8\"}]}'");
	struct net_join j = join(CONF("good"));
	struct net_result prev = { 0 }, r = { 0 };
	struct err e;
	char want[300];

	j.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	setenv("SECRET", "1", 1);
	REQUIRE(net_result_iface(&prev, "eth0", NULL, true, &e) == 0);
	CHECK_INT(run(&j, "ADD", &prev, &r), 0);
	CHECK_STR(said, "");
	CHECK_INT(r.n_ips, 1);
	CHECK_STR(scratch_content("in"), "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"good\",\"x\":[1],\"prevResult\":"
				 "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"pod\"}],\"ips\":[],"
				 "\"dns\":{}}}");
	const char *env = scratch_content("env");
	CHECK_HAS(env, "CNI_COMMAND=ADD\n");
	CHECK_HAS(env, "CNI_CONTAINERID=6f1c0b5e-0000-4000-8000-000000000001\n");
	CHECK_HAS(env, "CNI_IFNAME=eth0\n");
	CHECK_HAS(env, "CNI_ARGS=IP=1.2.3.4\n");
	CHECK_HAS(env, "/usr/sbin:");
	CHECK(!strstr(env, "SECRET"));
	snprintf(want, sizeof(want), "CNI_NETNS=/proc/%d/fd/%d\n", getpid(), j.netns_fd);
	CHECK_HAS(env, want);
	snprintf(want, sizeof(want), "CNI_PATH=%s:/usr/lib/rkt/plugins/net:/usr/lib/cni:/opt/cni/bin\n", net_d);
	CHECK_HAS(env, want);
	/* what it has been asked to undo: since 0.4.0 with the result, and the namespace may be gone */
	close(j.netns_fd);
	j.netns_fd = -1;
	CHECK_INT(run(&j, "DEL", &prev, NULL), 0);
	CHECK_HAS(scratch_content("in"), "prevResult");
	CHECK_HAS(scratch_content("env"), "CNI_NETNS=\n");
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "cniVersion"), "0.3.1");
	CHECK_INT(run(&j, "DEL", &prev, NULL), 0);
	CHECK(!strstr(scratch_content("in"), "prevResult"));
	net_result_free(&prev);
	net_result_free(&r);
	cJSON_Delete((cJSON *)j.conf);
}

TEST(failures, "net: what a plug-in fails with is said, its last words too")
{
	struct net_result r = { 0 };

	clear();
	place("a", "echo '{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"no such bridge\",\"details\":\"br9\"}'; exit 1");
	place("b", "echo first >&2; printf 'it \\033[2J hurts\\n\\n' >&2; exit 3");
	place("c", "echo nonsense");
	place("d", ":");
	place("e", "kill -9 $$");
	place("f", "echo '{\"ips\":7}'");
	struct net_join j = join(CONF("a"));
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_STR(said, "plug-in a: ADD: no such bridge: br9");
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "type"), "b");
	CHECK_INT(run(&j, "DEL", NULL, NULL), -1);
	CHECK_STR(said, "plug-in b: DEL: it ended with status 3; its last line: it ?[2J hurts");
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "type"), "c");
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_HAS(said, "plug-in c: ADD: its result: at byte 0");
	CHECK_INT(run(&j, "DEL", NULL, NULL), 0);
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "type"), "d");
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_HAS(said, "it printed no result");
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "type"), "e");
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_HAS(said, "it was ended by signal 9");
	cJSON_SetValuestring(cJSON_GetObjectItem((cJSON *)j.conf, "type"), "f");
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_HAS(said, "its result: \"ips\" is not a list");
	CHECK_INT(r.n_ips, 0);
	cJSON_Delete((cJSON *)j.conf);
}

TEST(refused, "net: a plug-in that is not there, or that others than root can write to, is not executed")
{
	struct net_result r = { 0 };
	char path[200];

	clear();
	place("good", "touch $dir/ran; echo '{}'");
	struct net_join j = join(CONF("good")), none = join(CONF("nowhere"));
	snprintf(path, sizeof(path), "%s/good", net_d);
	CHECK(chmod(path, 0757) == 0);
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_INT(errno, EACCES);
	CHECK_HAS(said, "plug-in good: ADD: ");
	CHECK_HAS(said, "net.d/good can be written to by others than root");
	CHECK(chmod(path, 0775) == 0 && chown(path, 0, 5) == 0);
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK(chown(path, 5, 0) == 0);
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK(chown(path, 0, 0) == 0);
	CHECK_STR(scratch_content("ran"), "");
	CHECK_INT(run(&j, "ADD", NULL, &r), 0);
	CHECK(chmod(net_d, 0777) == 0);
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_HAS(said, "net.d can be written to by others");
	CHECK(chmod(net_d, 0755) == 0);
	/* not executable: it is as if it were not there */
	CHECK(plugin_overrides(local, "good"));
	CHECK(chmod(path, 0644) == 0);
	CHECK(!plugin_overrides(local, "good"));
	CHECK(!plugin_overrides(local, "nowhere") && !plugin_overrides(NULL, "good"));
	CHECK_INT(run(&none, "ADD", NULL, &r), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_HAS(said, "there is no program of that name in /tmp/");
	CHECK_HAS(said, "/usr/lib/cni");
	plugin_find(&none, "nowhere", path, sizeof(path));
	CHECK_STR(path, "");
	cJSON_Delete((cJSON *)j.conf);
	cJSON_Delete((cJSON *)none.conf);
}

static bool is_gone(int pid)
{
	char path[64], text[200] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return true;
	bool zombie = fgets(text, sizeof(text), f) && strstr(text, ") Z");
	fclose(f);
	return zombie;
}

static int exec_limited(const char *name, int limit_s, struct err *e)
{
	struct buf in = { 0 }, out = { 0 }, errors = { 0 };
	struct net_join j = join(CONF("x"));

	buf_str(&in, "{}");
	int r = plugin_exec(&j, name, "ADD", &in, limit_s, &out, &errors, e);
	buf_free(&in);
	buf_free(&out);
	buf_free(&errors);
	cJSON_Delete((cJSON *)j.conf);
	return r;
}

TEST(limits, "net: a plug-in that does not end, or never stops talking, is killed with all it started")
{
	struct err e = { .msg = "" };
	time_t begin = time(NULL);

	clear();
	place("slow", "sleep 300 & echo $! >$dir/pid; wait");
	place("loud", "yes; sleep 300");
	place("whining", "i=0; while [ $i -lt 20000 ]; do echo $i of many lines of complaint >&2; i=$((i+1)); done; exit 4");
	place("daemon", "sleep 20 & exit 5");
	CHECK_INT(exec_limited("slow", 1, &e), -1);
	CHECK_INT(e.code, ETIMEDOUT);
	CHECK_HAS(e.msg, "within 1 s");
	CHECK(atoi(scratch_content("pid")) > 1);
	for (int i = 0; i < 100 && !is_gone(atoi(scratch_content("pid"))); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	CHECK(is_gone(atoi(scratch_content("pid"))));
	CHECK_INT(exec_limited("loud", 100, &e), -1);
	CHECK_INT(e.code, EFBIG);
	CHECK_INT(exec_limited("whining", 100, &e), 4);
	/* it has our pipes open still, but is none of our business */
	CHECK_INT(exec_limited("daemon", 100, &e), 5);
	CHECK(time(NULL) - begin < 15);
}

TEST(descriptors, "net: a plug-in has three descriptors, no signal blocked, and / as its directory")
{
	struct net_result r = { 0 };
	sigset_t all, was;
	int fd = open("/dev/null", O_RDONLY);

	clear();
	place("look", "ls /proc/$$/fd >$dir/fds; pwd >$dir/pwd; grep -E 'SigBlk|SigIgn' /proc/self/status >$dir/sig; echo '{}'");
	struct net_join j = join(CONF("look"));
	REQUIRE(fd >= 0 && dup2(fd, 77) == 77);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &was);
	signal(SIGPIPE, SIG_IGN);
	/* one of those that C libraries keep for themselves; whoever starts rkt may ignore it */
	REQUIRE(syscall(SYS_rt_sigaction, 33, (unsigned long[8]){ (unsigned long)SIG_IGN }, NULL, (size_t)(NSIG / 8)) == 0);
	CHECK_INT(run(&j, "ADD", NULL, &r), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &was, NULL);
	close(77);
	close(fd);
	CHECK_HAS(scratch_content("fds"), "0\n");
	CHECK(!strstr(scratch_content("fds"), "77"));
	CHECK_STR(scratch_content("pwd"), "/\n");
	CHECK_HAS(scratch_content("sig"), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	cJSON_Delete((cJSON *)j.conf);
}

TEST(mounts, "net: a plug-in is looked for and executed in the host's mount namespace")
{
	struct net_result r = { 0 };

	clear();
	place("host", "echo seen >$dir/seen; echo '{}'");
	struct net_join j = join(CONF("host"));
	j.host_mnt_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNS) < 0)
		SKIP("no mount namespaces");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("none", root, "tmpfs", 0, NULL) == 0);
	CHECK(!plugin_overrides(local, "host"));
	CHECK_INT(run(&j, "ADD", NULL, &r), 0);
	CHECK_STR(scratch_content("seen"), "");
	REQUIRE(setns(j.host_mnt_fd, CLONE_NEWNS) == 0);
	CHECK_STR(scratch_content("seen"), "seen\n");
	close(j.host_mnt_fd);
	cJSON_Delete((cJSON *)j.conf);
}

/* ---- the real ones ---- */

static int host_ns = -1, pod_ns = -1;

/* namespaces of the test's own, in which it stays; false: there cannot be any */
static bool namespaces(void)
{
	if (pod_ns >= 0)
		close(pod_ns);
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	pod_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	if (host_ns >= 0)
		close(host_ns);
	host_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return pod_ns >= 0 && host_ns >= 0;
}

/* the exit status of a shell in the pod */
static int in_pod(const char *cmd)
{
	if (setns(pod_ns, CLONE_NEWNET) < 0)
		abort();
	int r = system(cmd);
	if (setns(host_ns, CLONE_NEWNET) < 0)
		abort();
	return r;
}

static bool installed(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "/usr/lib/cni/%s", name);
	return access(path, X_OK) == 0;
}

#define IPAM "\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.77.0.0/24\",\"dataDir\":\"%s/leases\",\"routes\":[{\"dst\":" \
	     "\"0.0.0.0/0\"}]}"

/* ADD and DEL of one of Debian's; 0: it works */
static int real(const char *version, const char *members, const char *check)
{
	char conf[1000], ipam[300];
	struct net_result r = { 0 };

	snprintf(ipam, sizeof(ipam), IPAM, root);
	snprintf(conf, sizeof(conf), "{\"cniVersion\":\"%s\",\"name\":\"n\",%s,%s}", version, members, ipam);
	struct net_join j = join(conf);
	j.netns_fd = pod_ns;
	j.args = "";
	int got = run(&j, "ADD", NULL, &r);
	if (got == 0 && (!net_result_first(&r, 4) || in_pod(check) != 0)) {
		snprintf(said, sizeof(said), "%s: failed", check);
		got = -1;
	}
	if (got == 0)
		got = run(&j, "DEL", &r, NULL);
	if (got < 0)
		printf("# %s: %s\n", version, said);
	net_result_free(&r);
	cJSON_Delete((cJSON *)j.conf);
	return got;
}

#define HAS_ADDRESS "ip -4 -o addr show dev eth0 | grep -q ' 10[.]77[.]0[.]' && ip route | grep -q '^default via 10.77.0.1'"

TEST(real_main, "net: Debian's ptp and bridge with host-local, with configurations of all versions")
{
	static const char *const versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0" };

	if (!installed("ptp"))
		SKIP("containernetworking-plugins is not installed");
	clear();
	if (!namespaces())
		SKIP("no network namespaces");
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		CHECK_INT(real(versions[i], "\"type\":\"ptp\",\"mtu\":1400", HAS_ADDRESS), 0);
		CHECK_INT(real(versions[i], "\"type\":\"bridge\",\"bridge\":\"br7\",\"isGateway\":true", HAS_ADDRESS), 0);
	}
	CHECK(in_pod("ip link show eth0 >/dev/null 2>&1") != 0);
	CHECK(system("ip -o link | grep -q veth") != 0);
	CHECK_INT(system("ip link add dummy7 type veth peer name dummy8 && ip link set dummy7 up && ip link set dummy8 up"), 0);
	CHECK_INT(real("0.4.0", "\"type\":\"macvlan\",\"master\":\"dummy7\"", "ip -d link show eth0 | grep -q macvlan"), 0);
}

/* the next of a chain: takes *r and gives the new one */
static int next(const char *conf, struct net_result *r)
{
	struct net_join j = join(conf);
	struct net_result out = { 0 };

	j.netns_fd = pod_ns;
	j.args = "";
	int got = run(&j, "ADD", r->n_ips ? r : NULL, &out);
	if (got < 0)
		printf("# %s\n", said);
	net_result_free(r);
	*r = out;
	cJSON_Delete((cJSON *)j.conf);
	return got;
}

static int undo(const char *conf, const struct net_result *r)
{
	struct net_join j = join(conf);

	j.netns_fd = pod_ns;
	j.args = "";
	int got = run(&j, "DEL", r, NULL);
	cJSON_Delete((cJSON *)j.conf);
	return got;
}

#define HEAD "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":"
static const char tuning[] = HEAD "\"tuning\",\"sysctl\":{\"net.core.somaxconn\":\"555\"}}";
static const char portmap[] = HEAD "\"portmap\",\"capabilities\":{\"portMappings\":true},\"runtimeConfig\":{\"portMappings\":"
	"[{\"hostPort\":8087,\"containerPort\":80,\"protocol\":\"tcp\"}]}}";
static const char bandwidth[] = HEAD "\"bandwidth\",\"ingressRate\":8000000,\"ingressBurst\":80000}";

TEST(real_chain, "net: Debian's tuning, portmap and bandwidth in a chain behind its ptp")
{
	char conf[600], ipam[300];
	struct net_result r = { 0 };

	if (!installed("portmap") || system("iptables -t nat -L >/dev/null 2>&1") != 0)
		SKIP("containernetworking-plugins or iptables is not installed");
	clear();
	if (!namespaces())
		SKIP("no network namespaces");
	snprintf(ipam, sizeof(ipam), IPAM, root);
	snprintf(conf, sizeof(conf), HEAD "\"ptp\",%s}", ipam);
	CHECK_INT(next(conf, &r), 0);
	CHECK_INT(next(tuning, &r), 0);
	CHECK_INT(next(portmap, &r), 0);
	CHECK_INT(next(bandwidth, &r), 0);
	CHECK(net_result_first(&r, 4) != NULL && r.n_ifaces >= 2);
	CHECK_INT(in_pod("grep -q 555 /proc/sys/net/core/somaxconn"), 0);
	CHECK_INT(system("iptables -t nat -S | grep -q 8087"), 0);
	CHECK_INT(system("tc qdisc show | grep -q tbf"), 0);
	CHECK_INT(undo(bandwidth, &r), 0);
	CHECK_INT(undo(portmap, &r), 0);
	CHECK_INT(undo(tuning, &r), 0);
	CHECK_INT(undo(conf, &r), 0);
	CHECK(system("iptables -t nat -S | grep -q 8087") != 0);
	net_result_free(&r);
}

TEST(real_error, "net: what Debian's plug-ins complain about arrives")
{
	struct net_result r = { 0 };

	if (!installed("ptp"))
		SKIP("containernetworking-plugins is not installed");
	clear();
	if (!namespaces())
		SKIP("no network namespaces");
	struct net_join j = join("{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"macvlan\",\"master\":\"nope0\"}");
	j.netns_fd = pod_ns;
	j.args = "";
	CHECK_INT(run(&j, "ADD", NULL, &r), -1);
	CHECK_STR(said, "plug-in macvlan: ADD: Link not found");
	cJSON_Delete((cJSON *)j.conf);
}

TEST(real_ipam, "net: an external address management is asked, and forgets at DEL")
{
	char conf[600], ipam[300], text[IP_CIDR_MAX];
	struct net_result r = { 0 };
	struct err e;

	if (!installed("host-local"))
		SKIP("containernetworking-plugins is not installed");
	clear();
	if (!namespaces())
		SKIP("no network namespaces");
	snprintf(ipam, sizeof(ipam), IPAM, root);
	snprintf(conf, sizeof(conf), "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"ptp\",%s}", ipam);
	struct net_join j = join(conf);
	j.netns_fd = pod_ns;
	j.args = "IP=10.77.0.99";
	CHECK(plugin_run(&j, "host-local", "ADD", NULL, &r, &e) == 0);
	REQUIRE(r.n_ips == 1);
	CHECK_STR(ip_cidr_text(&r.ips[0].address, text), "10.77.0.99/24");
	CHECK_INT(r.ips[0].iface, -1);
	CHECK_INT(r.n_routes, 1);
	CHECK_HAS(scratch_content("leases/n/10.77.0.99"), "6f1c0b5e");
	CHECK(plugin_run(&j, "host-local", "DEL", NULL, NULL, &e) == 0);
	CHECK_STR(scratch_content("leases/n/10.77.0.99"), "");
	net_result_free(&r);
	cJSON_Delete((cJSON *)j.conf);
}

UNIT_MAIN(protocol, failures, refused, limits, descriptors, mounts, real_main, real_chain, real_error, real_ipam)
