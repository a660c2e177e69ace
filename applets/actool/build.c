/* SPDX-License-Identifier: Apache-2.0
 * actool build - packs an image layout, or a program with what it needs, into an image file
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/actool/build_binary.h"
#include "applets/actool/build_how.h"
#include "applets/actool/build_sign.h"
#include "applets/actool/gpg.h"
#include "applets/actool/output.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"

struct build_opts {
	struct actool_globals g;
	bool                  overwrite;
	struct build_how      how;
	struct build_sign     sign;
	struct build_binary   binary;
	int                   n_rest; /* what stands behind "--" */
	char                **rest;
};

static const struct opt build_opts[] = {
	OPT_BOOL(0, "overwrite", struct build_opts, overwrite, "replace the output file if it exists"),
	OPT_PART("The file", build_how_opts, struct build_opts, how),
	OPT_PART("From a program", build_binary_opts, struct build_opts, binary),
	OPT_PART("Signature", build_sign_opts, struct build_opts, sign),
	OPT_PART("Encryption", build_encrypt_opts, struct build_opts, sign),
	OPT_PART("Global options", actool_globals_opts, struct build_opts, g),
	OPT_END
};

/* ---- an image layout ---- */

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

static int pack_layout(int dir_fd, int out_fd, const struct write_opts *w, struct err *e)
{
	auto_free char *manifest = NULL;
	size_t len;

	auto_close int rootfs_fd = fd_open_dir(dir_fd, "rootfs", e);
	if (rootfs_fd < 0 || fd_read_file(dir_fd, "manifest", APPC_MANIFEST_MAX, &manifest, &len, e) < 0)
		return -1;
	return write_aci(out_fd, manifest, len, rootfs_fd, w, e);
}

static int open_layout(const char *dir, struct err *e)
{
	/* the user's own path: links are fine */
	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return err_sys(e, "%s: open", dir);
	if (check_layout(dir, dir_fd, e) < 0)
		return err_wrap(e, "%s", dir);
	return take_fd(&dir_fd);
}

/* ---- the files ---- */

/* @dir_fd: of the layout; -1: there is none, but a program */
static int pack_to(int fd, int dir_fd, const char *label, const struct build_opts *o, const struct write_opts *how,
		   struct err *e)
{
	struct ui_progress progress;
	struct write_opts w = *how;

	w.ctx = &progress;
	w.progress = ui_progress_at;
	ui_progress_start(&progress, label, 0);
	int r = dir_fd >= 0 ? pack_layout(dir_fd, fd, &w, e) : binary_pack(&o->binary, o->n_rest, o->rest, fd, &w, e);
	ui_progress_end(&progress);
	return r;
}

static int pack(int dir_fd, const struct output *out, const struct build_opts *o, const struct write_opts *w,
		struct err *e)
{
	struct gpg_encrypt x;

	if (!o->sign.encrypt)
		return pack_to(out->fd, dir_fd, out->path, o, w, e);
	if (gpg_encrypt_start(&x, o->sign.gpg, &o->sign.passphrase, true, out->fd, e) < 0)
		return -1;
	return gpg_encrypt_end(&x, pack_to(x.to_fd, dir_fd, out->path, o, w, e), e);
}

/* the image, and its signature behind it */
static int make_files(int dir_fd, struct output out[2], const struct build_opts *o, const struct write_opts *w,
		      struct err *e)
{
	if (pack(dir_fd, &out[0], o, w, e) < 0)
		return err_wrap(e, "%s", out[0].path);
	if (o->sign.sign && gpg_sign(o->sign.gpg, o->sign.local_user, &out[0], &out[1], e) < 0)
		return err_wrap(e, "%s", out[1].path);
	return output_publish(out, o->sign.sign ? 2 : 1, o->overwrite, e);
}

static int write_files(int dir_fd, const char *file, const struct build_opts *o, const struct write_opts *w,
		       struct err *e)
{
	auto_free char *signature = xasprintf("%s.asc", file);
	struct output out[2] = { { .fd = -1 }, { .fd = -1 } };
	int r = output_open(&out[0], file, o->overwrite, e);

	if (r == 0 && o->sign.sign)
		r = output_open(&out[1], signature, o->overwrite, e);
	if (r == 0)
		r = make_files(dir_fd, out, o, w, e);
	output_close(&out[1]);
	output_close(&out[0]);
	return r;
}

static int build(const char *dir, const char *file, const struct build_opts *o, struct err *e)
{
	struct write_opts w = { .level = 0 };
	struct exclude exclude = { 0 };
	auto_close int dir_fd = -1;
	int r = build_how_read(&o->how, &w, &exclude, e);

	if (r == 0 && dir && (dir_fd = open_layout(dir, e)) < 0)
		r = -1;
	if (r == 0)
		r = write_files(dir_fd, file, o, &w, e);
	exclude_free(&exclude);
	return r;
}

/* ---- the command line ---- */

/* arguments for the program; without one, "--" only ends the options */
static int build_rest(void *opts, int argc, char **argv, struct err *e)
{
	struct build_opts *o = opts;

	o->n_rest = argc;
	o->rest = argv;
	return 0;
}

static int check_binary(const struct build_opts *o, struct err *e)
{
	if (!o->binary.file)
		return binary_none_of(&o->binary, e);
	return o->how.exclude.n ? err_set(e, EINVAL, "--exclude is about layouts; a program has nothing to leave out") : 0;
}

static int build_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct build_opts *o = opts;
	const char *operands[2];
	int n = 0;

	for (int i = 0; i < argc; i++, n++)
		if (n < 2)
			operands[n] = argv[i];
	for (int i = 0; i < o->n_rest && !o->binary.file; i++, n++)
		if (n < 2)
			operands[n] = o->rest[i];
	if (o->binary.file && n != 1)
		return err_set(e, EINVAL, "must provide output file, and with --from-binary no directory (see --help)");
	if (!o->binary.file && n != 2)
		return err_set(e, EINVAL, "must provide directory and output file (see --help)");
	const char *file = operands[n - 1];
	if (output_check_name(file, e) < 0 || build_sign_check(&o->sign, e) < 0 || check_binary(o, e) < 0)
		return -1;
	return build(o->binary.file ? NULL : operands[0], file, o, e);
}

const struct cmd actool_build_cmd = {
	.name = "build", .args = "[DIRECTORY] OUTPUT.aci [-- ARG...]",
	.summary = "Pack an image layout, or a program, into an image file.",
	.more = "DIRECTORY holds the file manifest and the directory rootfs. With --from-binary there is\n"
		"none: the image holds that program and the libraries that it names, and ARG are\n"
		"arguments for it.\n\n"
		"Equal input gives equal files; times later than $SOURCE_DATE_EPOCH become that. Patterns\n"
		"with a slash are about paths in rootfs, others about names; * and ? stand for no slash,\n"
		"** does.\n",
	.opts = build_opts, .opts_size = sizeof(struct build_opts), .inherits = true, .run = build_run,
	.rest = build_rest,
};
