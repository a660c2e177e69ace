/* SPDX-License-Identifier: Apache-2.0
 * actool build - packs an image layout into an image file
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/actool/actool.h"
#include "applets/actool/output.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/archive/write.h"
#include "core/base/fd.h"
#include "core/base/num.h"

struct build_opts {
	struct actool_globals g;
	bool                  overwrite, no_compression, owner_root;
};

static const struct opt build_opts[] = {
	OPT_BOOL(0, "overwrite", struct build_opts, overwrite, "replace the output file if it exists"),
	OPT_BOOL(0, "no-compression", struct build_opts, no_compression, "do not compress with gzip"),
	OPT_BOOL(0, "owner-root", struct build_opts, owner_root, "let everything belong to root, 0:0"),
	OPT_PART("Global options", actool_globals_opts, struct build_opts, g),
	OPT_END
};

/* all findings are printed; the error is the sum of them */
static int check_layout(const char *dir, int dir_fd, struct err *e)
{
	struct image_manifest m = { 0 };
	struct findings f = { 0 };

	int r = aci_check_layout(dir_fd, &m, &f, e);
	if (r == 0 && !image_manifest_check_labels(&m, &f))
		r = findings_err(&f, e);
	actool_report(dir, &f);
	if (f.errors)
		err_set(e, EINVAL, "layout failed validation: %zu error%s", f.errors, f.errors == 1 ? "" : "s");
	image_manifest_free(&m);
	findings_free(&f);
	return r;
}

static int set_date(struct write_opts *w, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t s;

	if (!epoch || !*epoch)
		return 0;
	if (num_u64(epoch, INT64_MAX, &s, e) < 0)
		return err_wrap(e, "SOURCE_DATE_EPOCH");
	w->mtime = WRITE_MTIME_CLAMP;
	w->mtime_s = (int64_t)s;
	return 0;
}

static int pack(int out_fd, int dir_fd, const struct build_opts *o, const char *label, struct err *e)
{
	struct ui_progress progress;
	struct write_opts w = {
		.compression = o->no_compression ? NULL : &encoder_gzip, .level = encoder_gzip.level_default,
		.owner = o->owner_root,
		.ctx = &progress, .progress = ui_progress_at,
	};
	auto_free char *manifest = NULL;
	size_t len;

	auto_close int rootfs_fd = fd_open_dir(dir_fd, "rootfs", e);
	if (rootfs_fd < 0 || fd_read_file(dir_fd, "manifest", APPC_MANIFEST_MAX, &manifest, &len, e) < 0)
		return -1;
	if (set_date(&w, e) < 0)
		return -1;
	ui_progress_start(&progress, label, 0);
	int r = write_aci(out_fd, manifest, len, rootfs_fd, &w, e);
	ui_progress_end(&progress);
	return r;
}

static int build(const char *dir, const char *file, const struct build_opts *o, struct err *e)
{
	struct output out = { .path = file, .fd = -1 };
	/* the user's own path: links are fine */
	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return err_sys(e, "%s: open", dir);
	if (check_layout(dir, dir_fd, e) < 0)
		return err_wrap(e, "%s", dir);
	int r = output_open(&out, o->overwrite, e);
	if (r == 0)
		r = pack(out.fd, dir_fd, o, file, e);
	if (r == 0)
		r = output_publish(&out, o->overwrite, e);
	output_close(&out);
	return r < 0 ? err_wrap(e, "%s", file) : 0;
}

static int build_run(void *opts, int argc, char **argv, struct err *e)
{
	if (argc != 2)
		return err_set(e, EINVAL, "must provide directory and output file (see --help)");
	const char *dot = strrchr(argv[1], '.');
	if (!dot || strcmp(dot, ".aci") != 0)
		return err_set(e, EINVAL, "extension must be .aci (given %s)",
			       dot && !strchr(dot, '/') ? dot : "none");
	return build(argv[0], argv[1], opts, e);
}

const struct cmd actool_build_cmd = {
	.name = "build", .args = "DIRECTORY OUTPUT.aci", .summary = "Pack an image layout into an image file.",
	.more = "DIRECTORY holds the file manifest and the directory rootfs. Equal directories give\n"
		"equal files; times later than $SOURCE_DATE_EPOCH become that.\n",
	.opts = build_opts, .opts_size = sizeof(struct build_opts), .inherits = true, .run = build_run,
};
