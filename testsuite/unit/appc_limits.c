/* SPDX-License-Identifier: Apache-2.0
 * appc_limits - unit tests of reading isolators into numbers, and of the names they use
 */
#include <errno.h>

#include <sys/resource.h>

#include "core/appc/isolator.h"
#include "core/appc/rlimit.h"
#include "core/appc/sysctl.h"
#include "core/base/json.h"
#include "testsuite/unit/unit.h"

/* isolators of a JSON object NAME: VALUE, in order; free with drop() */
static struct appc_isolators list(const char *text)
{
	struct appc_isolators l = { 0 };
	struct err e = { 0 };
	auto_json cJSON *j = json_parse_err(text, strlen(text), &e);

	for (cJSON *c = j ? j->child : NULL; c; c = c->next) {
		l.v = reallocarray(l.v, l.n + 1, sizeof(*l.v));
		if (!l.v)
			abort();
		l.v[l.n++] = (struct appc_isolator){ strdup(c->string + strspn(c->string, "0123456789 ")),
						     cJSON_Duplicate(c, true), NULL };
	}
	return l;
}

static void drop(struct appc_isolators *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		cJSON_Delete(l->v[i].value);
	}
	free(l->v);
}

TEST(none, "limits: without isolators nothing is limited, and capabilities are the default set")
{
	struct appc_limits l;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&(struct appc_isolators){ 0 }, &l, &e), 0);
	CHECK_INT(l.memory_bytes, APPC_UNLIMITED);
	CHECK_INT(l.memory_request, 0);
	CHECK_INT(l.cpu_millis, APPC_UNLIMITED);
	CHECK_INT(l.cpu_request_millis, 0);
	CHECK_INT(l.cpu_shares, 0);
	CHECK_INT(l.pids, APPC_UNLIMITED);
	CHECK_INT(l.network_bps, APPC_UNLIMITED);
	CHECK(!l.has_oom_score_adj && !l.no_new_privs && !l.ignored[0]);
	CHECK(l.caps == appc_caps_default);
}

TEST(each, "limits: each isolator that is enforced, and the names of those that are not")
{
	struct appc_isolators is = list("{\"resource/memory\":{\"request\":\"1M\",\"limit\":\"2Mi\"},\"resource/cpu\":"
		"{\"limit\":\"1500m\",\"request\":0.5e1},\"resource/pids\":{\"limit\":\"1K\"},\"os/linux/cpu-shares\":512,"
		"\"os/linux/oom-score-adj\":-3,\"os/linux/no-new-privileges\":true,\"os/linux/capabilities-retain-set\":"
		"{\"set\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"]},\"resource/network-bandwidth\":{\"limit\":\"1Mi\"},\"x/y\":1}");
	struct appc_limits l;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&is, &l, &e), 0);
	CHECK_INT(l.memory_bytes, 2097152);
	CHECK_INT(l.memory_request, 1000000);
	CHECK_INT(l.cpu_millis, 1500);
	CHECK_INT(l.cpu_request_millis, 5000);
	CHECK_INT(l.pids, 1000);
	CHECK_INT(l.cpu_shares, 512);
	CHECK_INT(l.oom_score_adj, -3);
	CHECK(l.has_oom_score_adj && l.no_new_privs);
	CHECK(l.caps == ((UINT64_C(1) << 0) | (UINT64_C(1) << 40)));
	CHECK_INT(l.network_bps, 1048576);
	CHECK_STR(l.ignored[0], "x/y");
	CHECK_STR(l.ignored[1], NULL);
	drop(&is);
}

TEST(removed, "limits: the remove set is taken from the default set; the last of a kind counts")
{
	struct appc_isolators is = list("{\"os/linux/capabilities-remove-set\":{\"set\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]},"
		"\"resource/memory\":{\"limit\":\"1M\"},\"1 resource/memory\":{\"limit\":\"2M\"}}");
	struct appc_limits l;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&is, &l, &e), 0);
	CHECK(l.caps == (appc_caps_default & ~UINT64_C(1)));
	CHECK_INT(l.memory_bytes, 2000000);
	drop(&is);
}

TEST(countless, "limits: what is too large to be counted is no limit")
{
	struct appc_isolators is = list("{\"resource/memory\":{\"limit\":\"99999E\"},"
		"\"resource/cpu\":{\"limit\":\"9223372036854775807\",\"request\":0.25}}");
	struct appc_limits l;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&is, &l, &e), 0);
	CHECK_INT(l.memory_bytes, APPC_UNLIMITED);
	CHECK_INT(l.cpu_millis, APPC_UNLIMITED);
	CHECK_INT(l.cpu_request_millis, 250);
	CHECK_INT(e.code, 0);
	drop(&is);
}

TEST(malformed, "limits: malformed values are EINVAL and name the isolator")
{
	static const char *const bad[] = {
		"{\"resource/memory\":{\"limit\":\"x\"}}", "{\"resource/memory\":{\"limit\":-1}}",
		"{\"resource/memory\":\"1M\"}", "{\"resource/cpu\":[]}",
		"{\"os/linux/cpu-shares\":1}",
		"{\"os/linux/cpu-shares\":\"512\"}", "{\"os/linux/oom-score-adj\":1001}",
		"{\"os/linux/no-new-privileges\":1}", "{\"os/linux/capabilities-retain-set\":{}}",
		"{\"os/linux/capabilities-retain-set\":{\"set\":[\"CAP_X\"]}}",
		"{\"os/linux/capabilities-remove-set\":{\"set\":[7]}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct appc_isolators is = list(bad[i]);
		struct appc_limits l;
		struct err e = { 0 };
		REQUIRE(is.n == 1);
		int r = appc_limits_read(&is, &l, &e);
		if (r == 0)
			printf("# accepted %s\n", bad[i]);
		CHECK_INT(r, -1);
		CHECK_INT(e.code, EINVAL);
		CHECK_HAS(e.msg, is.v[0].name);
		drop(&is);
	}
}

TEST(others, "limits: resource limits, block devices, and values that stage 1 walks through")
{
	struct appc_isolators is = list("{\"os/unix/rlimits\":{\"nofile\":{\"soft\":\"1K\",\"hard\":\"unlimited\"},\"core\":"
		"{\"soft\":0,\"hard\":0}},\"resource/block-bandwidth\":{\"default\":true,\"limit\":\"2M\"},"
		"\"resource/block-iops\":{\"default\":true,\"limit\":9},\"os/unix/sysctl\":{\"net.a\":\"1\"},"
		"\"os/linux/landlock\":{\"read\":[\"/\"]},\"os/linux/selinux-context\":{},"
		"\"os/linux/apparmor-profile\":{\"profile\":\"p\"}}");
	struct appc_limits l;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&is, &l, &e), 0);
	CHECK(l.rlimits[RLIMIT_NOFILE].set && l.rlimits[RLIMIT_CORE].set && !l.rlimits[RLIMIT_AS].set);
	CHECK(l.rlimits[RLIMIT_NOFILE].soft == 1000 && l.rlimits[RLIMIT_NOFILE].hard == UINT64_MAX);
	CHECK(l.rlimits[RLIMIT_CORE].soft == 0 && l.rlimits[RLIMIT_CORE].hard == 0);
	CHECK_INT(l.block_bps, 2000000);
	CHECK_INT(l.block_iops, 9);
	CHECK(l.sysctl && l.landlock && l.selinux);
	CHECK_STR(l.apparmor, "p");
	CHECK(!l.ignored[0]);
	drop(&is);
}

TEST(bound, "limits: a pod's bound those of an app, which gets them where it says nothing")
{
	struct appc_isolators pod = list("{\"resource/pids\":{\"limit\":10},\"resource/block-iops\":{\"limit\":5},\"os/unix/rlimits\":"
		"{\"nofile\":{\"soft\":20,\"hard\":30},\"core\":{\"soft\":1,\"hard\":2}},\"os/linux/apparmor-profile\":{\"profile\":\"pod\"}}");
	struct appc_isolators app = list("{\"resource/pids\":{\"limit\":20},\"resource/memory\":{\"limit\":7},\"os/unix/rlimits\":"
		"{\"nofile\":{\"soft\":25,\"hard\":28},\"nproc\":{\"soft\":3,\"hard\":4}},\"os/linux/apparmor-profile\":{\"profile\":\"app\"}}");
	struct appc_limits p, a;
	struct err e = { 0 };

	CHECK_INT(appc_limits_read(&pod, &p, &e), 0);
	CHECK_INT(appc_limits_read(&app, &a, &e), 0);
	appc_limits_bound(&a, &p);
	CHECK_INT(a.pids, 10);
	CHECK_INT(a.memory_bytes, 7);
	CHECK_INT(a.block_iops, 5);
	CHECK(a.block_bps == APPC_UNLIMITED && a.cpu_millis == APPC_UNLIMITED);
	CHECK(a.rlimits[RLIMIT_NOFILE].soft == 20 && a.rlimits[RLIMIT_NOFILE].hard == 28);
	CHECK(a.rlimits[RLIMIT_CORE].set && a.rlimits[RLIMIT_CORE].soft == 1 && a.rlimits[RLIMIT_CORE].hard == 2);
	CHECK(a.rlimits[RLIMIT_NPROC].soft == 3 && a.rlimits[RLIMIT_NPROC].hard == 4);
	CHECK_STR(a.apparmor, "app");
	drop(&pod);
	drop(&app);
}

TEST(sysctl_keys, "sysctl: keys become paths below /proc/sys, and say whom they concern")
{
	static const struct { const char *key, *path; enum sysctl_kind kind; } good[] = {
		{ "net.core.somaxconn", "net/core/somaxconn", SYSCTL_NET },
		{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding", SYSCTL_NET },
		{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding", SYSCTL_NET },
		{ "kernel.shmmax", "kernel/shmmax", SYSCTL_IPC }, { "kernel.msg_next_id", "kernel/msg_next_id", SYSCTL_IPC },
		{ "kernel.sem", "kernel/sem", SYSCTL_IPC }, { "fs.mqueue.msg_max", "fs/mqueue/msg_max", SYSCTL_IPC },
		{ "kernel.sem2", "kernel/sem2", SYSCTL_HOST }, { "kernel.hostname", "kernel/hostname", SYSCTL_HOST },
		{ "vm.swappiness", "vm/swappiness", SYSCTL_HOST }, { "net", "net", SYSCTL_HOST },
		{ "netx.a", "netx/a", SYSCTL_HOST }, { "fs.file-max", "fs/file-max", SYSCTL_HOST },
	};
	static const char *const bad[] = { "", ".", "..", "net..a", "net/../kernel/panic", "net.ipv4.", "/net/ipv4", "net a",
		"net.\n" };
	char path[64];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK(sysctl_path(good[i].key, path, sizeof(path)));
		CHECK_STR(path, good[i].path);
		CHECK_INT(sysctl_kind(path), good[i].kind);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!sysctl_path(bad[i], path, sizeof(path)));
	CHECK(!sysctl_path("net.core.somaxconn", path, strlen("net.core.somaxconn")));
}

TEST(rlimit_names, "names: resource limits by number, and back")
{
	for (int i = 0; i < APPC_RLIMITS; i++) {
		REQUIRE(appc_rlimit_name(i));
		CHECK_INT(appc_rlimit_number(appc_rlimit_name(i)), i);
	}
	CHECK_INT(appc_rlimit_number("nofile"), RLIMIT_NOFILE);
	CHECK_INT(appc_rlimit_number("NOFILE"), -1);
	CHECK(!appc_rlimit_name(APPC_RLIMITS) && !appc_rlimit_name(-1));
}

TEST(ignored_bounded, "limits: the list of ignored isolators ends with NULL however many there are")
{
	struct buf b = { 0 };
	struct appc_limits l;
	struct err e = { 0 };
	size_t n = 0;

	buf_str(&b, "{\"a\":1");
	for (int i = 0; i < 100; i++)
		buf_fmt(&b, ",\"x%d\":1", i);
	buf_str(&b, "}");
	struct appc_isolators is = list(b.data);
	CHECK_INT(is.n, 101);
	CHECK_INT(appc_limits_read(&is, &l, &e), 0);
	while (n < sizeof(l.ignored) / sizeof(*l.ignored) && l.ignored[n])
		n++;
	CHECK_INT(n, 31);
	drop(&is);
	buf_free(&b);
}

TEST(caps, "names: capabilities by number, the default set is the spec's 14")
{
	static const char *const set[] = { "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER",
		"CAP_KILL", "CAP_MKNOD", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP",
		"CAP_SETFCAP", "CAP_SYS_CHROOT" };
	uint64_t all = 0;

	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		all |= UINT64_C(1) << appc_cap_number(set[i]);
	CHECK(all == appc_caps_default);
	CHECK_INT(__builtin_popcountll(all), 14);
	CHECK_INT(appc_cap_number("CAP_SYS_ADMIN"), 21);
	CHECK_INT(appc_cap_number("CAP_CHECKPOINT_RESTORE"), 40);
	CHECK_INT(appc_cap_number("CAP_"), -1);
	CHECK_INT(appc_cap_number(""), -1);
	CHECK_STR(appc_cap_name(0), "CAP_CHOWN");
	CHECK_STR(appc_cap_name(40), "CAP_CHECKPOINT_RESTORE");
	CHECK_STR(appc_cap_name(41), NULL);
	CHECK_STR(appc_cap_name(-1), NULL);
	for (int i = 0; i <= 40; i++)
		CHECK_INT(appc_cap_number(appc_cap_name(i)), i);
}

TEST(errnos, "names: errors")
{
	CHECK_INT(appc_errno_number("EPERM"), EPERM);
	CHECK_INT(appc_errno_number("ENOTSUP"), ENOTSUP);
	CHECK_INT(appc_errno_number("EHWPOISON"), EHWPOISON);
	CHECK_INT(appc_errno_number("eperm"), -1);
	CHECK_INT(appc_errno_number(""), -1);
	CHECK_INT(appc_errno_number("ENONSENSE"), -1);
}

UNIT_MAIN(none, each, removed, countless, malformed, others, bound, sysctl_keys, rlimit_names,
	  ignored_bounded, caps, errnos)
