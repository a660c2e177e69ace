/* SPDX-License-Identifier: Apache-2.0
 * learn_file - see learn_file.h
 */
#include "stage1-init/learn_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "core/appc/isolator.h"
#include "core/base/fd.h"
#include "core/base/json.h"

#define FILE_MAX (1 << 20)

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

static cJSON *set_in(const cJSON *isolator)
{
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(isolator, "value"), "set");
}

/* the set of the isolator in the app's list, made if it is not there; NULL: no memory, or something else is there */
static cJSON *set_of(cJSON *list, const char *isolator)
{
	cJSON *is = find_isolator(list, isolator);

	if (is)
		return set_in(is);
	is = cJSON_CreateObject();
	if (!cJSON_AddItemToArray(list, is) || !cJSON_AddStringToObject(is, "name", isolator))
		return NULL;
	return cJSON_AddArrayToObject(cJSON_AddObjectToObject(is, "value"), "set");
}

static int add_calls(cJSON *list, const struct syscall_set *calls, struct err *e)
{
	char name[SYSCALL_NAME_SIZE];
	cJSON *set = set_of(list, APPC_SECCOMP_RETAIN_SET);

	if (!cJSON_IsArray(set))
		return err_set(e, EINVAL, "not what --learn writes");
	for (unsigned call = 0; call < N_CALLS; call++) {
		if (!syscall_set_has(calls, call))
			continue;
		syscall_name(call, name);
		if (has(set, name))
			continue;
		if (!cJSON_AddItemToArray(set, cJSON_CreateString(name)))
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

/* ---- capabilities ---- */

static uint64_t caps_of(const cJSON *list)
{
	const cJSON *j;
	uint64_t caps = 0;

	cJSON_ArrayForEach(j, set_in(find_isolator(list, APPC_CAPS_RETAIN_SET)))
	{
		int n = cJSON_IsString(j) ? appc_cap_number(j->valuestring) : -1;
		if (n >= 0)
			caps |= UINT64_C(1) << n;
	}
	return caps;
}

static void drop(cJSON *list, const char *name)
{
	cJSON *is;

	while ((is = find_isolator(list, name)))
		cJSON_Delete(cJSON_DetachItemViaPointer(list, is));
}

/* a retain set must not be empty: what needs nothing has all that there is without it removed */
static int put_caps(cJSON *list, uint64_t used, struct err *e)
{
	uint64_t caps = used | caps_of(list), in_set = caps ? caps : appc_caps_default;

	drop(list, APPC_CAPS_RETAIN_SET);
	drop(list, APPC_CAPS_REMOVE_SET);
	cJSON *set = set_of(list, caps ? APPC_CAPS_RETAIN_SET : APPC_CAPS_REMOVE_SET);
	for (int n = 0; n < 64; n++)
		if (in_set >> n & 1 && appc_cap_name(n) &&
		    !cJSON_AddItemToArray(set, cJSON_CreateString(appc_cap_name(n))))
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* ---- all of it ---- */

static int add_app(cJSON *doc, const struct learnt *a, struct err *e)
{
	static const struct syscall_set none;
	cJSON *list = cJSON_GetObjectItemCaseSensitive(doc, a->app);

	if (!memcmp(&a->calls, &none, sizeof(none)))
		return 0;
	if (!list)
		list = cJSON_AddArrayToObject(doc, a->app);
	if (!cJSON_IsArray(list))
		return err_set(e, EINVAL, "app %s: not what --learn writes", a->app);
	if (add_calls(list, &a->calls, e) < 0 || (a->has_caps && put_caps(list, a->caps, e) < 0))
		return err_wrap(e, "app %s", a->app);
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

int learn_file_write(const char *path, const struct learnt *v, size_t n, struct err *e)
{
	auto_json cJSON *doc = read_old(path, e);

	if (!doc)
		return err_wrap(e, "--learn=%s", path);
	for (size_t i = 0; i < n; i++)
		if (add_app(doc, &v[i], e) < 0)
			return err_wrap(e, "--learn=%s", path);
	return publish(path, doc, e) < 0 ? err_wrap(e, "--learn=%s", path) : 0;
}
