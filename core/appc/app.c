/* SPDX-License-Identifier: Apache-2.0
 * app - the app object, which image manifests hold and pod manifests may replace
 *
 * Source: appc spec, spec/aci.md, "Image Manifest Schema", app.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/schema.h"
#include "core/appc/types.h"
#include "core/base/num.h"

static void check_exec(struct check *c, const void *list)
{
	const struct appc_strings *exec = list;

	if (!exec->n) {
		check_error(c, RULE_EXEC, "exec must not be empty");
		return;
	}
	size_t mark = check_enter_index(c, 0);
	if (exec->v[0][0] != '/')
		check_error(c, RULE_EXEC, "\"%.200s\" is not an absolute path", exec->v[0]);
	else
		check_path(c, exec->v[0]);
	check_leave(c, mark);
}

/* digits are a number; whether a name is known only the image's passwd file says */
static void check_user(struct check *c, const char *s)
{
	struct err e;
	uint32_t id;

	if (!*s)
		check_error(c, RULE_USER, "must not be empty");
	else if (!s[strspn(s, "0123456789")] && num_id(s, &id, &e) < 0)
		check_error(c, RULE_USER_ID, "%s", e.msg);
	else if (*s == '/')
		check_path(c, s);
}

static void check_gids(struct check *c, const void *list)
{
	const struct appc_ints *l = list;

	for (size_t i = 0; i < l->n; i++) {
		size_t mark = check_enter_index(c, i);
		if (l->v[i] < 0 || l->v[i] > ID_MAX)
			check_error(c, RULE_GID, "group %lld is not between 0 and %lld",
				(long long)l->v[i], (long long)ID_MAX);
		check_leave(c, mark);
	}
}

/* however many slashes and dots are in it */
static bool is_in_proc(const char *s)
{
	while (*s == '/' || (*s == '.' && (s[1] == '/' || !s[1])))
		s++;
	return !strncmp(s, "proc", 4) && (s[4] == '/' || !s[4]);
}

static void check_working_dir(struct check *c, const char *s)
{
	if (*s && *s != '/')
		check_error(c, RULE_WORKDIR, "\"%.200s\" is not an absolute path", s);
	else if (*s)
		check_path(c, s);
	if (is_in_proc(s))
		check_warn(c, RULE_WORKDIR_PROC, "\"%.200s\" is below /proc", s);
}

/* ---- event handlers ---- */

static void check_handler_name(struct check *c, const char *s)
{
	if (strcmp(s, "pre-start") && strcmp(s, "post-stop"))
		check_error(c, RULE_HANDLER,
			"event handler \"%.200s\" is neither pre-start nor post-stop", s);
}

static const struct field handler_fields[] = {
	TEXTS(struct appc_handler, "exec", exec, .required = true, .list = check_exec),
	TEXT(struct appc_handler, "name", name, .required = true, .text = check_handler_name),
	FIELDS_END
};
static const struct schema handler_schema = {
	handler_fields, offsetof(struct appc_handler, extra), NULL
};

static void check_handlers(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_handler), offsetof(struct appc_handler, name),
		FINDING_ERROR, RULE_HANDLER, "event handler");
}

/* ---- environment ---- */

static void check_env_name(struct check *c, const char *s)
{
	if (!ac_env_name_ok(s))
		check_error(c, RULE_ENV,
			"environment name \"%.200s\" is not made of letters, digits and _, or "
			"begins with a digit",
			s);
}

static void check_env_value(struct check *c, const char *s)
{
	if (has_control(s))
		check_warn(c, RULE_ENV_CONTROL, "the value contains control characters");
}

static const struct field env_fields[] = {
	TEXT(struct appc_pair, "name", name, .required = true, .text = check_env_name),
	TEXT(struct appc_pair, "value", value, .required = true, .text = check_env_value),
	FIELDS_END
};
static const struct schema env_schema = { env_fields, offsetof(struct appc_pair, extra), NULL };

static void check_environment(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_pair), offsetof(struct appc_pair, name),
		FINDING_ERROR, RULE_ENV, "environment variable");
}

/* ---- mount points ---- */

static void check_mount_point_name(struct check *c, const char *s)
{
	check_name(c, RULE_MOUNT_POINT, "mount point name", s);
}

static const struct field mount_point_fields[] = {
	TEXT(struct appc_mount_point, "name", name, .required = true,
		.text = check_mount_point_name),
	TEXT(struct appc_mount_point, "path", path, .required = true, .text = check_path_required),
	FLAG(struct appc_mount_point, "readOnly", read_only),
	FIELDS_END
};
static const struct schema mount_point_schema = {
	mount_point_fields, offsetof(struct appc_mount_point, extra), NULL
};

/* The spec does not forbid it: one volume may well be wanted in two places. */
static void check_mount_points(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_mount_point),
		offsetof(struct appc_mount_point, name), FINDING_WARNING, RULE_MOUNT_POINT,
		"mount point");
}

/* ---- ports ---- */

static void check_port_name(struct check *c, const char *s)
{
	check_name(c, RULE_PORT, "port name", s);
}

static void check_protocol(struct check *c, const char *s)
{
	if (!*s)
		check_error(c, RULE_PORT, "protocol is empty (tcp, udp ...)");
}

static void check_port_number(struct check *c, int64_t v)
{
	if (v < 1 || v > 65535)
		check_error(c, RULE_PORT, "port %lld is not between 1 and 65535", (long long)v);
}

static void check_port_count(struct check *c, int64_t v)
{
	if (v < 1)
		check_error(c, RULE_PORT, "count %lld is less than 1", (long long)v);
}

static void check_port_range(struct check *c, const void *s)
{
	const struct appc_port *p = s;

	if (p->port >= 1 && p->port <= 65535 && p->count > 65536 - p->port)
		check_error(c, RULE_PORT, "%lld ports from %lld on: the last would be above 65535",
			(long long)p->count, (long long)p->port);
}

static const struct field port_fields[] = {
	TEXT(struct appc_port, "name", name, .required = true, .text = check_port_name),
	TEXT(struct appc_port, "protocol", protocol, .required = true, .text = check_protocol),
	INT(struct appc_port, "port", port, 0, .required = true, .number = check_port_number),
	INT(struct appc_port, "count", count, 1, .number = check_port_count),
	FLAG(struct appc_port, "socketActivated", socket_activated),
	FIELDS_END
};
const struct schema port_schema = {
	port_fields, offsetof(struct appc_port, extra), check_port_range
};

/* one name for tcp and udp is common; an exposed port that refers to it is another matter, see
 * pod.c */
static void check_ports(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_port), offsetof(struct appc_port, name),
		FINDING_WARNING, RULE_PORT_UNIQUE, "port");
}

/* ---- isolators ---- */

static void check_isolator_name(struct check *c, const char *s)
{
	check_identifier(c, RULE_ISOLATOR_NAME, "isolator name", s);
}

static const struct field isolator_fields[] = {
	TEXT(struct appc_isolator, "name", name, .required = true, .text = check_isolator_name),
	ANY(struct appc_isolator, "value", value, .required = true),
	FIELDS_END
};
const struct schema isolator_schema = {
	isolator_fields, offsetof(struct appc_isolator, extra), NULL
};

static void check_app_isolators(struct check *c, const void *list)
{
	check_isolators(c, list, SCOPE_APP);
}

/* ---- the app ---- */

static const struct field app_fields[] = {
	TEXTS(struct appc_app, "exec", exec, .required = true, .list = check_exec),
	TEXT(struct appc_app, "user", user, .required = true, .text = check_user),
	TEXT(struct appc_app, "group", group, .required = true, .text = check_user),
	INTS(struct appc_app, "supplementaryGIDs", supplementary_gids, .list = check_gids),
	LIST(struct appc_app, "eventHandlers", event_handlers, &handler_schema,
		.list = check_handlers),
	TEXT(struct appc_app, "workingDirectory", working_dir, .empty_is_absent = true,
		.text = check_working_dir),
	LIST(struct appc_app, "environment", environment, &env_schema, .list = check_environment),
	LIST(struct appc_app, "isolators", isolators, &isolator_schema,
		.list = check_app_isolators),
	LIST(struct appc_app, "mountPoints", mount_points, &mount_point_schema,
		.list = check_mount_points),
	LIST(struct appc_app, "ports", ports, &port_schema, .list = check_ports),
	TEXT_MAP(struct appc_app, "userAnnotations", user_annotations),
	TEXT_MAP(struct appc_app, "userLabels", user_labels),
	FIELDS_END
};
const struct schema app_schema = { app_fields, offsetof(struct appc_app, extra), NULL };

struct appc_app *appc_app_copy(const struct appc_app *app, struct err *e)
{
	struct appc_app *copy = malloc(sizeof(*copy));

	if (copy && schema_copy(&app_schema, copy, app, sizeof(*copy)))
		return copy;
	free(copy);
	err_set(e, ENOMEM, "copy app: out of memory");
	return NULL;
}

void appc_app_free(struct appc_app *app)
{
	if (!app)
		return;
	schema_free(&app_schema, app);
	free(app);
}
