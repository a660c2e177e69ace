/* SPDX-License-Identifier: Apache-2.0
 * compose - see compose.h
 */
#include "core/store/compose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/store/blob.h"
#include "core/store/internal.h"

/* ---- the archives ---- */

void compose_close(struct compose *c)
{
	for (size_t i = 0; c->fds && i < c->r->n_images; i++)
		fd_cleanup(&c->fds[i]);
	free(c->fds);
	free(c->sources);
	c->fds = NULL;
	c->sources = NULL;
}

/* an image that was removed while a pod uses it has no record any more, only its content */
static int open_blob(struct store *st, const struct image_id *id, struct err *e)
{
	if (store_has(st, "info", id->s))
		return store_blob(st, id, e);
	int fd = store_open_file(st, store_path("blob", id->s).s, O_RDONLY);
	return fd >= 0 ? fd : errno == ENOENT ? err_set(e, ENOENT, "image %s is not in the store", id->s) :
						err_sys(e, "open image %s", id->s);
}

static int open_source(struct compose *c, size_t i, struct err *e)
{
	struct stat sb;

	c->fds[i] = open_blob(c->st, &c->r->images[i], e);
	if (c->fds[i] < 0)
		return -1;
	if (fstat(c->fds[i], &sb) < 0)
		return err_sys(e, "image %s", c->r->images[i].s);
	c->sources[i] = (struct erofs_source){ .id = c->r->images[i], .bytes = (uint64_t)sb.st_size };
	return 0;
}

int compose_open(struct compose *c, struct store *st, const struct recipe *r, struct err *e)
{
	*c = (struct compose){ .st = st, .r = r };
	c->sources = calloc(r->n_images, sizeof(*c->sources));
	c->fds = malloc(r->n_images * sizeof(*c->fds));
	for (size_t i = 0; c->fds && i < r->n_images; i++)
		c->fds[i] = -1;
	if (!c->sources || !c->fds)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < r->n_images; i++)
		if (open_source(c, i, e) < 0)
			return -1;
	return 0;
}

/* ---- the tree ---- */

static int check_digest(struct store *st, const struct image_id *id, const struct aci_result *res, struct err *e)
{
	char hex[HASH_SHA512_HEX + 1], what[64];

	hash_hex(res->digest, sizeof(res->digest), hex);
	if (!strcmp(hex, id->s + strlen(IMAGE_ID_PREFIX)))
		return 0;
	snprintf(what, sizeof(what), "hashes to sha512-%.32s...", hex);
	return verify_damage(st, id, what, e);
}

/* An archive that was good when it was imported and is not now has changed in the store; better to say that. */
static int explain(struct store *st, const struct image_id *id, struct err *e)
{
	struct err why;

	if (e->code != ENOSPC && e->code != EDQUOT && e->code != ENOMEM && e->code != EIO &&
	    store_verify(st, id, &why) < 0 && why.code == EBADMSG)
		*e = why;
	return -1;
}

int compose_check(struct store *st, const struct image_id *id, int r, const struct aci_result *res, struct err *e)
{
	return r < 0 ? explain(st, id, e) : check_digest(st, id, res, e);
}

static int read_archive(const struct compose *c, size_t source, struct tree *t, struct err *e)
{
	const struct aci_handler h = { .ctx = t, .entry = image_tree_add };
	const struct aci_bounds bounds = { 0 };
	struct aci_result res = { 0 };
	struct findings f = { 0 };
	const struct image_id *id = &c->r->images[source];

	if (lseek(c->fds[source], 0, SEEK_SET) < 0)
		return err_sys(e, "read image %s", id->s);
	auto_source struct source *src = source_fd(c->fds[source], e);
	if (!src)
		return -1;
	int r = compose_check(c->st, id, aci_read(src, &bounds, ACI_STRICT, &h, &res, &f, e), &res, e);
	findings_free(&f);
	aci_result_free(&res);
	return r;
}

static int read_pass(const struct compose *c, const struct recipe_pass *p, const struct image_manifest *manifests,
		     struct tree *t, struct err *e)
{
	const struct appc_strings **lists = calloc(p->n_filters + 1u, sizeof(*lists));

	if (!lists)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n_filters; i++)
		lists[i] = &manifests[p->filters[i]].path_whitelist;
	int r = tree_pass(t, p->source, lists, p->n_filters, e);
	if (r == 0)
		r = read_archive(c, p->source, t, e);
	if (r == 0)
		r = tree_pass_end(t, e);
	free(lists);
	return r < 0 && c->r->n_images > 1 ? err_wrap(e, "image %.19s", c->r->images[p->source].s) : r;
}

/* only those whose whitelists are asked for; not by way of info/, which a removed image has not got any more */
static int read_manifests(const struct compose *c, struct image_manifest *manifests, struct err *e)
{
	for (size_t i = 0; i < c->r->n_passes; i++)
		for (size_t k = 0; k < c->r->passes[i].n_filters; k++) {
			size_t n = c->r->passes[i].filters[k];
			if (!manifests[n].name && store_read_manifest(c->st, &c->r->images[n], &manifests[n], e) < 0)
				return -1;
		}
	return 0;
}

static int read_passes(const struct compose *c, struct tree *t, struct err *e)
{
	struct image_manifest *manifests = calloc(c->r->n_images, sizeof(*manifests));
	int r = manifests ? read_manifests(c, manifests, e) : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; r == 0 && i < c->r->n_passes; i++)
		r = read_pass(c, &c->r->passes[i], manifests, t, e);
	for (size_t i = 0; manifests && i < c->r->n_images; i++)
		if (manifests[i].name)
			image_manifest_free(&manifests[i]);
	free(manifests);
	return r;
}

struct tree *compose_tree(const struct compose *c, struct err *e)
{
	auto_close int dir_fd = store_open_file(c->st, "blob/sha512", O_RDONLY | O_DIRECTORY);
	const struct tree_opts o = { .spill_dir_fd = dir_fd };
	struct tree *t = tree_new(&o, e);

	if (!t)
		return NULL;
	if (read_passes(c, t, e) < 0) {
		tree_free(t);
		return NULL;
	}
	tree_finish(t);
	return t;
}

/* ---- the index ---- */

int index_dir(struct store *st, struct err *e)
{
	if (store_make_kind(st, "index", e) < 0)
		return -1;
	int fd = store_open_file(st, "index", O_RDONLY | O_DIRECTORY);
	return fd < 0 ? err_sys(e, "open the store's index") : fd;
}

int index_write(int dir_fd, struct tree *t, const struct erofs_opts *o, struct blob *out, struct err *e)
{
	if (blob_create(out, dir_fd, false, e) < 0)
		return -1;
	out->keep = true; /* EROFS reads from the file's own pages */
	return erofs_write(t, o, out->fd, NULL, e);
}

int index_publish(struct blob *b, const char *id, struct err *e)
{
	if (blob_publish(b, b->dir_fd, id, e) < 0)
		return -1;
	return fsync(b->dir_fd) < 0 ? err_sys(e, "sync the store's index") : 0;
}

int compose_index(const struct compose *c, struct err *e)
{
	const struct erofs_opts o = {
		.id = c->r->id.s, .sources = c->sources, .fds = c->fds, .n_sources = c->r->n_images,
	};
	auto_close int dir_fd = index_dir(c->st, e);
	struct blob b = { .fd = -1 };
	struct tree *t = dir_fd < 0 ? NULL : compose_tree(c, e);
	int r = -1;

	if (t && index_write(dir_fd, t, &o, &b, e) == 0 && blob_sync(&b, e) == 0)
		r = index_publish(&b, c->r->id.s, e);
	blob_drop(&b);
	tree_free(t);
	return r;
}

static int check_sources(const struct compose *c, const struct erofs_info *info, struct err *e)
{
	if (info->n_sources != c->r->n_images)
		return err_set(e, ESTALE, "the index is of other archives");
	for (size_t i = 0; i < info->n_sources; i++) {
		const struct erofs_source *want = &info->sources[i], *have = &c->sources[i];
		if (strcmp(want->id.s, have->id.s))
			return err_set(e, ESTALE, "the index is of other archives");
		if (want->bytes != have->bytes)
			return err_set(e, ESTALE, "image %s is damaged: %llu bytes in the store, %llu were imported",
				       have->id.s, (unsigned long long)have->bytes, (unsigned long long)want->bytes);
	}
	return 0;
}

/* One that was made again, or of several images, has no seal; its sum is taken once for each mount. */
static int check_content(const struct compose *c, int fd, struct err *e)
{
	bool sealed = render_id_is_image(&c->r->id) && verify_index_unchanged(c->st, &c->r->images[0], fd);

	return sealed ? 0 : erofs_check(fd, e);
}

/* What a member of the group wrote that a store is shared with is no file system for root's kernel to read. */
static int check_writer(int fd, struct err *e)
{
	struct stat sb;

	if (fstat(fd, &sb) < 0)
		return err_sys(e, "look at an index");
	return sb.st_uid == geteuid() ? 0 : err_set(e, ESTALE, "user %u wrote it", (unsigned)sb.st_uid);
}

int index_open(const struct compose *c, struct err *e)
{
	struct store_path path = store_path("index", c->r->id.s);
	struct erofs_info info;
	auto_close int fd = store_open_file(c->st, path.s, O_RDONLY);

	if (fd < 0)
		return err_sys(e, "open the store's %s", path.s);
	if (check_writer(fd, e) < 0 || erofs_open(fd, &info, e) < 0)
		return -1;
	int r = check_sources(c, &info, e);
	erofs_info_free(&info);
	return r < 0 || check_content(c, fd, e) < 0 ? -1 : take_fd(&fd);
}
