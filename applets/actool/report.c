/* SPDX-License-Identifier: Apache-2.0
 * report - see report.h
 */
#include "applets/actool/report.h"

#include <errno.h>
#include <string.h>

#include "applets/ui.h"
#include "core/archive/policy.h"
#include "core/base/fd.h"
#include "core/base/json.h"

static const char *level_name(const struct finding *v)
{
	return v->level == FINDING_ERROR ? "error" : "warning";
}

/* ---- for people ---- */

static void end_line(struct buf *line)
{
	buf_str(line, "\n");
	if (!line->failed && fd_write_all(2, line->data, line->len) < 0)
		line->failed = true; /* nobody listens; the exit status says it too */
	buf_free(line);
}

void actool_say(const char *file, const char *text)
{
	struct buf line = { 0 };

	buf_clean(&line, file, strlen(file));
	buf_fmt(&line, ": %s", text);
	end_line(&line);
}

/* the second line: where it stands written, where it is, and what to do */
static void add_details(struct buf *out, const struct finding *v)
{
	const struct appc_rule *r = policy_find(v->rule);

	buf_fmt(out, "\n    %s", strcmp(v->section, "rktbox") ? v->section : "a rule of rktbox's own");
	if (v->offset != FINDING_NO_OFFSET)
		buf_fmt(out, "; byte %llu", (unsigned long long)v->offset);
	if (r)
		buf_fmt(out, "; remedy: %s", r->remedy);
}

static void report_one(const char *file, const struct finding *v)
{
	struct buf lines = { 0 };

	buf_clean(&lines, file, strlen(file));
	buf_fmt(&lines, ": %s: %s%s%s [%s]", level_name(v), v->where, *v->where ? ": " : "", v->text, v->rule);
	add_details(&lines, v);
	end_line(&lines);
}

void actool_report(const char *file, const struct findings *f)
{
	struct buf rest = { 0 };

	for (size_t i = 0; i < f->n; i++)
		report_one(file, &f->v[i]);
	if (f->errors + f->warnings <= f->n)
		return;
	buf_fmt(&rest, "%zu more findings", f->errors + f->warnings - f->n);
	if (!rest.failed)
		actool_say(file, rest.data);
	buf_free(&rest);
}

static void print_text(const struct report *r, const struct subject *s)
{
	actool_report(s->file, &s->f);
	if (!r->debug || !subject_ok(s, r->strict))
		return;
	auto_free char *text = xasprintf("valid %s", s->valid_as);
	actool_say(s->file, text);
}

/* ---- JSON ---- */

static void add_finding(cJSON *list, const struct finding *v)
{
	const struct appc_rule *r = policy_find(v->rule);
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "level", level_name(v));
	cJSON_AddStringToObject(o, "rule", v->rule);
	cJSON_AddStringToObject(o, "section", v->section);
	cJSON_AddStringToObject(o, "where", v->where);
	cJSON_AddStringToObject(o, "text", v->text);
	if (r)
		cJSON_AddStringToObject(o, "remedy", r->remedy);
	if (v->offset != FINDING_NO_OFFSET)
		cJSON_AddNumberToObject(o, "offset", (double)v->offset);
	cJSON_AddItemToArray(list, o);
}

static cJSON *json_of(const struct subject *s, bool strict)
{
	bool ok = subject_ok(s, strict);
	struct buf name = { 0 };
	cJSON *o = cJSON_CreateObject();

	buf_clean(&name, s->file, strlen(s->file));
	cJSON_AddStringToObject(o, "file", name.data ? name.data : "");
	buf_free(&name);
	cJSON_AddStringToObject(o, "type", subject_type_name(s->type));
	cJSON_AddBoolToObject(o, "valid", ok);
	cJSON_AddStringToObject(o, "status", s->unread ? "unread" : ok ? "valid" : "invalid");
	if (*s->id)
		cJSON_AddStringToObject(o, "imageID", s->id);
	cJSON_AddNumberToObject(o, "errors", (double)s->f.errors);
	cJSON_AddNumberToObject(o, "warnings", (double)s->f.warnings);
	cJSON *list = cJSON_AddArrayToObject(o, "findings");
	for (size_t i = 0; i < s->f.n; i++)
		add_finding(list, &s->f.v[i]);
	return o;
}

/* ---- all formats ---- */

int report_format(const char *arg, enum report_format *f, struct err *e)
{
	static const char *const names[] = { "text", "json", "json-pretty", "sarif" };

	for (enum report_format i = REPORT_TEXT; i <= REPORT_SARIF; i++)
		if (!strcmp(arg, names[i])) {
			*f = i;
			return 0;
		}
	return err_set(e, EINVAL, "unknown format \"%s\"; known: text, json, json-pretty, sarif", arg);
}

int report_begin(struct report *r, struct err *e)
{
	if (r->format == REPORT_SARIF)
		sarif_begin(&r->out);
	return ui_out(&r->out, e);
}

int report_subject(struct report *r, const struct subject *s, struct err *e)
{
	if (r->format == REPORT_TEXT) {
		print_text(r, s);
	} else if (r->format == REPORT_SARIF) {
		for (size_t i = 0; i < s->f.n; i++)
			sarif_finding(&r->out, r->n++, s, &s->f.v[i]);
	} else {
		auto_json cJSON *j = json_of(s, r->strict);
		json_print_item(j, r->n++, r->format == REPORT_JSON_PRETTY, &r->out);
	}
	return ui_out(&r->out, e);
}

int report_end(struct report *r, int status, struct err *e)
{
	bool pretty = r->format == REPORT_JSON_PRETTY;

	if (r->format == REPORT_SARIF) {
		sarif_end(&r->out, r->n, status);
	} else if (r->format != REPORT_TEXT) {
		json_print_item(NULL, r->n, pretty, &r->out);
		if (!pretty)
			buf_str(&r->out, "\n");
	}
	return ui_out(&r->out, e);
}
