/* SPDX-License-Identifier: Apache-2.0
 * learn - see learn.h
 */
#include "stage1-init/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/seccomp.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "stage1-init/seccomp.h"

#define FILE_MAX (1 << 20)

struct learn {
	const struct plan  *p;
	struct syscall_set *calls; /* of each app */
};

struct learn *learn_new(const struct plan *p, struct err *e)
{
	struct learn *l = calloc(1, sizeof(*l));

	if (l)
		l->calls = calloc(p->n_apps, sizeof(*l->calls));
	if (!l || !l->calls) {
		free(l);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	l->p = p;
	return l;
}

void learn_take(struct learn *l, size_t app, int listener)
{
	int nr = seccomp_continue(listener);

	if (nr >= 0)
		syscall_set_add(&l->calls[app], (unsigned)nr);
}

/* ---- the file ---- */

static cJSON *find_isolator(const cJSON *list, const char *name)
{
	cJSON *j;

	cJSON_ArrayForEach(j, list)
	{
		const char *n = json_str(j, "name");
		if (n && !strcmp(n, name))
			return j;
	}
	return NULL;
}

static bool has(const cJSON *set, const char *name)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, set)
		if (cJSON_IsString(j) && !strcmp(j->valuestring, name))
			return true;
	return false;
}

/* the set of the isolator in the app's list, made if it is not there; NULL: no memory, or something else is there */
static cJSON *set_of(cJSON *doc, const char *app)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(doc, app);

	if (!list)
		list = cJSON_AddArrayToObject(doc, app);
	cJSON *is = cJSON_IsArray(list) ? find_isolator(list, APPC_SECCOMP_RETAIN_SET) : NULL;
	if (is)
		return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(is, "value"), "set");
	is = cJSON_CreateObject();
	if (!cJSON_AddItemToArray(list, is) || !cJSON_AddStringToObject(is, "name", APPC_SECCOMP_RETAIN_SET))
		return NULL;
	return cJSON_AddArrayToObject(cJSON_AddObjectToObject(is, "value"), "set");
}

static int add_calls(cJSON *doc, const char *app, const struct syscall_set *calls, struct err *e)
{
	char name[SYSCALL_NAME_SIZE];
	cJSON *set = set_of(doc, app);

	if (!cJSON_IsArray(set))
		return err_set(e, EINVAL, "app %s: not what --learn writes", app);
	for (unsigned nr = 0; nr < SYSCALLS_MAX; nr++) {
		if (!syscall_set_has(calls, nr) || !syscall_name((int)nr, name) || has(set, name))
			continue;
		if (!cJSON_AddItemToArray(set, cJSON_CreateString(name)))
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

static cJSON *read_old(const char *path, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, FILE_MAX, &text, &len, e) < 0)
		return e->code == ENOENT ? cJSON_CreateObject() : NULL;
	if (!len)
		return cJSON_CreateObject();
	cJSON *doc = json_parse_err(text, len, e);
	if (doc && !cJSON_IsObject(doc)) {
		cJSON_Delete(doc);
		err_set(e, EINVAL, "is not what --learn writes");
		return NULL;
	}
	return doc;
}

static int publish(const char *path, const cJSON *doc, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	auto_buf struct buf text = { 0 };
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;

	if (!n || n >= sizeof(dir))
		return err_set(e, EINVAL, "is no absolute path");
	memcpy(dir, path, n);
	dir[n] = 0;
	json_print(doc, true, &text);
	if (text.failed)
		return err_set(e, ENOMEM, "out of memory");
	auto_close int dir_fd = fd_open_dir(AT_FDCWD, dir, e);
	return dir_fd < 0 ? -1 : fd_publish(dir_fd, slash + 1, text.data, text.len, 0644, false, e);
}

int learn_write(const struct learn *l, const char *path, struct err *e)
{
	auto_json cJSON *doc = read_old(path, e);

	if (!doc)
		return err_wrap(e, "--learn=%s", path);
	for (size_t i = 0; i < l->p->n_apps; i++)
		if (add_calls(doc, l->p->apps[i].name, &l->calls[i], e) < 0)
			return err_wrap(e, "--learn=%s", path);
	return publish(path, doc, e) < 0 ? err_wrap(e, "--learn=%s", path) : 0;
}
