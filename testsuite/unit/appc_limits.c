/* SPDX-License-Identifier: Apache-2.0
 * appc_limits - unit tests of reading isolators into numbers, and of the names they use
 */
#include <errno.h>

#include "core/appc/isolator.h"
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
	CHECK(!l.has_oom_score_adj && !l.no_new_privs && !l.ignored[0]);
	CHECK(l.caps == appc_caps_default);
}

TEST(each, "limits: each isolator that is enforced, and the names of those that are not")
{
	struct appc_isolators is = list("{\"resource/memory\":{\"request\":\"1M\",\"limit\":\"2Mi\"},\"resource/cpu\":"
		"{\"limit\":\"1500m\",\"request\":0.5e1},\"resource/pids\":{\"limit\":\"1K\"},\"os/linux/cpu-shares\":512,"
		"\"os/linux/oom-score-adj\":-3,\"os/linux/no-new-privileges\":true,\"os/linux/capabilities-retain-set\":"
		"{\"set\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"]},\"os/unix/sysctl\":{},\"x/y\":1}");
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
	CHECK_STR(l.ignored[0], "os/unix/sysctl");
	CHECK_STR(l.ignored[1], "x/y");
	CHECK_STR(l.ignored[2], NULL);
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

UNIT_MAIN(none, each, removed, countless, malformed, ignored_bounded, caps, errnos)
