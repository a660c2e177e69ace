/* SPDX-License-Identifier: Apache-2.0
 * images_output - an image as a directory for people; see images_output.h
 */
#include "applets/rkt/images_output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "applets/outdir.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/store/render.h"

const struct opt images_output_opts_table[] = {
	OPT_BOOL(0, "overwrite", struct images_output_opts, overwrite, "replace the output directory if it is there"),
	OPT_BOOL(0, "rootfs-only", struct images_output_opts, rootfs_only,
		"only the root file system, without the manifest"),
	OPT_PART("Global options", rkt_globals_opts, struct images_output_opts, g),
	OPT_END
};

struct output {
	struct store          *st;
	const struct image_id *id;
	bool                   rootfs_only;
	images_fill           *fill_dir;
};

static int fill_root(const struct output *o, int parent_fd, const char *name, struct err *e)
{
	auto_close int fd = -1;

	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_sys(e, "create directory %s", name);
	fd = fd_open_dir(parent_fd, name, e);
	return fd < 0 ? -1 : o->fill_dir(o->st, o->id, fd, e);
}

static int fill(void *ctx, int parent_fd, const char *name, struct err *e)
{
	const struct output *o = ctx;
	auto_free char *text = NULL;
	size_t len;

	if (o->rootfs_only)
		return fill_root(o, parent_fd, name, e);
	if (store_manifest_text(o->st, o->id, &text, &len, e) < 0)
		return -1;
	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_sys(e, "create directory %s", name);
	auto_close int fd = fd_open_dir(parent_fd, name, e);
	if (fd < 0 || fd_publish(fd, "manifest", text, len, 0644, false, e) < 0)
		return -1;
	return fill_root(o, fd, "rootfs", e);
}

int images_output_run(const struct images_output_opts *o, int argc, char **argv, images_fill *fill_dir, struct err *e)
{
	struct image_id id;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image and an output directory (see --help)");
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	struct output out = { .st = st, .id = &id, .rootfs_only = o->rootfs_only, .fill_dir = fill_dir };
	int r = images_find(st, argv[0], &id, e) < 0 ? -1 : outdir_write(argv[1], o->overwrite, fill, &out, e);
	store_close(st);
	return r;
}
