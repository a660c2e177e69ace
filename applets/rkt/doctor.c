/* SPDX-License-Identifier: Apache-2.0
 * rkt doctor - what this kernel and this host lack of what pods need
 *
 * Works without anything it asks for, /proc included. The checks are those of core/host/; here is what is said of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/host/host.h"

#define STATUS_LACKS 1 /* something without which no pod starts */

struct doctor_opts {
	struct rkt_globals g;
	bool               all;
	const char        *format;
};

static const struct opt doctor_opts[] = {
	OPT_BOOL('a', "all", struct doctor_opts, all, "tell also what is there, and what cannot be known"),
	OPT_TEXT(0, "format", "FORMAT", struct doctor_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct doctor_opts, g),
	OPT_END
};

/* what came out; r[i] belongs to host_checks[i], as far as wanted[i] */
struct visit {
	struct host_result *r;
	bool               *wanted;
	size_t              n_lacking, n_needed; /* of these, what no pod starts without */
	size_t              n_unknown;
};

static bool lacks(const struct host_result *r)
{
	return r->verdict == HOST_MISSING || r->verdict == HOST_DEGRADED;
}

static int choose(struct visit *v, int argc, char **argv, struct err *e)
{
	for (size_t i = 0; i < host_n_checks; i++)
		v->wanted[i] = !argc;
	for (; argc; argc--, argv++) {
		size_t i = 0;
		while (i < host_n_checks && strcmp(host_checks[i].words, *argv))
			i++;
		if (i == host_n_checks)
			return err_set(e, EINVAL, "there is no check \"%s\" (rkt doctor --all lists them)", *argv);
		v->wanted[i] = true;
	}
	return 0;
}

static void examine(struct visit *v, const struct host_place *at)
{
	for (size_t i = 0; i < host_n_checks; i++) {
		if (!v->wanted[i])
			continue;
		host_try(&host_checks[i], at, &v->r[i]);
		v->n_lacking += lacks(&v->r[i]);
		v->n_needed += v->r[i].verdict == HOST_MISSING && host_checks[i].need == HOST_NEEDED;
		v->n_unknown += v->r[i].verdict == HOST_UNKNOWN;
	}
}

/* ---- text ---- */

/* NULL: as old as all that matters */
static const char *since(const struct host_check *c, char out[8])
{
	snprintf(out, 8, "5.%u", c->since);
	return c->since ? out : NULL;
}

static void add_provider(struct buf *b, const char **separator, const char *prefix, const char *name)
{
	if (!name)
		return;
	buf_fmt(b, "%s%s%s", *separator, prefix, name);
	*separator = ", ";
}

static void add_providers(struct buf *b, const struct host_check *c)
{
	const char *separator = "; remedy: ";
	char version[8];

	add_provider(b, &separator, "Linux ", since(c, version));
	add_provider(b, &separator, "CONFIG_", host_word(c, HOST_CONFIG));
	add_provider(b, &separator, "module ", host_word(c, HOST_MODULE));
	add_provider(b, &separator, "sysctl ", host_word(c, HOST_SYSCTL));
	add_provider(b, &separator, "", host_word(c, HOST_REMEDY));
}

static void add_line(struct buf *b, const struct host_check *c, const struct host_result *r)
{
	bool lack = lacks(r);

	buf_fmt(b, "%s %s (%s)", host_word(c, HOST_ID), host_verdict_name(r->verdict), host_need_name(c->need));
	if (*r->text)
		buf_str(b, ": ");
	buf_clean(b, r->text, strlen(r->text));
	buf_fmt(b, lack ? "; lost: %s" : "; for: %s", host_word(c, HOST_LOST));
	if (lack)
		add_providers(b, c);
	buf_str(b, "\n");
}

/* one line for all: why is what --all is for */
static void add_unknown(struct buf *b, const struct visit *v)
{
	buf_str(b, "not known:");
	for (size_t i = 0; i < host_n_checks; i++)
		if (v->wanted[i] && v->r[i].verdict == HOST_UNKNOWN)
			buf_fmt(b, " %s", host_checks[i].words);
	buf_str(b, " (rkt doctor --all says why)\n");
}

static int print_text(const struct visit *v, bool all, struct err *e)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < host_n_checks; i++)
		if (v->wanted[i] && (all || lacks(&v->r[i])))
			add_line(&b, &host_checks[i], &v->r[i]);
	if (v->n_unknown && !all)
		add_unknown(&b, v);
	if (!v->n_lacking && !v->n_unknown && !all)
		buf_str(&b, "nothing is lacking\n");
	return ui_out(&b, e);
}

/* ---- JSON ---- */

static void add_text(cJSON *j, const char *key, const char *prefix, const char *value)
{
	char text[200];

	snprintf(text, sizeof(text), "%s%s", prefix, value ? value : "");
	cJSON_AddItemToObject(j, key, value ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static cJSON *check_json(const struct host_check *c, const struct host_result *r)
{
	cJSON *j = cJSON_CreateObject();
	struct buf found = { 0 };
	char version[8];

	buf_clean(&found, r->text, strlen(r->text));
	cJSON_AddStringToObject(j, "id", host_word(c, HOST_ID));
	cJSON_AddStringToObject(j, "verdict", host_verdict_name(r->verdict));
	cJSON_AddStringToObject(j, "severity", host_need_name(c->need));
	cJSON_AddStringToObject(j, "found", found.data ? found.data : "");
	cJSON_AddStringToObject(j, "lost", host_word(c, HOST_LOST));
	add_text(j, "linux", "", since(c, version));
	add_text(j, "config", "CONFIG_", host_word(c, HOST_CONFIG));
	add_text(j, "module", "", host_word(c, HOST_MODULE));
	add_text(j, "sysctl", "", host_word(c, HOST_SYSCTL));
	add_text(j, "remedy", "", host_word(c, HOST_REMEDY));
	buf_free(&found);
	return j;
}

static int print_json(const struct visit *v, enum ui_format f, struct err *e)
{
	cJSON *top = cJSON_CreateObject();
	struct utsname u;

	cJSON_AddStringToObject(top, "kernel", uname(&u) == 0 ? u.release : "");
	cJSON_AddBoolToObject(top, "starts", !v->n_needed);
	cJSON *list = cJSON_AddArrayToObject(top, "checks");
	for (size_t i = 0; i < host_n_checks; i++)
		if (v->wanted[i])
			cJSON_AddItemToArray(list, check_json(&host_checks[i], &v->r[i]));
	return ui_json(top, f, e);
}

static int tell(const struct visit *v, const struct doctor_opts *o, enum ui_format f, struct err *e)
{
	if ((f == UI_TEXT ? print_text(v, o->all, e) : print_json(v, f, e)) < 0)
		return -1;
	return v->n_needed ? STATUS_LACKS : 0;
}

static int doctor_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct doctor_opts *o = opts;
	struct host_place at;
	struct visit v = { .n_lacking = 0 };
	enum ui_format f;
	struct conf c;

	if (ui_format(o->format, &f, e) < 0 || globals_conf(&o->g, &c, e) < 0)
		return -1;
	v.r = xmalloc(host_n_checks * sizeof(*v.r));
	v.wanted = xmalloc(host_n_checks * sizeof(*v.wanted));
	int r = choose(&v, argc, argv, e);
	at.data_dir = globals_dir(&o->g, &c);
	if (r == 0)
		r = globals_render(&o->g, &c, &at.how, e);
	if (r == 0) {
		examine(&v, &at);
		r = tell(&v, o, f, e);
	}
	conf_free(&c);
	free(v.r);
	free(v.wanted);
	return r;
}

const struct cmd rkt_doctor_cmd = {
	.name = "doctor", .args = "[CHECK...]", .summary = "Tell what this kernel and this host lack for pods.",
	.opts = doctor_opts, .opts_size = sizeof(struct doctor_opts), .inherits = true, .run = doctor_run,
};
