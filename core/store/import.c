/* SPDX-License-Identifier: Apache-2.0
 * import - one pass from an archive to a published image, and the way back out
 *
 * While the archive streams in, nothing has a name yet. Then, under the publish lock: blob, index, manifest, name and
 * used entries; when all of them are durable, and last, the info file, which is what makes it an image.
 * Removal goes the other way round. So whatever ends either of them leaves files that no image has, never
 * an image that lacks one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/lock.h"
#include "core/store/backend.h"
#include "core/store/blob.h"
#include "core/store/compose.h"
#include "core/store/internal.h"

/*
 * Of the 12 MiB that an import may have a decoder with a dictionary of 8 MiB, as xz -6 and zstd -19 make it, takes 9: then
 * all of the tree is in its file, and what is mapped of that is little. Otherwise there is room for 30,000 entries.
 */
#define TREE_MEM     (4u << 20)
#define TREE_MEM_FEW 1
#define WINDOW_FEW   (1u << 20)
/* of attributes and sparse segments of one file: beyond that the tree's copy of them does not fit in beside the tar reader's */
#define HEAVY        (256u << 10)

struct import {
	struct store             *st;
	const struct import_opts *o;
	struct blob               blob;
	struct aci_result         res;
	struct image_id           id;
	bool                      devices;
	struct import_verdict     verdict;
	struct tree              *tree;     /* of the entries so far; NULL: none yet, or no index is made */
	const struct appc_strings *whitelist; /* the image's own */
	bool                      no_index;
	int                       index_dir_fd;
	struct blob               index;
	int                       old_fd;   /* the blob that was replaced; -1: none was */
};

static int tap(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return blob_write(&((struct import *)ctx)->blob, p, len, e);
}

static int check_device(struct import *im, const struct tar_entry *t, struct err *e)
{
	if (t->type != TAR_CHAR && t->type != TAR_BLOCK)
		return 0;
	im->devices = true;
	if (t->type == TAR_CHAR && !t->rdev_major && !t->rdev_minor)
		return err_set(e, EINVAL, "rootfs/%.300s: is character device 0:0, by which overlayfs knows deleted files",
			       t->path);
	return im->o->devices || !DEFENCE("devices") ? 0 :
		err_set(e, ENODEV, "rootfs/%.300s: is a device node (%s %u:%u), refused by rule aci-device", t->path,
			t->type == TAR_CHAR ? "character" : "block", t->rdev_major, t->rdev_minor);
}

/* ---- the index, while the archive is at hand ---- */

/*
 * A cache: what goes wrong with it is said when the image is rendered, if it goes wrong then as well. With dependencies
 * the image alone is no root; with the manifest still to come its whitelist is not known. And tens of thousands of names
 * in one directory, in no order, or of attributes and holes of one file, would take more memory than there is, or minutes:
 * rendering may have as much as it needs.
 */
static void give_up_index(struct import *im)
{
	tree_free(im->tree);
	im->tree = NULL;
	im->no_index = true;
}

static int begin_tree(struct import *im, struct err *e)
{
	bool small = inflate_is_small(im->res.format);
	const struct tree_opts o = {
		.mem_max = small ? TREE_MEM : TREE_MEM_FEW, .window = small ? TREE_WINDOW : WINDOW_FEW,
		.spill_dir_fd = im->blob.dir_fd,
	};

	im->whitelist = &im->res.manifest.path_whitelist;
	im->tree = tree_new(&o, e);
	return im->tree ? tree_pass(im->tree, 0, &im->whitelist, 1, e) : -1;
}

static bool is_heavy(const struct tar_entry *t)
{
	size_t n = t->n_segments * sizeof(*t->segments);

	for (size_t i = 0; i < t->n_xattrs; i++)
		n += t->xattrs[i].len;
	return n > HEAVY;
}

static int entry(void *ctx, const struct tar_entry *t, struct tar *tar, struct err *e)
{
	struct import *im = ctx;
	struct err ignored;

	(void)tar;
	if (check_device(im, t, e) < 0)
		return -1;
	if (!im->tree && !im->no_index &&
	    (!im->res.manifest.name || im->res.manifest.dependencies.n || begin_tree(im, &ignored) < 0))
		give_up_index(im);
	if (im->tree && (is_heavy(t) || tree_add(im->tree, t, &ignored) < 0 || tree_strains(im->tree)))
		give_up_index(im);
	return 0;
}

/* written, but without a name; index.fd is -1 when there is none */
static void make_index(struct import *im)
{
	struct erofs_source source = { .id = im->id, .bytes = im->res.tar_bytes };
	const struct erofs_opts o = { .id = im->id.s, .sources = &source, .fds = &im->blob.fd, .n_sources = 1 };
	struct err ignored;

	if (!im->tree)
		return;
	im->index_dir_fd = tree_pass_end(im->tree, &ignored) < 0 ? -1 : index_dir(im->st, &ignored);
	if (im->index_dir_fd >= 0) {
		tree_finish(im->tree);
		if (index_write(im->index_dir_fd, im->tree, &o, &im->index, &ignored) < 0)
			blob_drop(&im->index);
	}
	give_up_index(im);
}

/* The end of the blob goes to disk while the index is made, and the index while the blob is waited for. */
static int write_out(struct import *im, struct err *e)
{
	struct render_backend b;
	struct err ignored;

	blob_start(&im->blob);
	make_index(im);
	backend_choose(im->st, false, &b, &ignored); /* and is known when the first pod starts */
	if (im->index.fd >= 0)
		blob_start(&im->index);
	if (blob_sync(&im->blob, e) < 0)
		return -1;
	if (im->index.fd >= 0 && blob_sync(&im->index, &ignored) < 0)
		blob_drop(&im->index);
	return 0;
}

static void progress(void *ctx, uint64_t in_bytes)
{
	struct import *im = ctx;

	im->o->progress(im->o->ctx, in_bytes);
}

static int judge(struct import *im, struct err *e)
{
	const struct aci_result *r = &im->res;
	const struct import_facts facts = { &im->id, &r->manifest, r->tar_bytes, r->in_bytes };

	return im->o->judge ? im->o->judge(im->o->ctx, &facts, &im->verdict, e) : 0;
}

static int stream(struct import *im, struct source *in, struct err *e)
{
	const struct aci_handler h = {
		.ctx = im, .tap = tap, .entry = entry, .progress = im->o->progress ? progress : NULL,
	};
	const struct aci_bounds bounds = { 0 };
	struct findings f = { 0 };

	int r = aci_read(in, &bounds, ACI_STRICT, &h, &im->res, &f, e);
	findings_free(&f);
	if (r < 0)
		return -1;
	memcpy(im->id.s, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX));
	hash_hex(im->res.digest, sizeof(im->res.digest), im->id.s + strlen(IMAGE_ID_PREFIX));
	if (judge(im, e) < 0)
		return -1;
	/* for an image that we have, nothing will be kept: no need to wait for the disk */
	return store_has(im->st, "info", im->id.s) ? 0 : write_out(im, e);
}

/* Hours of streaming would keep store_gc() waiting for nothing, since what is written here has its own protection. */
static int stream_unlocked(struct import *im, struct source *in, struct err *e)
{
	struct err lock_err;

	store_pause(im->st);
	int r = stream(im, in, e);
	if (store_resume(im->st, &lock_err) < 0 && r == 0) {
		*e = lock_err;
		r = -1;
	}
	return r;
}

/* ---- publishing ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint64_t archive_bytes(const struct import *im)
{
	return im->verdict.archive_bytes ? im->verdict.archive_bytes : im->res.in_bytes;
}

/* what info/ shall say; borrows everything */
static struct image_info describe(const struct import *im)
{
	return (struct image_info){
		.id = im->id, .name = im->res.manifest.name, .labels = im->res.manifest.labels,
		.tar_bytes = im->res.tar_bytes, .archive_bytes = archive_bytes(im), .import_ns = now_ns(),
		.latest = im->o->latest, .devices = im->devices,
		/* the struct owns strings elsewhere; here nobody frees or changes them */
		.verified_by = (char *)(uintptr_t)(im->verdict.by ? im->verdict.by : "insecure"),
		.verified_prefix = im->verdict.prefix, .origin = (char *)(uintptr_t)im->o->origin,
	};
}

static struct store_path blob_dir(const struct import *im)
{
	struct store_path dir = store_path("blob", im->id.s);

	*strrchr(dir.s, '/') = 0;
	return dir;
}

static int publish_blob(struct import *im, struct err *e)
{
	struct store_path dir = blob_dir(im);

	if (blob_sync(&im->blob, e) < 0)
		return -1;
	blob_protect(&im->blob);
	if (blob_sync(&im->blob, e) < 0 || store_make_dir(im->st, dir.s, e) < 0)
		return -1;
	auto_close int dir_fd = store_open_file(im->st, dir.s, O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's %s", dir.s);
	return blob_publish(&im->blob, dir_fd, im->id.s, e);
}

/* Having got its name changed the blob's ctime, which the seal is made of. */
static int sync_parts(struct import *im, const struct image_info *i, struct err *e)
{
	if (fsync(im->blob.fd) < 0)
		return err_sys(e, "write the image to disk");
	if (im->index.fd >= 0 && fsync(im->index_dir_fd) < 0)
		return err_sys(e, "sync the store's index");
	if (store_sync_dir(im->st, blob_dir(im).s, e) < 0 || store_sync_dir(im->st, "blob/sha512", e) < 0)
		return -1;
	return store_index_sync(im->st, i, e);
}

/*
 * The manifest is the first one that has to be on disk before it gets its name: most file systems take the names that
 * others have got along with it, and then all further fsyncs find nothing to do.
 */
static int publish_parts(struct import *im, struct image_info *i, struct err *e)
{
	int cas_fd = im->st->cas_fd;

	if (publish_blob(im, e) < 0)
		return -1;
	if (im->index.fd >= 0 && blob_publish(&im->index, im->index_dir_fd, im->id.s, e) < 0)
		return -1;
	if (store_index(im->st, i, e) < 0)
		return -1;
	if (seal_take(im->blob.fd, &i->seal) < 0)
		return err_sys(e, "look at the store's blob");
	if (im->index.fd >= 0 && seal_take(im->index.fd, &i->index_seal) < 0)
		return err_sys(e, "look at the store's index");
	if (fd_publish(cas_fd, store_path("manifest", im->id.s).s, im->res.manifest_text, im->res.manifest_len,
		       store_file_mode(im->st), true, e) < 0 || sync_parts(im, i, e) < 0)
		return -1;
	return info_write(im->st, i, e);
}

/* an image that we know: who vouches for it now counts, but that nobody does is no news; borrows from both */
static struct image_info merge(const struct import *im, const struct image_info *old)
{
	struct image_info now = describe(im), keep = *old;

	keep.import_ns = now.import_ns;
	keep.latest |= now.latest;
	keep.devices |= now.devices;
	if (im->verdict.by) {
		keep.verified_by = now.verified_by;
		keep.verified_prefix = now.verified_prefix;
		keep.origin = now.origin;
	}
	if (!keep.origin)
		keep.origin = now.origin;
	return keep;
}

static int publish_new(struct import *im, struct err *e)
{
	struct image_info i = describe(im);
	struct err ignored;

	/* damaged, or of an image that was removed and that pods use */
	im->old_fd = store_open_file(im->st, store_path("blob", im->id.s).s, O_RDONLY);
	if (publish_parts(im, &i, e) == 0)
		return 0;
	/* renamed, but its directory would not sync; while it is there, so must be what it stands for */
	if (unlinkat(im->st->cas_fd, store_path("info", im->id.s).s, 0) < 0 && errno != ENOENT)
		return -1;
	store_unindex(im->st, &im->id, &i, &ignored);
	if (im->old_fd < 0)
		store_drop_content(im->st, &im->id, &ignored);
	return -1;
}

/*
 * What is there has the right name but, for all we know, not the right content, and we have that in hand. When it
 * fails halfway, what was wrong before is not worse now: nothing is taken away.
 */
static int replace(struct import *im, const struct image_info *old, struct err *e)
{
	struct image_info i = old ? merge(im, old) : describe(im);

	i.tar_bytes = im->res.tar_bytes;
	i.archive_bytes = archive_bytes(im);
	i.damaged = NULL;
	im->old_fd = store_open_file(im->st, store_path("blob", im->id.s).s, O_RDONLY);
	return publish_parts(im, &i, e);
}

static int refresh(struct import *im, const struct image_info *old, struct err *e)
{
	struct image_info keep = merge(im, old);

	if (info_write(im->st, &keep, e) < 0)
		return -1;
	store_touch(im->st, &im->id);
	return 0;
}

static bool same_manifest(struct import *im)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t len;

	return store_manifest_text(im->st, &im->id, &text, &len, &ignored) == 0 && len == im->res.manifest_len &&
	       !memcmp(text, im->res.manifest_text, len);
}

static int publish(struct import *im, bool *existed, struct err *e)
{
	struct image_info old = { 0 };
	struct err why;

	auto_close int lock = store_publish_lock(im->st, e);
	if (lock < 0)
		return -1;
	if (info_read(im->st, &im->id, &old, &why) < 0) {
		/* not there, or a damaged record that is about to be healed */
		if (why.code == ENOENT || why.code == EBADMSG)
			return why.code == ENOENT ? publish_new(im, e) : replace(im, NULL, e);
		*e = why;
		return -1;
	}
	*existed = verify_unchanged(im->st, &old) && same_manifest(im);
	int r = *existed ? refresh(im, &old, e) : replace(im, &old, e);
	image_info_free(&old);
	return r;
}

/* Ctrl-C in the midst of it would leave files for store_gc(); these few milliseconds it can wait. */
static int publish_uninterrupted(struct import *im, bool *existed, struct err *e)
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGQUIT);
	sigprocmask(SIG_BLOCK, &block, &old);
	/* it may take a while, for which nobody else need wait */
	if (!store_has(im->st, "info", im->id.s))
		blob_protect(&im->blob);
	int r = publish(im, existed, e);
	if (r == 0 && im->old_fd >= 0)
		replaced_unmount(im->st, &im->id, im->old_fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int store_import(struct store *st, struct source *in, const struct import_opts *o, struct image_id *id,
		 bool *existed, struct err *e)
{
	struct import im = { .st = st, .o = o, .blob.fd = -1, .index.fd = -1, .index_dir_fd = -1, .old_fd = -1 };
	int r = -1;

	*existed = false;
	auto_close int dir_fd = store_open_file(st, "blob/sha512", O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's blobs");
	if (blob_create(&im.blob, dir_fd, false, e) == 0 && stream_unlocked(&im, in, e) == 0)
		r = publish_uninterrupted(&im, existed, e);
	give_up_index(&im);
	blob_drop(&im.index);
	fd_cleanup(&im.index_dir_fd);
	fd_cleanup(&im.old_fd);
	blob_drop(&im.blob);
	aci_result_free(&im.res);
	free(im.verdict.by);
	free(im.verdict.prefix);
	if (r == 0)
		*id = im.id;
	return r;
}

/* ---- removal ---- */

/*
 * Members of the group that a store is shared with remove what they fetched themselves, as with rkt. Modes alone do not
 * say so, since whoever adds an image must be able to replace records.
 */
static int may_remove(struct store *st, const struct image_id *id, struct err *e)
{
	uid_t us = geteuid();
	struct stat sb;

	/* whoever fetched it again has written its record, but not its content */
	if (us == 0 || fstatat(st->cas_fd, store_path("blob", id->s).s, &sb, AT_SYMLINK_NOFOLLOW) < 0 || sb.st_uid == us)
		return 0;
	return err_set(e, EACCES, "remove image %.19s: permission denied: it belongs to user %u; root can remove it", id->s,
		       (unsigned)sb.st_uid);
}

/* names and, first of all, the record; the content may be in use */
static int remove_image(struct store *st, const struct image_id *id, struct err *e)
{
	struct image_info i = { 0 };
	struct err why;

	auto_close int lock = store_publish_lock(st, e);
	if (lock < 0)
		return -1;
	/* a damaged record must not make the image immortal; store_gc() finds its name entries */
	if (info_read(st, id, &i, &why) < 0 && why.code == ENOENT) {
		*e = why;
		return -1;
	}
	int r = may_remove(st, id, e);
	if (r < 0)
		image_info_free(&i);
	if (r < 0)
		return -1;
	if (unlinkat(st->cas_fd, store_path("info", id->s).s, 0) < 0)
		r = err_sys(e, "remove image %s", id->s);
	else if (fsync(lock) < 0) /* the lock is a descriptor of info/ */
		r = err_sys(e, "sync the store's info");
	else
		r = store_unindex(st, id, &i, e);
	image_info_free(&i);
	return r;
}

int store_remove(struct store *st, const struct image_id *id, struct err *e)
{
	if (st->cas_fd < 0)
		return err_set(e, ENOENT, "image %s is not in the store", id->s);
	return remove_image(st, id, e);
}
