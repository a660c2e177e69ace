/* SPDX-License-Identifier: Apache-2.0
 * usage - see usage.h
 */
#include "core/store/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/store/internal.h"
#include "core/store/partial.h"

struct count {
	struct store       *st;
	struct image_ids    all; /* at the beginning */
	struct store_usage *out;
	bool              (*used)(void *ctx, const char *id);
	void               *ctx;
};

static void add(struct store_use *u, uint64_t bytes)
{
	u->n++;
	u->bytes += bytes;
}

static uint64_t allocated(const struct stat *sb)
{
	return (uint64_t)sb->st_blocks * 512;
}

/* a file, or a directory with all that is in it */
static uint64_t bytes_of(int dir_fd, const char *name)
{
	struct stat sb;
	struct err ignored;

	if (fstatat(dir_fd, name, &sb, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	uint64_t bytes = allocated(&sb);
	if (S_ISDIR(sb.st_mode))
		fd_dir_size(dir_fd, name, &bytes, &ignored);
	return bytes;
}

/* one that came meanwhile is worth asking for, as what there is of it would be taken for leftovers */
static bool has_image(const struct count *c, const char *name)
{
	return image_ids_has(&c->all, name) || (store_is_id(name) && store_has(c->st, "info", name));
}

/* ---- one directory after the other; each judges the entries of its own ---- */

/* content of a removed image stays while pods use it */
static bool has_content(const struct count *c, const char *name)
{
	return has_image(c, name) || (render_id_ok(name) && c->used && c->used(c->ctx, name));
}

/* index/, tree/ */
static void count_rendered(const struct count *c, int dir_fd, const char *name)
{
	add(has_content(c, name) ? &c->out->rendered : &c->out->leftovers, bytes_of(dir_fd, name));
}

static void count_blob(const struct count *c, int dir_fd, const char *name)
{
	add(has_content(c, name) ? &c->out->images : &c->out->leftovers, bytes_of(dir_fd, name));
}

/* manifest/ stays with the content, recipe/ with what is made by it */
static void count_kept(const struct count *c, int dir_fd, const char *name)
{
	add(has_content(c, name) ? &c->out->records : &c->out->leftovers, bytes_of(dir_fd, name));
}

/* used/, name/KEY/: of the image that they are named after */
static void count_record(const struct count *c, int dir_fd, const char *name)
{
	add(has_image(c, name) ? &c->out->records : &c->out->leftovers, bytes_of(dir_fd, name));
}

static void count_info(const struct count *c, int dir_fd, const char *name)
{
	add(store_is_id(name) ? &c->out->records : &c->out->leftovers, bytes_of(dir_fd, name));
}

static bool remote_is_used(const struct count *c, int dir_fd, const char *name)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t len;

	auto_json cJSON *j = fd_read_file(dir_fd, name, 1u << 16, &text, &len, &ignored) < 0 ? NULL :
		json_parse_err(text, len, &ignored);
	const char *image = j ? json_str(j, "image") : NULL;
	return image && has_image(c, image);
}

static void count_remote(const struct count *c, int dir_fd, const char *name)
{
	add(remote_is_used(c, dir_fd, name) ? &c->out->records : &c->out->leftovers, bytes_of(dir_fd, name));
}

static void count_partial(const struct count *c, int dir_fd, const char *name)
{
	add(partial_is_old(dir_fd, name) ? &c->out->leftovers : &c->out->records, bytes_of(dir_fd, name));
}

typedef void count_fn(const struct count *c, int dir_fd, const char *name);

/* -1/errno */
static int each(const struct count *c, int at_fd, const char *path, count_fn *fn)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;

	if (dir_open(&d, at_fd, path) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	while ((de = dir_next(&d)))
		fn(c, d.fd, de->d_name);
	return errno ? -1 : 0;
}

/* a directory of such files, with a name that says which; itself a record; or a temporary file beside them */
static void count_dir(const struct count *c, int dir_fd, const char *name, count_fn *fn)
{
	struct stat sb;

	if (fstatat(dir_fd, name, &sb, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	add(S_ISDIR(sb.st_mode) ? &c->out->records : &c->out->leftovers, allocated(&sb));
	if (S_ISDIR(sb.st_mode))
		each(c, dir_fd, name, fn);
}

static void count_blob_dir(const struct count *c, int dir_fd, const char *name)
{
	count_dir(c, dir_fd, name, count_blob);
}

static void count_name_dir(const struct count *c, int dir_fd, const char *name)
{
	count_dir(c, dir_fd, name, count_record);
}

int store_usage(struct store *st, bool (*used)(void *ctx, const char *id), void *ctx,
		struct store_usage *out, struct err *e)
{
	static const struct {
		const char *dir;
		count_fn   *fn;
	} dirs[] = {
		{ "info", count_info }, { "manifest", count_kept }, { "used", count_record },
		{ "name", count_name_dir }, { "remote", count_remote }, { "blob/sha512", count_blob_dir },
		{ "tree", count_rendered }, { "index", count_rendered }, { "recipe", count_kept },
		{ PARTIAL_DIR, count_partial },
	};
	struct count c = { .st = st, .out = out, .used = used, .ctx = ctx };
	int r = 0;

	*out = (struct store_usage){ .images.n = 0 };
	if (st->cas_fd < 0)
		return 0;
	if (store_ids(st, &c.all, e) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < sizeof(dirs) / sizeof(*dirs); i++)
		if (each(&c, st->cas_fd, dirs[i].dir, dirs[i].fn) < 0) {
			/* members of a group see all of a shared store but what is unpacked */
			if (errno == EACCES && store_is_shared(st))
				store_warn(st, "the store's %s is not counted: only root can read it", dirs[i].dir);
			else
				r = err_sys(e, "read the store's %s", dirs[i].dir);
		}
	image_ids_free(&c.all);
	return r;
}

uint64_t store_image_bytes(struct store *st, const struct image_id *id)
{
	static const char *const kinds[] = { "blob", "index", "tree", "info", "manifest" };
	uint64_t bytes = 0;

	for (size_t i = 0; st->cas_fd >= 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
		bytes += bytes_of(st->cas_fd, store_path(kinds[i], id->s).s);
	return bytes;
}
