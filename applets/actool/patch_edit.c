/* SPDX-License-Identifier: Apache-2.0
 * patch_edit - see patch_edit.h
 *
 * Lists in one argument are written as actool always had them: elements with ":" between them, each a name and
 * KEY=VALUE members with "," between. Whatever has a name replaces what has the same one, and is added otherwise.
 */
#include "applets/actool/patch_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/ui.h"
#include "core/appc/seccomp.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"

#define RETAIN_CAPS    "os/linux/capabilities-retain-set"
#define REMOVE_CAPS    "os/linux/capabilities-remove-set"

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
	       o->isolators || o->seccomp_mode || o->seccomp_set || o->environment.n || o->no_environment.n;
}

bool patch_edit_any(const struct patch_edit *o)
{
	return o->name || o->exec || any_of_app(o) || o->labels.n || o->annotations.n || o->dependencies.n ||
	       o->whitelist.n || o->no_labels.n || o->no_annotations.n || o->no_dependencies.n || o->no_whitelist.n;
}

/* ---- words in an argument ---- */

/* the next of the words that @sep separates, cut off; NULL: that was the last */
static char *next_word(char **rest, char sep)
{
	char *word = *rest;

	if (!word)
		return NULL;
	char *end = strchr(word, sep);
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	return word;
}

/* "KEY=VALUE" is cut into two; returns the value */
static char *cut_pair(char *pair, struct err *e)
{
	char *eq = strchr(pair, '=');

	if (!eq || eq == pair) {
		err_set(e, EINVAL, "\"%s\": want NAME=VALUE", pair);
		return NULL;
	}
	*eq = 0;
	return eq + 1;
}

/* one element of a list: calls @member for what follows its name */
static int read_members(char *rest, void *to, int (*member)(void *to, const char *key, const char *value, struct err *e),
			struct err *e)
{
	for (char *pair; (pair = next_word(&rest, ','));) {
		const char *value = cut_pair(pair, e);
		if (!value)
			return -1;
		if (member(to, pair, value, e) < 0)
			return err_wrap(e, "%s", pair);
	}
	return 0;
}

/* each element of @list, in a copy that may be cut up */
static int each_element(const char *list, struct appc_app *app, int (*one)(struct appc_app *app, char *text, struct err *e),
			struct err *e)
{
	auto_free char *copy = xstrdup(list);
	char *rest = copy;

	for (char *text; (text = next_word(&rest, ':'));) {
		auto_free char *whole = xstrdup(text);
		if (one(app, text, e) < 0)
			return err_wrap(e, "\"%s\"", whole);
	}
	return 0;
}

static cJSON *words_as_json(const char *list)
{
	auto_free char *copy = xstrdup(list);
	char *rest = copy;
	cJSON *set = cJSON_CreateArray();

	for (char *word; (word = next_word(&rest, ','));)
		cJSON_AddItemToArray(set, cJSON_CreateString(word));
	return set;
}

static int unsigned_value(const char *text, uint64_t max, int64_t *out, struct err *e)
{
	uint64_t v;

	if (num_u64(text, max, &v, e) < 0)
		return -1;
	*out = (int64_t)v;
	return 0;
}

/* ---- mount points and ports ---- */

static int mount_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_mount_point *m = to;

	if (!strcmp(key, "path"))
		return appc_string_set(&m->path, value, e);
	if (!strcmp(key, "readOnly"))
		return num_bool(value, &m->read_only, e);
	return err_set(e, EINVAL, "unknown; known: path, readOnly");
}

static int add_mount(struct appc_app *app, char *text, struct err *e)
{
	struct appc_mount_points *l = &app->mount_points;
	const char *name = next_word(&text, ',');
	size_t i = 0;

	while (i < l->n && strcmp(l->v[i].name, name) != 0)
		i++;
	if (i == l->n) {
		l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
		l->v[l->n++] = (struct appc_mount_point){ .name = xstrdup(name) };
	}
	l->v[i].read_only = false;
	if (read_members(text, &l->v[i], mount_member, e) < 0)
		return -1;
	return l->v[i].path ? 0 : err_set(e, EINVAL, "path is missing: NAME,path=PATH");
}

static int port_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_port *p = to;

	if (!strcmp(key, "protocol"))
		return appc_string_set(&p->protocol, value, e);
	if (!strcmp(key, "port"))
		return unsigned_value(value, 65535, &p->port, e);
	if (!strcmp(key, "count"))
		return unsigned_value(value, 65535, &p->count, e);
	if (!strcmp(key, "socketActivated"))
		return num_bool(value, &p->socket_activated, e);
	return err_set(e, EINVAL, "unknown; known: protocol, port, count, socketActivated");
}

static int add_port(struct appc_app *app, char *text, struct err *e)
{
	struct appc_ports *l = &app->ports;
	const char *name = next_word(&text, ',');
	size_t i = 0;

	while (i < l->n && strcmp(l->v[i].name, name) != 0)
		i++;
	if (i == l->n) {
		l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
		l->v[l->n++] = (struct appc_port){ .name = xstrdup(name) };
	}
	l->v[i].count = 1;
	l->v[i].socket_activated = false;
	if (read_members(text, &l->v[i], port_member, e) < 0)
		return -1;
	if (!l->v[i].protocol || !l->v[i].port)
		return err_set(e, EINVAL, "protocol and port must be given: NAME,protocol=tcp,port=80");
	return 0;
}

/* ---- isolators ---- */

/* the two kinds of a set exclude each other */
static int set_one_of(struct appc_app *app, const char *name, const char *other, cJSON *value, struct err *e)
{
	appc_isolators_remove(&app->isolators, name);
	appc_isolators_remove(&app->isolators, other);
	return appc_isolators_set(&app->isolators, name, value, e);
}

static int set_capabilities(const struct patch_edit *o, struct appc_app *app, struct err *e)
{
	const char *list = o->retain_caps ? o->retain_caps : o->remove_caps;

	if (!list)
		return 0;
	if (o->retain_caps && o->remove_caps)
		return err_set(e, EINVAL, "--capability and --revoke-capability exclude each other");
	cJSON *value = cJSON_CreateObject();
	cJSON_AddItemToObject(value, "set", words_as_json(list));
	return set_one_of(app, o->retain_caps ? RETAIN_CAPS : REMOVE_CAPS, o->retain_caps ? REMOVE_CAPS : RETAIN_CAPS,
			  value, e);
}

static int read_seccomp_mode(char *rest, bool *retain, const char **number, struct err *e)
{
	const char *mode = next_word(&rest, ',');

	*retain = !strcmp(mode, "retain");
	if (!*retain && strcmp(mode, "remove") != 0)
		return err_set(e, EINVAL, "unknown mode \"%s\": want remove or retain", mode);
	for (char *word; (word = next_word(&rest, ','));) {
		if (strncmp(word, "errno=", 6) != 0)
			return err_set(e, EINVAL, "\"%s\" is unknown; known: errno=NAME", word);
		*number = word + 6;
	}
	return 0;
}

static int set_seccomp(const struct patch_edit *o, struct appc_app *app, struct err *e)
{
	const char *number = NULL;
	bool retain;

	if (!o->seccomp_mode)
		return o->seccomp_set ? err_set(e, EINVAL, "--seccomp-set needs --seccomp-mode=remove or retain") : 0;
	if (!o->seccomp_set)
		return err_set(e, EINVAL, "--seccomp-mode needs --seccomp-set=SYSCALL,...");
	auto_free char *mode = xstrdup(o->seccomp_mode);
	if (read_seccomp_mode(mode, &retain, &number, e) < 0)
		return err_wrap(e, "--seccomp-mode");
	cJSON *value = cJSON_CreateObject();
	cJSON_AddItemToObject(value, "set", words_as_json(o->seccomp_set));
	if (number)
		cJSON_AddStringToObject(value, "errno", number);
	return appc_seccomp_override(&app->isolators, retain, value, e);
}

static int isolator_member(void *to, const char *key, const char *value, struct err *e)
{
	bool on;

	if (strcmp(key, "default") != 0) {
		cJSON_AddStringToObject(to, key, value);
		return 0;
	}
	if (num_bool(value, &on, e) < 0)
		return -1;
	cJSON_AddBoolToObject(to, key, on);
	return 0;
}

/* those whose value is no object but a single word */
static bool is_plain(const char *name)
{
	return !strcmp(name, "os/linux/no-new-privileges") || !strcmp(name, "os/linux/oom-score-adj") ||
	       !strcmp(name, "os/linux/cpu-shares");
}

static int add_isolator(struct appc_app *app, char *text, struct err *e)
{
	char *name = next_word(&text, ',');

	if (is_plain(name)) {
		cJSON *plain = text ? json_parse_err(text, strlen(text), e) : NULL;
		if (!plain)
			return text ? -1 : err_set(e, EINVAL, "the value is missing: %s,VALUE", name);
		return appc_isolators_set(&app->isolators, name, plain, e);
	}
	if (strncmp(name, "resource/", 9) != 0)
		return err_set(e, EINVAL, "isolator %s is not supported for patching; there are --capability, "
			       "--revoke-capability, --seccomp-mode, and --manifest for the whole", name);
	cJSON *value = cJSON_CreateObject();
	if (read_members(text, value, isolator_member, e) < 0) {
		cJSON_Delete(value);
		return -1;
	}
	return appc_isolators_set(&app->isolators, name, value, e);
}

/* ---- the app ---- */

static int set_exec(const char *exec, struct appc_app *app, struct err *e)
{
	auto_free char *copy = xstrdup(exec);
	char *rest = copy;

	appc_strings_clear(&app->exec);
	for (char *word; (word = next_word(&rest, ' '));)
		if (appc_strings_add(&app->exec, word, e) < 0)
			return -1;
	return 0;
}

static int set_gids(const char *gids, struct appc_app *app, struct err *e)
{
	auto_free char *copy = xstrdup(gids);
	char *rest = copy;
	uint32_t gid;

	app->supplementary_gids.n = 0;
	for (char *word; (word = next_word(&rest, ','));)
		if (num_id(word, &gid, e) < 0 || appc_ints_add(&app->supplementary_gids, gid, e) < 0)
			return err_wrap(e, "--supplementary-groups");
	return 0;
}

static int set_lists(const struct patch_edit *o, struct appc_app *app, struct err *e)
{
	if (o->mounts && each_element(o->mounts, app, add_mount, e) < 0)
		return err_wrap(e, "--mounts");
	if (o->ports && each_element(o->ports, app, add_port, e) < 0)
		return err_wrap(e, "--ports");
	if (set_capabilities(o, app, e) < 0 || set_seccomp(o, app, e) < 0)
		return -1;
	if (o->isolators && each_element(o->isolators, app, add_isolator, e) < 0)
		return err_wrap(e, "--isolators");
	return 0;
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

static int set_pairs(struct appc_pairs *l, const struct opt_list *pairs, const char *what, struct err *e)
{
	for (size_t k = 0; k < pairs->n; k++) {
		auto_free char *name = xstrdup(pairs->v[k]);
		const char *value = cut_pair(name, e);
		if (!value || appc_pairs_set(l, name, value, e) < 0)
			return err_wrap(e, "--%s", what);
	}
	return 0;
}

static int change_pairs(struct appc_pairs *l, const struct opt_list *no, const struct opt_list *yes, const char *what,
			struct err *e)
{
	return remove_pairs(l, no, what, e) < 0 ? -1 : set_pairs(l, yes, what, e);
}

static int edit_app(const struct patch_edit *o, struct image_manifest *m, struct err *e)
{
	if (!m->app && o->exec)
		m->app = xmalloc(sizeof(*m->app));
	if (!m->app)
		return any_of_app(o) ? err_set(e, EINVAL, "no app in the supplied manifest and no exec command provided") :
				       0;
	if (o->exec && set_exec(o->exec, m->app, e) < 0)
		return -1;
	if (o->user && appc_string_set(&m->app->user, o->user, e) < 0)
		return -1;
	if (o->group && appc_string_set(&m->app->group, o->group, e) < 0)
		return -1;
	if (o->gids && set_gids(o->gids, m->app, e) < 0)
		return -1;
	if (change_pairs(&m->app->environment, &o->no_environment, &o->environment, "environment", e) < 0)
		return -1;
	return set_lists(o, m->app, e);
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
		return unsigned_value(value, INT64_MAX, &d->size, e);
	return appc_pairs_set(&d->labels, key, value, e);
}

static int read_dependency(struct appc_dependency *d, char *rest, struct err *e)
{
	char *name = next_word(&rest, ',');
	char *colon = strchr(name, ':');

	if (colon)
		*colon = 0;
	if (appc_string_set(&d->image_name, name, e) < 0)
		return -1;
	if (colon && appc_pairs_set(&d->labels, "version", colon + 1, e) < 0)
		return -1;
	return read_members(rest, d, dependency_member, e);
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
