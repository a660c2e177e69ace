/* SPDX-License-Identifier: Apache-2.0
 * plugin - see plugin.h: what is said to a program and what it says; plugin_exec.c runs it
 */
#include "core/net/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"

#define LINE_SHOWN 200 /* of its complaints, in a message */

void plugin_netns(const struct net_join *j, char *out, size_t size)
{
	*out = 0;
	if (j->netns_fd >= 0)
		snprintf(out, size, "/proc/%d/fd/%d", (int)getpid(), j->netns_fd);
}

/* ---- to it ---- */

static int put_prev(cJSON *conf, const char *version, const struct net_result *prev, struct err *e)
{
	cJSON *p = net_result_json(prev, version, e);

	cJSON_DeleteItemFromObjectCaseSensitive(conf, "prevResult");
	if (p && !cJSON_AddItemToObject(conf, "prevResult", p)) {
		cJSON_Delete(p);
		return err_set(e, ENOMEM, "out of memory");
	}
	return p ? 0 : -1;
}

static int make_input(const struct net_join *j, const char *version, const struct net_result *prev, struct buf *in,
		      struct err *e)
{
	auto_json cJSON *conf = cJSON_Duplicate(j->conf, true);

	if (!conf)
		return err_set(e, ENOMEM, "out of memory");
	if (prev && put_prev(conf, version, prev, e) < 0)
		return -1;
	json_print(conf, false, in);
	return in->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* ---- from it ---- */

static bool is_blank(char c)
{
	return c == '\n' || c == ' ' || c == '\t' || c == '\r';
}

static void trim(struct buf *b)
{
	while (b->len && is_blank(b->data[b->len - 1]))
		b->data[--b->len] = 0;
}

/* the last line that it wrote to standard error */
static void add_complaint(struct buf *errors, struct err *e)
{
	struct buf b = { 0 };

	trim(errors);
	const char *last = errors->len ? memrchr(errors->data, '\n', errors->len) : NULL;
	last = last ? last + 1 : errors->data;
	size_t len = errors->len ? strlen(last) : 0;
	buf_clean(&b, last, len < LINE_SHOWN ? len : LINE_SHOWN);
	if (b.len) {
		struct err was = *e;
		err_set(e, was.code, "%s; its last line: %s", was.msg, b.data);
	}
	buf_free(&b);
}

static int failed(int status, struct buf *out, struct buf *errors, struct err *e)
{
	struct err ignored;
	auto_json cJSON *j = json_parse_err(out->data ? out->data : "", out->len, &ignored);

	if (!net_result_error(j, e))
		err_set(e, EIO, "it ended with status %d", status);
	add_complaint(errors, e);
	return -1;
}

/* A result that does not say its version is of the configuration's, as libcni has it too. */
static int read_result(const struct buf *out, const char *version, struct net_result *r, struct err *e)
{
	auto_json cJSON *j = json_parse_err(out->data ? out->data : "", out->len, e);

	if (!j)
		return err_wrap(e, out->len ? "its result" : "it printed no result");
	if (cJSON_IsObject(j) && !cJSON_GetObjectItemCaseSensitive(j, "cniVersion") &&
	    !cJSON_AddStringToObject(j, "cniVersion", version))
		return err_set(e, ENOMEM, "out of memory");
	return net_result_parse(j, r, e) < 0 ? err_wrap(e, "its result") : 0;
}

static int talk(const struct net_join *j, const char *name, const char *command, const struct net_result *prev,
		struct net_result *r, struct err *e)
{
	const char *said = json_str(j->conf, "cniVersion"), *version = said ? said : "0.1.0";
	auto_buf struct buf in = { 0 }, out = { 0 }, errors = { 0 };
	int which = net_version_check(version, e);

	if (which < 0)
		return -1;
	if (!r && which < NET_VERSION_DEL)
		prev = NULL;
	if (make_input(j, version, prev, &in, e) < 0)
		return -1;
	int status = plugin_exec(j, name, command, &in, PLUGIN_LIMIT_S, &out, &errors, e);
	if (status < 0) {
		add_complaint(&errors, e);
		return -1;
	}
	if (status)
		return failed(status, &out, &errors, e);
	trim(&out);
	return r ? read_result(&out, version, r, e) : 0;
}

int plugin_run(const struct net_join *j, const char *name, const char *command, const struct net_result *prev,
	       struct net_result *r, struct err *e)
{
	return talk(j, name, command, prev, r, e) < 0 ? err_wrap(e, "plug-in %s: %s", name, command) : 0;
}

/* ---- as a network type ---- */

static int add(const struct net_join *j, const struct net_result *prev, struct net_result *r, struct err *e)
{
	return plugin_run(j, json_str(j->conf, "type"), "ADD", prev, r, e);
}

/* What is not executed now was not executed then either, if nothing came of it: or a misspelt type would be for gc to
 * fail at for ever. */
static int del(const struct net_join *j, const struct net_result *r, struct err *e)
{
	struct err why;

	if (plugin_run(j, json_str(j->conf, "type"), "DEL", r, NULL, &why) == 0 ||
	    (!r && (why.code == ENOENT || why.code == EACCES)))
		return 0;
	*e = why;
	return -1;
}

const struct net_type plugin_type = { .name = "plug-in", .add = add, .del = del };
