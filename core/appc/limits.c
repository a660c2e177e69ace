/* SPDX-License-Identifier: Apache-2.0
 * limits - the isolators of a list, read into numbers; see isolator.h
 *
 * Where an isolator is there more than once, the last counts: so a list can be added to, to
 * override.
 */
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "core/appc/isolator.h"
#include "core/appc/quantity.h"
#include "core/appc/rlimit.h"
#include "core/base/json.h"
#include "core/base/num.h"

int quantity_read(const cJSON *j, uint64_t scale, int64_t *out, struct err *e)
{
	char text[DBL_MAX_10_EXP + 16];
	const char *s = text;

	if (cJSON_IsString(j))
		s = j->valuestring;
	else if (cJSON_IsNumber(j) && j->valuedouble >= 0)
		snprintf(text, sizeof(text), "%.9f", j->valuedouble);
	else
		return err_set(e, EINVAL,
			"a quantity is a string (like \"500m\", \"128M\" or \"1.5Gi\") or a number that is not "
			"negative");
	struct err why;
	if (num_quantity(s, scale, out, &why) == 0)
		return 0;
	if (why.code == ERANGE) {
		*out = INT64_MAX;
		return 0;
	}
	*e = why;
	return -1;
}

static int read_member(const cJSON *value, const char *name, uint64_t scale, int64_t absent,
	int64_t *out, struct err *e)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(value, name);

	if (!j || cJSON_IsNull(j)) {
		*out = absent;
		return 0;
	}
	return quantity_read(j, scale, out, e);
}

static int read_memory(const cJSON *value, struct appc_limits *l, struct err *e)
{
	if (read_member(value, "request", 1, 0, &l->memory_request, e) < 0)
		return -1;
	return read_member(value, "limit", 1, APPC_UNLIMITED, &l->memory_bytes, e);
}

static int read_cpu(const cJSON *value, struct appc_limits *l, struct err *e)
{
	if (read_member(value, "request", 1000, 0, &l->cpu_request_millis, e) < 0)
		return -1;
	return read_member(value, "limit", 1000, APPC_UNLIMITED, &l->cpu_millis, e);
}

static int read_pids(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_member(value, "limit", 1, APPC_UNLIMITED, &l->pids, e);
}

static int read_whole(const cJSON *value, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	if (!json_int(value, out) || *out < min || *out > max)
		return err_set(e, EINVAL, "value is not a whole number between %lld and %lld",
			(long long)min, (long long)max);
	return 0;
}

static int read_cpu_shares(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_whole(value, 2, 262144, &l->cpu_shares, e);
}

static int read_oom_score_adj(const cJSON *value, struct appc_limits *l, struct err *e)
{
	int64_t v;

	if (read_whole(value, -1000, 1000, &v, e) < 0)
		return -1;
	l->oom_score_adj = (int)v;
	l->has_oom_score_adj = true;
	return 0;
}

static int read_no_new_privs(const cJSON *value, struct appc_limits *l, struct err *e)
{
	if (!cJSON_IsBool(value))
		return err_set(e, EINVAL, "value is not true or false");
	l->no_new_privs = cJSON_IsTrue(value);
	return 0;
}

static int read_caps(const cJSON *value, uint64_t *caps, struct err *e)
{
	const cJSON *set = cJSON_GetObjectItemCaseSensitive(value, "set");

	if (!cJSON_IsArray(set))
		return err_set(e, EINVAL, "set is not a list of capabilities");
	*caps = 0;
	for (const cJSON *j = set->child; j; j = j->next) {
		int n = cJSON_IsString(j) ? appc_cap_number(j->valuestring) : -1;
		if (n < 0)
			return err_set(e, EINVAL, "\"%s\" is not a capability",
				       cJSON_IsString(j) ? j->valuestring : "(no string)");
		*caps |= UINT64_C(1) << n;
	}
	return 0;
}

static int read_retain(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_caps(value, &l->caps, e);
}

static int read_remove(const cJSON *value, struct appc_limits *l, struct err *e)
{
	uint64_t remove;

	if (read_caps(value, &remove, e) < 0)
		return -1;
	l->caps = appc_caps_default & ~remove;
	return 0;
}

static int read_seccomp_retain(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return appc_seccomp_read(value, true, &l->seccomp, e);
}

static int read_seccomp_remove(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return appc_seccomp_read(value, false, &l->seccomp, e);
}

static int read_bandwidth(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_member(value, "limit", 1, APPC_UNLIMITED, &l->block_bps, e);
}

static int read_iops(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_member(value, "limit", 1, APPC_UNLIMITED, &l->block_iops, e);
}

static int read_network(const cJSON *value, struct appc_limits *l, struct err *e)
{
	return read_member(value, "limit", 1, APPC_UNLIMITED, &l->network_bps, e);
}

static int read_rlimit_value(const cJSON *rlimit, const char *name, uint64_t *out, struct err *e)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(rlimit, name);
	int64_t v;

	*out = UINT64_MAX;
	if (cJSON_IsString(j) && !strcmp(j->valuestring, "unlimited"))
		return 0;
	if (!j)
		return err_set(e, EINVAL, "%s is missing", name);
	if (quantity_read(j, 1, &v, e) < 0)
		return -1;
	if (v != APPC_UNLIMITED)
		*out = (uint64_t)v;
	return 0;
}

static int read_rlimits(const cJSON *value, struct appc_limits *l, struct err *e)
{
	memset(l->rlimits, 0, sizeof(l->rlimits)); /* the last list counts, all of it */
	for (const cJSON *j = value->child; j; j = j->next) {
		int n = appc_rlimit_number(j->string);
		if (n < 0 || n >= APPC_RLIMITS)
			return err_set(e, EINVAL, "\"%.100s\" is not a limit", j->string);
		struct appc_rlimit *r = &l->rlimits[n];
		if (read_rlimit_value(j, "soft", &r->soft, e) < 0 || read_rlimit_value(j, "hard", &r->hard, e) < 0)
			return err_wrap(e, "%s", j->string);
		if (r->soft > r->hard)
			return err_set(e, EINVAL, "%s: soft is more than hard", j->string);
		r->set = true;
	}
	return 0;
}

static int read_landlock(const cJSON *value, struct appc_limits *l, struct err *e)
{
	(void)e;
	l->landlock = value;
	return 0;
}

static int read_sysctl(const cJSON *value, struct appc_limits *l, struct err *e)
{
	(void)e;
	l->sysctl = value;
	return 0;
}

static int read_selinux(const cJSON *value, struct appc_limits *l, struct err *e)
{
	(void)e;
	l->selinux = value;
	return 0;
}

static int read_apparmor(const cJSON *value, struct appc_limits *l, struct err *e)
{
	l->apparmor = json_str(value, "profile");
	return l->apparmor ? 0 : err_set(e, EINVAL, "profile is missing");
}

static const struct reader {
	const char *name;
	int       (*read)(const cJSON *value, struct appc_limits *l, struct err *e);
	bool        object;
} readers[] = {
	{ "resource/memory", read_memory, true },
	{ "resource/cpu", read_cpu, true },
	{ "resource/pids", read_pids, true },
	{ "os/linux/cpu-shares", read_cpu_shares, false },
	{ "os/linux/oom-score-adj", read_oom_score_adj, false },
	{ "os/linux/no-new-privileges", read_no_new_privs, false },
	{ "os/linux/capabilities-retain-set", read_retain, true },
	{ "os/linux/capabilities-remove-set", read_remove, true },
	{ APPC_SECCOMP_RETAIN_SET, read_seccomp_retain, true },
	{ APPC_SECCOMP_REMOVE_SET, read_seccomp_remove, true },
	{ "resource/block-bandwidth", read_bandwidth, true },
	{ "resource/block-iops", read_iops, true },
	{ "resource/network-bandwidth", read_network, true },
	{ "os/unix/rlimits", read_rlimits, true },
	{ "os/unix/sysctl", read_sysctl, true },
	{ "os/linux/landlock", read_landlock, true },
	{ "os/linux/selinux-context", read_selinux, true },
	{ "os/linux/apparmor-profile", read_apparmor, true },
};

static const struct reader *find_reader(const char *name)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		if (!strcmp(readers[i].name, name))
			return &readers[i];
	return NULL;
}

static int read_one(const struct reader *r, const struct appc_isolator *is, struct appc_limits *out,
	struct err *e)
{
	if (r->object && !cJSON_IsObject(is->value))
		return err_set(e, EINVAL, "isolator %s: value is not an object", is->name);
	if (r->read(is->value, out, e) == 0)
		return 0;
	err_wrap(e, "isolator %s", is->name);
	e->code = EINVAL;
	return -1;
}

int appc_limits_read(const struct appc_isolators *l, struct appc_limits *out, struct err *e)
{
	size_t n_ignored = 0;

	*out = (struct appc_limits){ .memory_bytes = APPC_UNLIMITED, .cpu_millis = APPC_UNLIMITED,
				     .pids = APPC_UNLIMITED, .caps = appc_caps_default,
				     .block_bps = APPC_UNLIMITED, .block_iops = APPC_UNLIMITED,
				     .network_bps = APPC_UNLIMITED };
	for (size_t i = 0; i < l->n; i++) {
		const char *name = l->v[i].name;
		const struct reader *r = name ? find_reader(name) : NULL;
		if (r) {
			if (read_one(r, &l->v[i], out, e) < 0)
				return -1;
		} else if (name && n_ignored < sizeof(out->ignored) / sizeof(*out->ignored) - 1) {
			out->ignored[n_ignored++] = name;
		}
	}
	return 0;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void bound_rlimit(struct appc_rlimit *r, const struct appc_rlimit *pod)
{
	if (!pod->set)
		return;
	if (!r->set)
		*r = *pod;
	r->soft = r->soft < pod->soft ? r->soft : pod->soft;
	r->hard = r->hard < pod->hard ? r->hard : pod->hard;
	if (r->soft > r->hard)
		r->soft = r->hard;
}

void appc_limits_bound(struct appc_limits *app, const struct appc_limits *pod)
{
	app->memory_bytes = min64(app->memory_bytes, pod->memory_bytes);
	app->cpu_millis = min64(app->cpu_millis, pod->cpu_millis);
	app->pids = min64(app->pids, pod->pids);
	app->block_bps = min64(app->block_bps, pod->block_bps);
	app->block_iops = min64(app->block_iops, pod->block_iops);
	app->network_bps = min64(app->network_bps, pod->network_bps);
	for (size_t i = 0; i < APPC_RLIMITS; i++)
		bound_rlimit(&app->rlimits[i], &pod->rlimits[i]);
	/* of labels, those of the app override (spec/ace.md, os/linux/selinux-context) */
	app->selinux = app->selinux ? app->selinux : pod->selinux;
	app->apparmor = app->apparmor ? app->apparmor : pod->apparmor;
}
