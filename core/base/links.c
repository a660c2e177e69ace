/* SPDX-License-Identifier: Apache-2.0
 * links - see links.h
 */
#include "core/base/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct link *slot_of(struct link *v, size_t size, dev_t dev, ino_t ino)
{
	uint64_t mixed = ((uint64_t)ino ^ (uint64_t)dev << 40) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(mixed >> 32) & (size - 1);

	while (v[i].path && (v[i].dev != dev || v[i].ino != ino))
		i = (i + 1) & (size - 1);
	return &v[i];
}

static int grow(struct links *l, struct err *e)
{
	size_t size = l->size ? l->size * 2 : 64;
	struct link *v = calloc(size, sizeof(*v));

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->size; i++)
		if (l->v[i].path)
			*slot_of(v, size, l->v[i].dev, l->v[i].ino) = l->v[i];
	free(l->v);
	l->v = v;
	l->size = size;
	return 0;
}

int links_find(struct links *l, dev_t dev, ino_t ino, const char *path, const char **first, struct err *e)
{
	if (l->n >= l->size / 4 * 3 && grow(l, e) < 0)
		return -1;
	struct link *x = slot_of(l->v, l->size, dev, ino);
	if (x->path) {
		*first = x->path;
		return 1;
	}
	*x = (struct link){ dev, ino, strdup(path) };
	if (!x->path)
		return err_set(e, ENOMEM, "out of memory");
	l->n++;
	return 0;
}

void links_free(struct links *l)
{
	for (size_t i = 0; i < l->size; i++)
		free(l->v[i].path);
	free(l->v);
	*l = (struct links){ 0 };
}
