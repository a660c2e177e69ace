/* SPDX-License-Identifier: Apache-2.0
 * build_manifest - see build_manifest.h
 */
#include "applets/actool/build_manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/report.h"
#include "applets/ui.h"
#include "core/appc/manifest.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"

/* ---- what options say ---- */

/* NAME=VALUE */
static int add_pairs(struct appc_pairs *l, const struct opt_list *from, const char *option, struct err *e)
{
	for (size_t i = 0; i < from->n; i++) {
		const char *arg = from->v[i], *eq = strchr(arg, '=');
		if (!eq || eq == arg)
			return err_set(e, EINVAL, "--%s: \"%s\": want NAME=VALUE", option, arg);
		auto_free char *name = xasprintf("%.*s", (int)(eq - arg), arg);
		if (appc_pairs_set(l, name, eq + 1, e) < 0)
			return -1;
	}
	return 0;
}

/* "NAME,key=value,key=value": @member takes one of them; it may be a key that it does not know */
struct record {
	const char *option, *known;
	int       (*member)(void *to, const char *key, const char *value, struct err *e);
};

static int read_members(const struct record *r, char *text, void *to, struct err *e)
{
	char *rest;

	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char *eq = strchr(word, '=');
		if (!eq)
			return err_set(e, EINVAL, "\"%s\": want KEY=VALUE", word);
		*eq = 0;
		int status = r->member(to, word, eq + 1, e);
		if (status < 0)
			return err_wrap(e, "%s", word);
		if (status > 0)
			return err_set(e, EINVAL, "unknown key \"%s\"; known: %s", word, r->known);
	}
	return 0;
}

static int read_record(const struct record *r, const char *arg, char **name, void *to, struct err *e)
{
	auto_free char *text = xstrdup(arg);
	char *comma = strchr(text, ',');

	if (comma)
		*comma = 0;
	*name = xstrdup(text);
	if (comma && read_members(r, comma + 1, to, e) < 0)
		return err_wrap(e, "--%s: %s", r->option, arg);
	return 0;
}

static int read_number(const char *value, int64_t *out, struct err *e)
{
	uint64_t n;

	if (num_u64(value, 65535, &n, e) < 0)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int port_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_port *p = to;

	if (!strcmp(key, "protocol"))
		return appc_string_set(&p->protocol, value, e);
	if (!strcmp(key, "port"))
		return read_number(value, &p->port, e);
	if (!strcmp(key, "count"))
		return read_number(value, &p->count, e);
	return strcmp(key, "socketActivated") ? 1 : num_bool(value, &p->socket_activated, e);
}

static int add_ports(struct appc_ports *l, const struct opt_list *from, struct err *e)
{
	static const struct record record = { "port", "protocol, port, count, socketActivated", port_member };

	l->v = xmalloc((from->n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < from->n; i++) {
		struct appc_port *p = &l->v[l->n++];
		p->count = 1;
		if (appc_string_set(&p->protocol, "tcp", e) < 0 || read_record(&record, from->v[i], &p->name, p, e) < 0)
			return -1;
		if (!p->port)
			return err_set(e, EINVAL, "--port: %s: want port=NUMBER", from->v[i]);
	}
	return 0;
}

static int mount_member(void *to, const char *key, const char *value, struct err *e)
{
	struct appc_mount_point *m = to;

	if (!strcmp(key, "path"))
		return appc_string_set(&m->path, value, e);
	return strcmp(key, "readOnly") ? 1 : num_bool(value, &m->read_only, e);
}

static int add_mounts(struct appc_mount_points *l, const struct opt_list *from, struct err *e)
{
	static const struct record record = { "mount", "path, readOnly", mount_member };

	l->v = xmalloc((from->n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < from->n; i++) {
		struct appc_mount_point *m = &l->v[l->n++];
		if (read_record(&record, from->v[i], &m->name, m, e) < 0)
			return -1;
		if (!m->path)
			return err_set(e, EINVAL, "--mount: %s: want path=PATH", from->v[i]);
	}
	return 0;
}

/* ---- the manifest ---- */

static int set_name(struct image_manifest *m, const struct build_binary *b, const struct binary_facts *facts,
		    struct err *e)
{
	const char *base = strrchr(facts->path, '/') + 1;
	char name[256];

	if (b->name)
		return appc_string_set(&m->name, b->name, e);
	if (!ac_name_from(base, name, sizeof(name)))
		return err_set(e, EINVAL, "no image name can be made of \"%s\"; give one with --name", base);
	return appc_string_set(&m->name, name, e);
}

static int set_labels(struct image_manifest *m, const struct build_binary *b, const struct binary_facts *facts,
		      struct err *e)
{
	if (add_pairs(&m->labels, &b->labels, "label", e) < 0)
		return -1;
	if (!appc_pair_find(&m->labels, "os") && appc_pairs_set(&m->labels, "os", "linux", e) < 0)
		return -1;
	if (appc_pair_find(&m->labels, "arch"))
		return 0;
	if (!facts->arch)
		return err_set(e, EINVAL, "%s: there is no arch label for programs of this machine (ELF machine %u); "
			"name one with --label=arch=NAME", b->file, facts->machine);
	return appc_pairs_set(&m->labels, "arch", facts->arch, e);
}

static int set_exec(struct appc_strings *exec, const struct build_binary *b, const struct binary_facts *facts,
		    struct err *e)
{
	int r = appc_strings_add(exec, facts->path, e);

	for (size_t i = 0; i < b->exec_args.n && r == 0; i++)
		r = appc_strings_add(exec, b->exec_args.v[i], e);
	for (int i = 0; i < facts->argc && r == 0; i++)
		r = appc_strings_add(exec, facts->argv[i], e);
	return r;
}

/* what begins like a number must be one, as it must when it is run */
static int set_identity(char **field, const char *option, const char *value, struct err *e)
{
	uint32_t id;

	if (!value)
		value = "0";
	return num_user(value, &id, e) < 0 ? err_wrap(e, "--%s", option) : appc_string_set(field, value, e);
}

static int set_app(struct appc_app *app, const struct build_binary *b, const struct binary_facts *facts, struct err *e)
{
	if (set_exec(&app->exec, b, facts, e) < 0 || set_identity(&app->user, "user", b->user, e) < 0 ||
	    set_identity(&app->group, "group", b->group, e) < 0 ||
	    appc_string_set(&app->working_dir, b->working_dir, e) < 0)
		return -1;
	/* what --env says of it counts */
	if (facts->library_path && appc_pairs_set(&app->environment, "LD_LIBRARY_PATH", facts->library_path, e) < 0)
		return -1;
	return add_pairs(&app->environment, &b->env, "env", e) < 0 || add_ports(&app->ports, &b->ports, e) < 0 ||
	       add_mounts(&app->mount_points, &b->mounts, e) < 0 ? -1 : 0;
}

static int fill(struct image_manifest *m, const struct build_binary *b, const struct binary_facts *facts, struct err *e)
{
	m->app = xmalloc(sizeof(*m->app));
	if (appc_string_set(&m->ac_kind, "ImageManifest", e) < 0 ||
	    appc_string_set(&m->ac_version, APPC_VERSION, e) < 0 || set_name(m, b, facts, e) < 0 ||
	    set_labels(m, b, facts, e) < 0)
		return -1;
	return set_app(m->app, b, facts, e) < 0 ? -1 : add_pairs(&m->annotations, &b->annotations, "annotation", e);
}

static int check(const struct image_manifest *m, struct err *e)
{
	struct findings f = { 0 };
	bool good = image_manifest_check(m, &f) && image_manifest_check_labels(m, &f);

	actool_report("manifest", &f);
	findings_free(&f);
	return good ? 0 : err_set(e, EINVAL, "the options make no valid manifest");
}

int binary_manifest(const struct build_binary *b, const struct binary_facts *facts, struct buf *out, struct err *e)
{
	struct image_manifest m = { 0 };
	int r = fill(&m, b, facts, e);

	if (r == 0 && (r = check(&m, e)) == 0)
		image_manifest_print(&m, true, out);
	image_manifest_free(&m);
	return r == 0 && out->failed ? err_set(e, ENOMEM, "out of memory") : r;
}
