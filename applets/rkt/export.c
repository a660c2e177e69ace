/* SPDX-License-Identifier: Apache-2.0
 * rkt export - packs an app of a pod that ended, with all it changed, as an image
 *
 * The file appears under its name when it is complete; whatever stops us before leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/archive/write.h"
#include "core/base/fd.h"
#include "core/base/lock.h"
#include "core/pod/appfs.h"
#include "core/store/render.h"
#include "core/store/store.h"

struct export_opts {
	struct rkt_globals g;
	bool               overwrite;
	const char        *app;
};

static const struct opt export_opts[] = {
	OPT_TEXT(0, "app", "NAME", struct export_opts, app, "which app; needed when the pod has several"),
	OPT_BOOL(0, "overwrite", struct export_opts, overwrite, "replace OUT.aci if it is there"),
	OPT_PART("Global options", rkt_globals_opts, struct export_opts, g),
	OPT_END
};

/* ---- the file ---- */

struct out {
	const char *path, *name; /* name: its last component */
	int         dir_fd, fd;
	char       *tmp; /* a name it has meanwhile; NULL: none */
};

static int out_open(struct out *o, const char *path, bool overwrite, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xasprintf("%.*s", (int)(slash - path) + 1, path) : xstrdup(".");

	*o = (struct out){ .path = path, .name = slash ? slash + 1 : path, .fd = -1 };
	o->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (o->dir_fd < 0)
		return err_sys(e, "unable to open target %s", path);
	if (!overwrite && faccessat(o->dir_fd, o->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, EEXIST, "target file %s exists (try --overwrite)", path);
	o->fd = openat(o->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (o->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT))
		return o->fd < 0 ? err_sys(e, "unable to open target %s", path) : 0;
	/* overlay and network file systems have no files without a name */
	o->tmp = xasprintf(".%.200s.tmp.%d", o->name, (int)getpid());
	o->fd = openat(o->dir_fd, o->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return o->fd < 0 ? err_sys(e, "unable to open target %s", path) : 0;
}

static int out_link(struct out *o, const char *name)
{
	char link[40];

	if (o->tmp)
		return linkat(o->dir_fd, o->tmp, o->dir_fd, name, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, link, o->dir_fd, name, AT_SYMLINK_FOLLOW);
}

static int out_publish(struct out *o, bool overwrite, struct err *e)
{
	if (fsync(o->fd) < 0)
		return err_sys(e, "write %s", o->path);
	if (out_link(o, o->name) < 0) {
		if (errno != EEXIST)
			return err_sys(e, "write %s", o->path);
		if (!overwrite)
			return err_set(e, EEXIST, "target file %s exists (try --overwrite)", o->path);
		if (!o->tmp) {
			o->tmp = xasprintf(".%.200s.tmp.%d", o->name, (int)getpid());
			char *new_name = take_ptr(o->tmp);
			int r = out_link(o, new_name);
			o->tmp = new_name;
			if (r < 0)
				return err_sys(e, "write %s", o->path);
		}
		if (renameat(o->dir_fd, o->tmp, o->dir_fd, o->name) < 0)
			return err_sys(e, "replace %s", o->path);
	}
	return fsync(o->dir_fd) < 0 ? err_sys(e, "write %s", o->path) : 0;
}

static void out_close(struct out *o)
{
	if (o->tmp)
		unlinkat(o->dir_fd, o->tmp, 0); /* after a rename it is not there any more */
	free(o->tmp);
	fd_cleanup(&o->fd);
	fd_cleanup(&o->dir_fd);
}

/* ---- the content ---- */

static int read_small(const struct pod *p, const char *app, const char *file, size_t max, struct buf *b, struct err *e)
{
	char *path = xasprintf("appsinfo/%s/%s", app, file), block[4096];
	auto_close int fd = pod_file(p, path, e);
	ssize_t n = 0;

	free(path);
	if (fd < 0)
		return -1;
	while (b->len <= max && (n = fd_read_full(fd, block, sizeof(block))) > 0)
		buf_add(b, block, (size_t)n);
	if (n < 0)
		return err_sys(e, "pod %s: read %s of %s", p->uuid, file, app);
	if (b->failed || b->len > max || !b->len)
		return err_set(e, EINVAL, "pod %s: %s of %s is damaged", p->uuid, file, app);
	return 0;
}

/* The tree holds what came from dependencies already, and what the app deleted shall not come back from them. */
static int make_manifest(const struct pod *p, const char *app, struct buf *out, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct findings f = { 0 };
	struct image_manifest m;

	if (read_small(p, app, "manifest", APPC_MANIFEST_MAX, &text, e) < 0)
		return -1;
	bool good = image_manifest_parse(text.data, text.len, &m, &f);
	if (!good && findings_err(&f, e) == 0)
		err_set(e, ENOMEM, "out of memory");
	findings_free(&f);
	if (!good)
		return err_wrap(e, "image manifest of app %s", app);
	if (!m.dependencies.n && !m.path_whitelist.n) {
		buf_add(out, text.data, text.len);
	} else {
		size_t n_dependencies = m.dependencies.n;
		appc_strings_clear(&m.path_whitelist);
		m.dependencies.n = 0;
		image_manifest_print(&m, false, out);
		m.dependencies.n = n_dependencies;
	}
	image_manifest_free(&m);
	return out->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int open_lower(const struct pod *p, const char *app, struct store *st, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct render_id root;

	if (read_small(p, app, "treeStoreID", 200, &text, e) < 0)
		return -1;
	text.data[strcspn(text.data, "\n")] = 0;
	/* not looked up: the image may be gone from the store, its content stays as long as the pod does */
	if (!render_id_ok(text.data))
		return err_set(e, EINVAL, "pod %s: treeStoreID of %s is damaged", p->uuid, app);
	render_id_set(&root, text.data);
	int fd = render_again(st, &root, e);
	return fd < 0 ? err_wrap(e, "image of app %s", app) : fd;
}

static int pack(const struct pod *p, const char *app, struct store *st, const struct out *o, struct err *e)
{
	auto_buf struct buf manifest = { 0 };
	auto_close int lower_fd = -1;
	struct ui_progress progress;
	struct write_opts how = { .compression = &encoder_gzip, .level = encoder_gzip.level_default, .ctx = &progress, .progress = ui_progress_at };

	if (make_manifest(p, app, &manifest, e) < 0)
		return -1;
	if (appfs_is_overlay(p->dir_fd, app) && (lower_fd = open_lower(p, app, st, e)) < 0)
		return -1;
	auto_close int root_fd = appfs_mount_ro(p->dir_fd, app, lower_fd, e);
	if (root_fd < 0)
		return -1;
	ui_progress_start(&progress, "packing", 0);
	int r = write_aci(o->fd, manifest.data, manifest.len, root_fd, &how, e);
	ui_progress_end(&progress);
	return r < 0 ? err_wrap(e, "error building aci") : 0;
}

static int export_app(const struct export_opts *o, const struct pod *p, const char *app, const char *path,
		      struct err *e)
{
	struct out out;
	struct store *st = images_store(&o->g, false, e);
	int r = st ? 0 : -1;

	if (r < 0)
		return -1;
	r = out_open(&out, path, o->overwrite, e);
	if (r == 0)
		r = pack(p, app, st, &out, e);
	if (r == 0)
		r = out_publish(&out, o->overwrite, e);
	out_close(&out);
	store_close(st);
	return r;
}

/* a shared lock: what is being packed is not collected meanwhile */
static int hold(struct pod *p, struct err *e)
{
	int r = lock_try(p->dir_fd, LOCK_SHARED, e);

	if (r < 0)
		return err_wrap(e, "pod %s", p->uuid);
	if (!r || pod_refresh(p, e) < 0)
		return err_set(e, EBUSY, "pod \"%s\" is being removed", p->uuid);
	return 0;
}

static int export_run(void *opts, int argc, char **argv, struct err *e)
{
	struct export_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	struct pod_manifest m;

	if (argc != 2)
		return err_set(e, EINVAL, "want a UUID and the name of the file to write (see --help)");
	const char *dot = strrchr(argv[1], '.');
	if (!dot || strcmp(dot, ".aci"))
		return err_set(e, EINVAL, "extension must be .aci (given %s)", argv[1]);
	if (globals_be_root(&o->g, e) < 0 || podref_find(&r, &o->g, argv[0], e) < 0)
		return -1;
	if (r.pod.state != POD_EXITED && r.pod.state != POD_EXITED_GARBAGE)
		return err_set(e, EBUSY, "pod is not exited but %s. Only exited pods are supported.",
			       pod_state_name(r.pod.state));
	if (hold(&r.pod, e) < 0 || pod_manifest(&r.pod, &m, e) < 0)
		return -1;
	const struct appc_runtime_app *app = podref_app(&m, o->app, "export", e);
	int result = app ? export_app(o, &r.pod, app->name, argv[1], e) : -1;
	pod_manifest_free(&m);
	return result;
}

const struct cmd rkt_export_cmd = {
	.name = "export", .args = "UUID OUT.aci", .summary = "Pack an app of a pod that ended as an image.",
	.opts = export_opts, .opts_size = sizeof(struct export_opts), .inherits = true, .run = export_run,
};
