/* SPDX-License-Identifier: Apache-2.0
 * netconf - see netconf.h
 */
#include "core/net/netconf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/conf/conf.h"
#include "core/net/result.h"

#define PLUGINS_MAX 16   /* in a chain */
#define NETS_MAX    1000
#define ARGS_MAX    1000

/* as files of these names would say it */
static const struct { const char *name, *text; } built_in[] = {
	{ "default", "{\"cniVersion\":\"0.4.0\",\"name\":\"default\",\"type\":\"ptp\",\"ipMasq\":true,\"ipam\":{\"type\":"
		     "\"host-local\",\"subnet\":\"172.16.28.0/24\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}" },
	{ "default-restricted", "{\"cniVersion\":\"0.4.0\",\"name\":\"default-restricted\",\"type\":\"ptp\",\"ipMasq\":false,"
				"\"restricted\":true,\"ipam\":{\"type\":\"host-local\",\"subnet\":\"172.31.0.0/16\"}}" },
};
#define N_BUILT_IN (sizeof(built_in) / sizeof(*built_in))

void net_conf_free(struct net_conf *c)
{
	free(c->name);
	free(c->file);
	free(c->version);
	free(c->args);
	while (c->n_plugins)
		cJSON_Delete(c->plugins[--c->n_plugins]);
	free(c->plugins);
	*c = (struct net_conf){ 0 };
}

void net_confs_free(struct net_confs *c)
{
	while (c->n)
		net_conf_free(&c->v[--c->n]);
	free(c->v);
	*c = (struct net_confs){ 0 };
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- names ---- */

static bool is_name(const char *s, size_t len, bool dots)
{
	for (size_t i = 0; i < len; i++) {
		bool dot = s[i] == '.' && dots && i && i + 1 < len;
		if (!dot && !(s[i] >= '0' && s[i] <= '9') && !((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') &&
		    s[i] != '-' && s[i] != '_')
			return false;
	}
	return len && len <= NET_NAME_MAX;
}

bool net_type_name(const char *s)
{
	return is_name(s, strlen(s), false);
}

static bool is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

/* what --net means otherwise */
static bool is_reserved(const char *s, size_t len)
{
	return is(s, len, "all") || is(s, len, "none") || is(s, len, "host");
}

/* ---- one file ---- */

/* the record of a pod's networks holds it some levels deeper, and has to be readable */
static bool is_flat(const cJSON *j, int depth)
{
	for (const cJSON *c = j->child; c; c = c->next)
		if (!depth || !is_flat(c, depth - 1))
			return false;
	return true;
}

static int check_plugin(const cJSON *p, struct err *e)
{
	const cJSON *ipam = cJSON_GetObjectItemCaseSensitive(p, "ipam");
	const char *type = json_str(p, "type"), *ipam_type = json_str(ipam, "type");

	if (!cJSON_IsObject(p))
		return err_set(e, EINVAL, "a plug-in is not a JSON object");
	if (!type)
		return err_set(e, EINVAL, "\"type\" is missing%s", cJSON_GetObjectItemCaseSensitive(p, "plugins") ?
			       "; what has \"plugins\" belongs into a file *.conflist" : "");
	if (!is_flat(p, JSON_DEPTH / 2))
		return err_set(e, E2BIG, "nested more than %d deep", JSON_DEPTH / 2);
	if (!net_type_name(type))
		return err_set(e, EINVAL, "type \"%.40s\": only letters, digits, - and _ may be in it", type);
	if (ipam && !cJSON_IsNull(ipam) && !cJSON_IsObject(ipam))
		return err_set(e, EINVAL, "\"ipam\" is not an object");
	if (ipam_type && !net_type_name(ipam_type))
		return err_set(e, EINVAL, "type of ipam \"%.40s\": only letters, digits, - and _ may be in it", ipam_type);
	return 0;
}

static bool set_str(cJSON *o, const char *key, const char *s)
{
	cJSON_DeleteItemFromObjectCaseSensitive(o, key);
	return cJSON_AddStringToObject(o, key, s) != NULL;
}

/* takes @p; "name" and "cniVersion" are those of the whole, so that all of a chain agree */
static int add_plugin(struct net_conf *c, cJSON *p, struct err *e)
{
	c->plugins[c->n_plugins++] = p;
	if (check_plugin(p, e) < 0)
		return -1;
	return set_str(p, "name", c->name) && set_str(p, "cniVersion", c->version) ? 0 : no_memory(e);
}

static int take_chain(cJSON *j, struct net_conf *c, struct err *e)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(j, "plugins");

	if (!cJSON_IsArray(list) || !list->child)
		return err_set(e, EINVAL, "\"plugins\" is not a list of plug-ins");
	while (list->child)
		if (c->n_plugins == PLUGINS_MAX)
			return err_set(e, E2BIG, "more than %d plug-ins", PLUGINS_MAX);
		else if (add_plugin(c, cJSON_DetachItemViaPointer(list, list->child), e) < 0)
			return -1;
	return 0;
}

static int take_conf(cJSON *j, bool chain, struct net_conf *c, struct err *e)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, "cniVersion");
	const char *name = json_str(j, "name"), *version = v ? json_str(j, "cniVersion") : "0.1.0";
	int which;

	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "not a JSON object");
	if (!name)
		return err_set(e, EINVAL, "\"name\" is missing");
	if (!is_name(name, strlen(name), true) || is_reserved(name, strlen(name)))
		return err_set(e, EINVAL, "name \"%.40s\": letters, digits, -, _ and dots inside, at most %d, and not all, none "
			       "or host", name, NET_NAME_MAX);
	if (!version || (which = net_version_check(version, e)) < 0)
		return version ? -1 : err_set(e, EINVAL, "\"cniVersion\" is not a string");
	c->name = strdup(name);
	c->version = strdup(version);
	c->args = strdup("");
	c->plugins = calloc(PLUGINS_MAX, sizeof(cJSON *));
	if (!c->name || !c->version || !c->args || !c->plugins)
		return no_memory(e);
	if (!chain) {
		cJSON *copy = cJSON_Duplicate(j, true);
		return copy ? add_plugin(c, copy, e) : no_memory(e);
	}
	if (take_chain(j, c, e) < 0)
		return -1;
	if (c->n_plugins > 1 && which < NET_VERSION_CHAINS)
		return err_set(e, EINVAL, "a chain needs \"cniVersion\" 0.3.0 or later");
	return 0;
}

int net_conf_parse(cJSON *j, bool chain, const char *file, struct net_conf *out, struct err *e)
{
	*out = (struct net_conf){ .file = strdup(file) };
	if (out->file ? take_conf(j, chain, out, e) == 0 : no_memory(e) == 0)
		return 0;
	net_conf_free(out);
	return -1;
}

/* ---- all files ---- */

struct loading {
	struct net_confs *c;
	const char       *dir;
	size_t            first; /* of this directory */
};

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

static bool is_conf(const char *name)
{
	return ends(name, ".conf") || ends(name, ".json") || ends(name, ".conflist");
}

static struct net_conf *find(const struct net_confs *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->n; i++)
		if (is(name, len, c->v[i].name))
			return &c->v[i];
	return NULL;
}

/* takes what @one holds */
static int add_conf(struct loading *l, struct net_conf *one, struct err *e)
{
	struct net_confs *c = l->c;
	struct net_conf *same = find(c, one->name, strlen(one->name));

	if (same && same - c->v >= (ptrdiff_t)l->first)
		return err_set(e, EEXIST, "there is a network \"%s\" already, in %s; remove or rename one of them", one->name,
			       same->file);
	if (same) { /* the place among this directory's is the new one's */
		net_conf_free(same);
		memmove(same, same + 1, (size_t)(c->v + c->n - same - 1) * sizeof(*same));
		c->n--;
		l->first--;
	}
	if (c->n == NETS_MAX)
		return err_set(e, E2BIG, "more than %d networks", NETS_MAX);
	struct net_conf *v = realloc(c->v, (c->n + 1) * sizeof(*v));
	if (!v)
		return no_memory(e);
	c->v = v;
	v[c->n++] = *one;
	*one = (struct net_conf){ 0 };
	return 0;
}

static int load_text(void *ctx, const char *name, const char *text, size_t len, struct err *e)
{
	struct loading *l = ctx;
	struct net_conf one = { 0 };
	struct buf path = { 0 };
	auto_json cJSON *j = json_parse_err(text, len, e);

	if (!j)
		return -1;
	if (l->dir)
		buf_fmt(&path, "%s/net.d/%s", l->dir, name);
	int r = path.failed ? no_memory(e)
			    : net_conf_parse(j, ends(name, ".conflist"), path.len ? path.data : "", &one, e);
	if (r == 0)
		r = add_conf(l, &one, e);
	net_conf_free(&one);
	buf_free(&path);
	return r;
}

static const char *base(const struct net_conf *c)
{
	return *c->file ? strrchr(c->file, '/') + 1 : "";
}

/* by file name; what has none, last */
static int by_file(const void *pa, const void *pb)
{
	const struct net_conf *a = pa, *b = pb;

	if (!*a->file || !*b->file)
		return *b->file ? 1 : *a->file ? -1 : strcmp(a->name, b->name);
	int r = strcmp(base(a), base(b));
	return r ? r : strcmp(a->file, b->file);
}

static int load(const char *system, const char *local, struct net_confs *c, struct err *e)
{
	struct loading l = { .c = c };
	const char *dirs[] = { system, local };

	for (size_t i = 0; i < N_BUILT_IN; i++)
		if (load_text(&l, built_in[i].name, built_in[i].text, strlen(built_in[i].text), e) < 0)
			return -1;
	for (size_t i = 0; i < 2; i++) {
		l.dir = dirs[i];
		l.first = c->n;
		if (l.dir && *l.dir && conf_each_file_of(l.dir, "net.d", is_conf, load_text, &l, e) < 0)
			return -1;
	}
	qsort(c->v, c->n, sizeof(*c->v), by_file);
	return 0;
}

int net_confs_load(const char *system, const char *local, struct net_confs *out, struct err *e)
{
	*out = (struct net_confs){ 0 };
	if (load(system, local, out, e) == 0)
		return 0;
	net_confs_free(out);
	return -1;
}

/* ---- what --net says ---- */

struct wish { const char *name, *args; size_t name_len, args_len; };

/* the next of "name:args,name"; false: there are no more */
static bool next_wish(const char **list, struct wish *w)
{
	if (!*list)
		return false;
	size_t len = strcspn(*list, ",");
	*w = (struct wish){ .name = *list, .name_len = strcspn(*list, ":,") };
	if (w->name_len < len) {
		w->args = w->name + w->name_len + 1;
		w->args_len = len - w->name_len - 1;
	}
	*list = (*list)[len] ? *list + len + 1 : NULL;
	return true;
}

/* "K=V;K=V": what is wrong with it, or NULL */
static const char *bad_args(const struct wish *w)
{
	if (!w->args_len || w->args_len > ARGS_MAX)
		return w->args_len ? "are too long" : "are empty";
	for (size_t at = 0, end; at <= w->args_len; at = end + 1) {
		for (end = at; end < w->args_len && w->args[end] != ';'; end++)
			if ((unsigned char)w->args[end] <= ' ' || w->args[end] >= 0x7f)
				return "hold a blank, or what is not ASCII";
		const char *equals = memchr(w->args + at, '=', end - at);
		if (!equals || !is_name(w->args + at, (size_t)(equals - w->args) - at, false))
			return "are not of the form KEY=VALUE;KEY=VALUE";
	}
	return NULL;
}

static int check_wish(const struct wish *w, bool alone, struct err *e)
{
	int shown = w->name_len > 60 ? 60 : (int)w->name_len;

	if (!is_name(w->name, w->name_len, true))
		return err_set(e, EINVAL, "\"%.*s\" is not the name of a network", shown, w->name);
	if (!alone && (is(w->name, w->name_len, "none") || is(w->name, w->name_len, "host")))
		return err_set(e, EINVAL, "%.*s stands alone, no network can be joined beside it", shown, w->name);
	if (w->args && is_reserved(w->name, w->name_len))
		return err_set(e, EINVAL, "%.*s takes no arguments", shown, w->name);
	if (w->args && bad_args(w))
		return err_set(e, EINVAL, "network %.*s: its arguments %s", shown, w->name, bad_args(w));
	return 0;
}

static int check_wishes(const char *net, struct err *e)
{
	const char *rest = net, *before;
	struct wish w, x;

	while (next_wish(&rest, &w)) {
		if (check_wish(&w, !strchr(net, ','), e) < 0)
			return -1;
		for (before = net; next_wish(&before, &x) && x.name != w.name;)
			if (x.name_len == w.name_len && !memcmp(x.name, w.name, w.name_len))
				return err_set(e, EINVAL, "network %.*s: a pod joins a network only once", (int)w.name_len,
					       w.name);
	}
	return 0;
}

int net_mode_parse(const char *net, enum net_mode *out, struct err *e)
{
	if (*net && check_wishes(net, e) < 0)
		return -1;
	*out = !strcmp(net, "none") ? NET_NONE : !strcmp(net, "host") ? NET_HOST : NET_JOIN;
	return 0;
}

/* ---- selection ---- */

static int no_such(const struct net_confs *c, const struct wish *w, struct err *e)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < c->n && b.len < 300; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", c->v[i].name);
	err_set(e, ENOENT, "networks not found: %.*s; there are: %s", w->name_len > 100 ? 100 : (int)w->name_len, w->name,
		b.data ? b.data : "none");
	buf_free(&b);
	return -1;
}

static int mark(struct net_confs *c, const char *list, bool *wanted, struct err *e)
{
	struct wish w;

	while (next_wish(&list, &w)) {
		if (is(w.name, w.name_len, "all")) {
			for (size_t i = 0; i < c->n; i++)
				wanted[i] |= *c->v[i].file || !strcmp(c->v[i].name, "default");
			continue;
		}
		struct net_conf *one = find(c, w.name, w.name_len);
		if (!one)
			return no_such(c, &w, e);
		wanted[one - c->v] = true;
		if (!w.args)
			continue;
		free(one->args);
		if (!(one->args = strndup(w.args, w.args_len)))
			return no_memory(e);
	}
	return 0;
}

int net_confs_select(struct net_confs *c, const char *net, struct err *e)
{
	auto_free bool *wanted = calloc(c->n + 1, sizeof(*wanted));
	const struct net_conf *open = find(c, "default", 7), *closed = find(c, "default-restricted", 18);
	size_t n = 0;

	if (!wanted)
		return no_memory(e);
	net = *net ? net : "default";
	if (check_wishes(net, e) < 0 || mark(c, net, wanted, e) < 0)
		return -1;
	if (open && closed && !wanted[open - c->v] && !wanted[closed - c->v])
		wanted[closed - c->v] = c->v[closed - c->v].unasked = true;
	for (size_t i = 0; i < c->n; i++)
		if (wanted[i])
			c->v[n++] = c->v[i];
		else
			net_conf_free(&c->v[i]);
	c->n = n;
	return 0;
}

bool net_arg(const char *args, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	for (const char *p = args; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
		size_t n = strcspn(p, ";");
		if (n <= len || strncmp(p, key, len) || p[len] != '=' || n - len > size)
			continue;
		memcpy(out, p + len + 1, n - len - 1);
		out[n - len - 1] = 0;
		return true;
	}
	return false;
}
