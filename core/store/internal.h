/* SPDX-License-Identifier: Apache-2.0
 * internal - what the files of core/store share; nobody else includes it
 *
 * Locks, each a flock(2) that dies with its process. Whoever takes several takes them in this order:
 *   tree/        exclusive: one collection at a time. Waited for without `lock`, or two collections that each hold a
 *                share of that would wait for each other.
 *   lock         shared while a store is open, exclusive while store_gc() decides, or store_discard(). Let go while
 *                archives are waited for (it may take minutes; store_pause()), unless a root was lent out. Who waits for
 *                the exclusive lock keeps nobody out: flock() gives shares away meanwhile. Under it nothing is waited
 *                for but the disk: no terminal, no pipe, no network.
 *   blob/.../ID  exclusive while the image is rendered: one at a time. What mounts, and so holds descriptors for as
 *                long as it likes, opens the file anew. Under info/ it is only tried.
 *   info/        exclusive around the few steps that publish, change or remove an image's record: an import's last
 *                milliseconds, image rm, marks of damage, repairs. Readers never take it: what looks up, lists, exports,
 *                verifies what is whole, renders, prepares and runs only relies on an image's existing when its record
 *                does, and on records being replaced by rename(2). Only who writes waits for an import: another import
 *                at its end, image rm, gc.
 *   partial/KEY  exclusive while that URL is downloaded and imported. Waited for without `lock`; before info/.
 *   .tmp. files  exclusive by who writes them; only tried, by store_gc().
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/appc/types.h"
#include "core/base/dir.h"
#include "core/store/render.h"
#include "core/store/store.h"
#include "core/store/tree.h"
#include "core/store/verify.h"

#define STORE_PATH_MAX 320 /* of any file of ours, relative to cas/ */
#define STORE_KEY_HEX  64  /* digits of the file names made from names and URLs */
#define STORE_TMP      ".tmp."   /* a temporary file or tree: store_gc() removes it unless it is locked */
#define STORE_TRASH    ".trash." /* a tree on its way out */

struct store {
	int   cas_fd;  /* -1: there is no store, which is the same as an empty one */
	int   lock_fd; /* -1: read-only file system without a lock file */
	bool  lent;    /* render_image() handed out a root of this store */
	bool  paused;  /* the lock was let go, to be taken again */
	struct render_how render;
	void (*warn)(void *ctx, const char *text);
	void *warn_ctx;
	struct verify_opts verify;
	struct image_id    verified; /* the last one that verify_image() found to be good */
	struct image_seen {
		struct image_id   id;
		uint64_t          tar_bytes;
		struct image_seal seal;
	} seen; /* of the last record that was asked for and told of no damage; verify_image() comes right after that */
};

__attribute__((format(printf, 2, 3))) void store_warn(struct store *st, const char *fmt, ...);

/* ---- names of files ---- */
struct store_path { char s[STORE_PATH_MAX]; };
/** store_path() - "info/sha512-..."; @kind "blob": with its directories */
struct store_path store_path(const char *kind, const char *name);
/** store_key() - 64 digits of the digest of @a, and of @b after a NUL unless it is NULL */
int store_key(const char *a, const char *b, char out[STORE_KEY_HEX + 1], struct err *e);
/** store_is_id() - a whole image ID in canonical form */
bool store_is_id(const char *s);

/** store_open_file() - O_NOFOLLOW below cas/; -1/errno, ENOENT also when there is no store */
int store_open_file(const struct store *st, const char *path, int flags);
/** store_read_dir() - dir_open() below cas/ */
int store_read_dir(const struct store *st, const char *path, struct dir *out);
bool store_has(const struct store *st, const char *kind, const char *name);

/** store_is_shared() - it was prepared for the members of a group (share.h), who read and write it beside root */
bool store_is_shared(const struct store *st);
/** store_file_mode() - of whatever is published in it: nobody changes that, and only a shared one is read by others */
mode_t store_file_mode(const struct store *st);
/** store_shared_dir() - whether what is made in that directory is for a group: it hands its own on */
bool store_shared_dir(int dir_fd);

/** store_lock_for_a_while() - exclusive: 1, or 0 after a second or so, since who renders or copies a large image may take longer */
int store_lock_for_a_while(int fd, struct err *e);
/** store_publish_lock() - the lock of info/: close the descriptor to let it go */
int store_publish_lock(struct store *st, struct err *e);
int store_sync_dir(struct store *st, const char *path, struct err *e);
int store_make_dir(struct store *st, const char *path, struct err *e); /* not yet durable; 0 also when it is there */

/** store_make_kind() - a directory that stores made by older versions lack; 0 also when it is there */
int store_make_kind(struct store *st, const char *kind, struct err *e);
/** store_read_manifest() - store_manifest() also of an image that was removed but is in use */
int store_read_manifest(struct store *st, const struct image_id *id, struct image_manifest *m, struct err *e);

/* ---- ids.c ---- */
void image_ids_sort(struct image_ids *s); /* after the last one, before the first question */
bool image_ids_has(const struct image_ids *s, const char *id);
void image_ids_free(struct image_ids *s);
/** store_ids() - all images there are, sorted */
int store_ids(struct store *st, struct image_ids *out, struct err *e);

/* ---- info/ ---- */
int info_read(const struct store *st, const struct image_id *id, struct image_info *out, struct err *e);
int info_write(struct store *st, const struct image_info *i, struct err *e);

/* ---- seal.c ---- */

/** seal_take() - of an open blob; -1/errno */
int seal_take(int fd, struct image_seal *out);
bool seal_same(const struct image_seal *a, const struct image_seal *b);
/** seal_trusted() - whether a blob with the seal @now is the one that @recorded was taken of, unchanged */
bool seal_trusted(const struct image_seal *recorded, const struct image_seal *now);
/** seal_can_protect() - whether the file system has fs-verity; seal_protect() - makes use of it, if it works */
bool seal_can_protect(int fd);
void seal_protect(int fd); /* @fd: read-only, and nobody has the file open for writing */

/* ---- publishing and removing, under store_publish_lock() ---- */
/** store_index() - the entries of name/ and used/ for an image; store_index_sync() - those of name/ are durable */
int store_index(struct store *st, const struct image_info *i, struct err *e);
int store_index_sync(struct store *st, const struct image_info *i, struct err *e);
/** store_unindex() - takes these away, and the directories that this empties */
int store_unindex(struct store *st, const struct image_id *id, const struct image_info *i, struct err *e);
/** store_drop_content() - blob, manifest and index; under the exclusive lock of the store, or when they were made just now */
int store_drop_content(struct store *st, const struct image_id *id, struct err *e);

/* ---- replaced.c ---- */
/**
 * replaced_unmount() - all that is mounted over the blob that was there before, so that nobody is served from it
 * @old_fd: that blob, of @id. Takes locks of blobs, so not under store_publish_lock(). What cannot be unmounted stays.
 */
void replaced_unmount(struct store *st, const struct image_id *id, int old_fd);

/* ---- image_tree.c ---- */
/** image_tree_add() - as aci_handler.entry, with the tree as its context: one entry of the pass under way */
int image_tree_add(void *tree, const struct tar_entry *entry, struct tar *tar, struct err *e);

/**
 * image_tree() - what the rootfs of one image is, read from its blob; finished
 * @blob_fd: read from its beginning to its end; content can be found in it by the nodes' offsets (source 0)
 * @whitelist: NULL or empty: everything
 * @spill_dir_fd: see tree.h
 * @res: zeroed; receives digest and manifest; to be freed whatever comes of it
 */
struct tree *image_tree(int blob_fd, const struct appc_strings *whitelist, int spill_dir_fd, struct aci_result *res,
			struct err *e);

/* ---- extract.c ---- */
struct extract_opts {
	const int *fds; /* the archives, by their numbers in the tree; for pread() */
	size_t     n_fds;
	bool       squash;   /* what belongs to ids that we may not give things to is ours, and not setuid or setgid */
	bool       no_owner; /* all belongs to the caller, and nothing is setuid or setgid */
	void      *ctx;
	void     (*warn)(void *ctx, const char *text); /* what could not be kept; NULL: nobody is told */
};
/**
 * extract_tree() - a finished tree as real files in the empty directory @dir_fd; node->walk is used
 *
 * Attributes and device nodes that the caller or the file system cannot make are left out, with a warning.
 * Errors: EBADMSG an archive is shorter than the tree says; otherwise those of the file system.
 */
int extract_tree(struct tree *t, int dir_fd, const struct extract_opts *o, struct err *e);

/* ---- walk.c ---- */
/* a visit to every directory of a tree, parents before children; functions return -1 with *e to end it */
struct walk {
	void *ctx;
	int (*enter)(void *ctx, const char *path, int dir_fd, struct err *e); /* "" is the root; may be NULL */
	/* every entry of that directory; true in *descend asks for a visit later. @path is the whole one. */
	int (*entry)(void *ctx, const char *path, const char *name, int dir_fd, bool *descend, struct err *e);
	int (*leave)(void *ctx, const char *path, int dir_fd, struct err *e); /* after its last entry; may be NULL */
};
int walk_tree(int root_fd, const struct walk *w, struct err *e);

/* ---- beneath.c ---- */
/** beneath_open() - openat2() that leaves @root_fd by no ".."-component, link or mount; -1/errno */
int beneath_open(int root_fd, const char *path, int flags);
/** beneath_parent() - splits "a/b/c" and opens "a/b"; *name points into @path */
int beneath_parent(int root_fd, const char *path, const char **name);
/** beneath_symlink() - a link; a target that is longer than the file system takes is told as that */
int beneath_symlink(const char *target, int dir_fd, const char *name, struct err *e);
/** beneath_xattr() - sets an attribute of @name in the directory, a symlink itself; -1/errno */
int beneath_xattr(int dir_fd, const char *name, const char *attr, const void *value, size_t len);
