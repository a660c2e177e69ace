/* SPDX-License-Identifier: Apache-2.0
 * auth - see auth.h
 */
#include "core/conf/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/fd.h"
#include "core/base/json.h"

#define ENTRIES_MAX 10000

static const struct type {
	const char *name, *user, *secret;
} types[] = {
	[AUTH_BASIC] = { "basic", "user", "password" },
	[AUTH_OAUTH] = { "oauth", "token", NULL },
	[AUTH_AWS] = { "aws", "accessKeyID", "secretAccessKey" },
	[AUTH_DOCKER] = { NULL, "user", "password" },
};

static void free_entry(struct auth_entry *x)
{
	char *const all[] = { x->domain, x->user, x->secret, x->region, x->file };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		free(all[i]);
}

void auth_free(struct auth *a)
{
	while (a->n)
		free_entry(&a->v[--a->n]);
	free(a->v);
	*a = (struct auth){ 0 };
}

/* ---- reading ---- */

/* It becomes a line of a request: nothing in it may begin another one. */
static int check_text(const char *s, const char *key, struct err *e)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return err_set(e, EINVAL, "field \"%s\": has control characters", key);
	return 0;
}

static int take(const cJSON *j, const char *key, bool needed, char **out, struct err *e)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);

	if (v && !cJSON_IsString(v))
		return err_set(e, EINVAL, "field \"%s\": must be a string", key);
	if (!v || !*v->valuestring)
		return needed ? err_set(e, EINVAL, "field \"%s\": is missing or empty", key) : 0;
	if (check_text(v->valuestring, key, e) < 0)
		return -1;
	*out = strdup(v->valuestring);
	return *out ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_credentials(const cJSON *j, struct auth_entry *x, struct err *e)
{
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(j, "credentials");
	const struct type *t = &types[x->type];

	if (!cJSON_IsObject(c))
		return err_set(e, EINVAL, "field \"credentials\": is missing, or not an object");
	if (take(c, t->user, true, &x->user, e) < 0 || (t->secret && take(c, t->secret, true, &x->secret, e) < 0) ||
	    (x->type == AUTH_AWS && take(c, "awsRegion", false, &x->region, e) < 0))
		return err_wrap(e, "field \"credentials\"");
	/* the colon is what ends the user's name on the wire (RFC 7617, 2) */
	if (x->type == AUTH_BASIC && strchr(x->user, ':'))
		return err_set(e, EINVAL, "field \"credentials\": field \"user\": must not have a colon in it");
	return 0;
}

static int take_type(const cJSON *j, struct auth_entry *x, struct err *e)
{
	const char *name = json_str(j, "type");

	if (!name || !*name)
		return err_set(e, EINVAL, "field \"type\": is missing; known: basic, oauth, aws");
	for (x->type = AUTH_BASIC; x->type < AUTH_DOCKER; x->type++)
		if (!strcmp(name, types[x->type].name))
			return 0;
	return err_set(e, EINVAL, "field \"type\": \"%.50s\" is not known; known: basic, oauth, aws", name);
}

static bool same_kind(const struct auth_entry *a, const struct auth_entry *b)
{
	return (a->type == AUTH_DOCKER) == (b->type == AUTH_DOCKER) && !strcasecmp(a->domain, b->domain);
}

/* takes @x over */
static int put(struct auth *a, struct auth_entry *x, struct err *e)
{
	struct auth_entry *v;

	for (size_t i = 0; i < a->n; i++) {
		if (!same_kind(&a->v[i], x))
			continue;
		if (a->v[i].level == x->level)
			return err_set(e, EINVAL, "\"%.100s\" has credentials in this directory already, in %.100s; keep one of the two",
				       x->domain, a->v[i].file);
		free_entry(&a->v[i]);
		a->v[i] = *x;
		*x = (struct auth_entry){ .domain = NULL };
		return 0;
	}
	if (a->n == ENTRIES_MAX || !(v = realloc(a->v, (a->n + 1) * sizeof(*v))))
		return err_set(e, ENOMEM, a->n == ENTRIES_MAX ? "too many domains" : "out of memory");
	a->v = v;
	v[a->n++] = *x;
	*x = (struct auth_entry){ .domain = NULL };
	return 0;
}

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static int add(struct auth *a, const struct auth_entry *all, const cJSON *domain, const char *key, struct err *e)
{
	struct auth_entry x = { .type = all->type, .level = all->level };

	if (!cJSON_IsString(domain) || !*domain->valuestring)
		return err_set(e, EINVAL, "field \"%s\": must be strings like \"example.com\" or \"example.com:8443\"", key);
	if (check_text(domain->valuestring, key, e) < 0)
		return -1;
	if (strpbrk(domain->valuestring, "/@ ") && x.type != AUTH_DOCKER)
		return err_set(e, EINVAL, "field \"%s\": \"%.100s\" is not a host, or HOST:PORT", key, domain->valuestring);
	x.domain = copy(domain->valuestring);
	x.user = copy(all->user);
	x.secret = copy(all->secret);
	x.region = copy(all->region);
	x.file = copy(all->file);
	int r = x.domain && x.user && (x.secret || !all->secret) && (x.region || !all->region) && x.file ? put(a, &x, e) :
		err_set(e, ENOMEM, "out of memory");
	free_entry(&x);
	return r;
}

static int parse(struct auth *a, const cJSON *j, struct auth_entry *x, struct err *e)
{
	const char *kind = json_str(j, "rktKind"), *key = "domains";
	const cJSON *domain;

	if (kind && !strcmp(kind, "dockerAuth")) {
		x->type = AUTH_DOCKER;
		key = "registries";
	}
	if (conf_check_head(j, x->type == AUTH_DOCKER ? kind : "auth", e) < 0 ||
	    (x->type != AUTH_DOCKER && take_type(j, x, e) < 0) || take_credentials(j, x, e) < 0)
		return -1;
	const cJSON *domains = cJSON_GetObjectItemCaseSensitive(j, key);
	if (!cJSON_IsArray(domains) || !domains->child)
		return err_set(e, EINVAL, "field \"%s\": is missing or empty", key);
	cJSON_ArrayForEach(domain, domains)
		if (add(a, x, domain, key, e) < 0)
			return -1;
	return 0;
}

int auth_parse(struct auth *a, unsigned level, const char *file, const char *text, size_t len, struct err *e)
{
	struct auth_entry x = { .level = level, .file = strdup(file) };
	auto_json cJSON *j = x.file ? json_parse_err(text, len, e) : NULL;

	int r = j ? parse(a, j, &x, e) : x.file ? -1 : err_set(e, ENOMEM, "out of memory");
	free_entry(&x);
	return r;
}

struct at_level { struct auth *a; unsigned level; };

static int read_file(void *ctx, const char *name, const char *text, size_t len, struct err *e)
{
	const struct at_level *l = ctx;

	return auth_parse(l->a, l->level, name, text, len, e);
}

int auth_read(const struct conf_opts *o, struct auth *a, struct err *e)
{
	const char *dirs[CONF_DIRS];

	*a = (struct auth){ 0 };
	conf_dirs(o, dirs);
	for (unsigned i = 0; i < CONF_DIRS; i++)
		if (dirs[i] && conf_each_file(dirs[i], "auth.d", read_file, &(struct at_level){ a, i }, e) < 0) {
			auth_free(a);
			return -1;
		}
	return 0;
}

/* ---- asking ---- */

const struct auth_entry *auth_find(const struct auth *a, const char *host, unsigned port, bool default_port)
{
	const struct auth_entry *bare = NULL;
	char with_port[320];

	if (snprintf(with_port, sizeof(with_port), "%s:%u", host, port) >= (int)sizeof(with_port))
		return NULL;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].type == AUTH_DOCKER)
			continue;
		if (!strcasecmp(a->v[i].domain, with_port))
			return &a->v[i];
		if (default_port && !strcasecmp(a->v[i].domain, host))
			bare = &a->v[i];
	}
	return bare;
}

/* s3-REGION.amazonaws.com, BUCKET.s3-REGION.amazonaws.com, BUCKET.s3.REGION.amazonaws.com */
void auth_region(const char *host, char *out, size_t size)
{
	static const char end[] = ".amazonaws.com";
	size_t n = strlen(host), e = sizeof(end) - 1;

	snprintf(out, size, "us-east-1");
	if (n <= e || strcasecmp(host + n - e, end) != 0)
		return;
	const char *stop = host + n - e, *at = stop;
	while (at > host && at[-1] != '.')
		at--;
	if (!strncmp(at, "s3-", 3) && strncmp(at, "s3-external", 11) != 0)
		at += 3;
	else if (at - host < 3 || strncmp(at - 3, "s3.", 3) != 0)
		return;
	if (stop > at)
		snprintf(out, size, "%.*s", (int)(stop - at), at);
}

/* ---- showing ---- */

static int by_domain(const void *a, const void *b)
{
	const struct auth_entry *const *x = a, *const *y = b;
	int docker = ((*x)->type == AUTH_DOCKER) - ((*y)->type == AUTH_DOCKER);

	return docker ? docker : strcmp((*x)->domain, (*y)->domain);
}

static void add_json(cJSON *list, const struct auth_entry *x)
{
	const struct type *t = &types[x->type];
	cJSON *j = cJSON_CreateObject();

	cJSON_AddItemToArray(list, j);
	cJSON_AddStringToObject(j, "rktVersion", "v1");
	cJSON_AddStringToObject(j, "rktKind", t->name ? "auth" : "dockerAuth");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(j, t->name ? "domains" : "registries"), cJSON_CreateString(x->domain));
	if (t->name)
		cJSON_AddStringToObject(j, "type", t->name);
	cJSON *c = cJSON_AddObjectToObject(j, "credentials");
	cJSON_AddStringToObject(c, t->user, x->user);
	if (t->secret)
		cJSON_AddStringToObject(c, t->secret, x->secret);
	if (x->region)
		cJSON_AddStringToObject(c, "awsRegion", x->region);
}

void auth_json(const struct auth *a, cJSON *list)
{
	const struct auth_entry **v = calloc(a->n + 1, sizeof(*v));

	for (size_t i = 0; v && i < a->n; i++)
		v[i] = &a->v[i];
	if (v && a->n)
		qsort(v, a->n, sizeof(*v), by_domain);
	for (size_t i = 0; v && i < a->n; i++)
		add_json(list, v[i]);
	free(v);
}
