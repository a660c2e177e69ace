/* SPDX-License-Identifier: Apache-2.0
 * rkt config - prints what the configuration directories come to, as JSON
 *
 * Every entry of "stage0" is itself a valid configuration file. Source: rkt Documentation/subcommands/config.md.
 */
#include <errno.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/conf/auth.h"

struct config_opts {
	struct rkt_globals g;
	bool               pretty;
};

static const struct opt config_opts[] = {
	OPT_BOOL(0, "pretty-print", struct config_opts, pretty, "indent the output (default true)"),
	OPT_PART("Global options", rkt_globals_opts, struct config_opts, g),
	OPT_END
};

static void config_init(void *opts)
{
	((struct config_opts *)opts)->pretty = true;
}

static cJSON *add_entry(cJSON *list, const char *kind)
{
	cJSON *entry = cJSON_CreateObject();

	cJSON_AddStringToObject(entry, "rktVersion", "v1");
	cJSON_AddStringToObject(entry, "rktKind", kind);
	cJSON_AddItemToArray(list, entry);
	return entry;
}

static void add_string(cJSON *entry, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(entry, key, value);
}

static void add_store(cJSON *list, const struct conf *c)
{
	if (!c->render && !c->direct_io && !c->verify && !c->max_size)
		return;
	cJSON *store = add_entry(list, "store");
	add_string(store, "render", c->render);
	if (c->direct_io)
		cJSON_AddBoolToObject(store, "directio", !strcmp(c->direct_io, "true"));
	add_string(store, "verify", c->verify);
	add_string(store, "max-size", c->max_size);
}

/* What it comes to here and now; trying it out anew is also how to make a better kernel known. */
static int add_rendering(cJSON *top, const struct rkt_globals *g, const struct conf *c, struct err *e)
{
	struct render_how opts;
	struct render_backend b;
	struct err why;

	if (globals_render(g, c, &opts, e) < 0)
		return -1;
	cJSON *j = cJSON_AddObjectToObject(top, "rendering");
	cJSON_AddStringToObject(j, "configured", render_mode_name(opts.mode));
	struct store *st = images_open(g, c, globals_dir(g, c), false, &why);
	if (st && render_backend(st, &b, &why) == 0)
		cJSON_AddStringToObject(j, "effective", render_mode_name(b.mode));
	else
		cJSON_AddStringToObject(j, "unknown", why.msg);
	if (st && cJSON_HasObjectItem(j, "effective") && (b.forced || *b.reason))
		cJSON_AddStringToObject(j, "reason", b.forced ? "forced" : b.reason);
	store_close(st);
	return 0;
}

static int add_auth(cJSON *list, const struct rkt_globals *g, struct err *e)
{
	const struct conf_opts dirs = globals_conf_dirs(g);
	struct auth a;

	if (auth_read(&dirs, &a, e) < 0)
		return -1;
	auth_json(&a, list);
	auth_free(&a);
	return 0;
}

static int config_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct config_opts *o = opts;
	struct conf c;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much (see --help)", argv[0]);
	if (globals_conf(&o->g, &c, e) < 0)
		return -1;
	cJSON *top = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(top, "stage0");
	int r = add_auth(list, &o->g, e);
	cJSON *paths = add_entry(list, "paths");
	add_string(paths, "data", globals_dir(&o->g, &c));
	add_string(paths, "stage1-images", c.stage1_images_dir);
	if (c.stage1_name || c.stage1_location) {
		cJSON *stage1 = add_entry(list, "stage1");
		add_string(stage1, "name", c.stage1_name);
		add_string(stage1, "version", c.stage1_version);
		add_string(stage1, "location", c.stage1_location);
	}
	add_store(list, &c);
	if (r == 0)
		r = add_rendering(top, &o->g, &c, e);
	conf_free(&c);
	if (r < 0) {
		cJSON_Delete(top);
		return -1;
	}
	return ui_json(top, o->pretty ? UI_JSON_PRETTY : UI_JSON, e);
}

const struct cmd rkt_config_cmd = {
	.name = "config", .summary = "Print the configuration as JSON.",
	.opts = config_opts, .opts_size = sizeof(struct config_opts), .init = config_init, .inherits = true,
	.run = config_run,
};
