/* SPDX-License-Identifier: Apache-2.0
 * podopts_values - what single arguments say: a variable, a mount, a seccomp filter, a volume; see podopts.h
 */
#include <errno.h>
#include <string.h>

#include "applets/rkt/podopts.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"

int podopts_env_parse(const char *arg, struct err *e)
{
	size_t n = strcspn(arg, "=");

	if (!n || !arg[n])
		return err_set(e, EINVAL, "\"%s\": want NAME=VALUE", arg);
	return (int)n;
}

int podopts_mount_parse(const char *arg, struct podopts_mount *m, struct err *e)
{
	*m = (struct podopts_mount){ 0 };
	for (const char *p = arg;; p++) {
		size_t n = strcspn(p, ",");
		bool volume = !strncmp(p, "volume=", 7), target = !strncmp(p, "target=", 7);
		if ((!volume && !target) || (volume && m->volume) || (target && m->target))
			return err_set(e, EINVAL, "\"%s\": want volume=NAME,target=PATH", arg);
		*(volume ? &m->volume : &m->target) = p + 7;
		*(volume ? &m->volume_len : &m->target_len) = n - 7;
		p += n;
		if (!*p)
			break;
	}
	if (!m->volume || !m->volume_len || !m->target)
		return err_set(e, EINVAL, "\"%s\": want volume=NAME,target=PATH", arg);
	if (!m->target_len || *m->target != '/')
		return err_set(e, EINVAL, "\"%s\": target must be an absolute path", arg);
	return 0;
}

/* ---- seccomp ---- */

struct seccomp_words {
	const char *mode, *error;
	cJSON      *set;
};

/* @word may be cut up */
static int seccomp_word(struct seccomp_words *w, char *word, struct err *e)
{
	char *eq = strchr(word, '=');
	const char **to = !eq		       ? NULL :
			  !strncmp(word, "mode=", 5)  ? &w->mode :
			  !strncmp(word, "errno=", 6) ? &w->error :
							NULL;

	if (!*word)
		return err_set(e, EINVAL, "a word is empty: want mode=retain or mode=remove, and system calls");
	if (eq && !to)
		return err_set(e, EINVAL, "\"%s\" is unknown; known: mode=, errno=", word);
	if (to && *to)
		return err_set(e, EINVAL, "%.*s is given twice", (int)(eq - word), word);
	if (to)
		*to = eq + 1;
	else
		cJSON_AddItemToArray(w->set, cJSON_CreateString(word));
	return 0;
}

static int seccomp_mode(const struct seccomp_words *w, bool *retain, struct err *e)
{
	if (!w->mode)
		return err_set(e, EINVAL, "mode is missing: want mode=retain or mode=remove");
	*retain = !strcmp(w->mode, "retain");
	if (!*retain && strcmp(w->mode, "remove") != 0)
		return err_set(e, EINVAL, "unknown mode \"%s\": want retain or remove", w->mode);
	if (!cJSON_GetArraySize(w->set))
		return err_set(e, EINVAL, "no system call is named");
	return 0;
}

int podopts_seccomp(const char *arg, bool *retain, cJSON **value, struct err *e)
{
	auto_free char *copy = xstrdup(arg);
	struct seccomp_words w = { .set = cJSON_CreateArray() };
	int r = 0;

	for (char *p = copy; p && r == 0;) {
		char *word = strsep(&p, ",");
		r = seccomp_word(&w, word, e);
	}
	if (r < 0 || seccomp_mode(&w, retain, e) < 0) {
		cJSON_Delete(w.set);
		return -1;
	}
	*value = cJSON_CreateObject();
	cJSON_AddItemToObject(*value, "set", w.set);
	if (w.error)
		cJSON_AddStringToObject(*value, "errno", w.error);
	return 0;
}

/* ---- volumes ---- */

static int parse_id(const char *value, int64_t *out, struct err *e)
{
	uint32_t id;

	if (num_id(value, &id, e) < 0)
		return -1;
	*out = id;
	return 0;
}

static int volume_member(struct appc_volume *v, const char *key, const char *value, struct err *e)
{
	bool on;
	uint32_t mode;

	if (!strcmp(key, "kind"))
		return appc_string_set(&v->kind, value, e);
	if (!strcmp(key, "source"))
		return appc_string_set(&v->source, value, e);
	if (!strcmp(key, "readOnly"))
		return num_bool(value, &v->read_only, e);
	if (!strcmp(key, "recursive")) {
		if (num_bool(value, &on, e) < 0)
			return -1;
		v->recursive = on;
		return 0;
	}
	if (!strcmp(key, "mode"))
		return num_mode(value, &mode, e) < 0 ? -1 : appc_string_set(&v->mode, value, e);
	if (!strcmp(key, "uid"))
		return parse_id(value, &v->uid, e);
	if (!strcmp(key, "gid"))
		return parse_id(value, &v->gid, e);
	return err_set(e, EINVAL, "unknown; known: kind, source, readOnly, recursive, mode, uid, gid");
}

static bool seen(const char *members, const char *end, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = members; p < end; p += strcspn(p, ",") + 1)
		if (!strncmp(p, key, n) && p[n] == '=')
			return true;
	return false;
}

static int volume_members(struct appc_volume *v, const char *members, struct err *e)
{
	for (const char *p = members; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		auto_free char *key = strndup(p, n);
		if (!key)
			return err_set(e, ENOMEM, "out of memory");
		char *eq = strchr(key, '=');
		if (!eq)
			return err_set(e, EINVAL, "\"%s\": want KEY=VALUE", key);
		*eq = 0;
		if (seen(members, p, key))
			return err_set(e, EINVAL, "%s is given twice", key);
		if (volume_member(v, key, eq + 1, e) < 0)
			return err_wrap(e, "%s", key);
		p += n;
	}
	return 0;
}

static int volume_check(const struct appc_volume *v, struct err *e)
{
	if (!v->kind)
		return err_set(e, EINVAL, "kind is missing: kind=host or kind=empty");
	if (!strcmp(v->kind, "host")) {
		if (!v->source)
			return err_set(e, EINVAL, "source is missing: the path on the host");
		if (*v->source != '/')
			return err_set(e, EINVAL, "source must be an absolute path, not \"%s\"", v->source);
		if (v->mode || v->uid >= 0 || v->gid >= 0)
			return err_set(e, EINVAL, "mode, uid and gid are for empty volumes");
		return 0;
	}
	if (strcmp(v->kind, "empty"))
		return err_set(e, EINVAL, "unknown kind \"%s\": want host or empty", v->kind);
	if (v->source)
		return err_set(e, EINVAL, "an empty volume has no source");
	return 0;
}

/* "bind:/srv/data" -> the name "data" */
static int bind_name(const char *path, size_t len, char *out, size_t size, struct err *e)
{
	char base[256];
	size_t end = len;

	while (end && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start && path[start - 1] != '/')
		start--;
	if (end - start >= sizeof(base))
		return err_set(e, ENAMETOOLONG, "name too long");
	memcpy(base, path + start, end - start);
	base[end - start] = 0;
	if (!ac_name_from(base, out, size))
		return err_set(e, EINVAL,
			"no name can be made of %.*s; use NAME,kind=host,source=PATH", (int)len,
			path);
	return 0;
}

static int volume_fill(struct appc_volume *v, const char *arg, struct err *e)
{
	char name[256];
	size_t n = strcspn(arg, ",");
	bool bind = !strncmp(arg, "bind:", 5);

	if (bind) {
		auto_free char *source = strndup(arg + 5, n - 5);
		if (!source)
			return err_set(e, ENOMEM, "out of memory");
		if (bind_name(source, n - 5, name, sizeof(name), e) < 0 ||
			appc_string_set(&v->kind, "host", e) < 0 ||
			appc_string_set(&v->source, source, e) < 0)
			return -1;
	} else {
		if (n >= sizeof(name))
			return err_set(e, ENAMETOOLONG, "name too long");
		memcpy(name, arg, n);
		name[n] = 0;
		if (!ac_name_ok(name))
			return err_set(e, EINVAL,
				"\"%s\" is no volume name (a-z, 0-9 and -, not - at the ends)",
				name);
	}
	if (appc_string_set(&v->name, name, e) < 0 || volume_members(v, arg + n + (arg[n] == ','), e) < 0)
		return -1;
	return volume_check(v, e);
}

int podopts_volume(const char *arg, struct pod_manifest *m, struct err *e)
{
	struct appc_volume *v = pod_manifest_add_volume(m, e);

	if (!v)
		return -1;
	if (volume_fill(v, arg, e) < 0)
		return err_wrap(e, "volume \"%s\"", arg);
	for (size_t i = 0; i + 1 < m->volumes.n; i++)
		if (!strcmp(m->volumes.v[i].name, v->name))
			return err_set(e, EEXIST, "duplicate volume name \"%s\"", v->name);
	return 0;
}
