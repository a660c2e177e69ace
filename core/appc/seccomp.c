/* SPDX-License-Identifier: Apache-2.0
 * seccomp - see seccomp.h
 */
#include "core/appc/seccomp.h"

#include <errno.h>
#include <string.h>

#include "core/appc/isolator.h"
#include "core/base/json.h"

static int read_errno(const cJSON *value, int *out, struct err *e)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(value, "errno");

	if (!j || cJSON_IsNull(j) || (cJSON_IsString(j) && !*j->valuestring))
		return 0;
	int n = cJSON_IsString(j) ? appc_errno_number(j->valuestring) : -1;
	if (n < 0)
		return err_set(e, EINVAL, "errno \"%.100s\" is not an error of Linux",
			cJSON_IsString(j) ? j->valuestring : "(no string)");
	*out = n;
	return 0;
}

static void add_name(struct appc_seccomp *s, const char *name)
{
	if (*name == '@') {
		syscall_group(name, &s->set);
		s->by_caps |= !strcmp(name, "@rkt/default-whitelist") || !strcmp(name, "@docker/default-whitelist");
		return;
	}
	int call = syscall_find(name);
	if (call >= 0)
		syscall_set_add(&s->set, (unsigned)call);
	s->clone3 |= call == CALL_clone3;
}

int appc_seccomp_read(const cJSON *value, bool retain, struct appc_seccomp *out, struct err *e)
{
	const cJSON *set = cJSON_GetObjectItemCaseSensitive(value, "set");
	const char *special = retain ? APPC_SECCOMP_ALL : APPC_SECCOMP_EMPTY;
	bool masked = false;

	*out = (struct appc_seccomp){ .mode = retain ? APPC_SECCOMP_RETAIN : APPC_SECCOMP_REMOVE };
	if (read_errno(value, &out->error, e) < 0)
		return -1;
	if (!cJSON_IsArray(set) || !set->child)
		return err_set(e, EINVAL, "set is not a list of system calls, or empty");
	for (const cJSON *j = set->child; j; j = j->next) {
		if (!cJSON_IsString(j))
			return err_set(e, EINVAL, "set holds something that is not a string");
		masked |= !strcmp(j->valuestring, special);
		add_name(out, j->valuestring);
	}
	if (masked)
		out->mode = retain ? APPC_SECCOMP_NONE : APPC_SECCOMP_DEFAULT;
	return 0;
}

static bool is_set(const struct appc_isolator *is)
{
	return is->name && (!strcmp(is->name, APPC_SECCOMP_REMOVE_SET) || !strcmp(is->name, APPC_SECCOMP_RETAIN_SET));
}

int appc_seccomp_override(struct appc_isolators *l, bool retain, cJSON *value, struct err *e)
{
	appc_isolators_remove(l, APPC_SECCOMP_REMOVE_SET);
	appc_isolators_remove(l, APPC_SECCOMP_RETAIN_SET);
	return appc_isolators_set(l, retain ? APPC_SECCOMP_RETAIN_SET : APPC_SECCOMP_REMOVE_SET, value, e);
}

/* it names calls that the architecture lacks */
static bool is_partial(const struct syscall_set *group, const struct syscall_arch *a)
{
	for (unsigned call = 0; a && call < N_CALLS; call++)
		if (syscall_set_has(group, call) && syscall_number(a, call) < 0)
			return true;
	return false;
}

static void doubt(const char *name, const struct syscall_arch *a,
	void (*tell)(void *, enum appc_seccomp_doubt, const char *), void *ctx)
{
	struct syscall_set group = { { 0 } };

	if (!strcmp(name, APPC_SECCOMP_ALL) || !strcmp(name, APPC_SECCOMP_EMPTY))
		return;
	if (*name == '@') {
		if (!syscall_group(name, &group))
			tell(ctx, APPC_SECCOMP_NO_GROUP, name);
		else if (is_partial(&group, a))
			tell(ctx, APPC_SECCOMP_PART, name);
		return;
	}
	int call = syscall_find(name);
	if (call < 0)
		tell(ctx, APPC_SECCOMP_NO_CALL, name);
	else if (a && syscall_number(a, (unsigned)call) < 0)
		tell(ctx, APPC_SECCOMP_ELSEWHERE, name);
}

void appc_seccomp_doubts(const struct appc_isolators *l, const char *arch,
	void (*tell)(void *ctx, enum appc_seccomp_doubt, const char *name), void *ctx)
{
	const struct syscall_arch *a = syscall_arch_labelled(arch);

	a = a ? a : syscall_arches[0];
	for (size_t i = 0; i < l->n; i++) {
		const cJSON *set = is_set(&l->v[i]) ? cJSON_GetObjectItemCaseSensitive(l->v[i].value, "set") : NULL;
		for (const cJSON *j = set && cJSON_IsArray(set) ? set->child : NULL; j; j = j->next)
			if (cJSON_IsString(j))
				doubt(j->valuestring, a, tell, ctx);
	}
}
