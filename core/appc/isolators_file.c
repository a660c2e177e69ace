/* SPDX-License-Identifier: Apache-2.0
 * isolators_file - see isolators_file.h
 */
#include "core/appc/isolators_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/appc/isolator.h"
#include "core/base/fd.h"
#include "core/base/json.h"

#define FILE_MAX (1 << 20)

static cJSON *read_json(const char *path, struct err *e)
{
	struct stat st;
	auto_buf struct buf text = { 0 };
	char part[4096];
	ssize_t n;
	auto_close int fd = fd_open_input(path, &st, e);

	if (fd < 0)
		return NULL;
	while ((n = fd_read_full(fd, part, sizeof(part))) > 0 && text.len <= FILE_MAX)
		buf_add(&text, part, (size_t)n);
	if (n < 0 || text.len > FILE_MAX || text.failed) {
		err_set(e, n < 0 ? errno : EFBIG, "cannot be read, or has more than %d bytes", FILE_MAX);
		return NULL;
	}
	return json_parse_err(text.data ? text.data : "", text.len, e);
}

static const cJSON *list_of(const cJSON *doc, const char *app, struct err *e)
{
	const cJSON *list = cJSON_IsArray(doc) ? doc : cJSON_GetObjectItemCaseSensitive(doc, app);

	if (!list && cJSON_IsObject(doc) && cJSON_GetArraySize(doc) == 1)
		list = doc->child;
	if (!list && cJSON_IsObject(doc) && doc->child)
		err_set(e, ENOENT, "has nothing for app %s, but for %s and %d more", app, doc->child->string,
			cJSON_GetArraySize(doc) - 1);
	else if (!cJSON_IsArray(list))
		err_set(e, EINVAL, "holds no list of isolators, as rkt run --learn writes it");
	return cJSON_IsArray(list) ? list : NULL;
}

/* the other set of the same kind, or NULL */
static const char *rival(const char *name)
{
	static const char *const pairs[][2] = {
		{ APPC_CAPS_RETAIN_SET, APPC_CAPS_REMOVE_SET },
		{ APPC_SECCOMP_RETAIN_SET, APPC_SECCOMP_REMOVE_SET },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (size_t j = 0; j < 2; j++)
			if (!strcmp(name, pairs[i][j]))
				return pairs[i][!j];
	return NULL;
}

static int apply(const cJSON *isolator, struct appc_isolators *l, struct err *e)
{
	const char *name = json_str(isolator, "name");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(isolator, "value");

	if (!name || !value)
		return err_set(e, EINVAL, "an isolator without name or value");
	if (rival(name))
		appc_isolators_remove(l, rival(name));
	cJSON *copy = cJSON_Duplicate(value, true);
	return copy ? appc_isolators_set(l, name, copy, e) : err_set(e, ENOMEM, "out of memory");
}

int isolators_file_apply(const char *path, const char *app, struct appc_isolators *l, struct err *e)
{
	const cJSON *j;
	auto_json cJSON *doc = read_json(path, e);
	const cJSON *list = doc ? list_of(doc, app, e) : NULL;

	if (!list)
		return err_wrap(e, "%s", path);
	cJSON_ArrayForEach(j, list)
		if (apply(j, l, e) < 0)
			return err_wrap(e, "%s", path);
	return 0;
}
