/* SPDX-License-Identifier: Apache-2.0
 * publish_image - one image: copied first, and then checked, so that what was checked is what is published
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "applets/actool/gpg.h"
#include "applets/actool/publish.h"
#include "applets/actool/report.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "core/fetch/discovery.h"
#include "core/trust/armor.h"

/* an image or a signature on its way */
struct staged {
	struct output out;
	int           fd; /* of it, wherever it is by now; of the file itself in a dry run; -1: there is none */
};

/* ---- is it good? ---- */

static int check_image(const char *file, int fd, uint64_t size, struct aci_result *r, struct err *e)
{
	struct ui_progress progress;
	const struct aci_handler h = { .ctx = &progress, .progress = ui_progress_at, .undigested = true };
	const struct aci_bounds bounds = { .threads = 0 };
	struct findings f = { 0 };
	auto_source struct source *in = source_fd(fd, e);

	if (!in)
		return -1;
	ui_progress_start(&progress, file, size);
	int status = aci_read(in, &bounds, ACI_ALL, &h, r, &f, e);
	ui_progress_end(&progress);
	if (status == 0 && !image_manifest_check_labels(&r->manifest, &f))
		status = findings_err(&f, e);
	actool_report(file, &f);
	if (f.errors)
		err_set(e, EINVAL, "image failed validation: %zu error%s", f.errors, f.errors == 1 ? "" : "s");
	findings_free(&f);
	return status;
}

/* Values become part of file names here, and of URLs there. */
static int check_labels(const struct image_manifest *m, struct err *e)
{
	static const char *const names[] = { "version", "os", "arch" };

	for (size_t i = 0; i < 3; i++) {
		const char *v = appc_pair_find(&m->labels, names[i]);
		for (const char *s = v ? v : ""; *s; s++)
			if (*s == '/' || (unsigned char)*s < ' ' || *s == 0x7f)
				return err_set(e, EINVAL, "label %s: \"%s\" cannot be part of a file's name", names[i], v);
		if (v && !*v)
			return err_set(e, EINVAL, "label %s is empty (actool patch-manifest changes it)", names[i]);
	}
	return 0;
}

static int check_names(const struct publish *p, const struct image_manifest *m, struct err *e)
{
	size_t n = strlen(p->name);

	if (strncmp(m->name, p->name, n) != 0 || (m->name[n] && m->name[n] != '/'))
		return err_set(e, EINVAL, "is the image %s, which is not %s and not below it (see --name)", m->name, p->name);
	return check_labels(m, e);
}

/* ---- its files ---- */

static bool is_there(const struct publish *p, const char *path)
{
	return p->dir_fd >= 0 && faccessat(p->dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1: the same bytes; 0: others; -1: there is no such file */
static int compare(const struct publish *p, const char *path, int fd)
{
	char a[8192], b[8192];
	ssize_t n, m;

	auto_close int old_fd = openat(p->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (old_fd < 0)
		return is_there(p, path) ? 0 : -1;
	for (off_t at = 0;; at += n) {
		n = pread(fd, a, sizeof(a), at);
		m = fd_read_full(old_fd, b, sizeof(b));
		if (n < 0 || n != m || memcmp(a, b, (size_t)n) != 0)
			return 0;
		if (!n)
			return 1;
	}
}

static int target(const struct publish *p, const struct image_manifest *m, const char *version, char **path, char **url,
		  struct err *e)
{
	const char *os = appc_pair_find(&m->labels, "os"), *arch = appc_pair_find(&m->labels, "arch");
	auto_free char *tmpl = xasprintf("%s" PUBLISH_TEMPLATE, p->base);
	struct appc_pairs labels = { 0 };
	struct buf out = { 0 };
	size_t n;

	int r = appc_pairs_set(&labels, "version", version, e) < 0 || appc_pairs_set(&labels, "os", os, e) < 0 ||
		appc_pairs_set(&labels, "arch", arch, e) < 0 ? -1 : 0;
	if (r == 0 && !discovery_render(tmpl, m->name, &labels, "aci", &out, &n))
		r = err_set(e, ENAMETOOLONG, "its URL would be too long");
	appc_pairs_clear(&labels);
	if (r < 0) {
		buf_free(&out);
		return -1;
	}
	*path = xasprintf("%s-%s-%s-%s.aci", m->name, version, os, arch);
	*url = out.data;
	return 0;
}

/* under the name of a version */
static int put(struct publish *p, const struct image_manifest *m, const char *version, struct staged *image,
	       struct staged *sig, struct err *e)
{
	bool latest = !strcmp(version, "latest"), is_signed = sig->fd >= 0 || p->sign->sign;
	char *path, *url;

	if (target(p, m, version, &path, &url, e) < 0)
		return -1;
	auto_free char *sig_path = xasprintf("%s.asc", path), *sig_url = xasprintf("%s.asc", url);
	const struct publish_file *f = publish_file(p, path, url, e);
	if (!f)
		return -1;
	int same = compare(p, path, image->fd);
	bool was_signed = is_there(p, sig_path);
	if (same == 0 && !latest && !p->overwrite)
		return err_set(e, EEXIST, "%s is there already, and another image (try --overwrite)", f->full);
	if (same != 1 && !is_signed && was_signed)
		return err_set(e, EEXIST, "%s.asc is there, and signs another image; sign this one as well (try --sign)", f->full);
	if (!is_signed && !was_signed)
		ui_warn("%s: is not signed, and fetched only by who does without (try --sign)", f->url);
	/* the signature first: an image without one would be refused, one that is not there yet is only not there */
	const struct publish_file *s = is_signed || was_signed ?
		publish_file(p, take_ptr(sig_path), take_ptr(sig_url), e) : f;
	if (!s || (is_signed && publish_put(p, &sig->out, &sig->fd, s, e) < 0))
		return -1;
	return same == 1 ? 0 : publish_put(p, &image->out, &image->fd, f, e);
}

/* ---- its signature ---- */

static int check_armored(const struct buf *text, struct err *e)
{
	auto_buf struct buf packets = { 0 };
	const char *s = text->data;
	size_t len = text->len;

	int r = s ? armor_decode(&s, &len, "SIGNATURE", &packets, e) : 0;
	return r ? (r < 0 ? -1 : 0) : err_set(e, EINVAL, "is not an armored signature (gpg --armor --detach-sign makes them)");
}

/* what stands beside the image; no file is no error */
static int copy_signature(struct publish *p, const char *file, const struct staged *image, struct staged *sig, struct err *e)
{
	auto_free char *path = xasprintf("%s.asc", file);
	auto_buf struct buf text = { 0 };

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (publish_read(path, &text, e) < 0 || check_armored(&text, e) < 0 ||
	    publish_check_signature(p, text.data, text.len, image->fd, file, e) < 0 || publish_stage(p, &sig->out, e) < 0)
		return err_wrap(e, "%s", path);
	if (!p->dry_run && fd_write_all(sig->out.fd, text.data, text.len) < 0)
		return err_sys(e, "%s", p->dir);
	sig->fd = p->dry_run ? 0 : sig->out.fd;
	return 0;
}

static int make_signature(struct publish *p, const struct staged *image, struct staged *sig, struct err *e)
{
	if (p->dry_run)
		return 0;
	if (publish_stage(p, &sig->out, e) < 0)
		return -1;
	sig->fd = sig->out.fd;
	return gpg_sign(p->sign->gpg, p->sign->local_user, &image->out, &sig->out, e);
}

/* ---- both ---- */

static int publish_both(struct publish *p, const char *file, const struct image_manifest *m, struct staged *image,
			struct staged *sig, struct err *e)
{
	const char *version = appc_pair_find(&m->labels, "version");

	if (check_names(p, m, e) < 0)
		return -1;
	if ((p->sign->sign ? make_signature(p, image, sig, e) : copy_signature(p, file, image, sig, e)) < 0)
		return -1;
	if (!version)
		ui_info("%s: has no label version, and becomes version \"latest\"", file);
	else if (put(p, m, version, image, sig, e) < 0)
		return -1;
	if (version && (!p->latest || !strcmp(version, "latest")))
		return 0;
	return put(p, m, "latest", image, sig, e);
}

static int stage_image(struct publish *p, int fd, uint64_t size, struct staged *image, struct err *e)
{
	image->fd = fd;
	if (p->dry_run)
		return 0;
	if (publish_stage(p, &image->out, e) < 0)
		return -1;
	image->fd = image->out.fd;
	return fd_copy(fd, 0, image->fd, 0, size) < 0 ? err_sys(e, "copy to %s", p->dir) : 0;
}

int publish_image(struct publish *p, const char *file, struct err *e)
{
	struct staged image = { .out.fd = -1, .fd = -1 }, sig = { .out.fd = -1, .fd = -1 };
	struct aci_result res = { 0 };
	struct stat st;

	auto_close int fd = fd_open_input(file, &st, e);
	if (fd < 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "is not a regular file (actool build makes images of directories)");
	int r = stage_image(p, fd, (uint64_t)st.st_size, &image, e);
	if (r == 0)
		r = check_image(file, image.fd, (uint64_t)st.st_size, &res, e);
	if (r == 0)
		r = publish_both(p, file, &res.manifest, &image, &sig, e);
	aci_result_free(&res);
	output_close(&sig.out);
	output_close(&image.out);
	return r;
}
