/* SPDX-License-Identifier: Apache-2.0
 * edit - building and changing manifests in memory; see manifest.h
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/manifest.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "manifest: out of memory");
}

/* one more element of @size behind the @n there are, zeroed; NULL and *e: the list is as it was */
static void *more(void *v, size_t n, size_t size, struct err *e)
{
	void *p = reallocarray(v, n + 1, size);

	if (p)
		memset((char *)p + n * size, 0, size);
	else
		no_memory(e);
	return p;
}

const struct appc_volume *appc_mount_volume(const struct pod_manifest *m, const struct appc_mount *mount)
{
	if (mount->app_volume)
		return mount->app_volume;
	for (size_t i = 0; i < m->volumes.n; i++)
		if (!strcmp(m->volumes.v[i].name, mount->volume))
			return &m->volumes.v[i];
	return NULL;
}

const char *appc_pair_find(const struct appc_pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].name && !strcmp(p->v[i].name, name))
			return p->v[i].value;
	return NULL;
}

const struct appc_pair *appc_pairs_lacking(const struct appc_pairs *have, const struct appc_pairs *want)
{
	for (size_t i = 0; i < want->n; i++) {
		const char *v = appc_pair_find(have, want->v[i].name);
		if (!v || strcmp(v, want->v[i].value))
			return &want->v[i];
	}
	return NULL;
}

int appc_string_set(char **field, const char *value, struct err *e)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return no_memory(e);
	free(*field);
	*field = copy;
	return 0;
}

int appc_strings_add(struct appc_strings *l, const char *s, struct err *e)
{
	char **v = more(l->v, l->n, sizeof(*v), e);

	if (!v)
		return -1;
	l->v = v;
	if (appc_string_set(&v[l->n], s, e) < 0)
		return -1;
	l->n++;
	return 0;
}

void appc_strings_clear(struct appc_strings *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct appc_strings){ 0 };
}

int appc_ints_add(struct appc_ints *l, int64_t v, struct err *e)
{
	int64_t *p = more(l->v, l->n, sizeof(*p), e);

	if (!p)
		return -1;
	l->v = p;
	l->v[l->n++] = v;
	return 0;
}

int appc_pairs_set(struct appc_pairs *l, const char *name, const char *value, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].name && !strcmp(l->v[i].name, name))
			return appc_string_set(&l->v[i].value, value, e);
	struct appc_pair *v = more(l->v, l->n, sizeof(*v), e);
	if (!v)
		return -1;
	l->v = v;
	struct appc_pair *p = &v[l->n];
	if (appc_string_set(&p->name, name, e) < 0 || appc_string_set(&p->value, value, e) < 0) {
		free(p->name);
		return -1;
	}
	l->n++;
	return 0;
}

static void pair_free(struct appc_pair *p)
{
	free(p->name);
	free(p->value);
	cJSON_Delete(p->extra);
}

void appc_pairs_remove(struct appc_pairs *l, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].name || strcmp(l->v[i].name, name) != 0)
			l->v[n++] = l->v[i];
		else
			pair_free(&l->v[i]);
	}
	l->n = n;
}

void appc_pairs_clear(struct appc_pairs *l)
{
	for (size_t i = 0; i < l->n; i++)
		pair_free(&l->v[i]);
	free(l->v);
	*l = (struct appc_pairs){ 0 };
}

/* replaces the last of that name, which is the one that counts */
void appc_isolators_remove(struct appc_isolators *l, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct appc_isolator *x = &l->v[i];
		if (!x->name || strcmp(x->name, name) != 0) {
			l->v[n++] = *x;
			continue;
		}
		free(x->name);
		cJSON_Delete(x->value);
		cJSON_Delete(x->extra);
	}
	l->n = n;
}

int appc_isolators_set(struct appc_isolators *l, const char *name, cJSON *value, struct err *e)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->v[i].name && !strcmp(l->v[i].name, name)) {
			cJSON_Delete(l->v[i].value);
			l->v[i].value = value;
			return 0;
		}
	struct appc_isolator *v = more(l->v, l->n, sizeof(*v), e);
	if (v)
		l->v = v;
	if (!v || appc_string_set(&v[l->n].name, name, e) < 0) {
		cJSON_Delete(value);
		return -1;
	}
	v[l->n++].value = value;
	return 0;
}

struct appc_runtime_app *pod_manifest_add_app(struct pod_manifest *m, struct err *e)
{
	struct appc_runtime_app *v = more(m->apps.v, m->apps.n, sizeof(*v), e);

	if (!v)
		return NULL;
	m->apps.v = v;
	return &v[m->apps.n++];
}

struct appc_volume *pod_manifest_add_volume(struct pod_manifest *m, struct err *e)
{
	struct appc_volume *v = more(m->volumes.v, m->volumes.n, sizeof(*v), e);

	if (!v)
		return NULL;
	m->volumes.v = v;
	v[m->volumes.n].recursive = -1;
	v[m->volumes.n].uid = v[m->volumes.n].gid = -1;
	return &v[m->volumes.n++];
}

struct appc_exposed_port *pod_manifest_add_port(struct pod_manifest *m, struct err *e)
{
	struct appc_exposed_port *v = more(m->ports.v, m->ports.n, sizeof(*v), e);

	if (!v)
		return NULL;
	m->ports.v = v;
	return &v[m->ports.n++];
}

struct appc_mount *appc_mounts_add(struct appc_mounts *l, struct err *e)
{
	struct appc_mount *v = more(l->v, l->n, sizeof(*v), e);

	if (!v)
		return NULL;
	l->v = v;
	return &v[l->n++];
}
