/* SPDX-License-Identifier: Apache-2.0
 * podref - see podref.h
 */
#include "applets/rkt/podref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/rkt/isolators.h"
#include "applets/rkt/stage1.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/net/podnet.h"
#include "core/pod/ids.h"

#define UUID_FILE_MAX 1024

int podref_open(struct podref *r, const struct rkt_globals *g, struct err *e)
{
	if (globals_conf(g, &r->conf, e) < 0)
		return -1;
	r->dir = globals_dir(g, &r->conf);
	r->pods = pods_open(r->dir, false, e);
	return r->pods ? 0 : -1;
}

int podref_find(struct podref *r, const struct rkt_globals *g, const char *prefix, struct err *e)
{
	if (podref_open(r, g, e) < 0)
		return -1;
	return pod_find(r->pods, prefix, &r->pod, e) < 0 ? err_wrap(e, "problem retrieving pod") : 0;
}

void podref_close(struct podref *r)
{
	pod_close(&r->pod);
	pods_close(r->pods);
	conf_free(&r->conf);
}

static char *read_uuid_file(const char *file, struct err *e)
{
	char text[UUID_FILE_MAX + 1];
	/* followed: the path is the user's own */
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, UUID_FILE_MAX);

	if (n < 0) {
		err_sys(e, "unable to resolve UUID from file: %s", file);
		return NULL;
	}
	text[n] = 0;
	char *start = text + strspn(text, " \t\r\n");
	start[strcspn(start, " \t\r\n")] = 0;
	/* a file must name its pod in full: what is cut off is not taken for a prefix */
	if (!uuid_ok(start)) {
		err_set(e, EINVAL, "unable to resolve UUID from file: %s does not contain a UUID", file);
		return NULL;
	}
	return xstrdup(start);
}

int podref_uuids(int argc, char **argv, const char *uuid_file, struct opt_list *out, char **owned, struct err *e)
{
	*out = (struct opt_list){ .v = (const char **)argv, .n = (size_t)argc };
	*owned = NULL;
	if (argc && uuid_file)
		return err_set(e, EINVAL, "UUID and --uuid-file exclude each other (see --help)");
	if (!argc && !uuid_file)
		return err_set(e, EINVAL, "a UUID is needed, or --uuid-file=FILE (see --help)");
	if (argc)
		return 0;
	*owned = read_uuid_file(uuid_file, e);
	*out = (struct opt_list){ .v = (const char **)owned, .n = 1 };
	return *owned ? 0 : -1;
}

int podref_one(int argc, char **argv, const char *uuid_file, const char **out, char **owned, struct err *e)
{
	struct opt_list l;

	if (podref_uuids(argc, argv, uuid_file, &l, owned, e) < 0)
		return -1;
	if (l.n > 1)
		return err_set(e, EINVAL, "one pod at a time: \"%s\" is too much (see --help)", l.v[1]);
	*out = l.v[0];
	return 0;
}

bool podref_after_run(const struct pod *p)
{
	return p->state == POD_EXITED || p->state == POD_EXITED_GARBAGE || p->state == POD_DELETING ||
	       p->state == POD_GARBAGE;
}

static void names_of(const struct pod_manifest *m, struct buf *b)
{
	for (size_t i = 0; i < m->apps.n; i++)
		buf_fmt(b, "%s%s", i ? ", " : "", m->apps.v[i].name);
}

const struct appc_runtime_app *podref_app(const struct pod_manifest *m, const char *name, const char *command,
					  struct err *e)
{
	auto_buf struct buf names = { 0 };

	if (!name && m->apps.n == 1)
		return &m->apps.v[0];
	for (size_t i = 0; name && i < m->apps.n; i++)
		if (!strcmp(m->apps.v[i].name, name))
			return &m->apps.v[i];
	names_of(m, &names);
	const char *all = names.failed || !names.len ? "" : names.data;
	if (!m->apps.n)
		err_set(e, ENOENT, "unable to determine app name: pod contains zero apps");
	else if (name)
		err_set(e, ENOENT, "pod contains no app \"%s\"; it contains: %.300s", name, all);
	else
		err_set(e, ENOTUNIQ, "unable to determine app name: pod contains multiple apps (%.300s): specify app "
			"using \"rkt %s --app= ...\"", all, command);
	return NULL;
}

/* ---- names of images ---- */

static char *with_version(const char *name, const char *version)
{
	return xasprintf("%s%s%s", name, version ? ":" : "", version ? version : "");
}

static char *name_of_image(const struct pod *p, const char *app)
{
	struct findings f = { 0 };
	struct image_manifest m;
	struct err none;
	char *text = NULL, *name = NULL;

	char *path = xasprintf("appsinfo/%s/manifest", app);
	auto_close int fd = pod_file(p, path, &none);
	struct stat st;
	free(path);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > APPC_MANIFEST_MAX)
		return NULL;
	text = xmalloc((size_t)st.st_size + 1);
	ssize_t n = fd_read_full(fd, text, (size_t)st.st_size);
	if (n > 0 && image_manifest_parse(text, (size_t)n, &m, &f)) {
		name = with_version(m.name, appc_pair_find(&m.labels, "version"));
		image_manifest_free(&m);
	}
	findings_free(&f);
	free(text);
	return name;
}

char *podref_image_name(const struct pod *p, const char *app, const char *name, const char *version)
{
	return name ? with_version(name, version) : name_of_image(p, app);
}

/* ---- removal ---- */

static bool has(const struct pod *p, const char *file)
{
	return faccessat(p->dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* what the entry point gets; of the configuration, which network plug-ins want, rkt's own interface has nothing */
static int gc_args(const struct rkt_globals *g, struct pod *p, bool builtin, char *args[5], struct err *e)
{
	static char debug[] = "--debug";
	auto_free char *local = globals_absolute(g->local_config, e);
	auto_free char *system = local ? globals_absolute(g->system_config, e) : NULL;

	if (!system)
		return -1;
	if (g->debug)
		*args++ = debug;
	if (builtin) {
		*args++ = xasprintf("--local-config=%s", local);
		*args++ = xasprintf("--system-config=%s", system);
	}
	*args++ = p->uuid;
	*args = NULL;
	return 0;
}

/*
 * A pod whose start was cut off early has no stage 1 yet. The built-in one gives everything back when the pod ends,
 * and what it could not is noted in these files; two hundred pods that ended well need not start it for nothing.
 */
int podref_stage1_gc(void *ctx, struct pod *p, struct err *e)
{
	auto_stage1 struct stage1 s = { .builtin = false };
	char *args[5];
	struct err why;
	int status;

	if (!has(p, "stage1/manifest"))
		return 0;
	bool builtin = stage1_load(p, &s, &why) == 0 && s.builtin;
	if (builtin && !has(p, "cgroup") && !has(p, PODNET_FILE))
		return 0;
	if (gc_args(ctx, p, builtin, args, e) < 0)
		return -1;
	if (stage1_run(p, "gc", args, &status, &why) < 0) {
		if (why.code != ENOSYS)
			ui_warn("problem performing stage1 GC on \"%s\": %s", p->uuid, why.msg);
	} else if (status) {
		ui_warn("problem performing stage1 GC on \"%s\": ended with status %d", p->uuid, status);
	}
	/* without the record nobody would ever find what the pod still has */
	if (builtin && has(p, PODNET_FILE))
		return err_set(e, EBUSY, "pod \"%s\" has not left its networks: the reason stands above", p->uuid);
	return 0;
}

/* ---- networks ---- */

void podref_networks(const struct pod *p, struct buf *b)
{
	auto_buf struct buf text = { 0 };
	struct podnet nets = { .n = 0 };
	struct err why;

	if (p->state != POD_RUNNING || !has(p, PODNET_FILE))
		return;
	if (podnet_read(p->dir_fd, &nets, &why) < 0)
		ui_warn("networks of pod %s: %s", p->uuid, why.msg);
	else if (podnet_text(&nets, &text) == 0 && text.len)
		buf_clean(b, text.data, text.len);
	podnet_free(&nets);
}

/* ---- JSON ---- */

/* cJSON keeps numbers as double, which nanoseconds do not fit */
static void add_int(cJSON *o, const char *key, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	cJSON_AddRawToObject(o, key, text);
}

static void add_copy(cJSON *o, const char *key, const cJSON *value)
{
	if (value && value->child)
		cJSON_AddItemToObject(o, key, cJSON_Duplicate(value, true));
}

static void add_mounts(cJSON *app, const struct pod_manifest *m, const struct appc_runtime_app *ra)
{
	cJSON *list = ra->mounts.n ? cJSON_AddArrayToObject(app, "mounts") : NULL;

	for (size_t i = 0; i < ra->mounts.n; i++) {
		const struct appc_mount *mount = &ra->mounts.v[i];
		const struct appc_volume *v = appc_mount_volume(m, mount);
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", mount->volume);
		cJSON_AddStringToObject(o, "container_path", mount->path);
		cJSON_AddStringToObject(o, "host_path", v && v->source ? v->source : "");
		cJSON_AddBoolToObject(o, "read_only", v && v->read_only);
		cJSON_AddItemToArray(list, o);
	}
}

static const char *app_state(const struct pod *p, bool ended)
{
	if (ended || podref_after_run(p))
		return "exited";
	if (p->state == POD_RUNNING)
		return "running";
	return p->state == POD_PREPARED ? "created" : "unknown";
}

/* the apps' times are the pod's; 0: not known */
struct times { int64_t created_ns, started_ns; };

static cJSON *app_json(const struct pod *p, const struct times *t, const struct pod_manifest *m,
		       const struct appc_runtime_app *ra)
{
	cJSON *o = cJSON_CreateObject();
	int64_t finished;
	struct err none;
	int status;

	int r = pod_app_status(p, ra->name, &status, &finished, &none);
	char *image = podref_image_name(p, ra->name, ra->image_name, appc_pair_find(&ra->image_labels, "version"));
	cJSON_AddStringToObject(o, "name", ra->name);
	cJSON_AddStringToObject(o, "state", app_state(p, r > 0));
	if (t->created_ns)
		add_int(o, "created_at", t->created_ns);
	if (t->started_ns)
		add_int(o, "started_at", t->started_ns);
	if (r > 0) {
		add_int(o, "finished_at", finished);
		add_int(o, "exit_code", status);
	}
	cJSON_AddStringToObject(o, "image_id", ra->image_id ? ra->image_id : "");
	if (image)
		cJSON_AddStringToObject(o, "image_name", image);
	free(image);
	add_mounts(o, m, ra);
	isolators_json(m, ra->name, o);
	if (ra->app) {
		add_copy(o, "user_annotations", ra->app->user_annotations);
		add_copy(o, "user_labels", ra->app->user_labels);
	}
	return o;
}

/* as rkt shows them, while they are there; what we keep beside that is for us */
static void add_networks(cJSON *o, const struct pod *p)
{
	auto_free char *text = NULL;
	struct err none;
	size_t len;

	auto_close int fd = pod_file(p, PODNET_FILE, &none);
	if (fd < 0 || fd_read_file(p->dir_fd, PODNET_FILE, APPC_MANIFEST_MAX, &text, &len, &none) < 0)
		return;
	cJSON *list = json_parse_err(text, len, &none);
	for (cJSON *one = list ? list->child : NULL; one; one = one->next)
		cJSON_DeleteItemFromObjectCaseSensitive(one, "conf");
	if (list && cJSON_IsArray(list) && list->child)
		cJSON_AddItemToObject(o, "networks", list);
	else
		cJSON_Delete(list);
}

/* which ids of the host a pod with users of its own has */
static void add_ids(cJSON *o, const struct pod_manifest *m)
{
	struct pod_ids ids;
	struct err none;

	if (pod_ids_of(m, &ids, &none) < 0 || !ids.count)
		return;
	cJSON *u = cJSON_AddObjectToObject(o, "private_users");
	add_int(u, "first", ids.first);
	add_int(u, "count", ids.count);
}

static void add_manifest(cJSON *o, const struct pod *p, const struct times *t, const struct pod_manifest *m)
{
	cJSON *names = cJSON_AddArrayToObject(o, "app_names"), *apps = cJSON_AddArrayToObject(o, "apps");

	for (size_t i = 0; i < m->apps.n; i++) {
		cJSON_AddItemToArray(names, cJSON_CreateString(m->apps.v[i].name));
		cJSON_AddItemToArray(apps, app_json(p, t, m, &m->apps.v[i]));
	}
	isolators_json(m, NULL, o);
	add_copy(o, "user_annotations", m->user_annotations);
	add_copy(o, "user_labels", m->user_labels);
	add_ids(o, m);
}

cJSON *podref_json(const struct pod *p, struct err *e)
{
	const struct times t = { .created_ns = pod_created_ns(p), .started_ns = pod_started_ns(p) };
	struct pod_manifest m;
	struct err why;
	pid_t pid;

	bool has_manifest = pod_manifest(p, &m, &why) == 0;
	/* only what never got as far as `prepared` may be without one */
	if (!has_manifest && (why.code != ENOENT || p->state == POD_PREPARED || p->state == POD_RUNNING)) {
		*e = why;
		return NULL;
	}
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "name", p->uuid);
	cJSON_AddStringToObject(o, "state", pod_state_name(p->state));
	/* times of pods are in seconds, those of apps in nanoseconds; that is how rkt has it */
	if (t.created_ns)
		add_int(o, "created_at", t.created_ns / 1000000000);
	if (t.started_ns)
		add_int(o, "started_at", t.started_ns / 1000000000);
	if (p->state == POD_RUNNING && pod_pid(p, &pid, &why) == 0)
		add_int(o, "pid", pid);
	if (p->state == POD_RUNNING)
		add_networks(o, p);
	if (has_manifest) {
		add_manifest(o, p, &t, &m);
		pod_manifest_free(&m);
	}
	return o;
}
