/* SPDX-License-Identifier: Apache-2.0
 * actool patch-manifest - copies an image file, with another manifest in it
 *
 * Only the manifest's entry is made anew. What comes before and behind it in the tar is copied as it is, by the
 * kernel when both files are uncompressed. The copy of an encrypted image is encrypted with the same passphrase. What is published has been read and checked as actool validate does it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/actool/actool.h"
#include "applets/actool/gpg.h"
#include "applets/actool/output.h"
#include "applets/actool/patch_edit.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/archive/compress.h"
#include "core/archive/patch.h"
#include "core/base/fd.h"
#include "core/trust/decrypt.h"

struct patch_opts {
	struct actool_globals g;
	bool                  overwrite, replace, no_compression, decrypt;
	const char           *compression, *manifest, *gpg;
	struct passphrase_opts passphrase;
	struct patch_edit     edit;
};

static const struct opt patch_opts[] = {
	OPT_BOOL(0, "overwrite", struct patch_opts, overwrite, "replace the output file if it exists"),
	OPT_BOOL(0, "replace", struct patch_opts, replace, "replace the input file"),
	OPT_BOOL(0, "no-compression", struct patch_opts, no_compression, "same as --compression=none"),
	OPT_TEXT(0, "compression", "FORMAT", struct patch_opts, compression,
		 "gzip, xz, zstd or none; without it, what the input has"),
	OPT_TEXT(0, "manifest", "FILE", struct patch_opts, manifest, "the whole new manifest, instead of changes"),
	OPT_PART("Changes of the manifest", patch_edit_opts, struct patch_opts, edit),
	OPT_PART("Encrypted images", passphrase_opts, struct patch_opts, passphrase),
	OPT_BOOL(0, "decrypt", struct patch_opts, decrypt, "do not encrypt the output, as the input is"),
	OPT_TEXT(0, "gpg", "PROGRAM", struct patch_opts, gpg, "encrypt with PROGRAM instead of gpg"),
	OPT_PART("Global options", actool_globals_opts, struct patch_opts, g),
	OPT_END
};

/* one image on its way */
struct job {
	const struct patch_opts *o;
	const char              *in_path, *out_path;
	struct stat              st;
	int                      in_fd;
	struct aci_result        old;
	struct patch             patch;
	struct output            out;
	int                      to_fd;    /* where the copy is written to: out's, or gpg */
	bool                     encrypted; /* the input is */
	struct compress         *compress; /* NULL: nothing is */
	bool                     write_plain; /* what is read is to be written; otherwise it is there already */
	struct ui_progress       progress;
};

/* ---- the new manifest ---- */

/* all findings are printed; the error is the sum of them */
static int refuse(const char *file, const char *what, const struct findings *f, struct err *e)
{
	if (!f->errors)
		return -1; /* *e says why */
	actool_report(file, f);
	return err_set(e, EINVAL, "%s: %zu error%s", what, f->errors, f->errors == 1 ? "" : "s");
}

static struct source *open_input(const struct job *j, struct err *e)
{
	struct source *in = source_fd(j->in_fd, e);

	return in ? passphrase_source(in, &j->o->passphrase, e) : NULL;
}

/* an old manifest that is wrong can be replaced, but not changed */
static int read_old(struct job *j, struct err *e)
{
	struct findings f = { 0 };
	auto_source struct source *in = open_input(j, e);

	j->encrypted = in && decrypt_is(in);
	int r = in ? aci_read_manifest(in, &j->old, &f, e) : -1;
	if (r < 0 && j->o->manifest && j->old.manifest_text)
		r = 0;
	else if (r < 0 && j->old.manifest_text)
		r = refuse(j->in_path, "cannot change a manifest that is not valid (--manifest replaces it)", &f, e);
	findings_free(&f);
	return r;
}

static int new_text(struct job *j, struct buf *text, struct err *e)
{
	auto_free char *file = NULL;
	size_t len;

	if (j->o->manifest) {
		struct stat st;
		auto_close int fd = fd_open_input(j->o->manifest, &st, e);
		if (fd < 0)
			return err_wrap(e, "%s: open", j->o->manifest);
		file = xmalloc(APPC_MANIFEST_MAX + 1);
		ssize_t n = fd_read_full(fd, file, APPC_MANIFEST_MAX + 1);
		if (n < 0)
			return err_sys(e, "%s: read", j->o->manifest);
		if (n > (ssize_t)APPC_MANIFEST_MAX)
			return err_set(e, EFBIG, "%s: more than the 4 MiB that a manifest may have", j->o->manifest);
		len = (size_t)n;
		buf_add(text, file, len);
	} else {
		if (patch_edit(&j->o->edit, &j->old.manifest, e) < 0)
			return -1;
		image_manifest_print(&j->old.manifest, false, text);
	}
	return text->failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* before anything is copied: the copy may take long */
static int check_text(const struct job *j, const struct buf *text, struct err *e)
{
	struct image_manifest m = { 0 };
	struct findings f = { 0 };
	int r = 0;

	if (!image_manifest_parse(text->data, text->len, &m, &f))
		r = refuse(j->o->manifest ? j->o->manifest : "new manifest", "the new manifest is not valid", &f, e);
	image_manifest_free(&m);
	findings_free(&f);
	return r;
}

static int make_patch(struct job *j, struct err *e)
{
	struct buf text = { 0 };
	int r = new_text(j, &text, e);

	if (r == 0)
		r = check_text(j, &text, e);
	if (r == 0)
		r = patch_make(&j->patch, &j->old.manifest_at, text.data, text.len, e);
	buf_free(&text);
	return r;
}

/* ---- the copy ---- */

static int on_block(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct job *j = ctx;

	if (j->compress)
		return compress_write(j->compress, p, len, e);
	if (j->write_plain && fd_write_all(j->to_fd, p, len) < 0)
		return err_sys(e, "write");
	return 0;
}

static void on_progress(void *ctx, uint64_t bytes)
{
	ui_progress_at(&((struct job *)ctx)->progress, bytes);
}

static int read_checked(struct job *j, struct source *in, struct err *e)
{
	static const struct aci_bounds bounds = { 0 };
	const struct aci_handler h = { .ctx = j, .tap = on_block, .progress = on_progress };
	struct aci_result res = { 0 };
	struct findings f = { 0 };

	ui_progress_start(&j->progress, j->out_path, 0);
	int r = aci_read(in, &bounds, ACI_ALL, &h, &res, &f, e);
	ui_progress_end(&j->progress);
	if (r < 0)
		refuse(j->in_path, "the image is not valid", &f, e);
	aci_result_free(&res);
	findings_free(&f);
	return r;
}

static int copy_exactly(const struct job *j, uint64_t from, uint64_t to, uint64_t len, struct err *e)
{
	int64_t n = fd_copy(j->in_fd, (off_t)from, j->out.fd, (off_t)to, len);

	if (n < 0)
		return err_sys(e, "copy");
	return (uint64_t)n == len ? 0 : err_set(e, EIO, "%s became shorter while it was read", j->in_path);
}

static int copy_plain(struct job *j, struct err *e)
{
	const struct patch *p = &j->patch;
	uint64_t behind = p->begin + p->entry.len, size = (uint64_t)j->st.st_size;

	if (size < p->end)
		return err_set(e, EIO, "%s became shorter while it was read", j->in_path);
	if (copy_exactly(j, 0, 0, p->begin, e) < 0)
		return -1;
	if (lseek(j->out.fd, (off_t)p->begin, SEEK_SET) < 0 ||
	    fd_write_all(j->out.fd, p->entry.data, p->entry.len) < 0)
		return err_sys(e, "write");
	if (copy_exactly(j, p->end, behind, size - p->end, e) < 0)
		return -1;
	if (lseek(j->out.fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read again");
	auto_source struct source *in = source_fd(j->out.fd, e);
	return in ? read_checked(j, in, e) : -1;
}

/* @format: NULL: not compressed */
static int copy_read(struct job *j, const struct encoder *format, struct err *e)
{
	if (lseek(j->in_fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read again");
	struct source *in = open_input(j, e);
	if (in)
		in = inflate_open(in, e);
	if (in)
		in = patch_source(&j->patch, in, e);
	auto_source struct source *patched = in;
	if (!patched)
		return -1;
	j->write_plain = !format;
	if (format && !(j->compress = compress_open(format, format->level_default, j->to_fd, e)))
		return -1;
	int r = read_checked(j, patched, e);
	if (r == 0 && format)
		r = compress_end(j->compress, e);
	compress_free(j->compress);
	j->compress = NULL;
	return r;
}

/* what was asked for; otherwise what the input has, or gzip where that cannot be written */
static const struct encoder *choose_format(const struct job *j)
{
	if (j->o->no_compression)
		return NULL;
	if (j->o->compression)
		return compress_find(j->o->compression);
	if (j->old.format == INFLATE_NONE)
		return NULL;
	const struct encoder *same = compress_find(inflate_name(j->old.format));
	return same ? same : &encoder_gzip;
}

static int copy(struct job *j, struct err *e)
{
	const struct encoder *format = choose_format(j);
	struct gpg_encrypt x;

	j->to_fd = j->out.fd;
	if (!format && j->old.format == INFLATE_NONE && !j->encrypted)
		return copy_plain(j, e);
	if (!j->encrypted || j->o->decrypt)
		return copy_read(j, format, e);
	if (gpg_encrypt_start(&x, j->o->gpg, &j->o->passphrase, false, j->out.fd, e) < 0)
		return -1;
	j->to_fd = x.to_fd;
	return gpg_encrypt_end(&x, copy_read(j, format, e), e);
}

/* ---- the command ---- */

static int patch_open(struct job *j, struct err *e)
{
	if (output_open(&j->out, j->out_path, j->o->overwrite || j->o->replace, e) < 0)
		return -1;
	/* what replaces a file is for whom that was for */
	if (j->o->replace && fchmod(j->out.fd, j->st.st_mode & 0777) < 0)
		return err_sys(e, "%s: set mode", j->out_path);
	return 0;
}

static int patch(struct job *j, struct err *e)
{
	j->in_fd = fd_open_input(j->in_path, &j->st, e);
	if (j->in_fd < 0)
		return err_wrap(e, "%s: open", j->in_path);
	if (!S_ISREG(j->st.st_mode))
		return err_set(e, EINVAL, "%s: is no regular file, which can be read twice", j->in_path);
	if (read_old(j, e) < 0)
		return err_wrap(e, "%s", j->in_path);
	if (make_patch(j, e) < 0)
		return -1;
	if (patch_open(j, e) < 0)
		return -1;
	if (copy(j, e) < 0)
		return err_wrap(e, "%s", j->out_path);
	return output_publish(&j->out, 1, j->o->overwrite || j->o->replace, e);
}

static int patch_one(const struct patch_opts *o, const char *in, const char *out, struct err *e)
{
	struct job j = { .o = o, .in_path = in, .out_path = out, .in_fd = -1, .out = { .fd = -1 } };
	int r = patch(&j, e);

	output_close(&j.out);
	buf_free(&j.patch.entry);
	aci_result_free(&j.old);
	fd_cleanup(&j.in_fd);
	return r;
}

static int check_usage(const struct patch_opts *o, int argc, char **argv, struct err *e)
{
	if (o->replace && o->overwrite)
		return err_set(e, EINVAL, "cannot use both --replace and --overwrite");
	if (!o->replace && argc != 2)
		return err_set(e, EINVAL, "must provide input and output files (or use --replace)");
	if (o->replace && argc != 1)
		return err_set(e, EINVAL, "must provide one file");
	if (o->manifest && patch_edit_any(&o->edit))
		return err_set(e, EINVAL, "--manifest is incompatible with other manifest editing options");
	if (o->no_compression && o->compression)
		return err_set(e, EINVAL, "cannot use both --compression and --no-compression");
	const struct encoder *known;
	if (o->compression && compress_choose(o->compression, &known, e) < 0)
		return err_wrap(e, "--compression");
	return o->replace ? 0 : output_check_name(argv[1], e);
}

static int patch_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct patch_opts *o = opts;
	char *real = NULL;

	if (check_usage(o, argc, argv, e) < 0)
		return -1;
	/* the file is to be replaced, not a link to it */
	if (o->replace && !(real = realpath(argv[0], NULL)))
		return err_sys(e, "%s: open", argv[0]);
	int r = patch_one(o, argv[0], real ? real : argv[1], e);
	free(real);
	return r;
}

const struct cmd actool_patch_manifest_cmd = {
	.name = "patch-manifest", .args = "INPUT.aci [OUTPUT.aci]",
	.summary = "Copy an image file with another manifest.",
	.more = "Without --replace, OUTPUT.aci must be given. What is removed goes before anything is\n"
		"added; what has the name of something that is there takes its place.\n",
	.opts = patch_opts, .opts_size = sizeof(struct patch_opts), .inherits = true, .run = patch_run,
};
