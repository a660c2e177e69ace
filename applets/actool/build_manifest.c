/* SPDX-License-Identifier: Apache-2.0
 * build_manifest - see build_manifest.h
 */
#include "applets/actool/build_manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/report.h"
#include "applets/actool/words.h"
#include "applets/ui.h"
#include "core/appc/manifest.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"

/* ---- mount points and ports ---- */

static int add_port(struct appc_port *p, char *text, struct err *e)
{
	p->name = xstrdup(words_next(&text, ','));
	p->count = 1;
	if (appc_string_set(&p->protocol, "tcp", e) < 0 || words_port(text, p, e) < 0)
		return -1;
	return p->port ? 0 : err_set(e, EINVAL, "want port=NUMBER");
}

static int add_ports(struct appc_ports *l, const struct opt_list *from, struct err *e)
{
	l->v = xmalloc((from->n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < from->n; i++) {
		auto_free char *text = xstrdup(from->v[i]);
		if (add_port(&l->v[l->n++], text, e) < 0)
			return err_wrap(e, "--port: %s", from->v[i]);
	}
	return 0;
}

static int add_mount(struct appc_mount_point *m, char *text, struct err *e)
{
	m->name = xstrdup(words_next(&text, ','));
	if (words_mount(text, m, e) < 0)
		return -1;
	return m->path ? 0 : err_set(e, EINVAL, "want path=PATH");
}

static int add_mounts(struct appc_mount_points *l, const struct opt_list *from, struct err *e)
{
	l->v = xmalloc((from->n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < from->n; i++) {
		auto_free char *text = xstrdup(from->v[i]);
		if (add_mount(&l->v[l->n++], text, e) < 0)
			return err_wrap(e, "--mount: %s", from->v[i]);
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
	if (words_pairs(&m->labels, &b->labels, "label", e) < 0)
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
	return words_pairs(&app->environment, &b->env, "env", e) < 0 || add_ports(&app->ports, &b->ports, e) < 0 ||
	       add_mounts(&app->mount_points, &b->mounts, e) < 0 ? -1 : 0;
}

static int fill(struct image_manifest *m, const struct build_binary *b, const struct binary_facts *facts, struct err *e)
{
	m->app = xmalloc(sizeof(*m->app));
	if (appc_string_set(&m->ac_kind, "ImageManifest", e) < 0 ||
	    appc_string_set(&m->ac_version, APPC_VERSION, e) < 0 || set_name(m, b, facts, e) < 0 ||
	    set_labels(m, b, facts, e) < 0)
		return -1;
	return set_app(m->app, b, facts, e) < 0 ? -1 : words_pairs(&m->annotations, &b->annotations, "annotation", e);
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
