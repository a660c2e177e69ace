/* SPDX-License-Identifier: Apache-2.0
 * reify_app - see reify_app.h
 */
#include "applets/rkt/reify_app.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "applets/rkt/podopts_isolators.h"
#include "applets/ui.h"
#include "core/appc/seccomp.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"
#include "core/base/utf8.h"

#define ENV_FILE_MAX (1u << 20)

/* ---- files named on the command line ---- */

/* unlike files of our own, these may be reached through symlinks */
int reify_user_file(const char *path, size_t max, char **text, size_t *len, struct err *e)
{
	auto_free char *real = realpath(path, NULL);

	if (!real)
		return err_sys(e, "open %s", path);
	return fd_read_file(AT_FDCWD, real, max, text, len, e);
}

/* ---- environment ---- */

static int env_set(struct appc_pairs *env, const char *assignment, struct err *e)
{
	int n = podopts_env_parse(assignment, e);

	if (n < 0)
		return -1;
	auto_free char *name = xasprintf("%.*s", n, assignment);
	if (!ac_env_name_ok(name))
		return err_set(e, EINVAL, "\"%s\" is no name of an environment variable", name);
	if (utf8_bad(assignment, strlen(assignment)) != strlen(assignment))
		return err_set(e, EILSEQ, "the value of %s is not UTF-8, which a pod manifest demands", name);
	return appc_pairs_set(env, name, assignment + n + 1, e);
}

static int env_add_list(struct appc_pairs *env, const struct opt_list *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (env_set(env, l->v[i], e) < 0)
			return -1;
	return 0;
}

static int env_add_file(struct appc_pairs *env, const char *path, struct err *e)
{
	auto_free char *text = NULL;
	size_t len, line = 1;

	if (reify_user_file(path, ENV_FILE_MAX, &text, &len, e) < 0)
		return err_wrap(e, "--set-env-file");
	if (memchr(text, 0, len))
		return err_set(e, EINVAL, "--set-env-file: %s: holds a NUL byte", path);
	for (char *p = text, *next; p; p = next, line++) {
		next = strchr(p, '\n');
		if (next)
			*next++ = 0;
		size_t n = strlen(p);
		if (n && p[n - 1] == '\r')
			p[n - 1] = 0;
		if (!*p || *p == '#' || *p == ';')
			continue;
		if (env_set(env, p, e) < 0)
			return err_wrap(e, "--set-env-file: %s: line %zu", path, line);
	}
	return 0;
}

/* What this process got from its parent counts least. Shell functions and other odd things are left out. */
static int env_add_own(struct appc_pairs *env, struct err *e)
{
	for (char **v = environ; *v; v++) {
		size_t n = strcspn(*v, "="), len = strlen(*v);
		auto_free char *name = xasprintf("%.*s", (int)n, *v);
		if (!(*v)[n] || !ac_env_name_ok(name) || utf8_bad(*v, len) != len)
			ui_debug("--inherit-env: leaving out %s", name);
		else if (!appc_pair_find(env, name) && appc_pairs_set(env, name, *v + n + 1, e) < 0)
			return -1;
	}
	return 0;
}

static int set_environment(const struct podopts *o, const struct podopts_app *a, struct appc_pairs *env,
			   struct err *e)
{
	for (size_t i = 0; i < o->env_files.n; i++)
		if (env_add_file(env, o->env_files.v[i], e) < 0)
			return -1;
	if (env_add_list(env, &o->env, e) < 0 || env_add_list(env, &a->environment, e) < 0)
		return -1;
	return o->inherit_env ? env_add_own(env, e) : 0;
}

/* ---- the app of an image, as changed by options ---- */

static int set_exec(const struct podopts_app *a, struct appc_strings *exec, struct err *e)
{
	if (a->exec) {
		appc_strings_clear(exec);
		if (appc_strings_add(exec, a->exec, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < a->args.n; i++)
		if (appc_strings_add(exec, a->args.v[i], e) < 0)
			return -1;
	return 0;
}

static int set_gids(const char *list, struct appc_ints *gids, struct err *e)
{
	free(gids->v);
	*gids = (struct appc_ints){ 0 };
	for (const char *p = list;; p++) {
		char *end;
		/* digits only: podopts has checked it */
		if (appc_ints_add(gids, strtoll(p, &end, 10), e) < 0)
			return -1;
		p = end;
		if (*p != ',')
			return 0;
	}
}

static int set_limit(struct appc_isolators *l, const char *name, const char *quantity, struct err *e)
{
	cJSON *value = cJSON_CreateObject();

	if (!value || !cJSON_AddStringToObject(value, "limit", quantity)) {
		cJSON_Delete(value);
		return err_set(e, ENOMEM, "out of memory");
	}
	return appc_isolators_set(l, name, value, e);
}

static int set_seccomp(struct appc_isolators *l, const char *filter, struct err *e)
{
	cJSON *value;
	bool retain;

	if (podopts_seccomp(filter, &retain, &value, e) < 0)
		return -1;
	return appc_seccomp_override(l, retain, value, e);
}

/* what the filter will lack because its name means nothing here */
static void tell_seccomp_doubt(void *app, enum appc_seccomp_doubt doubt, const char *name)
{
	switch (doubt) {
	case APPC_SECCOMP_NO_GROUP:
		ui_warn("app %s: seccomp: there is no wildcard \"%s\", it is left out", (const char *)app, name);
		break;
	case APPC_SECCOMP_NO_CALL:
		ui_warn("app %s: seccomp: there is no system call \"%s\", it is left out", (const char *)app, name);
		break;
	case APPC_SECCOMP_ELSEWHERE:
		ui_warn("app %s: seccomp: this architecture has no system call \"%s\", it is left out",
			(const char *)app, name);
		break;
	case APPC_SECCOMP_PART:
		ui_debug("app %s: seccomp: %s names system calls that this architecture does not have",
			 (const char *)app, name);
		break;
	}
}

void reify_tell_doubts(const struct pod_manifest *m)
{
	for (size_t i = 0; i < m->apps.n; i++)
		appc_seccomp_doubts(&m->apps.v[i].app->isolators, appc_pair_find(&m->apps.v[i].image_labels, "arch"),
				    tell_seccomp_doubt, m->apps.v[i].name);
}

/* adds to those of the image; of two of a name the last one counts */
static int set_user_pairs(const struct opt_list *l, cJSON **pairs, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		int n = podopts_env_parse(l->v[i], e);
		if (n < 0)
			return -1;
		auto_free char *name = xasprintf("%.*s", n, l->v[i]);
		if (!*pairs)
			*pairs = cJSON_CreateObject();
		cJSON_DeleteItemFromObjectCaseSensitive(*pairs, name);
		if (!cJSON_AddStringToObject(*pairs, name, l->v[i] + n + 1))
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

int reify_app(const struct podopts *o, const struct podopts_app *a, struct appc_app *app, struct err *e)
{
	if (set_exec(a, &app->exec, e) < 0 || (a->user && appc_string_set(&app->user, a->user, e) < 0) ||
	    (a->group && appc_string_set(&app->group, a->group, e) < 0) ||
	    (a->working_dir && appc_string_set(&app->working_dir, a->working_dir, e) < 0) ||
	    (a->gids && set_gids(a->gids, &app->supplementary_gids, e) < 0) ||
	    (a->memory && set_limit(&app->isolators, "resource/memory", a->memory, e) < 0) ||
	    (a->seccomp && set_seccomp(&app->isolators, a->seccomp, e) < 0) ||
	    (a->cpu && set_limit(&app->isolators, "resource/cpu", a->cpu, e) < 0) ||
	    podopts_isolators_apply(a, &app->isolators, e) < 0 ||
	    set_user_pairs(&a->annotations, &app->user_annotations, e) < 0 ||
	    set_user_pairs(&a->labels, &app->user_labels, e) < 0)
		return -1;
	return set_environment(o, a, &app->environment, e);
}

struct appc_app *reify_plain_app(struct err *e)
{
	struct appc_app *app = xmalloc(sizeof(*app));

	if (appc_string_set(&app->user, "0", e) < 0 || appc_string_set(&app->group, "0", e) < 0) {
		appc_app_free(app);
		return NULL;
	}
	return app;
}
