/* SPDX-License-Identifier: Apache-2.0
 * isolator - what the value of each known isolator must look like, and what may stand together
 *
 * One table names the isolators; an isolator that is not in it is allowed, as the spec wants. The
 * last four are ours: resource/pids {"limit": N}, os/unix/rlimits {"nofile": {"soft": N, "hard":
 * N}, ...} with "unlimited" for N, os/linux/landlock {"read": [PATH...], "write": [...], "execute":
 * [...]}, os/linux/apparmor-profile {"profile": NAME}. Source: appc spec, spec/ace.md, "Isolators"; for oom-score-adj and cpu-shares its
 * reference schema.
 */
#include <string.h>

#include "core/appc/isolator.h"
#include "core/appc/quantity.h"
#include "core/appc/rlimit.h"
#include "core/appc/schema.h"
#include "core/appc/sysctl.h"
#include "core/base/json.h"

/* ---- helpers: each looks at one member of the value ---- */

static bool want_object(struct check *c, const cJSON *value)
{
	if (!cJSON_IsObject(value))
		check_error(c, RULE_ISOLATOR_VALUE, "value must be an object");
	return cJSON_IsObject(value);
}

static const cJSON *member(const cJSON *obj, const char *name)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(obj, name);

	return cJSON_IsNull(j) ? NULL : j;
}

static bool is_true(const cJSON *j)
{
	return cJSON_IsTrue(j);
}

/* -1: not there, or reported */
static int64_t check_quantity(struct check *c, const cJSON *value, const char *name, uint64_t scale)
{
	const cJSON *j = member(value, name);
	struct err e;
	int64_t v = -1;

	if (!j)
		return -1;
	size_t mark = check_enter(c, name);
	if (quantity_read(j, scale, &v, &e) < 0)
		check_error(c, RULE_QUANTITY, "%s", e.msg);
	else if (v == INT64_MAX)
		check_warn(c, RULE_QUANTITY, "is too large to be counted, which amounts to no limit");
	check_leave(c, mark);
	return v;
}

static void check_whole(struct check *c, const cJSON *value, int64_t min, int64_t max)
{
	int64_t v;

	if (!json_int(value, &v))
		check_error(c, RULE_ISOLATOR_VALUE, "value must be a whole number");
	else if (v < min || v > max)
		check_error(c, RULE_ISOLATOR_VALUE, "%lld is not between %lld and %lld",
			(long long)v, (long long)min, (long long)max);
}

/* calls @one for each string of the member @name, which must be a list of them, and not empty */
static void check_set(struct check *c, const cJSON *value, const char *name,
	void (*one)(struct check *, const char *))
{
	const cJSON *set = member(value, name);
	size_t i = 0, mark = check_enter(c, name);

	if (!cJSON_IsArray(set))
		check_error(c, RULE_ISOLATOR_VALUE, "%s must be a list of strings", name);
	else if (!set->child)
		check_error(c, RULE_ISOLATOR_VALUE, "%s must not be empty", name);
	for (const cJSON *j = cJSON_IsArray(set) ? set->child : NULL; j; j = j->next, i++) {
		size_t element = check_enter_index(c, i);
		if (cJSON_IsString(j))
			one(c, j->valuestring);
		else
			check_error(c, RULE_ISOLATOR_VALUE, "must be a string");
		check_leave(c, element);
	}
	check_leave(c, mark);
}

/* ---- resource/... ---- */

static void check_resource(struct check *c, const cJSON *value, uint64_t scale)
{
	if (!want_object(c, value))
		return;
	int64_t limit = check_quantity(c, value, "limit", scale);
	int64_t request = check_quantity(c, value, "request", scale);
	if (!member(value, "limit") && !member(value, "request"))
		check_warn(c, RULE_ISOLATOR_VALUE,
			"has neither limit nor request, so it does nothing");
	if (limit == 0)
		check_warn(c, RULE_ISOLATOR_VALUE, "a limit of 0 leaves nothing to run with");
	if (limit >= 0 && request > limit)
		check_warn(c, RULE_ISOLATOR_VALUE, "request is more than limit");
	const cJSON *by_default = member(value, "default");
	if (by_default && !cJSON_IsBool(by_default))
		check_error(c, RULE_ISOLATOR_VALUE, "default must be true or false");
	if (is_true(by_default))
		check_error(c, RULE_ISOLATOR_VALUE, "default must not be true here");
}

static void check_memory(struct check *c, const cJSON *value)
{
	check_resource(c, value, 1);
}

static void check_cpu(struct check *c, const cJSON *value)
{
	check_resource(c, value, 1000);
}

/* what applies to all devices or interfaces at once, and says so */
static void check_bandwidth(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	if (!is_true(member(value, "default")))
		check_error(c, RULE_ISOLATOR_VALUE, "default must be true");
	if (!member(value, "limit"))
		check_error(c, RULE_ISOLATOR_VALUE, "limit is missing");
	if (member(value, "request"))
		check_error(c, RULE_ISOLATOR_VALUE, "request is not possible here");
	check_quantity(c, value, "limit", 1);
}

static void check_pids(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	if (!member(value, "limit"))
		check_error(c, RULE_ISOLATOR_VALUE, "limit is missing");
	if (check_quantity(c, value, "limit", 1) == 0)
		check_error(c, RULE_ISOLATOR_VALUE, "limit must be at least 1");
}

/* ---- os/linux/... ---- */

static void check_capability(struct check *c, const char *s)
{
	if (appc_cap_number(s) < 0)
		check_error(c, RULE_CAPABILITY,
			"\"%.100s\" is not a capability of Linux (like CAP_NET_ADMIN)", s);
}

static void check_capabilities(struct check *c, const cJSON *value)
{
	if (want_object(c, value))
		check_set(c, value, "set", check_capability);
}

static void check_bool(struct check *c, const cJSON *value)
{
	if (!cJSON_IsBool(value))
		check_error(c, RULE_ISOLATOR_VALUE, "value must be true or false");
}

#define SYSCALL_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_"

/* what is well-formed, but no name of anything is left out of the filter */
static bool is_known(const char *s)
{
	struct syscall_set unused = { { 0 } };

	return *s == '@' ? syscall_group(s, &unused) : syscall_find(s) >= 0;
}

/* @own: the one name of the reserved scope @appc.io/ that makes sense in this set */
static void check_syscall(struct check *c, const char *s, const char *own)
{
	if (!strncmp(s, "@appc.io/", 9)) {
		if (strcmp(s, own))
			check_error(c, RULE_SECCOMP,
				"wildcard \"%.100s\" has no meaning here (%s has)", s, own);
		return;
	}
	const char *slash = *s == '@' ? strchr(s, '/') : NULL;
	bool good =
		*s == '@' ? slash && slash > s + 1 && slash[1] : *s && !s[strspn(s, SYSCALL_CHARS)];
	if (!good)
		check_error(c, RULE_SECCOMP,
			"\"%.100s\" is not the name of a system call or of a wildcard", s);
	else if (!is_known(s))
		check_warn(c, RULE_SECCOMP_NAME, "there is no %s \"%.100s\"",
			*s == '@' ? "wildcard" : "system call", s);
}

static void check_retained_syscall(struct check *c, const char *s)
{
	check_syscall(c, s, APPC_SECCOMP_ALL);
}

static void check_removed_syscall(struct check *c, const char *s)
{
	check_syscall(c, s, APPC_SECCOMP_EMPTY);
}

static void check_errno(struct check *c, const cJSON *value)
{
	const cJSON *j = member(value, "errno");
	size_t mark = check_enter(c, "errno");

	if (j && !cJSON_IsString(j))
		check_error(c, RULE_ISOLATOR_VALUE, "errno must be a string");
	else if (j && *j->valuestring && appc_errno_number(j->valuestring) < 0)
		check_error(c, RULE_SECCOMP,
			"errno \"%.100s\" is not an error of Linux (like EPERM)", j->valuestring);
	check_leave(c, mark);
}

static void check_seccomp_retain(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	check_set(c, value, "set", check_retained_syscall);
	check_errno(c, value);
}

static void check_seccomp_remove(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	check_set(c, value, "set", check_removed_syscall);
	check_errno(c, value);
}

static bool plain_text(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static void check_selinux(struct check *c, const cJSON *value)
{
	static const char *const parts[] = { "user", "role", "type", "level" };

	if (!want_object(c, value))
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *s = json_str(value, parts[i]);
		size_t mark = check_enter(c, parts[i]);
		if (!s || !*s)
			check_error(c, RULE_ISOLATOR_VALUE, "%s must be a string that is not empty",
				parts[i]);
		else if (!plain_text(s) || strchr(s, ' ') || (i < 3 && strchr(s, ':')) ||
			 strlen(s) > APPC_LABEL_MAX / 4)
			check_error(c, RULE_ISOLATOR_VALUE,
				"\"%.100s\" cannot be the %s of a context", s, parts[i]);
		check_leave(c, mark);
	}
}

static void check_apparmor(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	const char *s = json_str(value, "profile");
	size_t mark = check_enter(c, "profile");
	if (!s || !*s)
		check_error(c, RULE_ISOLATOR_VALUE, "profile must be a string that is not empty");
	else if (!plain_text(s) || strlen(s) > APPC_LABEL_MAX)
		check_error(c, RULE_ISOLATOR_VALUE, "\"%.100s\" cannot be the name of a profile", s);
	check_leave(c, mark);
}

static void check_oom_score_adj(struct check *c, const cJSON *value)
{
	check_whole(c, value, -1000, 1000);
}

static void check_cpu_shares(struct check *c, const cJSON *value)
{
	check_whole(c, value, 2, 262144);
}

static void check_landlock_path(struct check *c, const char *s)
{
	if (*s != '/')
		check_error(c, RULE_ISOLATOR_VALUE, "\"%.200s\" is not an absolute path", s);
}

static void check_landlock(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	for (const cJSON *j = value->child; j; j = j->next) {
		if (!strcmp(j->string, "read") || !strcmp(j->string, "write") ||
			!strcmp(j->string, "execute"))
			check_set(c, value, j->string, check_landlock_path);
		else
			check_error(c, RULE_ISOLATOR_VALUE,
				"\"%.100s\" is none of read, write and execute", j->string);
	}
}

/* ---- os/unix/... ---- */

static void check_sysctl(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	for (const cJSON *j = value->child; j; j = j->next) {
		size_t mark = check_enter(c, j->string);
		if (!sysctl_key_ok(j->string))
			check_error(c, RULE_ISOLATOR_VALUE,
				"\"%.100s\" is not a sysctl key (like net.core.somaxconn)",
				j->string);
		if (!cJSON_IsString(j))
			check_error(c, RULE_ISOLATOR_VALUE, "must be a string");
		else if (strpbrk(j->valuestring, "\n\r"))
			check_error(c, RULE_ISOLATOR_VALUE, "must be one line");
		check_leave(c, mark);
	}
}

/* -1: missing or reported */
static int64_t check_rlimit_value(struct check *c, const cJSON *rlimit, const char *name)
{
	const cJSON *j = member(rlimit, name);

	if (cJSON_IsString(j) && !strcmp(j->valuestring, "unlimited"))
		return APPC_UNLIMITED;
	if (!j)
		check_error(c, RULE_ISOLATOR_VALUE, "%s is missing", name);
	return check_quantity(c, rlimit, name, 1);
}

static void check_rlimits(struct check *c, const cJSON *value)
{
	if (!want_object(c, value))
		return;
	for (const cJSON *j = value->child; j; j = j->next) {
		size_t mark = check_enter(c, j->string);
		if (appc_rlimit_number(j->string) < 0)
			check_error(c, RULE_ISOLATOR_VALUE,
				"\"%.100s\" is not a limit (like nofile)", j->string);
		if (want_object(c, j)) {
			int64_t soft = check_rlimit_value(c, j, "soft"),
				hard = check_rlimit_value(c, j, "hard");
			if (soft >= 0 && hard >= 0 && soft > hard)
				check_error(c, RULE_ISOLATOR_VALUE, "soft is more than hard");
		}
		check_leave(c, mark);
	}
}

/* ---- the table, and lists of isolators ---- */

static const struct kind {
	const char *name;
	unsigned    scope;
	bool        single;   /* the spec wants at most one; of others the last counts */
	const char *excludes; /* cannot stand together with */
	void      (*check)(struct check *c, const cJSON *value);
} kinds[] = {
	{ "resource/block-bandwidth", SCOPE_APP | SCOPE_POD, false, NULL, check_bandwidth },
	{ "resource/block-iops", SCOPE_APP | SCOPE_POD, false, NULL, check_bandwidth },
	{ "resource/cpu", SCOPE_APP | SCOPE_POD, false, NULL, check_cpu },
	{ "resource/memory", SCOPE_APP | SCOPE_POD, false, NULL, check_memory },
	{ "resource/network-bandwidth", SCOPE_APP | SCOPE_POD, false, NULL, check_bandwidth },
	{ "os/linux/capabilities-remove-set", SCOPE_APP, false, "os/linux/capabilities-retain-set",
		check_capabilities },
	{ "os/linux/capabilities-retain-set", SCOPE_APP, false, "os/linux/capabilities-remove-set",
		check_capabilities },
	{ "os/linux/no-new-privileges", SCOPE_APP, false, NULL, check_bool },
	{ APPC_SECCOMP_REMOVE_SET, SCOPE_APP, true, APPC_SECCOMP_RETAIN_SET, check_seccomp_remove },
	{ APPC_SECCOMP_RETAIN_SET, SCOPE_APP, true, APPC_SECCOMP_REMOVE_SET, check_seccomp_retain },
	{ "os/linux/selinux-context", SCOPE_APP | SCOPE_POD, true, NULL, check_selinux },
	{ "os/linux/oom-score-adj", SCOPE_APP, true, NULL, check_oom_score_adj },
	{ "os/linux/cpu-shares", SCOPE_APP, true, NULL, check_cpu_shares },
	{ "os/unix/sysctl", SCOPE_POD, true, NULL, check_sysctl },
	{ "resource/pids", SCOPE_APP | SCOPE_POD, false, NULL, check_pids },
	{ "os/unix/rlimits", SCOPE_APP | SCOPE_POD, false, NULL, check_rlimits },
	{ "os/linux/landlock", SCOPE_APP, true, NULL, check_landlock },
	{ "os/linux/apparmor-profile", SCOPE_APP | SCOPE_POD, true, NULL, check_apparmor },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

static size_t find_kind(const char *name)
{
	size_t i = 0;

	while (i < N_KINDS && strcmp(kinds[i].name, name))
		i++;
	return i;
}

_Static_assert((int)APPC_APP == (int)SCOPE_APP && (int)APPC_POD == (int)SCOPE_POD, "one meaning");

unsigned appc_isolator_scope(const char *name)
{
	size_t k = find_kind(name);

	return k < N_KINDS ? kinds[k].scope : 0;
}

static void check_together(struct check *c, const struct kind *k, const bool seen[N_KINDS + 1],
			   enum isolator_scope scope)
{
	if (seen[k - kinds] && k->single)
		check_error(c, RULE_ISOLATOR_LIST, "only one %s is allowed", k->name);
	else if (seen[k - kinds])
		check_warn(c, RULE_ISOLATOR_LIST, "%s is there more than once: the last counts",
			k->name);
	if (k->excludes && seen[find_kind(k->excludes)])
		check_error(c, RULE_ISOLATOR_LIST, "%s cannot be used together with %s", k->name,
			k->excludes);
	if (!(k->scope & scope))
		check_warn(c, RULE_ISOLATOR_LIST, "%s has no effect on %s", k->name,
			   scope == SCOPE_POD ? "a pod, only on an app" : "an app, only on a pod");
}

void check_isolators(struct check *c, const struct appc_isolators *l, enum isolator_scope scope)
{
	bool seen[N_KINDS + 1] = { false };

	for (size_t i = 0; i < l->n; i++) {
		const struct appc_isolator *is = &l->v[i];
		size_t k = is->name ? find_kind(is->name) : N_KINDS;
		if (k == N_KINDS)
			continue;
		size_t mark = check_enter_index(c, i);
		check_together(c, &kinds[k], seen, scope);
		seen[k] = true;
		check_enter(c, "value");
		if (is->value)
			kinds[k].check(c, is->value);
		check_leave(c, mark);
	}
}
