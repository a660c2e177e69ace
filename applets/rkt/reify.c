/* SPDX-License-Identifier: Apache-2.0
 * reify - see reify.h
 */
#include "applets/rkt/reify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/rkt/images_deps.h"
#include "applets/rkt/reify_app.h"
#include "applets/ui.h"
#include "core/appc/isolators_file.h"
#include "core/appc/syscalls.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/pod/ports.h"

/* ---- images ---- */

static bool arch_runs(const char *arch)
{
	/* 64-bit kernels execute another one besides their own, and our filters know its calls */
	return !strcmp(arch, ac_host_arch()) || syscall_arch_labelled(arch);
}

static int check_platform(const struct image_manifest *m, struct err *e)
{
	const char *os = appc_pair_find(&m->labels, "os"), *arch = appc_pair_find(&m->labels, "arch");

	if (!os)
		return err_set(e, ENOEXEC, "missing os label in the image manifest");
	if (strcmp(os, "linux"))
		return err_set(e, ENOEXEC,
			"bad os \"%s\": the image is for %s/%s, this host runs linux/%s", os, os,
			arch ? arch : "?", ac_host_arch());
	if (!arch)
		return err_set(e, ENOEXEC, "missing arch label in the image manifest");
	if (!arch_runs(arch))
		return err_set(e, ENOEXEC,
			"bad arch \"%s\": the image is for %s/%s, this host runs linux/%s", arch,
			os, arch, ac_host_arch());
	return 0;
}

/* text and struct of one read: the text goes into the pod directory as it is */
static int load_image(struct store *st, const struct rkt_globals *g, const struct images_policy *p,
		      struct reified_image *img, struct image_manifest *m, struct err *e)
{
	struct findings f = { 0 };

	if (store_manifest_text(st, &img->id, &img->text, &img->text_len, e) < 0)
		return -1;
	if (!image_manifest_parse(img->text, img->text_len, m, &f)) {
		findings_err(&f, e);
		findings_free(&f);
		return err_wrap(e, "manifest of %s", img->id.s);
	}
	findings_free(&f);
	if (check_platform(m, e) < 0)
		return err_wrap(e, "image %s", m->name);
	/* without a network it is rendering that tells what is missing */
	return m->dependencies.n && p->pull != IMAGES_PULL_NEVER ? images_deps(st, g, &img->id, p, e) : 0;
}

static struct reified_image *add_image(struct reified *r)
{
	r->images = xrealloc(r->images, (r->n_images + 1) * sizeof(*r->images));
	struct reified_image *img = &r->images[r->n_images++];
	*img = (struct reified_image){ .text = NULL };
	return img;
}

static int describe_image(struct appc_runtime_app *ra, const struct image_id *id,
	const struct image_manifest *m, struct err *e)
{
	if (appc_string_set(&ra->image_name, m->name, e) < 0 || appc_string_set(&ra->image_id, id->s, e) < 0)
		return -1;
	for (size_t i = 0; i < m->labels.n; i++)
		if (appc_pairs_set(&ra->image_labels, m->labels.v[i].name, m->labels.v[i].value, e) < 0)
			return -1;
	return 0;
}

/* ---- mounts ---- */

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && !memcmp(a, b, n);
}

static struct appc_mount *mount_at(struct appc_mounts *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (same_path(l->v[i].path, path))
			return &l->v[i];
	return NULL;
}

static const struct appc_volume *find_volume(const struct pod_manifest *p, const char *name)
{
	for (size_t i = 0; i < p->volumes.n; i++)
		if (!strcmp(p->volumes.v[i].name, name))
			return &p->volumes.v[i];
	return NULL;
}

static int add_mount(struct appc_mounts *l, const char *volume, const char *path, struct err *e)
{
	struct appc_mount *m = appc_mounts_add(l, e);

	if (!m)
		return -1;
	return appc_string_set(&m->volume, volume, e) < 0 ? -1 : appc_string_set(&m->path, path, e);
}

/* @own: the first that many of @l come before what is added now; two wishes of equal weight are a mistake */
static int add_option_mounts(const struct pod_manifest *p, const struct opt_list *mounts, size_t own,
			     struct appc_mounts *l, struct err *e)
{
	for (size_t i = 0; i < mounts->n; i++) {
		struct podopts_mount m;
		if (podopts_mount_parse(mounts->v[i], &m, e) < 0)
			return -1;
		auto_free char *volume = xasprintf("%.*s", (int)m.volume_len, m.volume);
		auto_free char *path = xasprintf("%.*s", (int)m.target_len, m.target);
		if (!find_volume(p, volume))
			return err_set(e, ENOENT,
				"--mount %s: there is no volume \"%s\": add --volume %s,kind=...",
				mounts->v[i], volume, volume);
		const struct appc_mount *there = mount_at(l, path);
		if (there && there < l->v + own)
			continue;
		if (there)
			return err_set(e, EEXIST, "--mount %s: volume \"%s\" is mounted there already",
				       mounts->v[i], there->volume);
		if (add_mount(l, volume, path, e) < 0)
			return -1;
	}
	return 0;
}

static int add_empty_volume(struct pod_manifest *p, const char *name, struct err *e)
{
	struct appc_volume *v = pod_manifest_add_volume(p, e);

	if (!v)
		return -1;
	v->uid = v->gid = 0;
	if (appc_string_set(&v->name, name, e) < 0 || appc_string_set(&v->kind, "empty", e) < 0)
		return -1;
	return appc_string_set(&v->mode, "0755", e);
}

/* Docker fills its volumes with what the image has there, and images made for it count on that. */
static bool from_docker(const struct image_manifest *m)
{
	return appc_pair_find(&m->annotations, "appc.io/docker/repository");
}

/* of the image that was added last */
static void fill_volume(struct reified *r, const char *volume, const char *path)
{
	r->fills = xrealloc(r->fills, (r->n_fills + 1) * sizeof(*r->fills));
	r->fills[r->n_fills++] = (struct reified_fill){ xstrdup(volume), xstrdup(path), r->n_images - 1 };
}

/* Every mount point gets a mount: of the volume of its name, else of an empty one made for it. */
static int satisfy_mount_points(struct reified *r, struct appc_runtime_app *ra, bool docker, struct err *e)
{
	struct pod_manifest *p = &r->pod;

	for (size_t i = 0; i < ra->app->mount_points.n; i++) {
		const struct appc_mount_point *mp = &ra->app->mount_points.v[i];
		if (mount_at(&ra->mounts, mp->path))
			continue;
		if (find_volume(p, mp->name)) {
			if (add_mount(&ra->mounts, mp->name, mp->path, e) < 0)
				return -1;
			continue;
		}
		auto_free char *name = xasprintf("%s-%s", ra->name, mp->name);
		ui_warn("no volume specified for mount point \"%s\", implicitly creating an \"empty\" volume for app %s%s; "
			"it will be removed when the pod is garbage-collected",
			mp->name, ra->name, docker ? ", which begins with what the Docker image has there" : "");
		if (!find_volume(p, name)) {
			if (add_empty_volume(p, name, e) < 0)
				return -1;
			if (docker)
				fill_volume(r, name, mp->path);
		}
		if (add_mount(&ra->mounts, name, mp->path, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- one app ---- */

static int set_app_name(const struct pod_manifest *p, struct appc_runtime_app *ra, const char *wanted,
			const char *image_name, struct err *e)
{
	char name[256];

	if (!wanted) {
		if (!ac_name_from(image_name, name, sizeof(name)))
			return err_set(e, EINVAL,
				"no app name can be made of the image's; give one with --name");
		wanted = name;
	}
	if (appc_string_set(&ra->name, wanted, e) < 0)
		return -1;
	for (size_t i = 0; i + 1 < p->apps.n; i++)
		if (!strcmp(p->apps.v[i].name, ra->name))
			return err_set(e, EEXIST,
				"duplicate app name \"%s\": tell the apps apart with --name",
				ra->name);
	return 0;
}

/* appends an app made of the image @m; on failure it stays half-made in a manifest that is thrown away */
static int build_app(struct reified *r, const struct podopts *o, const struct podopts_app *a,
		     const struct image_id *id, const struct image_manifest *m, struct err *e)
{
	struct pod_manifest *p = &r->pod;
	struct appc_runtime_app *ra = pod_manifest_add_app(p, e);

	if (!ra || set_app_name(p, ra, a->name, m->name, e) < 0 || describe_image(ra, id, m, e) < 0)
		return -1;
	if (!m->app && !a->exec)
		return err_set(e, ENOEXEC, "the image has no app section: say with --exec what to execute");
	ra->app = m->app ? appc_app_copy(m->app, e) : reify_plain_app(e);
	if (!ra->app)
		return -1;
	if (a->isolators_from && isolators_file_apply(a->isolators_from, ra->name, &ra->app->isolators, e) < 0)
		return err_wrap(e, "--isolators-from");
	if (reify_app(o, a, ra->app, e) < 0)
		return -1;
	if (!ra->app->exec.n)
		return err_set(e, ENOEXEC, "the image does not say what to execute: use --exec");
	ra->read_only_rootfs = a->read_only;
	if (add_option_mounts(p, &a->mounts, 0, &ra->mounts, e) < 0 ||
	    add_option_mounts(p, &o->mounts, ra->mounts.n, &ra->mounts, e) < 0)
		return -1;
	return satisfy_mount_points(r, ra, from_docker(m), e);
}

static int reify_image(struct store *st, const struct rkt_globals *g, const struct podopts *o,
	const struct podopts_app *a, const struct images_policy *policy, struct reified *r,
	struct err *e)
{
	struct image_manifest m = { 0 };
	struct reified_image *img = add_image(r);

	struct images_policy p = *policy;

	p.signature = a->signature;
	if (images_resolve(st, g, a->image, &p, &img->id, e) < 0)
		return -1;
	if (load_image(st, g, policy, img, &m, e) < 0)
		return -1;
	int ret = build_app(r, o, a, &img->id, &m, e);
	if (ret < 0)
		err_wrap(e, "image %s", m.name);
	image_manifest_free(&m);
	return ret;
}

static int reify_options(struct store *st, const struct rkt_globals *g, const struct podopts *o,
			 const struct images_policy *policy, struct reified *r, struct err *e)
{
	if (appc_string_set(&r->pod.ac_kind, "PodManifest", e) < 0 ||
	    appc_string_set(&r->pod.ac_version, APPC_VERSION, e) < 0)
		return -1;
	for (size_t i = 0; i < o->volumes.n; i++)
		if (podopts_volume(o->volumes.v[i], &r->pod, e) < 0)
			return err_wrap(e, "--volume");
	for (size_t i = 0; i < o->n_apps; i++)
		if (reify_image(st, g, o, &o->apps[i], policy, r, e) < 0)
			return -1;
	return 0;
}

/* ---- --pod-manifest ---- */

/* a template may leave volumes to be bound later; this is later */
static int check_mounts(const struct pod_manifest *p, const struct appc_runtime_app *ra, struct err *e)
{
	for (size_t i = 0; i < ra->mounts.n; i++) {
		const struct appc_mount *m = &ra->mounts.v[i];
		if (!appc_mount_volume(p, m))
			return err_set(e, EINVAL, "mount %s: there is no volume \"%s\"", m->path, m->volume);
	}
	return 0;
}

static int complete_app(struct reified *r, struct appc_runtime_app *ra, const struct image_id *id,
			const struct image_manifest *m, struct err *e)
{
	if (appc_string_set(&ra->image_id, id->s, e) < 0 ||
	    (!ra->image_name && appc_string_set(&ra->image_name, m->name, e) < 0))
		return -1;
	/* by which stage 1 chooses the filter, whoever wrote the manifest */
	if (appc_pairs_set(&ra->image_labels, "arch", appc_pair_find(&m->labels, "arch"), e) < 0)
		return -1;
	if (strcmp(ra->image_name, m->name))
		return err_set(e, EINVAL, "%s is the image %s, not %s", id->s, m->name, ra->image_name);
	if (!ra->app && !m->app)
		return err_set(e, ENOEXEC, "no app section in the pod or image manifest");
	if (!ra->app && !(ra->app = appc_app_copy(m->app, e)))
		return -1;
	if (!ra->app->exec.n)
		return err_set(e, ENOEXEC, "neither the pod manifest nor the image says what to execute");
	return satisfy_mount_points(r, ra, from_docker(m), e) < 0 ? -1 : check_mounts(&r->pod, ra, e);
}

static int reify_listed(struct store *st, const struct rkt_globals *g,
	const struct images_policy *policy, size_t i, struct reified *r, struct err *e)
{
	struct image_manifest m = { 0 };
	struct appc_runtime_app *ra = &r->pod.apps.v[i];
	struct reified_image *img = add_image(r);
	struct images_policy by_id = { .kind = IMAGES_ID, .pull = policy->pull };

	if (images_resolve(st, g, ra->image_id, &by_id, &img->id, e) < 0 || load_image(st, g, policy, img, &m, e) < 0)
		return err_wrap(e, "app %s", ra->name);
	int ret = complete_app(r, ra, &img->id, &m, e);
	if (ret < 0)
		err_wrap(e, "app %s", ra->name);
	image_manifest_free(&m);
	return ret;
}

static int reify_file(struct store *st, const struct rkt_globals *g, const struct podopts *o,
		      const struct images_policy *policy, struct reified *r, struct err *e)
{
	auto_free char *text = NULL;
	size_t len;
	struct findings f = { 0 };

	if (reify_user_file(o->manifest, APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return err_wrap(e, "--pod-manifest");
	bool ok = pod_manifest_parse(text, len, &r->pod, &f);
	if (!ok)
		findings_err(&f, e);
	findings_free(&f);
	if (!ok)
		return err_wrap(e, "--pod-manifest: %s", o->manifest);
	if (!r->pod.apps.n)
		return err_set(e, EINVAL,
			"--pod-manifest: %s: pod must contain at least one application",
			o->manifest);
	for (size_t i = 0; i < r->pod.apps.n; i++)
		if (reify_listed(st, g, policy, i, r, e) < 0)
			return -1;
	return 0;
}

/* ---- */

/* what stage 1 will find out as well, but nobody shall have waited for that; the messages of the rules are shorter */
static int reify_ports(const struct podopts *o, struct pod_manifest *m, struct err *e)
{
	struct pod_port *v;
	size_t n;

	for (size_t i = 0; i < o->ports.n; i++)
		if (ports_parse(o->ports.v[i], m, e) < 0)
			return err_wrap(e, "--port=%s", o->ports.v[i]);
	if (ports_resolve(m, &v, &n, e) < 0)
		return o->ports.n ? err_wrap(e, "--port") : -1;
	free(v);
	return 0;
}

/* Names are looked up in the image by stage 1; what cannot be one need not become a pod first. */
static int check_identity(const char *what, const char *s, struct err *e)
{
	uint32_t id;

	return num_user(s, &id, e) < 0 ? err_wrap(e, "%s", what) : 0;
}

static int check_identities(const struct pod_manifest *m, struct err *e)
{
	for (size_t i = 0; i < m->apps.n; i++) {
		const struct appc_runtime_app *ra = &m->apps.v[i];
		if (check_identity("user", ra->app->user, e) < 0 || check_identity("group", ra->app->group, e) < 0)
			return err_wrap(e, "app %s", ra->name);
	}
	return 0;
}

int reify(struct store *st, const struct rkt_globals *g, const struct podopts *o,
	struct reified *out, struct err *e)
{
	struct images_policy policy = { .kind = IMAGES_GUESS, .passphrase = o->passphrase };
	struct findings f = { 0 };

	*out = (struct reified){ .n_images = 0 };
	if (images_pull_parse(o->pull_policy, o->store_only, o->no_store, &policy.pull, e) < 0)
		return -1;
	if ((o->manifest ? reify_file : reify_options)(st, g, o, &policy, out, e) < 0)
		return -1;
	if (reify_ports(o, &out->pod, e) < 0 || dnsopts_record(&o->dns, &out->pod.annotations, e) < 0)
		return -1;
	/* options can break rules that the images kept: a relative --exec, a variable without a name */
	bool ok = pod_manifest_check(&out->pod, &f);
	if (!ok)
		findings_err(&f, e);
	findings_free(&f);
	if (!ok)
		return err_wrap(e, "pod manifest");
	reify_tell_doubts(&out->pod);
	return check_identities(&out->pod, e);
}

void reified_free(struct reified *r)
{
	pod_manifest_free(&r->pod);
	for (size_t i = 0; i < r->n_images; i++)
		free(r->images[i].text);
	free(r->images);
	for (size_t i = 0; i < r->n_fills; i++) {
		free(r->fills[i].volume);
		free(r->fills[i].path);
	}
	free(r->fills);
	*r = (struct reified){ .n_images = 0 };
}
