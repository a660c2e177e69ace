/* SPDX-License-Identifier: Apache-2.0
 * report_sarif - findings for the programs that collect those of all checkers
 *
 * The document is written as it comes; only the head, with the rules, and single results are made as JSON.
 * Source: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0.
 */
#include <string.h>

#include "applets.conf.h"
#include "applets/actool/report.h"
#include "core/archive/policy.h"
#include "core/base/json.h"

static void add_text(cJSON *o, const char *name, const char *text)
{
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, name), "text", text);
}

static cJSON *rule(const struct appc_rule *r)
{
	const char *levels = policy_levels(r, POLICY_SECURITY);
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", r->id);
	add_text(o, "shortDescription", r->text);
	add_text(o, "help", r->remedy);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "defaultConfiguration"), "level",
				!strncmp(levels, "error", 5) ? "error" : !strcmp(levels, "warning") ? levels : "none");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "properties"), "section", r->section);
	return o;
}

static cJSON *tool(void)
{
	cJSON *t = cJSON_CreateObject(), *driver = cJSON_AddObjectToObject(t, "driver");
	const struct appc_rule *r;

	cJSON_AddStringToObject(driver, "name", "actool");
	cJSON_AddStringToObject(driver, "semanticVersion", RKTBOX_VERSION);
	cJSON *rules = cJSON_AddArrayToObject(driver, "rules");
	for (size_t i = 0; (r = policy_rule(i)); i++)
		cJSON_AddItemToArray(rules, rule(r));
	return t;
}

void sarif_begin(struct buf *out)
{
	auto_json cJSON *t = tool();

	buf_str(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
		     "\"tool\":");
	json_print(t, false, out);
	buf_str(out, ",\"results\":");
}

static size_t index_of(const char *id)
{
	const struct appc_rule *r;
	size_t i = 0;

	while ((r = policy_rule(i)) && strcmp(r->id, id) != 0)
		i++;
	return i;
}

/* a path as a relative reference (RFC 3986): a first component with a colon would be a scheme */
static void add_path(struct buf *uri, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";

	while (*path == '/' && path[1] == '/') /* what follows two of them would be a host */
		path++;
	for (; *path; path++)
		if (strchr(plain, *path))
			buf_add(uri, path, 1);
		else
			buf_fmt(uri, "%%%02X", (unsigned char)*path);
}

static bool is_pointer(const struct finding *v)
{
	return *v->where == '/';
}

/* Of a layout each file is an artifact of its own. */
static void add_uri(cJSON *physical, const struct subject *s, const struct finding *v)
{
	struct buf uri = { 0 };

	add_path(&uri, !strcmp(s->file, SUBJECT_STDIN) ? "stdin" : s->file);
	if (s->type == SUBJECT_LAYOUT && *v->where) {
		if (uri.len && uri.data[uri.len - 1] != '/')
			buf_str(&uri, "/");
		add_path(&uri, is_pointer(v) ? "manifest" : v->where);
	}
	cJSON_AddStringToObject(cJSON_AddObjectToObject(physical, "artifactLocation"), "uri",
				uri.failed || !uri.data ? "" : uri.data);
	buf_free(&uri);
}

static cJSON *location(const struct subject *s, const struct finding *v)
{
	cJSON *l = cJSON_CreateObject(), *physical = cJSON_AddObjectToObject(l, "physicalLocation");

	add_uri(physical, s, v);
	/* a region is one of the file itself: there is none of what comes out of a compressed one */
	if (v->offset != FINDING_NO_OFFSET && s->plain)
		cJSON_AddNumberToObject(cJSON_AddObjectToObject(physical, "region"), "byteOffset", (double)v->offset);
	if (!*v->where)
		return l;
	cJSON *logical = cJSON_CreateObject();
	cJSON_AddStringToObject(logical, "fullyQualifiedName", v->where);
	cJSON_AddStringToObject(logical, "kind", is_pointer(v) ? "value" : "resource");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(l, "logicalLocations"), logical);
	return l;
}

static cJSON *result(const struct subject *s, const struct finding *v)
{
	cJSON *o = cJSON_CreateObject(), *properties;

	cJSON_AddStringToObject(o, "ruleId", v->rule);
	cJSON_AddNumberToObject(o, "ruleIndex", (double)index_of(v->rule));
	cJSON_AddStringToObject(o, "level", v->level == FINDING_ERROR ? "error" : "warning");
	struct buf text = { 0 };
	buf_fmt(&text, "%s%s%s", v->where, *v->where ? ": " : "", v->text);
	add_text(o, "message", text.failed ? v->text : text.data);
	buf_free(&text);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "locations"), location(s, v));
	if (v->offset != FINDING_NO_OFFSET) {
		properties = cJSON_AddObjectToObject(o, "properties");
		cJSON_AddNumberToObject(properties, "uncompressedByteOffset", (double)v->offset);
	}
	return o;
}

void sarif_finding(struct buf *out, size_t n, const struct subject *s, const struct finding *v)
{
	auto_json cJSON *j = result(s, v);

	json_print_item(j, n, false, out);
}

void sarif_end(struct buf *out, size_t n, int status)
{
	json_print_item(NULL, n, false, out);
	buf_fmt(out, ",\"invocations\":[{\"executionSuccessful\":%s,\"exitCode\":%d}]}]}\n", status < 2 ? "true" : "false",
		status);
}
