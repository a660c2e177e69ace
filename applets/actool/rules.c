/* SPDX-License-Identifier: Apache-2.0
 * actool rules - what actool validate checks: every rule, what its findings count for, and what to do about them
 */
#include <errno.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/policy.h"

struct rules_opts {
	struct actool_globals g;
	enum ui_format        format;
};

static int set_format(void *opts, const char *arg, struct err *e)
{
	return ui_format(arg, &((struct rules_opts *)opts)->format, e);
}

static const struct opt rules_opts[] = {
	OPT_CALL(0, "format", "FORMAT", set_format, "json or json-pretty: a list of objects"),
	OPT_PART("Global options", actool_globals_opts, struct rules_opts, g),
	OPT_END
};

static void add_text(struct buf *b, const struct appc_rule *r)
{
	buf_fmt(b, "%s: %s (--profile=appc: %s)\n    %s\n    %s\n    remedy: %s\n", r->id,
		policy_levels(r, POLICY_SECURITY), policy_levels(r, POLICY_APPC), r->text, r->section, r->remedy);
}

static cJSON *json_of(const struct appc_rule *r)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "rule", r->id);
	cJSON_AddStringToObject(o, "security", policy_levels(r, POLICY_SECURITY));
	cJSON_AddStringToObject(o, "appc", policy_levels(r, POLICY_APPC));
	cJSON_AddBoolToObject(o, "ignorable", !(r->flags & RULE_FINAL));
	cJSON_AddStringToObject(o, "section", r->section);
	cJSON_AddStringToObject(o, "text", r->text);
	cJSON_AddStringToObject(o, "remedy", r->remedy);
	return o;
}

static int rules_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct rules_opts *o = opts;
	const struct appc_rule *r;
	struct buf out = { 0 };

	if (argc) {
		err_set(e, EINVAL, "\"%s\" is too much (see --help)", argv[0]);
		return CMD_USAGE;
	}
	cJSON *list = o->format == UI_TEXT ? NULL : cJSON_CreateArray();
	for (size_t i = 0; (r = policy_rule(i)); i++)
		if (list)
			cJSON_AddItemToArray(list, json_of(r));
		else
			add_text(&out, r);
	return list ? ui_json(list, o->format, e) : ui_out(&out, e);
}

const struct cmd actool_rules_cmd = {
	.name = "rules", .summary = "List the rules of actool validate.",
	.more = "Of each: its name, the level of its findings, what must hold, the section of the\n"
		"specification (rktbox: the specification does not ask for it), and what to do.\n",
	.opts = rules_opts, .opts_size = sizeof(struct rules_opts), .inherits = true, .run = rules_run,
};
