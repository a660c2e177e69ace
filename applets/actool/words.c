/* SPDX-License-Identifier: Apache-2.0
 * words - see words.h
 */
#include "applets/actool/words.h"

#include <errno.h>
#include <string.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/num.h"

char *words_next(char **rest, char sep)
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

char *words_pair(char *pair, struct err *e)
{
	char *eq = strchr(pair, '=');

	if (!eq || eq == pair) {
		err_set(e, EINVAL, "\"%s\": want NAME=VALUE", pair);
		return NULL;
	}
	*eq = 0;
	return eq + 1;
}

int words_members(char *rest, void *to, int (*member)(void *to, const char *key, const char *value, struct err *e),
		  struct err *e)
{
	for (char *pair; (pair = words_next(&rest, ','));) {
		const char *value = words_pair(pair, e);
		if (!value)
			return -1;
		if (member(to, pair, value, e) < 0)
			return err_wrap(e, "%s", pair);
	}
	return 0;
}

int words_number(const char *text, uint64_t max, int64_t *out, struct err *e)
{
	uint64_t v;

	if (num_u64(text, max, &v, e) < 0)
		return -1;
	*out = (int64_t)v;
	return 0;
}

int words_pairs(struct appc_pairs *l, const struct opt_list *given, const char *option, struct err *e)
{
	for (size_t i = 0; i < given->n; i++) {
		auto_free char *name = xstrdup(given->v[i]);
		const char *value = words_pair(name, e);
		if (!value || appc_pairs_set(l, name, value, e) < 0)
			return err_wrap(e, "--%s", option);
	}
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

int words_mount(char *rest, struct appc_mount_point *m, struct err *e)
{
	return words_members(rest, m, mount_member, e);
}

static int port_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_port *p = to;

	if (!strcmp(key, "protocol"))
		return appc_string_set(&p->protocol, value, e);
	if (!strcmp(key, "port"))
		return words_number(value, 65535, &p->port, e);
	if (!strcmp(key, "count"))
		return words_number(value, 65535, &p->count, e);
	if (!strcmp(key, "socketActivated"))
		return num_bool(value, &p->socket_activated, e);
	return err_set(e, EINVAL, "unknown; known: protocol, port, count, socketActivated");
}

int words_port(char *rest, struct appc_port *p, struct err *e)
{
	return words_members(rest, p, port_member, e);
}
