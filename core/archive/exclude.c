/* SPDX-License-Identifier: Apache-2.0
 * exclude - see exclude.h
 */
#include "core/archive/exclude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/glob.h"

int exclude_add(struct exclude *x, const char *glob, struct err *e)
{
	size_t n = strlen(glob), start = 0;

	while (n > 1 && glob[n - 1] == '/')
		n--;
	/* one slash at its begin stays, to say that it is about the whole path */
	while (glob[start] == '/' && glob[start + 1] == '/')
		start++;
	if (!glob[start] || (n == start + 1 && glob[start] == '/') || n <= start)
		return err_set(e, EINVAL, "\"%s\" names nothing: want a pattern such as *.pyc or usr/share/doc", glob);
	if (!glob_ok(glob))
		return err_set(e, EINVAL, "\"%s\": \"[\" without \"]\"; write \\[ for the character", glob);
	char **v = reallocarray(x->v, x->n + 1, sizeof(*v));
	if (v)
		x->v = v;
	if (!v || !(v[x->n] = strndup(glob + start, n - start)))
		return err_set(e, ENOMEM, "out of memory");
	x->n++;
	return 0;
}

bool exclude_has(const struct exclude *x, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < x->n; i++) {
		const char *glob = x->v[i];
		if (glob_match(*glob == '/' ? glob + 1 : glob, strchr(glob, '/') ? path : name))
			return true;
	}
	return false;
}

void exclude_free(struct exclude *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i]);
	free(x->v);
	*x = (struct exclude){ 0 };
}
