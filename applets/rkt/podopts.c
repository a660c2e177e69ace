/* SPDX-License-Identifier: Apache-2.0
 * podopts - see podopts.h
 */
#include "applets/rkt/podopts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/pod/ports.h"

#define MEMORY_MIN 4096 /* bytes; rkt's */

static void list_add(struct opt_list *l, const char *s)
{
	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = s;
}

/* the image that options are about; NULL before the first and between two */
static struct podopts_app *current(struct podopts *o)
{
	return o->n_apps && !o->between ? &o->apps[o->n_apps - 1] : NULL;
}

static struct podopts_app *need_current(struct podopts *o, struct err *e)
{
	struct podopts_app *a = current(o);

	if (!a)
		err_set(e, EINVAL, "must follow an image");
	return a;
}

/* ---- options of one image ---- */

/* each of them may be given once per image: two values would mean that one is ignored */
int podopts_set_text(void *opts, size_t at, const char *arg, struct err *e)
{
	struct podopts_app *a = need_current(opts, e);

	if (!a)
		return -1;
	const char **field = (const char **)((char *)a + at);
	if (*field)
		return err_set(e, EINVAL, "given twice for %s", a->image);
	*field = arg;
	return 0;
}

#define SET_TEXT(field)                                                             \
	static int set_##field(void *opts, const char *arg, struct err *e)          \
	{                                                                           \
		return podopts_set_text(opts, offsetof(struct podopts_app, field), arg, e); \
	}

SET_TEXT(signature)
SET_TEXT(exec)
SET_TEXT(user)
SET_TEXT(group)
SET_TEXT(working_dir)

static int set_name(void *opts, const char *arg, struct err *e)
{
	if (!ac_name_ok(arg))
		return err_set(e, EINVAL, "\"%s\" is no app name (a-z, 0-9 and -, not - at the ends)", arg);
	return podopts_set_text(opts, offsetof(struct podopts_app, name), arg, e);
}

static int set_memory(void *opts, const char *arg, struct err *e)
{
	int64_t bytes;

	if (num_quantity(arg, 1, &bytes, e) < 0)
		return -1;
	/* "16m" are thousandths of a byte, and nothing can be started in a page or less */
	if (bytes < MEMORY_MIN)
		return err_set(e, EINVAL,
			"memory limit of %lld bytes too low; try a reasonable value, such as --memory=16M",
			(long long)bytes);
	return podopts_set_text(opts, offsetof(struct podopts_app, memory), arg, e);
}

static int set_cpu(void *opts, const char *arg, struct err *e)
{
	int64_t millis;

	if (num_quantity(arg, 1000, &millis, e) < 0)
		return -1;
	return podopts_set_text(opts, offsetof(struct podopts_app, cpu), arg, e);
}

static int set_gids(void *opts, const char *arg, struct err *e)
{
	const char *p = arg;
	uint32_t gid;

	for (;; p++) {
		char one[16];
		size_t n = strcspn(p, ",");
		if (n >= sizeof(one))
			return err_set(e, EINVAL, "\"%.*s\" is not a group ID", (int)n, p);
		memcpy(one, p, n);
		one[n] = 0;
		if (num_id(one, &gid, e) < 0)
			return -1;
		p += n;
		if (!*p)
			break;
	}
	return podopts_set_text(opts, offsetof(struct podopts_app, gids), arg, e);
}

static int set_seccomp(void *opts, const char *arg, struct err *e)
{
	cJSON *value;
	bool retain;

	/* parsed for its errors only, as volumes are */
	if (podopts_seccomp(arg, &retain, &value, e) < 0)
		return -1;
	cJSON_Delete(value);
	return podopts_set_text(opts, offsetof(struct podopts_app, seccomp), arg, e);
}

/* with and without a value */
static int set_read_only(void *opts, const char *arg, struct err *e)
{
	struct podopts_app *a = need_current(opts, e);

	if (!a)
		return -1;
	return num_bool(arg ? arg : "true", &a->read_only, e);
}

static int add_environment(void *opts, const char *arg, struct err *e)
{
	struct podopts *o = opts;

	if (podopts_env_parse(arg, e) < 0)
		return -1;
	list_add(current(o) ? &current(o)->environment : &o->env, arg);
	return 0;
}

/* into a list of the image before; their names are free text, as in rkt */
static int add_pair(void *opts, size_t at, const char *arg, struct err *e)
{
	struct podopts_app *a = need_current(opts, e);

	if (!a || podopts_env_parse(arg, e) < 0)
		return -1;
	list_add((struct opt_list *)((char *)a + at), arg);
	return 0;
}

static int add_annotation(void *opts, const char *arg, struct err *e)
{
	return add_pair(opts, offsetof(struct podopts_app, annotations), arg, e);
}

static int add_label(void *opts, const char *arg, struct err *e)
{
	return add_pair(opts, offsetof(struct podopts_app, labels), arg, e);
}

/* ---- options of the pod ---- */

static int add_env(void *opts, const char *arg, struct err *e)
{
	if (podopts_env_parse(arg, e) < 0)
		return -1;
	list_add(&((struct podopts *)opts)->env, arg);
	return 0;
}

static int add_mount(void *opts, const char *arg, struct err *e)
{
	struct podopts *o = opts;
	struct podopts_mount m;

	if (podopts_mount_parse(arg, &m, e) < 0)
		return -1;
	list_add(current(o) ? &current(o)->mounts : &o->mounts, arg);
	return 0;
}

static int add_volume(void *opts, const char *arg, struct err *e)
{
	struct pod_manifest scratch = { 0 };

	/* parsed for its errors only, so that they name the option; the manifest is made when all is known */
	int r = podopts_volume(arg, &scratch, e);
	pod_manifest_free(&scratch);
	if (r == 0)
		list_add(&((struct podopts *)opts)->volumes, arg);
	return r;
}

static int add_port(void *opts, const char *arg, struct err *e)
{
	struct pod_manifest scratch = { 0 };

	int r = ports_parse(arg, &scratch, e);
	pod_manifest_free(&scratch);
	if (r == 0)
		list_add(&((struct podopts *)opts)->ports, arg);
	return r;
}

/* ---- words that are no options ---- */

int podopts_operand(struct podopts *o, const char *arg, struct err *e)
{
	if (!strcmp(arg, "---")) {
		if (!current(o))
			return err_set(e, EINVAL, "--- must follow an image");
		o->between = true;
		return 0;
	}
	if (!*arg)
		return err_set(e, EINVAL, "the name of an image cannot be empty");
	o->apps = xrealloc(o->apps, (o->n_apps + 1) * sizeof(*o->apps));
	o->apps[o->n_apps++] = (struct podopts_app){ .image = arg };
	o->between = false;
	return 0;
}

int podopts_rest(struct podopts *o, int argc, char **argv, struct err *e)
{
	struct podopts_app *a = current(o);

	if (!a)
		return err_set(e, EINVAL,
			"-- must follow an image: what comes after it are the arguments of its "
			"app");
	for (int i = 0; i < argc; i++)
		list_add(&a->args, argv[i]);
	return 0;
}

int podopts_check(const struct podopts *o, struct err *e)
{
	bool described = o->n_apps || o->volumes.n || o->mounts.n || o->env.n || o->env_files.n ||
			 o->ports.n || o->inherit_env;

	if (o->manifest && described)
		return err_set(e, EINVAL, "conflicting flags set with --pod-manifest (see --help)");
	if (!o->manifest && !o->n_apps)
		return err_set(e, EINVAL,
			"pod must contain at least one application: name an image, or give "
			"--pod-manifest");
	if (o->private_users && geteuid() != 0)
		return err_set(e, EPERM, "cannot run as unprivileged user: --private-users takes ranges of the host's "
			"ids; without it a user's pod is in a user namespace of its own already");
	return dnsopts_check(&o->dns, e);
}

void podopts_free(struct podopts *o)
{
	for (size_t i = 0; i < o->n_apps; i++) {
		free(o->apps[i].args.v);
		free(o->apps[i].environment.v);
		free(o->apps[i].mounts.v);
		free(o->apps[i].annotations.v);
		free(o->apps[i].labels.v);
	}
	free(o->apps);
	free(o->volumes.v);
	free(o->mounts.v);
	free(o->env.v);
	free(o->env_files.v);
	free(o->ports.v);
	*o = (struct podopts){ 0 };
}

static int add_env_file(void *opts, const char *arg, struct err *e)
{
	(void)e;
	list_add(&((struct podopts *)opts)->env_files, arg);
	return 0;
}

const struct opt podopts_pod[] = {
	OPT_CALL(0, "volume", "VOLUME", add_volume,
		"a volume: NAME,kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL] or "
		"NAME,kind=empty[,mode=MODE][,uid=UID][,gid=GID]"),
	OPT_CALL(0, "mount", "MOUNT", add_mount,
		"mount a volume: volume=NAME,target=PATH; in all apps, or after an image in that "
		"one"),
	OPT_CALL(0, "set-env", "NAME=VALUE", add_env, "environment variable for all apps"),
	OPT_CALL(0, "set-env-file", "FILE", add_env_file,
		"environment variables for all apps, one a line"),
	OPT_BOOL(0, "inherit-env", struct podopts, inherit_env,
		"also give apps the variables of this environment"),
	OPT_CALL(0, "port", "NAME:[IP:]PORT", add_port,
		"forward PORT of the host to the port of that name of an image; IPv6 addresses in brackets"),
	OPT_TEXT(0, "pod-manifest", "FILE", struct podopts, manifest,
		"run what this pod manifest describes"),
	OPT_BOOL(0, "no-overlay", struct podopts, no_overlay,
		"copy the images' trees instead of using overlayfs"),
	OPT_BOOL(0, "private-users", struct podopts, private_users,
		"give the pod users and groups of its own: a user namespace"),
	OPT_END
};

const struct opt podopts_app[] = { OPT_CALL(0, "exec", "PATH", set_exec,
					   "program to execute instead of the image's"),
	OPT_CALL(0, "signature", "FILE", set_signature, IMAGES_SIGNATURE_HELP),
	OPT_CALL(0, "name", "NAME", set_name,
		"name of the app (default: made from the image's name)"),
	OPT_CALL(0, "environment", "NAME=VALUE", add_environment, "environment variable"),
	OPT_CALL(0, "user", "USER", set_user,
		"number, name, or path of a file in the image that it owns"),
	OPT_CALL(0, "group", "GROUP", set_group, "number, name, or path of a file in the image"),
	OPT_CALL(0, "supplementary-gids", "GID,...", set_gids, "supplementary groups"),
	OPT_CALL(0, "working-dir", "PATH", set_working_dir, "working directory"),
	OPT_CALL_OPTIONAL(0, "readonly-rootfs", "BOOL", set_read_only,
		"mount the app's root file system read-only"),
	OPT_CALL(0, "memory", "SIZE", set_memory, "memory limit, like 128M or 1Gi"),
	OPT_CALL(0, "cpu", "CORES", set_cpu, "processor limit, like 750m or 1.5"),
	OPT_CALL(0, "seccomp", "FILTER", set_seccomp,
		"system calls: mode=retain|remove[,errno=ENAME],NAME|@GROUP/NAME,... "
		"instead of what the image asks for"),
	OPT_CALL(0, "user-annotation", "NAME=VALUE", add_annotation,
		"annotation of the app, for rkt list and rkt status"),
	OPT_CALL(0, "user-label", "NAME=VALUE", add_label, "label of the app, likewise"), OPT_END };

const struct opt podopts_images[] = {
	OPT_TEXT(0, "pull-policy", "POLICY", struct podopts, pull_policy,
		 "new: fetch what the store lacks (default); never; update: always fetch"),
	OPT_BOOL(0, "store-only", struct podopts, store_only, "same as --pull-policy=never"),
	OPT_BOOL(0, "no-store", struct podopts, no_store, "same as --pull-policy=update"),
	OPT_TEXT(0, "passphrase-file", "FILE", struct podopts, passphrase.file, IMAGES_PASSPHRASE_HELP),
	OPT_TEXT(0, "verify", "WHEN", struct podopts, verify, IMAGES_VERIFY_HELP),
	OPT_END
};
