/* SPDX-License-Identifier: Apache-2.0
 * rkt image export - an image out of the store as a file: the uncompressed archive, byte for byte
 *
 * It is hashed on the way, and gets its name only when it is what its ID says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/archive/source.h"
#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/store/blob.h"

struct export_opts {
	struct rkt_globals g;
	bool               overwrite;
};

static const struct opt export_opts[] = {
	OPT_BOOL(0, "overwrite", struct export_opts, overwrite, "replace the output file if it is there"),
	OPT_PART("Global options", rkt_globals_opts, struct export_opts, g),
	OPT_END
};

static int copy(struct source *src, struct blob *b, struct hash *h, struct err *e)
{
	struct ui_progress p;
	const uint8_t *data;
	size_t len;
	int r;

	ui_progress_start(&p, "Exporting", 0);
	while ((r = src->next(src, &data, &len, e)) > 0) {
		hash_feed(h, data, len);
		if ((r = blob_write(b, data, len, e)) < 0)
			break;
		ui_progress_at(&p, b->bytes);
	}
	ui_progress_end(&p);
	return r;
}

static int copy_checked(int fd, const struct image_id *id, struct blob *b, struct err *e)
{
	uint8_t digest[HASH_SHA512_LEN];
	char hex[HASH_SHA512_HEX + 1];
	auto_source struct source *src = source_fd(fd, e);
	struct hash *h = src ? hash_new(e) : NULL;

	if (!h)
		return -1;
	int r = copy(src, b, h, e);
	hash_final(h, digest);
	hash_hex(digest, sizeof(digest), hex);
	if (r == 0 && strcmp(hex, id->s + strlen(id->s) - HASH_SHA512_HEX))
		return err_set(e, EBADMSG, "image %.19s is damaged: its content in the store has changed", id->s);
	return r;
}

static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int write_file(int fd, const struct image_id *id, const char *out, struct err *e)
{
	auto_free char *dir = xstrdup(out);
	char *slash = strrchr(dir, '/');
	const char *name = slash ? out + (slash - dir) + 1 : out;
	struct blob b = { .fd = -1 };

	if (!*name)
		return err_set(e, EISDIR, "%s: is a directory", out);
	if (slash)
		slash[slash == dir] = 0;
	auto_close int dir_fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(e, "open directory %s", slash ? dir : ".");
	int r = blob_create(&b, dir_fd, false, e);
	if (r == 0)
		r = copy_checked(fd, id, &b, e);
	if (r == 0)
		r = blob_sync(&b, e);
	if (r == 0 && fchmod(b.fd, usual_mode()) < 0)
		r = err_sys(e, "set mode");
	if (r == 0)
		r = blob_publish(&b, dir_fd, name, e);
	blob_drop(&b);
	return r;
}

static int export_image(struct store *st, const char *arg, const char *out, bool overwrite, struct err *e)
{
	struct image_id id;
	struct stat sb;

	if (images_find(st, arg, &id, e) < 0)
		return -1;
	auto_close int fd = store_blob(st, &id, e);
	if (fd < 0)
		return -1;
	if (stat(out, &sb) == 0 && !overwrite)
		return err_set(e, EEXIST, "%s: output ACI file exists (try --overwrite)", out);
	return write_file(fd, &id, out, e) < 0 ? err_wrap(e, "%s", out) : 0;
}

static int export_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct export_opts *o = opts;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image and an output file (see --help)");
	struct store *st = images_store(&o->g, false, e);
	int r = st ? export_image(st, argv[0], argv[1], o->overwrite, e) : -1;
	store_close(st);
	return r;
}

const struct cmd rkt_image_export_cmd = {
	.name = "export", .args = "IMAGE OUTPUT_ACI_FILE",
	.summary = "Write an image in the store to a file, uncompressed.",
	.opts = export_opts, .opts_size = sizeof(struct export_opts), .inherits = true, .run = export_run,
};
