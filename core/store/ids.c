/* SPDX-License-Identifier: Apache-2.0
 * ids - sets of images, for passes over the whole store: a look into one costs no system call
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/internal.h"

int image_ids_add(struct image_ids *s, const struct image_id *ids, size_t n, struct err *e)
{
	if (s->n + n > s->cap) {
		size_t cap = s->cap * 2 > s->n + n ? s->cap * 2 : s->n + n + 64;
		struct image_id *v = realloc(s->v, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		s->v = v;
		s->cap = cap;
	}
	memcpy(s->v + s->n, ids, n * sizeof(*ids));
	s->n += n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct image_id *)a)->s, ((const struct image_id *)b)->s);
}

void image_ids_sort(struct image_ids *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), compare);
}

static int compare_key(const void *key, const void *id)
{
	return strcmp(key, ((const struct image_id *)id)->s);
}

bool image_ids_has(const struct image_ids *s, const char *id)
{
	return s->n && bsearch(id, s->v, s->n, sizeof(*s->v), compare_key);
}

void image_ids_free(struct image_ids *s)
{
	free(s->v);
	*s = (struct image_ids){ .n = 0 };
}

int store_ids(struct store *st, struct image_ids *out, struct err *e)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;
	struct image_id id;

	*out = (struct image_ids){ .n = 0 };
	if (store_read_dir(st, "info", &d) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read the store's info");
	while ((de = dir_next(&d))) {
		if (!store_is_id(de->d_name))
			continue;
		memcpy(id.s, de->d_name, sizeof(id.s));
		if (image_ids_add(out, &id, 1, e) < 0)
			break;
	}
	if (!de && !errno) {
		image_ids_sort(out);
		return 0;
	}
	if (!de)
		err_sys(e, "read the store's info");
	image_ids_free(out);
	return -1;
}
