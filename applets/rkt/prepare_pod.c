/* SPDX-License-Identifier: Apache-2.0
 * prepare_pod - see prepare_pod.h
 *
 * Until it is moved to prepared/ or run/ nobody but gc looks into the new directory, so its files
 * are written in place, without temporary names. What must be on disk is synced when the pod is
 * moved.
 */
#include "applets/rkt/prepare_pod.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/rkt/images_store.h"
#include "applets/rkt/images_trust.h"
#include "applets/rkt/isolators.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/rootless.h"
#include "core/pod/appfs.h"
#include "core/pod/volume.h"
#include "core/store/render.h"

#define PATH_LEN 600
/* of what leads to files of apps: these may be set-user-ID, and the pod directory may be open to a group */
#define APPS_MODE 0700

static int make_dir(int dir_fd, const char *path, mode_t mode, struct err *e)
{
	return mkdirat(dir_fd, path, mode) < 0 ? err_sys(e, "create directory %s", path) : 0;
}

/* The pod directory is closed to all but root and, perhaps, a group that may read these. */
static int write_file(int dir_fd, const char *path, const void *data, size_t len, struct err *e)
{
	auto_close int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, data, len) < 0 || fd_close(&fd) < 0)
		return err_sys(e, "write %s", path);
	return 0;
}

static int write_pod_manifest(int dir_fd, const struct pod_manifest *m, struct err *e)
{
	auto_buf struct buf b = { 0 };

	pod_manifest_print(m, false, &b);
	if (b.failed)
		return err_set(e, ENOMEM, "out of memory");
	return write_file(dir_fd, "pod", b.data, b.len, e);
}

/* ---- apps ---- */

static int fill_appsinfo(
	int dir_fd, const char *app, const struct reified_image *img, bool overlay, struct err *e)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "appsinfo/%s", app);
	if (make_dir(dir_fd, path, 0755, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "appsinfo/%s/manifest", app);
	if (write_file(dir_fd, path, img->text, img->text_len, e) < 0)
		return -1;
	/* it keeps what the app stands on from being collected, which a copy does not need */
	snprintf(path, sizeof(path), "appsinfo/%s/treeStoreID", app);
	return overlay ? write_file(dir_fd, path, img->root.s, strlen(img->root.s), e) : 0;
}

static int make_target(int dir_fd, const char *app, struct err *e)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "stage1/rootfs/opt/stage2/%s", app);
	if (make_dir(dir_fd, path, 0755, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "stage1/rootfs/opt/stage2/%s/rootfs", app);
	return make_dir(dir_fd, path, 0755, e);
}

static int fill_app(int dir_fd, const char *app, const struct reified_image *img, int lower_fd, bool overlay,
		    struct err *e)
{
	if (fill_appsinfo(dir_fd, app, img, overlay, e) < 0)
		return -1;
	return overlay ? appfs_prepare(dir_fd, app, lower_fd, e) : appfs_copy(dir_fd, app, lower_fd, e);
}

/* of a pod that does not start now; of one that does it has just been asked */
static int record_trust(const struct prepared_pod *pp, struct err *e)
{
	const struct stage1 *s = &pp->stage1;
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < pp->r.n_images; i++)
		if (images_trust_record(pp->st, &pp->r.images[i].id, &pp->r.images[i].root, &b, e) < 0)
			return -1;
	if (!s->builtin && images_trust_record(pp->st, &s->id, &s->root, &b, e) < 0)
		return -1;
	if (b.failed)
		return err_set(e, ENOMEM, "out of memory");
	return b.len ? write_file(pp->pod.dir_fd, PREPARE_POD_TRUST, b.data, b.len, e) : 0;
}

static int fill_apps(int dir_fd, const struct reified *r, const int *lower_fds, bool overlay, struct err *e)
{
	for (size_t i = 0; i < r->pod.apps.n; i++) {
		const char *app = r->pod.apps.v[i].name;
		if (fill_app(dir_fd, app, &r->images[i], lower_fds[i], overlay, e) < 0)
			return err_wrap(e, "app %s", app);
	}
	return 0;
}

/* ---- stage 1 ---- */

static int make_targets(int dir_fd, const struct reified *r, struct err *e)
{
	if (make_dir(dir_fd, "stage1/rootfs/opt", APPS_MODE, e) < 0 ||
		make_dir(dir_fd, "stage1/rootfs/opt/stage2", 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < r->pod.apps.n; i++)
		if (make_target(dir_fd, r->pod.apps.v[i].name, e) < 0)
			return -1;
	return 0;
}

static int fill_builtin(int dir_fd, const struct reified *r, struct err *e)
{
	if (make_dir(dir_fd, "stage1/rootfs/rkt", 0755, e) < 0 ||
		make_dir(dir_fd, "stage1/rootfs/rkt/status", 0755, e) < 0)
		return -1;
	return make_targets(dir_fd, r, e);
}

/* The mount points for the apps are made when the image's tree is there: by launch, or here in the copy. */
static int fill_foreign(int dir_fd, const struct prepared_pod *pp, int lower_fd, bool overlay, struct err *e)
{
	const char *id = pp->stage1.root.s;

	if (overlay && (write_file(dir_fd, STAGE1_TREE_ID, id, strlen(id), e) < 0 ||
			make_dir(dir_fd, "appsinfo/" APPFS_STAGE1, 0755, e) < 0 ||
			appfs_prepare(dir_fd, APPFS_STAGE1, lower_fd, e) < 0))
		return -1;
	if (!overlay && appfs_copy(dir_fd, APPFS_STAGE1, lower_fd, e) < 0)
		return -1;
	/* also beside an overlay: status files must be seen from outside the pod's mount namespace */
	if (fd_mkdirs(dir_fd, "stage1/rootfs/rkt/status", 0755, e) < 0)
		return -1;
	for (size_t i = 0; !overlay && i < pp->r.pod.apps.n; i++) {
		char path[APPFS_PATH_MAX];
		appfs_target(pp->r.pod.apps.v[i].name, path);
		if (fd_mkdirs(dir_fd, path, 0755, e) < 0)
			return -1;
	}
	return 0;
}

static int fill_stage1(int dir_fd, const struct prepared_pod *pp, int lower_fd, bool overlay, struct err *e)
{
	const struct stage1 *s = &pp->stage1;

	if (make_dir(dir_fd, "stage1", 0755, e) < 0 || make_dir(dir_fd, "stage1/rootfs", 0755, e) < 0 ||
	    write_file(dir_fd, "stage1/manifest", s->text, s->text_len, e) < 0)
		return -1;
	if (s->builtin)
		return fill_builtin(dir_fd, &pp->r, e);
	return fill_foreign(dir_fd, pp, lower_fd, overlay, e) < 0 ? err_wrap(e, "stage 1") : 0;
}

/* ---- empty volumes ---- */

static int make_volume(int dir_fd, const struct appc_volume *v, struct err *e)
{
	char path[PATH_LEN];
	uint32_t mode = 0755;

	if (v->mode && num_mode(v->mode, &mode, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "volumes/%s", v->name);
	if (make_dir(dir_fd, path, 0700, e) < 0)
		return -1;
	/* -1: not said, root; the mode last, since a change of owner takes bits away */
	if ((v->uid > 0 || v->gid > 0) &&
		fchownat(dir_fd, path, v->uid > 0 ? (uid_t)v->uid : 0,
			v->gid > 0 ? (gid_t)v->gid : 0, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "owner of %s", path);
	if (fchmodat(dir_fd, path, mode, 0) < 0)
		return err_sys(e, "mode of %s", path);
	return 0;
}

static int make_volumes(int dir_fd, const struct appc_volumes *l, struct err *e)
{
	bool made = false;

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].kind, "empty"))
			continue;
		if (!made && make_dir(dir_fd, "volumes", APPS_MODE, e) < 0)
			return -1;
		made = true;
		if (make_volume(dir_fd, &l->v[i], e) < 0)
			return err_wrap(e, "volume %s", l->v[i].name);
	}
	return 0;
}

static int fill_volumes(const struct prepared_pod *pp, struct err *e)
{
	for (size_t i = 0; i < pp->r.n_fills; i++) {
		const struct reified_fill *v = &pp->r.fills[i];
		if (volume_fill(pp->pod.dir_fd, v->volume, pp->lower_fds[v->image], v->path, e) < 0)
			return err_wrap(e, "volume %s", v->volume);
	}
	return 0;
}

/* ---- users of its own ---- */

/* Into the manifest as well, which everybody reads. What says there that the pod has a range is us, or nobody. */
static int reserve_ids(struct prepared_pod *pp, struct err *e)
{
	char text[POD_IDS_TEXT_MAX];

	if (pod_ids_reserve(&pp->pod, &pp->ids, e) < 0)
		return -1;
	pod_ids_text(&pp->ids, text);
	return appc_pairs_set(&pp->r.pod.annotations, POD_IDS_ANNOTATION, text, e);
}

static int check_manifest(const struct pod_manifest *m, struct err *e)
{
	if (!appc_pair_find(&m->annotations, POD_IDS_ANNOTATION))
		return 0;
	return err_set(e, EINVAL, "pod manifest: the annotation " POD_IDS_ANNOTATION " is what --private-users makes: "
		"leave it out, and give the option");
}

/* ---- the whole ---- */

static int fill(const struct prepared_pod *pp, bool overlay, bool now, struct err *e)
{
	int dir_fd = pp->pod.dir_fd, stage1_fd = pp->lower_fds[pp->r.n_images];

	if (write_pod_manifest(dir_fd, &pp->r.pod, e) < 0 || make_dir(dir_fd, "appsinfo", APPS_MODE, e) < 0 ||
		fill_stage1(dir_fd, pp, stage1_fd, overlay, e) < 0 ||
		fill_apps(dir_fd, &pp->r, pp->lower_fds, overlay, e) < 0 ||
		make_volumes(dir_fd, &pp->r.pod.volumes, e) < 0 || (!now && record_trust(pp, e) < 0))
		return -1;
	return fill_volumes(pp, e);
}

/* What else a root is made of was not asked for by anybody's name, so nobody has looked at it yet. */
static int render_trusted(struct prepared_pod *pp, const struct rkt_globals *g, const struct image_id *id,
			  struct render_id *root, struct err *e)
{
	auto_close int fd = render_image(pp->st, id, root, e);

	return fd < 0 || images_trust_root(pp->st, g, root, e) < 0 ? -1 : take_fd(&fd);
}

static int render(struct prepared_pod *pp, const struct rkt_globals *g, struct err *e)
{
	size_t n = pp->r.n_images;

	pp->lower_fds = xmalloc((n + 1) * sizeof(*pp->lower_fds));
	for (size_t i = 0; i <= n; i++)
		pp->lower_fds[i] = -1;
	for (size_t i = 0; i < n; i++) {
		pp->lower_fds[i] = render_trusted(pp, g, &pp->r.images[i].id, &pp->r.images[i].root, e);
		if (pp->lower_fds[i] < 0)
			return err_wrap(e, "image %s", pp->r.pod.apps.v[i].image_name);
	}
	if (pp->stage1.builtin)
		return 0;
	pp->lower_fds[n] = render_trusted(pp, g, &pp->stage1.id, &pp->stage1.root, e);
	return pp->lower_fds[n] < 0 ? err_wrap(e, "stage 1") : 0;
}

static int check_stage1(const struct stage1 *s, struct err *e)
{
	if (s->builtin || !rootless_is_user())
		return 0;
	return err_set(e, EPERM, "cannot run as unprivileged user: a stage 1 that is an image (%s) needs root; the built-in one does not",
		       s->manifest.name);
}

static int judge(const struct rkt_globals *g, const struct launch_opts *now, struct prepared_pod *pp, struct err *e)
{
	bool any;

	if (isolators_record(&pp->r.pod, g->insecure, e) < 0)
		return -1;
	return now ? isolators_judge(&pp->r.pod, g->insecure, now, pp->stage1.builtin, &any, e) : 0;
}

static int resolve(const struct rkt_globals *g, struct podopts *o, const struct launch_opts *now,
		   struct prepared_pod *pp, const char *dir, struct err *e)
{
	enum images_pull pull;

	if (images_pull_parse(o->pull_policy, o->store_only, o->no_store, &pull, e) < 0)
		return -1;
	pp->st = images_open(g, &pp->conf, dir, true, e);
	if (!pp->st || images_verify(pp->st, g, &pp->conf, o->verify, e) < 0 ||
	    stage1_choose(pp->st, g, &pp->conf, &o->stage1, pull, &pp->stage1, e) < 0 || check_stage1(&pp->stage1, e) < 0 ||
	    (now && launch_check_stage1(now, &pp->stage1, e) < 0) ||
	    (o->private_users && stage1_check_users(&pp->stage1, e) < 0) || reify(pp->st, g, o, &pp->r, e) < 0 ||
	    check_manifest(&pp->r.pod, e) < 0 || (now && volume_check_sources(&pp->r.pod, &pp->no_source, e) < 0) ||
	    judge(g, now, pp, e) < 0)
		return -1;
	return render(pp, g, e);
}

void prepare_pod_undo(struct prepared_pod *pp)
{
	struct pod_remove_opts o = { .ctx = NULL };
	struct err why;

	/* what cannot be removed now is an aborted pod, which gc removes later */
	if (pod_remove(&pp->pod, &o, &why) < 0)
		ui_debug("%s", why.msg);
}

int prepare_pod(const struct rkt_globals *g, struct podopts *o, const struct launch_opts *now,
	struct prepared_pod *pp, struct err *e)
{
	*pp = (struct prepared_pod){ .pod.dir_fd = -1 };
	if (globals_conf(g, &pp->conf, e) < 0)
		return -1;
	/* modes in the pod are what they are said to be, whatever the caller's umask */
	umask(022);
	const char *dir = globals_dir(g, &pp->conf);
	if (resolve(g, o, now, pp, dir, e) < 0)
		return -1;
	pp->pods = pods_open(dir, true, e);
	if (!pp->pods || pod_new(pp->pods, &pp->pod, e) < 0)
		return -1;
	ui_debug("preparing pod %s", pp->pod.uuid);
	if ((!o->private_users || reserve_ids(pp, e) == 0) && fill(pp, !o->no_overlay, now, e) == 0)
		return 0;
	prepare_pod_undo(pp);
	return err_wrap(e, "prepare pod %s", pp->pod.uuid);
}

void prepare_pod_free(struct prepared_pod *pp)
{
	for (size_t i = 0; pp->lower_fds && i <= pp->r.n_images; i++)
		fd_cleanup(&pp->lower_fds[i]);
	free(pp->lower_fds);
	reified_free(&pp->r);
	stage1_free(&pp->stage1);
	pod_close(&pp->pod);
	if (pp->pods)
		pods_close(pp->pods);
	if (pp->st)
		store_close(pp->st);
	conf_free(&pp->conf);
	*pp = (struct prepared_pod){ .pod.dir_fd = -1 };
}
