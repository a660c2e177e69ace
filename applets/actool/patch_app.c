/* SPDX-License-Identifier: Apache-2.0
 * patch_app - what patch-manifest changes of the app; see patch_edit.h
 *
 * Lists in one argument are written as actool always had them: elements with ":" between them, each a name and
 * KEY=VALUE members with "," between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/patch_edit.h"
#include "applets/actool/words.h"
#include "applets/ui.h"
#include "core/appc/isolator.h"
#include "core/appc/isolators_file.h"
#include "core/appc/seccomp.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/num.h"

/* each element of @list, in a copy that may be cut up */
static int each_element(const char *list, struct appc_app *app, int (*one)(struct appc_app *app, char *text, struct err *e),
			struct err *e)
{
	auto_free char *copy = xstrdup(list);
	char *rest = copy;

	for (char *text; (text = words_next(&rest, ':'));) {
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

	for (char *word; (word = words_next(&rest, ','));)
		cJSON_AddItemToArray(set, cJSON_CreateString(word));
	return set;
}

/* ---- mount points and ports ---- */

static int add_mount(struct appc_app *app, char *text, struct err *e)
{
	struct appc_mount_points *l = &app->mount_points;
	const char *name = words_next(&text, ',');
	size_t i = 0;

	while (i < l->n && strcmp(l->v[i].name, name) != 0)
		i++;
	if (i == l->n) {
		l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
		l->v[l->n++] = (struct appc_mount_point){ .name = xstrdup(name) };
	}
	l->v[i].read_only = false;
	if (words_mount(text, &l->v[i], e) < 0)
		return -1;
	return l->v[i].path ? 0 : err_set(e, EINVAL, "path is missing: NAME,path=PATH");
}

static int add_port(struct appc_app *app, char *text, struct err *e)
{
	struct appc_ports *l = &app->ports;
	const char *name = words_next(&text, ',');
	size_t i = 0;

	while (i < l->n && strcmp(l->v[i].name, name) != 0)
		i++;
	if (i == l->n) {
		l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
		l->v[l->n++] = (struct appc_port){ .name = xstrdup(name) };
	}
	l->v[i].count = 1;
	l->v[i].socket_activated = false;
	if (words_port(text, &l->v[i], e) < 0)
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
	return set_one_of(app, o->retain_caps ? APPC_CAPS_RETAIN_SET : APPC_CAPS_REMOVE_SET, o->retain_caps ? APPC_CAPS_REMOVE_SET : APPC_CAPS_RETAIN_SET,
			  value, e);
}

static int read_seccomp_mode(char *rest, bool *retain, const char **number, struct err *e)
{
	const char *mode = words_next(&rest, ',');

	*retain = !strcmp(mode, "retain");
	if (!*retain && strcmp(mode, "remove") != 0)
		return err_set(e, EINVAL, "unknown mode \"%s\": want remove or retain", mode);
	for (char *word; (word = words_next(&rest, ','));) {
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
	char *name = words_next(&text, ',');

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
	if (words_members(text, value, isolator_member, e) < 0) {
		cJSON_Delete(value);
		return -1;
	}
	return appc_isolators_set(&app->isolators, name, value, e);
}

/* rkt run gives an app this name, and --learn writes it */
static int take_isolators(const char *file, const char *image, struct appc_app *app, struct err *e)
{
	char name[512] = "";

	ac_name_from(image, name, sizeof(name));
	return isolators_file_apply(file, name, &app->isolators, e) < 0 ? err_wrap(e, "--isolators-from") : 0;
}

/* ---- the app ---- */

static int set_exec(const char *exec, struct appc_app *app, struct err *e)
{
	auto_free char *copy = xstrdup(exec);
	char *rest = copy;

	appc_strings_clear(&app->exec);
	for (char *word; (word = words_next(&rest, ' '));)
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
	for (char *word; (word = words_next(&rest, ','));)
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

int patch_app(const struct patch_edit *o, const char *image, struct appc_app *app, struct err *e)
{
	if (o->isolators_from && take_isolators(o->isolators_from, image, app, e) < 0)
		return -1;
	if (o->exec && set_exec(o->exec, app, e) < 0)
		return -1;
	if (o->user && appc_string_set(&app->user, o->user, e) < 0)
		return -1;
	if (o->group && appc_string_set(&app->group, o->group, e) < 0)
		return -1;
	return o->gids && set_gids(o->gids, app, e) < 0 ? -1 : set_lists(o, app, e);
}
