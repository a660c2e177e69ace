/* SPDX-License-Identifier: Apache-2.0
 * pod - the pod manifest; see manifest.h
 *
 * Source: appc spec, spec/pods.md, "Pod Manifest Schema".
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/appc/schema.h"
#include "core/appc/types.h"
#include "core/base/num.h"

/* ---- volumes ---- */

static void check_volume_name(struct check *c, const char *s)
{
	check_name(c, RULE_VOLUME, "volume name", s);
}

static void check_mode(struct check *c, const char *s)
{
	struct err e;
	uint32_t mode;

	if (num_mode(s, &mode, &e) < 0)
		check_error(c, RULE_VOLUME_OWNER, "%s", e.msg);
}

static void check_id(struct check *c, int64_t v)
{
	if (v < 0 || v > ID_MAX)
		check_error(c, RULE_VOLUME_OWNER, "id %lld is not between 0 and %lld", (long long)v,
			(long long)ID_MAX);
}

static void check_host_source(struct check *c, const char *s)
{
	size_t mark = check_enter(c, "source");

	if (!s || !*s)
		check_error(c, RULE_VOLUME, "a volume of kind host needs a source");
	else if (*s != '/')
		check_error(c, RULE_VOLUME, "source \"%.200s\" is not an absolute path", s);
	else
		check_path(c, s);
	check_leave(c, mark);
}

static void check_volume(struct check *c, const void *s)
{
	const struct appc_volume *v = s;

	if (!v->kind)
		return;
	if (!strcmp(v->kind, "host")) {
		check_host_source(c, v->source);
		if (v->mode || v->uid >= 0 || v->gid >= 0)
			check_error(c, RULE_VOLUME,
				"a volume of kind host must not have mode, uid or gid");
		return;
	}
	if (!strcmp(v->kind, "empty")) {
		if (v->source && *v->source)
			check_error(
				c, RULE_VOLUME, "a volume of kind empty must not have a source");
		return;
	}
	size_t mark = check_enter(c, "kind");
	check_error(c, RULE_VOLUME, "volume kind \"%.100s\" is neither host nor empty", v->kind);
	check_leave(c, mark);
}

static const struct field volume_fields[] = {
	TEXT(struct appc_volume, "name", name, .required = true, .text = check_volume_name),
	TEXT(struct appc_volume, "kind", kind, .required = true),
	TEXT(struct appc_volume, "source", source, .empty_is_absent = true),
	FLAG(struct appc_volume, "readOnly", read_only),
	TRISTATE(struct appc_volume, "recursive", recursive),
	TEXT(struct appc_volume, "mode", mode, .text = check_mode),
	INT(struct appc_volume, "uid", uid, -1, .number = check_id),
	INT(struct appc_volume, "gid", gid, -1, .number = check_id),
	FIELDS_END
};
static const struct schema volume_schema = {
	volume_fields, offsetof(struct appc_volume, extra), check_volume
};

static void check_volumes(struct check *c, const void *list)
{
	check_unique(c, list, sizeof(struct appc_volume), offsetof(struct appc_volume, name),
		FINDING_ERROR, RULE_VOLUME, "volume name");
}

/* ---- mounts ---- */

static void check_mount_volume(struct check *c, const char *s)
{
	check_name(c, RULE_MOUNT, "volume name", s);
}

static const struct field mount_fields[] = {
	TEXT(struct appc_mount, "volume", volume, .required = true, .text = check_mount_volume),
	TEXT(struct appc_mount, "path", path, .required = true, .text = check_path_required),
	STRUCT(struct appc_mount, "appVolume", app_volume, &volume_schema),
	FIELDS_END
};
static const struct schema mount_schema = {
	mount_fields, offsetof(struct appc_mount, extra), NULL
};

void appc_mounts_remove(struct appc_mounts *l, size_t i)
{
	schema_free(&mount_schema, &l->v[i]);
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
}

/* the components of a path, one / before each; free() it */
static char *plain_path(const char *s)
{
	char *out = malloc(strlen(s) + 2), *p = out;

	while (out && *s) {
		size_t n = strcspn(s, "/");
		if (n && !(n == 1 && *s == '.')) {
			*p++ = '/';
			memcpy(p, s, n);
			p += n;
		}
		s += n + (s[n] == '/');
	}
	if (out)
		*p = 0;
	return out;
}

struct target { char *path; size_t i; };

/* as strcmp(), but / sorts first of all, so that what is below a directory follows it directly */
static int compare_targets(const void *pa, const void *pb)
{
	const struct target *a = pa, *b = pb;
	const char *x = a->path, *y = b->path;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	int cx = *x == '/' ? 1 : (unsigned char)*x + (*x != 0),
	    cy = *y == '/' ? 1 : (unsigned char)*y + (*y != 0);
	return cx != cy ? cx - cy : (a->i > b->i) - (a->i < b->i);
}

static bool is_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return !strncmp(dir, path, n) && path[n] == '/';
}

/* Two volumes at one place: one is hidden. One below the other works, but the spec would rather
 * not. */
static void check_overlaps(struct check *c, struct target *t, size_t n)
{
	size_t top = 0;

	if (n)
		qsort(t, n, sizeof(*t), compare_targets);
	for (size_t i = 1; i < n; i++) {
		size_t mark = check_enter_index(c, t[i].i);
		if (!strcmp(t[i - 1].path, t[i].path))
			check_error(c, RULE_MOUNT, "path %.200s is the target of another mount",
				t[i].path);
		else if (is_below(t[top].path, t[i].path))
			check_warn(c, RULE_MOUNT,
				"path %.200s is below the target of another mount, %.200s",
				t[i].path, *t[top].path ? t[top].path : "/");
		else
			top = i;
		check_leave(c, mark);
	}
}

static void check_mounts(struct check *c, const void *list)
{
	const struct appc_mounts *l = list;
	struct target *t = calloc(l->n ? l->n : 1, sizeof(*t));
	size_t n = 0;

	for (size_t i = 0; t && i < l->n; i++) {
		if (!l->v[i].path || !*l->v[i].path)
			continue;
		t[n] = (struct target){ plain_path(l->v[i].path), i };
		if (!t[n].path)
			check_no_memory(c);
		else
			n++;
	}
	if (t)
		check_overlaps(c, t, n);
	else
		check_no_memory(c);
	while (n)
		free(t[--n].path);
	free(t);
}

/* ---- apps ---- */

static const struct field runtime_image_fields[] = {
	TEXT(struct appc_runtime_app, "name", image_name, .text = check_image_name),
	TEXT(struct appc_runtime_app, "id", image_id, .required = true, .text = check_image_id),
	LIST(struct appc_runtime_app, "labels", image_labels, &label_schema, .list = check_labels),
	FIELDS_END
};
static const struct schema runtime_image_schema = {
	runtime_image_fields, offsetof(struct appc_runtime_app, image_extra), NULL
};

static void check_app_name(struct check *c, const char *s)
{
	check_name(c, RULE_APP_NAME, "app name", s);
}

/* A pod must be reified before it runs, but its manifest may come earlier: so these are warnings. */
static void check_reified(struct check *c, const void *s)
{
	const struct appc_runtime_app *ra = s;
	struct names paths = { 0 };

	for (size_t i = 0; ra->app && i < ra->mounts.n; i++)
		names_add(c, &paths, ra->mounts.v[i].path, i, 0);
	names_sort(&paths);
	size_t mark = check_enter(c, "app");
	check_enter(c, "mountPoints");
	for (size_t i = 0; ra->app && i < ra->app->mount_points.n; i++) {
		const struct appc_mount_point *p = &ra->app->mount_points.v[i];
		size_t element = check_enter_index(c, i);
		if (p->name && p->path && names_find(&paths, p->path) == paths.n)
			check_warn(c, RULE_REIFIED, "no mount for mount point \"%.100s\" at %.200s",
				p->name, p->path);
		check_leave(c, element);
	}
	check_leave(c, mark);
	names_free(&paths);
}

static const struct field runtime_app_fields[] = {
	TEXT(struct appc_runtime_app, "name", name, .required = true, .text = check_app_name),
	GROUP(struct appc_runtime_app, "image", &runtime_image_schema),
	STRUCT(struct appc_runtime_app, "app", app, &app_schema),
	FLAG(struct appc_runtime_app, "readOnlyRootFS", read_only_rootfs),
	LIST(struct appc_runtime_app, "mounts", mounts, &mount_schema, .list = check_mounts),
	LIST(struct appc_runtime_app, "annotations", annotations, &annotation_schema,
		.list = check_annotations),
	FIELDS_END
};
static const struct schema runtime_app_schema = {
	runtime_app_fields, offsetof(struct appc_runtime_app, extra), check_reified
};

static void check_apps(struct check *c, const void *list)
{
	const struct appc_runtime_apps *l = list;

	if (!l->n)
		check_error(c, RULE_APPS, "pod must contain at least one application");
	check_unique(c, list, sizeof(struct appc_runtime_app),
		offsetof(struct appc_runtime_app, name), FINDING_ERROR, RULE_APP_NAME, "app name");
}

/* ---- exposed ports ---- */

static void check_exposed_name(struct check *c, const char *s)
{
	check_name(c, RULE_EXPOSED, "port name", s);
}

static void check_host_port(struct check *c, int64_t v)
{
	if (v < 1 || v > 65535)
		check_error(
			c, RULE_EXPOSED, "host port %lld is not between 1 and 65535", (long long)v);
}

static void check_host_ip(struct check *c, const char *s)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET, s, &addr) != 1 && inet_pton(AF_INET6, s, &addr) != 1)
		check_error(c, RULE_EXPOSED, "host IP \"%.100s\" is not an address", s);
}

/* kept as JSON, so it is read once more, only to be judged */
static void check_pod_port(struct check *c, const void *s)
{
	const struct appc_exposed_port *p = s;
	struct appc_port port;

	if (!p->pod_port)
		return;
	cJSON *copy = cJSON_Duplicate(p->pod_port, true);
	if (!copy) {
		check_no_memory(c);
		return;
	}
	struct check outer = *c;
	size_t mark = check_enter(c, "podPort");
	schema_init(&port_schema, &port, sizeof(port));
	c->parse_first = c->parse_end = c->f->n;
	schema_read(c, &port_schema, &port, copy);
	c->parse_end = c->f->n;
	schema_check(c, &port_schema, &port);
	c->parse_first = outer.parse_first;
	c->parse_end = outer.parse_end;
	schema_free(&port_schema, &port);
	cJSON_Delete(copy);
	check_leave(c, mark);
}

static const struct field exposed_port_fields[] = {
	TEXT(struct appc_exposed_port, "name", name, .required = true, .text = check_exposed_name),
	INT(struct appc_exposed_port, "hostPort", host_port, 0, .required = true,
		.number = check_host_port),
	TEXT(struct appc_exposed_port, "hostIP", host_ip, .empty_is_absent = true,
		.text = check_host_ip),
	OBJECT(struct appc_exposed_port, "podPort", pod_port),
	FIELDS_END
};
static const struct schema exposed_port_schema = {
	exposed_port_fields, offsetof(struct appc_exposed_port, extra), check_pod_port
};

/* ---- rules across the pod ---- */

/* Volumes may be bound late, so these are warnings, too. */
static void check_mounts_refer(struct check *c, const struct pod_manifest *m)
{
	struct names volumes = { 0 };

	for (size_t i = 0; i < m->volumes.n; i++)
		names_add(c, &volumes, m->volumes.v[i].name, i, 0);
	names_sort(&volumes);
	size_t apps = check_enter(c, "apps");
	for (size_t i = 0; i < m->apps.n; i++) {
		size_t app = check_enter_index(c, i);
		check_enter(c, "mounts");
		for (size_t j = 0; j < m->apps.v[i].mounts.n; j++) {
			const struct appc_mount *mount = &m->apps.v[i].mounts.v[j];
			size_t element = check_enter_index(c, j);
			check_enter(c, "volume");
			if (mount->volume && !mount->app_volume &&
				names_find(&volumes, mount->volume) == volumes.n)
				check_warn(c, RULE_REIFIED, "no volume \"%.200s\" in the pod",
					mount->volume);
			check_leave(c, element);
		}
		check_leave(c, app);
	}
	check_leave(c, apps);
	names_free(&volumes);
}

static void report_shared_port(struct check *c, const struct named *n)
{
	size_t mark = check_enter(c, "apps");

	check_enter_index(c, n->i);
	check_enter(c, "app");
	check_enter(c, "ports");
	check_enter_index(c, n->j);
	check_warn(c, RULE_PORT_UNIQUE,
		"port name \"%.200s\" is used by another app of the pod too", n->name);
	check_leave(c, mark);
}

/* Two apps of one image share their ports' names, so this alone is no error; exposing such a port
 * is. */
static void check_ports_unique(struct check *c, const struct names *ports)
{
	for (ptrdiff_t d = -1; (d = names_next_duplicate(ports, d)) >= 0;)
		if (ports->v[d].i != ports->v[d - 1].i)
			report_shared_port(c, &ports->v[d]);
}

static bool is_shared(const struct names *ports, const char *name)
{
	size_t first = names_find(ports, name), last = first;

	/* sorted by name, then by app */
	while (last + 1 < ports->n && !strcmp(ports->v[last + 1].name, name) &&
	       ports->v[last + 1].i == ports->v[first].i)
		last++;
	return last + 1 < ports->n && !strcmp(ports->v[last + 1].name, name);
}

static void check_exposed_refers(
	struct check *c, const char *name, const struct names *ports, bool all_known)
{
	size_t mark = check_enter(c, "name");
	bool known = names_find(ports, name) < ports->n;

	if (!known && all_known)
		check_error(c, RULE_EXPOSED, "no app of the pod has a port \"%.200s\"", name);
	if (known && is_shared(ports, name))
		check_error(
			c, RULE_EXPOSED, "several apps of the pod have a port \"%.200s\"", name);
	check_leave(c, mark);
}

static void check_exposed(
	struct check *c, const struct pod_manifest *m, const struct names *ports, bool all_known)
{
	size_t list = check_enter(c, "ports");

	for (size_t i = 0; i < m->ports.n; i++) {
		const struct appc_exposed_port *p = &m->ports.v[i];
		size_t element = check_enter_index(c, i);
		if (p->name && !p->pod_port)
			check_exposed_refers(c, p->name, ports, all_known);
		check_leave(c, element);
	}
	check_leave(c, list);
}

static void check_ports_refer(struct check *c, const struct pod_manifest *m)
{
	struct names ports = { 0 };
	bool all_known = true;

	for (size_t i = 0; i < m->apps.n; i++) {
		const struct appc_app *app = m->apps.v[i].app;
		for (size_t j = 0; app && j < app->ports.n; j++)
			names_add(c, &ports, app->ports.v[j].name, i, j);
		all_known = all_known && app; /* else its ports are in its image */
	}
	names_sort(&ports);
	check_ports_unique(c, &ports);
	check_exposed(c, m, &ports, all_known);
	names_free(&ports);
}

static void check_pod(struct check *c, const void *s)
{
	check_mounts_refer(c, s);
	check_ports_refer(c, s);
}

static void check_kind(struct check *c, const char *s)
{
	if (strcmp(s, "PodManifest"))
		check_error(c, RULE_KIND, "acKind is \"%.100s\", not \"PodManifest\"", s);
}

static void check_pod_isolators(struct check *c, const void *list)
{
	check_isolators(c, list, SCOPE_POD);
}

static const struct field pod_fields[] = {
	TEXT(struct pod_manifest, "acVersion", ac_version, .required = true, .text = check_version),
	TEXT(struct pod_manifest, "acKind", ac_kind, .required = true, .text = check_kind),
	LIST(struct pod_manifest, "apps", apps, &runtime_app_schema, .required = true,
		.list = check_apps),
	LIST(struct pod_manifest, "volumes", volumes, &volume_schema, .list = check_volumes),
	LIST(struct pod_manifest, "isolators", isolators, &isolator_schema,
		.list = check_pod_isolators),
	LIST(struct pod_manifest, "annotations", annotations, &annotation_schema,
		.list = check_annotations),
	LIST(struct pod_manifest, "ports", ports, &exposed_port_schema),
	TEXT_MAP(struct pod_manifest, "userAnnotations", user_annotations),
	TEXT_MAP(struct pod_manifest, "userLabels", user_labels),
	FIELDS_END
};
const struct schema pod_schema = { pod_fields, offsetof(struct pod_manifest, extra), check_pod };

bool pod_manifest_parse(const char *text, size_t len, struct pod_manifest *m, struct findings *f)
{
	return schema_parse(&pod_schema, m, sizeof(*m), text, len, f);
}

bool pod_manifest_check(const struct pod_manifest *m, struct findings *f)
{
	return schema_check_all(&pod_schema, m, f);
}

void pod_manifest_print(const struct pod_manifest *m, bool pretty, struct buf *b)
{
	schema_print(&pod_schema, m, pretty, b);
}

void pod_manifest_free(struct pod_manifest *m)
{
	schema_free(&pod_schema, m);
	*m = (struct pod_manifest){ 0 };
}
