/* SPDX-License-Identifier: Apache-2.0
 * verdict - see verdict.h
 */
#include "core/host/verdict.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/appc/isolator.h"
#include "core/appc/rlimit.h"
#include "core/appc/sysctl.h"
#include "core/base/buf.h"
#include "core/host/cgroup_find.h"
#include "core/host/facts.h"

#define CPU_LEAST_MILLIS 10

const char *verdict_kind_name(enum verdict_kind k)
{
	static const char *const names[] = { "enforced", "changed", "ignored" };

	return names[k];
}

/* one list of isolators, of an app or of the pod */
struct court {
	const struct verdict_how    *how;
	const struct appc_isolators *list;
	const char                  *app, *arch; /* its name, and the label of its image */
	struct appc_limits           own, bounded; /* as asked for; as the pod's bound them */
	bool                         several;      /* the pod has several apps */
};

__attribute__((format(printf, 3, 4))) static void say(struct verdict *v, enum verdict_kind k, const char *fmt, ...)
{
	va_list ap;

	v->kind = k;
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
}

/* ---- what only some hosts can do ---- */

/* without root only where a group is ours to divide; *v says so if it is not */
static bool may_limit(const struct court *c, int controller, const char *check, struct verdict *v)
{
	struct err why;

	if (!c->how->rootless || facts_delegated(controller, &why))
		return true;
	say(v, VERDICT_IGNORED, "%.220s (rkt doctor %s)", why.msg, check);
	return false;
}

static void judge_memory(const struct court *c, struct verdict *v)
{
	int64_t page = sysconf(_SC_PAGESIZE), bytes = c->bounded.memory_bytes;
	struct err why;

	if (c->own.memory_bytes == APPC_UNLIMITED && !c->own.memory_request)
		say(v, VERDICT_IGNORED, "it has neither limit nor request");
	else if (!may_limit(c, CGROUP_MEMORY, "cgroup-memory", v))
		return;
	else if (c->own.memory_bytes == APPC_UNLIMITED && !facts_controller(CGROUP_MEMORY, &why))
		say(v, VERDICT_IGNORED, "%.200s (rkt doctor cgroup-memory)", why.msg);
	else if (bytes < c->own.memory_bytes && c->own.memory_bytes != APPC_UNLIMITED)
		say(v, VERDICT_CHANGED, "%lld bytes, which is the pod's limit", (long long)bytes);
	else if (bytes != APPC_UNLIMITED && bytes % page)
		say(v, VERDICT_CHANGED, "%lld bytes, whole pages of memory", (long long)(bytes - bytes % page));
}

static void judge_cpu(const struct court *c, struct verdict *v)
{
	if (c->own.cpu_millis == APPC_UNLIMITED && !c->own.cpu_request_millis)
		say(v, VERDICT_IGNORED, "it has neither limit nor request");
	else if (!may_limit(c, CGROUP_CPU, "cgroup-cpu", v))
		return;
	else if (c->bounded.cpu_millis < c->own.cpu_millis && c->own.cpu_millis != APPC_UNLIMITED)
		say(v, VERDICT_CHANGED, "%lldm, which is the pod's limit", (long long)c->bounded.cpu_millis);
	else if (c->bounded.cpu_millis < CPU_LEAST_MILLIS)
		say(v, VERDICT_CHANGED, "%dm, the least that the kernel can do", CPU_LEAST_MILLIS);
}

static void judge_shares(const struct court *c, struct verdict *v)
{
	may_limit(c, CGROUP_CPU, "cgroup-cpu", v);
}

static void judge_pids(const struct court *c, struct verdict *v)
{
	if (!may_limit(c, CGROUP_PIDS, "cgroup-pids", v))
		return;
	if (c->bounded.pids < c->own.pids)
		say(v, VERDICT_CHANGED, "%lld, which is the pod's limit", (long long)c->bounded.pids);
	else if (c->own.pids > APPC_PIDS_MAX)
		say(v, VERDICT_CHANGED, "no limit, since there can be no more than %d processes", APPC_PIDS_MAX);
}

static void judge_io(const struct court *c, struct verdict *v, int64_t own, int64_t bounded)
{
	struct err why;

	if (!facts_io(&why))
		say(v, VERDICT_IGNORED, "%.200s (rkt doctor cgroup-io io-throttle)", why.msg);
	else if (!may_limit(c, CGROUP_IO, "cgroup-io", v))
		return;
	else if (bounded < own)
		say(v, VERDICT_CHANGED, "%lld, which is the pod's limit", (long long)bounded);
	else if (own < 1)
		say(v, VERDICT_CHANGED, "1, the least that the kernel can do");
	else if (!c->app && c->several && facts_io_v1())
		say(v, VERDICT_CHANGED, "each app's limit, not that of all together: cgroups of version 1 cannot add up");
}

static void judge_bandwidth(const struct court *c, struct verdict *v)
{
	judge_io(c, v, c->own.block_bps, c->bounded.block_bps);
}

static void judge_iops(const struct court *c, struct verdict *v)
{
	judge_io(c, v, c->own.block_iops, c->bounded.block_iops);
}

static void judge_network(const struct court *c, struct verdict *v)
{
	int64_t own = c->own.network_bps, bps = c->bounded.network_bps;

	if (!c->how->own_net)
		say(v, VERDICT_IGNORED, "the interfaces are the host's (--net=host)");
	else if (own == APPC_UNLIMITED)
		say(v, VERDICT_IGNORED, "it has no limit");
	else if (bps < own)
		say(v, VERDICT_CHANGED, "%lld bytes per second, which is the pod's limit", (long long)bps);
	else if (c->app && c->several)
		say(v, VERDICT_CHANGED, "the pod's apps share its interfaces: all of them together have what the app with the "
		    "lowest limit may have");
}

static void judge_caps(const struct court *c, struct verdict *v)
{
	struct buf b = { 0 };
	uint64_t lacking = c->own.caps & ~facts_caps();

	if (c->how->no_caps) {
		say(v, VERDICT_IGNORED, "--insecure-options=capabilities");
		return;
	}
	/* what is lacking of the default set, nobody asked for */
	if (!lacking || strcmp(v->name, "os/linux/capabilities-retain-set") != 0)
		return;
	for (int i = 0; i < 64; i++)
		if (lacking >> i & 1)
			buf_fmt(&b, " %s", appc_cap_name(i));
	say(v, VERDICT_CHANGED, "without those that this host does not have:%.200s", b.failed ? "" : b.data);
	buf_free(&b);
}

static void count_doubt(void *ctx, enum appc_seccomp_doubt doubt, const char *name)
{
	(void)name;
	*(int *)ctx += doubt != APPC_SECCOMP_PART;
}

static void judge_seccomp(const struct court *c, struct verdict *v)
{
	bool set = c->own.seccomp.mode == APPC_SECCOMP_REMOVE || c->own.seccomp.mode == APPC_SECCOMP_RETAIN;
	int doubts = 0;

	appc_seccomp_doubts(c->list, c->arch, count_doubt, &doubts);
	if (c->how->no_seccomp)
		say(v, VERDICT_IGNORED, "--insecure-options=seccomp");
	else if (doubts)
		say(v, VERDICT_CHANGED, "without %d names that mean nothing here", doubts);
	else if (set && !c->own.seccomp.error)
		say(v, VERDICT_CHANGED, "denied calls fail with EPERM, without SIGSYS");
}

static void judge_oom(const struct court *c, struct verdict *v)
{
	int own = c->how->rootless ? facts_oom_score_adj() : INT_MIN;

	if (c->own.oom_score_adj < own)
		say(v, VERDICT_IGNORED, "without root it can only be raised, and ours is %d", own);
}

static void judge_selinux(const struct court *c, struct verdict *v)
{
	(void)c;
	if (facts_lsm() != FACTS_LSM_SELINUX)
		say(v, VERDICT_IGNORED, "SELinux is not in force on this host (rkt doctor selinux)");
	else if (facts_selinux_permissive())
		say(v, VERDICT_CHANGED, "the label is set, but SELinux is permissive on this host: what it forbids is only logged");
}

static void judge_apparmor(const struct court *c, struct verdict *v)
{
	(void)c;
	if (facts_lsm() != FACTS_LSM_APPARMOR)
		say(v, VERDICT_IGNORED, "AppArmor is not in force on this host (rkt doctor apparmor)");
}

static void judge_landlock(const struct court *c, struct verdict *v)
{
	int abi = facts_landlock();

	(void)c;
	if (!abi)
		say(v, VERDICT_IGNORED, "Landlock is not in force on this host (rkt doctor landlock)");
	else if (abi < 3)
		say(v, VERDICT_CHANGED, "truncate() is not denied: version %d of the kernel's interface cannot", abi);
}

static void add_limit(struct buf *b, int number, const struct appc_rlimit *r)
{
	buf_fmt(b, "%s%s %llu to %llu", b->len ? ", " : "", appc_rlimit_name(number), (unsigned long long)r->soft,
		(unsigned long long)r->hard);
}

static void judge_rlimits(const struct court *c, struct verdict *v)
{
	uint64_t most = facts_nr_open();
	struct buf b = { 0 };

	for (int i = 0; i < APPC_RLIMITS; i++) {
		struct appc_rlimit own = c->own.rlimits[i], r = c->bounded.rlimits[i];
		if (i == RLIMIT_NOFILE) {
			r.soft = r.soft < most ? r.soft : most;
			r.hard = r.hard < most ? r.hard : most;
		}
		if (own.set && (r.soft != own.soft || r.hard != own.hard))
			add_limit(&b, i, &r);
	}
	if (b.len && !b.failed)
		say(v, VERDICT_CHANGED, "%.280s", b.data);
	buf_free(&b);
}

/* all others are enforced as they are, or the pod does not start */
static const struct judge {
	const char *name;
	void      (*judge)(const struct court *c, struct verdict *v);
} judges[] = {
	{ "resource/memory", judge_memory },
	{ "resource/cpu", judge_cpu },
	{ "resource/pids", judge_pids },
	{ "os/linux/cpu-shares", judge_shares },
	{ "os/linux/oom-score-adj", judge_oom },
	{ "resource/block-bandwidth", judge_bandwidth },
	{ "resource/block-iops", judge_iops },
	{ "resource/network-bandwidth", judge_network },
	{ "os/linux/capabilities-retain-set", judge_caps },
	{ "os/linux/capabilities-remove-set", judge_caps },
	{ APPC_SECCOMP_RETAIN_SET, judge_seccomp },
	{ APPC_SECCOMP_REMOVE_SET, judge_seccomp },
	{ "os/linux/selinux-context", judge_selinux },
	{ "os/linux/apparmor-profile", judge_apparmor },
	{ "os/linux/landlock", judge_landlock },
	{ "os/unix/rlimits", judge_rlimits },
};

/* ---- the lists ---- */

static void judge(const struct court *c, struct verdict *v)
{
	unsigned scope = appc_isolator_scope(v->name);

	v->kind = VERDICT_ENFORCED;
	if (!scope)
		say(v, VERDICT_IGNORED, "it is not known");
	else if (!(scope & (c->app ? APPC_APP : APPC_POD)))
		say(v, VERDICT_IGNORED, c->app ? "it is for pods, not for apps" : "it is for apps, not for pods");
	for (size_t i = 0; *v->text == 0 && i < sizeof(judges) / sizeof(*judges); i++)
		if (!strcmp(judges[i].name, v->name))
			judges[i].judge(c, v);
}

static bool overridden(const struct appc_isolators *l, size_t i)
{
	for (size_t j = i + 1; j < l->n; j++)
		if (!strcmp(l->v[i].name, l->v[j].name))
			return true;
	return false;
}

static int judge_list(const struct court *c, struct verdicts *out, struct err *e)
{
	for (size_t i = 0; i < c->list->n; i++) {
		if (overridden(c->list, i))
			continue;
		struct verdict *v = reallocarray(out->v, out->n + 1, sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		out->v = v;
		v[out->n] = (struct verdict){ .app = c->app, .name = c->list->v[i].name };
		judge(c, &v[out->n++]);
	}
	return 0;
}

static int judge_app(struct court *c, const struct appc_runtime_app *ra, const struct appc_limits *pod,
	struct verdicts *out, struct err *e)
{
	if (!ra->app || !ra->app->isolators.n)
		return 0;
	c->list = &ra->app->isolators;
	c->app = ra->name;
	c->arch = appc_pair_find(&ra->image_labels, "arch");
	if (appc_limits_read(c->list, &c->own, e) < 0)
		return err_wrap(e, "app %s", ra->name);
	c->bounded = c->own;
	appc_limits_bound(&c->bounded, pod);
	return judge_list(c, out, e);
}

int verdicts_make(const struct pod_manifest *m, const struct verdict_how *how, struct verdicts *out, struct err *e)
{
	struct court c = { .how = how, .list = &m->isolators, .several = m->apps.n > 1 };

	*out = (struct verdicts){ .n = 0 };
	if (appc_limits_read(&m->isolators, &c.own, e) < 0 || sysctl_check(c.own.sysctl, how->own_net, e) < 0)
		return -1;
	const struct appc_limits pod = c.own;
	c.bounded = c.own;
	int r = judge_list(&c, out, e);
	for (size_t i = 0; r == 0 && i < m->apps.n; i++)
		r = judge_app(&c, &m->apps.v[i], &pod, out, e);
	if (r < 0)
		verdicts_free(out);
	return r;
}

void verdicts_free(struct verdicts *l)
{
	free(l->v);
	*l = (struct verdicts){ .n = 0 };
}

/* ---- annotations ---- */

int verdicts_annotate(const struct verdicts *l, struct pod_manifest *m, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct verdict *v = &l->v[i];
		struct buf name = { 0 }, value = { 0 };
		buf_fmt(&name, VERDICT_ANNOTATION "%s%s/%s", v->app ? "app/" : "pod", v->app ? v->app : "", v->name);
		buf_fmt(&value, "%s%s%s", verdict_kind_name(v->kind), *v->text ? ": " : "", v->text);
		int r = name.failed || value.failed ? err_set(e, ENOMEM, "out of memory") :
						      appc_pairs_set(&m->annotations, name.data, value.data, e);
		buf_free(&name);
		buf_free(&value);
		if (r < 0)
			return -1;
	}
	return 0;
}
