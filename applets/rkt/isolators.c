/* SPDX-License-Identifier: Apache-2.0
 * isolators - see isolators.h
 */
#include "applets/rkt/isolators.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/ui.h"
#include "core/base/rootless.h"
#include "core/host/verdict.h"

#define INSECURE_ANNOTATION "rktbox/insecure-options"

/* ---- --insecure-options ---- */

static const struct { const char *name; unsigned bit; } of_run[] = {
	{ "capabilities", INSECURE_CAPABILITIES }, { "paths", INSECURE_PATHS }, { "seccomp", INSECURE_SECCOMP },
};
#define N_OF_RUN (sizeof(of_run) / sizeof(*of_run))

/* They say what was asked for on the command line and what was done; who brings a manifest along cannot say either. */
static void forget_ours(struct appc_pairs *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct appc_pair *p = &l->v[i];
		if (!p->name || (strncmp(p->name, VERDICT_ANNOTATION, strlen(VERDICT_ANNOTATION)) != 0 &&
				 strcmp(p->name, INSECURE_ANNOTATION) != 0)) {
			l->v[n++] = *p;
			continue;
		}
		free(p->name);
		free(p->value);
		cJSON_Delete(p->extra);
	}
	l->n = n;
}

int isolators_record(struct pod_manifest *m, unsigned insecure, struct err *e)
{
	auto_buf struct buf list = { 0 };

	forget_ours(&m->annotations);
	for (size_t i = 0; i < N_OF_RUN; i++)
		if (insecure & of_run[i].bit)
			buf_fmt(&list, "%s%s", list.len ? "," : "", of_run[i].name);
	if (list.failed)
		return err_set(e, ENOMEM, "out of memory");
	return list.len ? appc_pairs_set(&m->annotations, INSECURE_ANNOTATION, list.data, e) : 0;
}

unsigned isolators_recorded(const struct pod_manifest *m)
{
	const char *list = appc_pair_find(&m->annotations, INSECURE_ANNOTATION);
	unsigned bits = 0;

	for (size_t i = 0; list && i < N_OF_RUN; i++)
		if (strstr(list, of_run[i].name))
			bits |= of_run[i].bit;
	return bits;
}

/* ---- before the start ---- */

static bool has_isolators(const struct pod_manifest *m)
{
	bool any = m->isolators.n;

	for (size_t i = 0; i < m->apps.n && !any; i++)
		any = m->apps.v[i].app && m->apps.v[i].app->isolators.n;
	return any;
}

static void name_of(const struct verdict *v, struct buf *b)
{
	if (v->app)
		buf_fmt(b, "app %s: ", v->app);
	buf_str(b, v->name);
}

static size_t tell_ignored(const struct verdicts *l, bool strict, struct buf *names)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct verdict *v = &l->v[i];
		auto_buf struct buf b = { 0 };
		if (v->kind != VERDICT_IGNORED)
			continue;
		name_of(v, &b);
		ui_warn("%s %s: %s", b.failed ? "" : b.data, strict ? "would be ignored" : "is ignored", v->text);
		buf_fmt(names, "%s%s", n++ ? ", " : "", b.failed ? "" : b.data);
	}
	return n;
}

static int judge(struct pod_manifest *m, unsigned insecure, const struct launch_opts *o, struct err *e)
{
	const struct verdict_how how = {
		.own_net = launch_own_net(o), .no_caps = insecure & INSECURE_CAPABILITIES,
		.no_seccomp = insecure & INSECURE_SECCOMP, .rootless = rootless_is_user(),
	};
	auto_buf struct buf names = { 0 };
	struct verdicts l;

	if (verdicts_make(m, &how, &l, e) < 0)
		return -1;
	size_t ignored = tell_ignored(&l, o->strict, &names);
	int r = ignored && o->strict ?
			err_set(e, EPERM, "--strict: isolators would be ignored: %s", names.failed ? "" : names.data) :
			verdicts_annotate(&l, m, e);
	verdicts_free(&l);
	return r;
}

int isolators_judge(struct pod_manifest *m, unsigned insecure, const struct launch_opts *o, bool builtin, bool *any,
	struct err *e)
{
	*any = has_isolators(m);
	if (!*any)
		return 0;
	if (builtin)
		return judge(m, insecure, o, e);
	*any = false;
	return o->strict ? err_set(e, ENOTSUP, "--strict: what a stage 1 other than the built-in one makes of isolators, "
				   "nobody can tell") : 0;
}

/* ---- afterwards ---- */

/* "app/web/NAME" or "pod/NAME", of the annotation; NULL: it is something else */
static const char *subject(const struct appc_pair *p)
{
	size_t n = strlen(VERDICT_ANNOTATION);

	return p->name && p->value && !strncmp(p->name, VERDICT_ANNOTATION, n) ? p->name + n : NULL;
}

void isolators_text(const struct pod_manifest *m, struct buf *b)
{
	for (size_t i = 0; i < m->annotations.n; i++) {
		const char *s = subject(&m->annotations.v[i]);
		if (s)
			buf_fmt(b, "isolator-%s=%s\n", s, m->annotations.v[i].value);
	}
}

static bool is_about(const char *subject, const char *app, const char **name)
{
	size_t n = app ? strlen(app) : 0;

	if (!app) {
		*name = subject + 4;
		return !strncmp(subject, "pod/", 4);
	}
	*name = subject + 4 + n + 1;
	return !strncmp(subject, "app/", 4) && !strncmp(subject + 4, app, n) && subject[4 + n] == '/';
}

void isolators_json(const struct pod_manifest *m, const char *app, cJSON *o)
{
	cJSON *list = NULL;

	for (size_t i = 0; i < m->annotations.n; i++) {
		const char *name, *value = m->annotations.v[i].value, *s = subject(&m->annotations.v[i]);
		if (!s || !is_about(s, app, &name))
			continue;
		if (!list)
			list = cJSON_AddArrayToObject(o, "isolators");
		cJSON *one = cJSON_CreateObject();
		size_t n = strcspn(value, ":");
		char *verdict = xasprintf("%.*s", (int)n, value);
		cJSON_AddStringToObject(one, "name", name);
		cJSON_AddStringToObject(one, "verdict", verdict);
		if (value[n])
			cJSON_AddStringToObject(one, "detail", value + n + strspn(value + n, ": "));
		cJSON_AddItemToArray(list, one);
		free(verdict);
	}
}
