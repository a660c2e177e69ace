/* SPDX-License-Identifier: Apache-2.0
 * actool extract - unpacks an image file into a directory
 *
 * All of the image is checked before anything of it is made, as actool validate checks it. Every entry is made
 * beneath the new directory without following a link, and the directory gets its name when it is complete.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/actool/actool.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/outdir.h"
#include "applets/passphrase.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/store/unpack.h"
#include "core/trust/decrypt.h"

struct extract_cmd_opts {
	struct actool_globals g;
	bool                  overwrite, rootfs_only, devices, no_owner;
	struct passphrase_opts passphrase;
};

static const struct opt extract_opts[] = {
	OPT_BOOL(0, "overwrite", struct extract_cmd_opts, overwrite, "replace the output directory if it is there"),
	OPT_BOOL(0, "rootfs-only", struct extract_cmd_opts, rootfs_only,
		 "only the root file system, without the manifest"),
	OPT_BOOL(0, "no-owner", struct extract_cmd_opts, no_owner,
		 "let everything belong to who extracts it, without setuid and setgid"),
	OPT_BOOL(0, "devices", struct extract_cmd_opts, devices,
		 "make device nodes too; without it, an image that has any is refused"),
	OPT_PART("Encrypted images", passphrase_opts, struct extract_cmd_opts, passphrase),
	OPT_PART("Global options", actool_globals_opts, struct extract_cmd_opts, g),
	OPT_END
};

struct job {
	const struct extract_cmd_opts *o;
	const char                    *file;
	int                            fd;
	struct stat                    st;
	struct ui_progress             progress;
};

static void on_progress(void *ctx, uint64_t bytes)
{
	ui_progress_at(&((struct job *)ctx)->progress, bytes);
}

static void on_warning(void *ctx, const char *text)
{
	ui_progress_end(&((struct job *)ctx)->progress);
	ui_warn("%s", text);
}

/* the failure as one message; what is wrong with the image has been told by then */
static int refuse(const struct job *j, const struct findings *f, struct err *e)
{
	if (e->code == ENODEV && !j->o->devices)
		return err_wrap(e, "%s (--devices makes it all the same)", j->file);
	if (!f->errors)
		return err_wrap(e, "%s", j->file);
	actool_report(j->file, f);
	return err_set(e, EINVAL, "%s: the image is not valid: %zu error%s", j->file, f->errors,
		       f->errors == 1 ? "" : "s");
}

static int unpack(struct job *j, int dir_fd, struct err *e)
{
	const struct unpack_opts u = {
		.rootfs_only = j->o->rootfs_only, .devices = j->o->devices, .no_owner = j->o->no_owner,
		.ctx = j, .progress = on_progress, .warn = on_warning,
	};
	struct findings f = { 0 };
	/* it may be the standard input, and somebody may have read from that */
	bool again = fstat(j->fd, &j->st) == 0 && S_ISREG(j->st.st_mode) && lseek(j->fd, 0, SEEK_CUR) == 0;

	/* what comes slowly is waited for from here on, since its beginning is looked at */
	ui_progress_start(&j->progress, j->file, (uint64_t)j->st.st_size);
	struct source *bottom = source_fd(j->fd, e);
	auto_source struct source *in = bottom ? passphrase_source(bottom, &j->o->passphrase, e) : NULL;
	if (!in)
		return err_wrap(e, "%s", j->file);
	int r = unpack_image(in, again && !decrypt_is(in) ? j->fd : -1, dir_fd, &u, &f, e);
	ui_progress_end(&j->progress);
	if (r < 0)
		refuse(j, &f, e);
	findings_free(&f);
	return r;
}

static int fill(void *ctx, int parent_fd, const char *name, struct err *e)
{
	if (mkdirat(parent_fd, name, 0755) < 0)
		return err_sys(e, "create directory %s", name);
	auto_close int fd = fd_open_dir(parent_fd, name, e);
	return fd < 0 ? -1 : unpack(ctx, fd, e);
}

static int extract_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct extract_cmd_opts *o = opts;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image file and an output directory (see --help)");
	if (passphrase_check(&o->passphrase, argv[0], e) < 0)
		return -1;
	bool standard = !strcmp(argv[0], "-");
	struct job j = { .o = o, .file = standard ? "standard input" : argv[0] };
	auto_close int fd = standard ? -1 : fd_open_input(j.file, &j.st, e);
	if (!standard && fd < 0)
		return err_wrap(e, "%s: open", j.file);
	j.fd = standard ? 0 : fd;
	return outdir_write(argv[1], o->overwrite, fill, &j, e);
}

const struct cmd actool_extract_cmd = {
	.name = "extract", .args = "FILE.aci DIRECTORY", .summary = "Unpack an image file into a directory.",
	.more = "The directory receives the file manifest and the directory rootfs: an image layout,\n"
		"as build packs it. FILE.aci may be - for the standard input.\n",
	.opts = extract_opts, .opts_size = sizeof(struct extract_cmd_opts), .inherits = true, .run = extract_run,
};
