/* SPDX-License-Identifier: Apache-2.0
 * isolation_plan - what isolators ask for, made ready on the host side; see isolation.h
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/appc/sysctl.h"
#include "core/base/json.h"
#include "core/host/cgroup_find.h"
#include "core/host/facts.h"
#include "stage1-init/isolation.h"

static int out_of_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- sysctls ---- */

static int plan_sysctls(const struct appc_limits *pod, struct isolation_sysctls *out, struct err *e)
{
	int n = pod->sysctl ? cJSON_GetArraySize(pod->sysctl) : 0;

	if (!n)
		return 0;
	out->v = calloc((size_t)n, sizeof(*out->v));
	if (!out->v)
		return out_of_memory(e);
	for (const cJSON *j = pod->sysctl->child; j; j = j->next) {
		char path[SYSCTL_PATH_MAX];
		if (!cJSON_IsString(j) || !sysctl_path(j->string, path, sizeof(path)))
			return err_set(e, EINVAL, "isolator os/unix/sysctl: \"%.100s\" is no key", j->string);
		out->v[out->n].path = strdup(path);
		if (!out->v[out->n].path)
			return out_of_memory(e);
		out->v[out->n++].value = j->valuestring;
	}
	return 0;
}

/* ---- Landlock ---- */

static int add_rules(struct isolation *o, const cJSON *paths, uint64_t access, struct err *e)
{
	size_t n = (size_t)cJSON_GetArraySize(paths);
	struct landlock_rule *v = reallocarray(o->rules, o->n_rules + n + 1, sizeof(*v));

	if (!v)
		return out_of_memory(e);
	o->rules = v;
	for (const cJSON *j = paths->child; j; j = j->next)
		if (cJSON_IsString(j))
			v[o->n_rules++] = (struct landlock_rule){ j->valuestring, access };
	return 0;
}

static int plan_landlock(const cJSON *value, struct isolation *o, struct err *e)
{
	static const struct { const char *name; uint64_t access; } kinds[] = {
		{ "read", LANDLOCK_READ }, { "write", LANDLOCK_WRITE }, { "execute", LANDLOCK_EXECUTE },
	};
	int abi = facts_landlock();

	if (!abi)
		return 0;
	o->handled = landlock_known(abi);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const cJSON *paths = cJSON_GetObjectItemCaseSensitive(value, kinds[i].name);
		if (paths && add_rules(o, paths, kinds[i].access, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- labels ---- */

static int plan_label(const struct appc_limits *l, struct isolation *o, struct err *e)
{
	char text[APPC_LABEL_MAX + 32];
	enum facts_lsm lsm = facts_lsm();
	int n;

	if (lsm == FACTS_LSM_SELINUX && l->selinux) {
		o->lsm = "SELinux";
		o->selinux = true;
		n = snprintf(text, sizeof(text), "%s:%s:%s:%s", json_str(l->selinux, "user"), json_str(l->selinux, "role"),
			     json_str(l->selinux, "type"), json_str(l->selinux, "level"));
	} else if (lsm == FACTS_LSM_APPARMOR && l->apparmor) {
		o->lsm = "AppArmor";
		n = snprintf(text, sizeof(text), "exec %s", l->apparmor);
	} else {
		return 0;
	}
	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(e, ENAMETOOLONG, "%s: label too long", o->lsm);
	o->label = strdup(text);
	return o->label ? 0 : out_of_memory(e);
}

/* ---- the whole ---- */

static void drop_impossible(struct appc_limits *l)
{
	struct err why;

	if ((l->block_bps != APPC_UNLIMITED || l->block_iops != APPC_UNLIMITED) && !facts_io(&why))
		l->block_bps = l->block_iops = APPC_UNLIMITED;
	/* a request alone is no reason not to start */
	if (l->memory_request && l->memory_bytes == APPC_UNLIMITED && !facts_controller(CGROUP_MEMORY, &why))
		l->memory_request = 0;
	if (l->pids > APPC_PIDS_MAX)
		l->pids = APPC_UNLIMITED;
}

static void plan_rlimits(struct appc_limits *l, struct isolation *o)
{
	struct appc_rlimit *files = &l->rlimits[RLIMIT_NOFILE];

	for (size_t i = 0; i < APPC_RLIMITS; i++)
		o->rlimits |= l->rlimits[i].set;
	if (!files->set)
		return;
	uint64_t most = facts_nr_open();
	files->soft = files->soft < most ? files->soft : most;
	files->hard = files->hard < most ? files->hard : most;
}

int isolation_plan(struct appc_limits *l, struct isolation *out, struct err *e)
{
	*out = (struct isolation){ .label = NULL };
	drop_impossible(l);
	plan_rlimits(l, out);
	if ((l->selinux || l->apparmor) && plan_label(l, out, e) < 0)
		return -1;
	return l->landlock ? plan_landlock(l->landlock, out, e) : 0;
}

int isolation_plan_pod(struct appc_limits *pod, struct isolation_sysctls *out, struct err *e)
{
	drop_impossible(pod);
	return plan_sysctls(pod, out, e);
}
