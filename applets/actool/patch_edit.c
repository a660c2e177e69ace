/* SPDX-License-Identifier: Apache-2.0
 * patch_edit - see patch_edit.h
 *
 * Whatever has a name replaces what has the same one, and is added otherwise.
 */
#include "applets/actool/patch_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/words.h"
#include "applets/ui.h"
#include "core/base/fd.h"

const struct opt patch_edit_opts[] = {
	OPT_TEXT(0, "name", "NAME", struct patch_edit, name, "name of the image"),
	OPT_TEXT(0, "exec", "COMMAND", struct patch_edit, exec,
		 "the app's command line, its words separated by one blank each"),
	OPT_TEXT(0, "user", "USER", struct patch_edit, user, "the app's user"),
	OPT_TEXT(0, "group", "GROUP", struct patch_edit, group, "the app's group"),
	OPT_TEXT(0, "supplementary-groups", "GID,...", struct patch_edit, gids, "the app's further groups, by number"),
	OPT_TEXT(0, "capability", "CAP,...", struct patch_edit, retain_caps, "the capabilities that the app keeps"),
	OPT_TEXT(0, "revoke-capability", "CAP,...", struct patch_edit, remove_caps,
		 "capabilities to be taken from the default set"),
	OPT_TEXT(0, "mounts", "MOUNT:...", struct patch_edit, mounts, "mount points: NAME,path=PATH[,readOnly=BOOL]"),
	OPT_TEXT(0, "ports", "PORT:...", struct patch_edit, ports,
		 "ports: NAME,protocol=tcp,port=N[,count=N][,socketActivated=BOOL]"),
	OPT_TEXT(0, "isolators", "ISOLATOR:...", struct patch_edit, isolators,
		 "isolators: resource/cpu,request=50m,limit=100m or os/linux/no-new-privileges,true"),
	OPT_TEXT(0, "isolators-from", "FILE", struct patch_edit, isolators_from,
		 "the isolators that rkt run --learn wrote to FILE for the image's app"),
	OPT_TEXT(0, "seccomp-mode", "MODE", struct patch_edit, seccomp_mode,
		 "remove or retain, perhaps with ,errno=EPERM: what --seccomp-set means"),
	OPT_TEXT(0, "seccomp-set", "SYSCALL,...", struct patch_edit, seccomp_set, "the system calls of the filter"),
	OPT_LIST(0, "label", "NAME=VALUE", struct patch_edit, labels, "a label of the image"),
	OPT_LIST(0, "annotation", "NAME=VALUE", struct patch_edit, annotations, "an annotation of the image"),
	OPT_LIST(0, "environment", "NAME=VALUE", struct patch_edit, environment, "an environment variable of the app"),
	OPT_LIST(0, "dependency", "IMAGE", struct patch_edit, dependencies,
		 "an image that this one needs: NAME[:VERSION][,LABEL=VALUE][,imageID=ID][,size=BYTES]"),
	OPT_LIST(0, "path-whitelist", "PATH", struct patch_edit, whitelist,
		 "a path that the app shall see; with any, it sees no others"),
	OPT_LIST(0, "remove-label", "NAME", struct patch_edit, no_labels, "take a label away"),
	OPT_LIST(0, "remove-annotation", "NAME", struct patch_edit, no_annotations, "take an annotation away"),
	OPT_LIST(0, "remove-environment", "NAME", struct patch_edit, no_environment, "take a variable away"),
	OPT_LIST(0, "remove-dependency", "NAME", struct patch_edit, no_dependencies,
		 "take the dependencies on images of that name away"),
	OPT_LIST(0, "remove-path-whitelist", "PATH", struct patch_edit, no_whitelist, "take a path off the list"),
	OPT_END
};

/* what concerns the app, and so needs one */
static bool any_of_app(const struct patch_edit *o)
{
	return o->user || o->group || o->gids || o->retain_caps || o->remove_caps || o->mounts || o->ports ||
	       o->isolators || o->isolators_from || o->seccomp_mode || o->seccomp_set || o->environment.n || o->no_environment.n;
}

bool patch_edit_any(const struct patch_edit *o)
{
	return o->name || o->exec || any_of_app(o) || o->labels.n || o->annotations.n || o->dependencies.n ||
	       o->whitelist.n || o->no_labels.n || o->no_annotations.n || o->no_dependencies.n || o->no_whitelist.n;
}

/* ---- names with values ---- */

static int remove_pairs(struct appc_pairs *l, const struct opt_list *names, const char *what, struct err *e)
{
	for (size_t k = 0; k < names->n; k++) {
		size_t i = 0;
		while (i < l->n && strcmp(l->v[i].name, names->v[k]) != 0)
			i++;
		if (i == l->n)
			return err_set(e, ENOENT, "there is no %s \"%s\" to be removed", what, names->v[k]);
		free(l->v[i].name);
		free(l->v[i].value);
		cJSON_Delete(l->v[i].extra);
		memmove(&l->v[i], &l->v[i + 1], (--l->n - i) * sizeof(*l->v));
	}
	return 0;
}

static int change_pairs(struct appc_pairs *l, const struct opt_list *no, const struct opt_list *yes, const char *what,
			struct err *e)
{
	return remove_pairs(l, no, what, e) < 0 ? -1 : words_pairs(l, yes, what, e);
}

static int edit_app(const struct patch_edit *o, struct image_manifest *m, struct err *e)
{
	if (!m->app && o->exec)
		m->app = xmalloc(sizeof(*m->app));
	if (!m->app)
		return any_of_app(o) ? err_set(e, EINVAL, "no app in the supplied manifest and no exec command provided") :
				       0;
	if (change_pairs(&m->app->environment, &o->no_environment, &o->environment, "environment", e) < 0)
		return -1;
	return patch_app(o, m->name, m->app, e);
}

/* ---- dependencies and whitelist ---- */

static void dependency_free(struct appc_dependency *d)
{
	free(d->image_name);
	free(d->image_id);
	appc_pairs_clear(&d->labels);
	cJSON_Delete(d->extra);
}

static int dependency_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_dependency *d = to;

	if (!strcmp(key, "imageID"))
		return appc_string_set(&d->image_id, value, e);
	if (!strcmp(key, "size"))
		return words_number(value, INT64_MAX, &d->size, e);
	return appc_pairs_set(&d->labels, key, value, e);
}

static int read_dependency(struct appc_dependency *d, char *rest, struct err *e)
{
	char *name = words_next(&rest, ',');
	char *colon = strchr(name, ':');

	if (colon)
		*colon = 0;
	if (appc_string_set(&d->image_name, name, e) < 0)
		return -1;
	if (colon && appc_pairs_set(&d->labels, "version", colon + 1, e) < 0)
		return -1;
	return words_members(rest, d, dependency_member, e);
}

/* true: it has that name, and so the new one takes its place */
static bool replace_dependency(struct appc_dependencies *l, const struct appc_dependency *d)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].image_name, d->image_name)) {
			dependency_free(&l->v[i]);
			l->v[i] = *d;
			return true;
		}
	return false;
}

static int add_dependency(struct appc_dependencies *l, const char *text, struct err *e)
{
	auto_free char *copy = xstrdup(text);
	struct appc_dependency d = { 0 };

	if (read_dependency(&d, copy, e) < 0) {
		dependency_free(&d);
		return err_wrap(e, "--dependency: \"%s\"", text);
	}
	if (replace_dependency(l, &d))
		return 0;
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = d;
	return 0;
}

static int remove_dependency(struct appc_dependencies *l, const char *name, struct err *e)
{
	size_t n = 0, before = l->n;

	for (size_t i = 0; i < before; i++)
		if (strcmp(l->v[i].image_name, name) != 0)
			l->v[n++] = l->v[i];
		else
			dependency_free(&l->v[i]);
	l->n = n;
	return n < before ? 0 : err_set(e, ENOENT, "there is no dependency \"%s\" to be removed", name);
}

static int remove_path(struct appc_strings *l, const char *path, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], path)) {
			free(l->v[i]);
			memmove(&l->v[i], &l->v[i + 1], (--l->n - i) * sizeof(*l->v));
			return 0;
		}
	return err_set(e, ENOENT, "there is no path \"%s\" on the whitelist to be removed", path);
}

static bool has_path(const struct appc_strings *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], path))
			return true;
	return false;
}

static int edit_dependencies(const struct patch_edit *o, struct image_manifest *m, struct err *e)
{
	for (size_t i = 0; i < o->no_dependencies.n; i++)
		if (remove_dependency(&m->dependencies, o->no_dependencies.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < o->dependencies.n; i++)
		if (add_dependency(&m->dependencies, o->dependencies.v[i], e) < 0)
			return -1;
	return 0;
}

static int edit_whitelist(const struct patch_edit *o, struct image_manifest *m, struct err *e)
{
	for (size_t i = 0; i < o->no_whitelist.n; i++)
		if (remove_path(&m->path_whitelist, o->no_whitelist.v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < o->whitelist.n; i++)
		if (!has_path(&m->path_whitelist, o->whitelist.v[i]) &&
		    appc_strings_add(&m->path_whitelist, o->whitelist.v[i], e) < 0)
			return -1;
	return 0;
}

int patch_edit(const struct patch_edit *o, struct image_manifest *m, struct err *e)
{
	if (o->name && appc_string_set(&m->name, o->name, e) < 0)
		return -1;
	if (edit_app(o, m, e) < 0 || edit_dependencies(o, m, e) < 0 || edit_whitelist(o, m, e) < 0)
		return -1;
	if (change_pairs(&m->labels, &o->no_labels, &o->labels, "label", e) < 0)
		return -1;
	return change_pairs(&m->annotations, &o->no_annotations, &o->annotations, "annotation", e);
}
