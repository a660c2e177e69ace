/* SPDX-License-Identifier: Apache-2.0
 * render - the one way from an image ID to a directory that holds its root file system
 *
 * The archive is the file system: rendering writes an index over it and its dependencies (once, the import of an image
 * without dependencies has done so already) and mounts that, or unpacks it where nothing can be mounted. Below cas/:
 *   index/RENDER-ID        an EROFS file system of metadata only (erofs.h); a cache
 *   mnt/RENDER-ID          where it is mounted, one mount for all pods
 *   tree/RENDER-ID/rootfs  the same by extraction
 *   recipe/RENDER-ID       which images it is made of, if there are several (recipe.h)
 * The render ID is that of the image when it has no dependencies. Callers only ever see a read-only directory
 * descriptor that stays valid while it is open and while the store's lock is held or a pod directory names the
 * render ID (see store_gc()).
 */
#pragma once

#include "core/store/store.h"

#define RENDER_DEPS_PREFIX "deps-"

struct render_id { char s[sizeof(RENDER_DEPS_PREFIX) - 1 + IMAGE_ID_LEN + 1]; };
/** render_id_ok() - "sha512-..." or "deps-sha512-...", whole and in canonical form */
bool render_id_ok(const char *s);
/** render_id_is_image() - of an image without dependencies: it is the image's ID */
bool render_id_is_image(const struct render_id *id);
void render_id_set(struct render_id *id, const char *s);

enum render_mode {
	RENDER_AUTO,  /* the first one of these that works */
	RENDER_EROFS, /* "erofs": EROFS mounted from files */
	RENDER_LOOP,  /* "loop": EROFS mounted from loop devices */
	RENDER_TREE,  /* "tree": unpacked */
};
const char *render_mode_name(enum render_mode m);
/** render_mode_from() - false: there is none of that name */
bool render_mode_from(const char *name, enum render_mode *out);

struct render_how {
	enum render_mode mode;
	bool             direct; /* read content past the page cache of the archives */
};
/** render_set_how() - for all that is rendered through this handle; without it RENDER_AUTO */
void render_set_how(struct store *st, const struct render_how *o);

struct render_backend {
	enum render_mode mode; /* never RENDER_AUTO */
	bool             forced;
	char             reason[460]; /* why none of the better ones; "" for the best */
};
/** render_backend() - which way is taken, found out anew; ENOENT: there is no store yet, and none was forced */
int render_backend(struct store *st, struct render_backend *out, struct err *e);
/** render_try() - whether RENDER_EROFS or RENDER_LOOP works with files in @dir_fd; nothing of the trial stays */
int render_try(int dir_fd, enum render_mode m, bool direct, struct err *e);

/**
 * render_image() - renders with the dependencies that the store has now, unless that was done
 * @rid: receives the render ID, which is what a pod has to remember; may be NULL
 *
 * Returns an O_PATH descriptor of the root, the caller's to close.
 * Errors: those of deps_resolve(); ENOSPC and the like; EBADMSG the store's content is damaged.
 */
int render_image(struct store *st, const struct image_id *id, struct render_id *rid, struct err *e);

/** render_again() - what a pod remembers: the same root as then, also when its images were removed meanwhile */
int render_again(struct store *st, const struct render_id *rid, struct err *e);

/**
 * render_ahead() - for an image that will be started soon: mounts it, and has its executable read, unless that would
 * take longer than a moment (no index, nothing can be mounted here) or many others are mounted
 */
void render_ahead(struct store *st, const struct image_id *id);

/** render_each_image() - the images that a merged root is made of; none for an image without dependencies */
int render_each_image(struct store *st, const char *render_id,
		      int (*fn)(void *ctx, const struct image_id *id, struct err *e), void *ctx, struct err *e);

/** render_is_possible() - 1: all that the root is made of is in the store, or the root itself; 0; -1: it cannot be told */
int render_is_possible(struct store *st, const char *render_id, struct err *e);

/** render_missing() - tells of each dependency of an image that the store lacks */
int render_missing(struct store *st, const struct image_id *id, void (*tell)(void *ctx, const char *what), void *ctx,
		   struct err *e);

/** render_copy() - a private copy of the rendered root into the empty directory @dir_fd (no overlayfs, export --overwrite ...) */
int render_copy(int root_fd, int dir_fd, struct err *e);

/** render_unpack() - the same from the archives, leaving the store as it is; all of it is the caller's, nothing setuid */
int render_unpack(struct store *st, const struct image_id *id, int dir_fd, struct err *e);

/** render_is_ready() - whether render_again() would have nothing to do */
bool render_is_ready(struct store *st, const struct render_id *rid);

/* what there is of a root besides its archives */
struct render_parts { bool index, mounted, tree; };
struct render_parts render_parts(struct store *st, const struct render_id *rid);

/** render_leave() - in a mount namespace of our own: lets go of the mounts of all images, ours are in overlays by now
 * @cas: path of the store's directory */
void render_leave(const char *cas);

/**
 * render_extract() - the image's own rootfs, as it is in the archive, into the empty directory @dir_fd
 *
 * No dependencies, no whitelist; the content is checked against the ID on the way.
 */
int render_extract(struct store *st, const struct image_id *id, int dir_fd, struct err *e);
