/* SPDX-License-Identifier: Apache-2.0
 * store - images on disk, content-addressed, without a database
 *
 * Below DIR/cas (0700):
 *   blob/sha512/ab/sha512-<128 hex>   the uncompressed tar, byte-exact, 0400: the only copy of the content
 *   manifest/sha512-<128>             its manifest as it is in the archive
 *   info/sha512-<128>                 JSON: name, labels, size, import time, who vouched for it, where it is from
 *   remote/<sha512 of the URL, 64>    JSON: URL -> image ID, ETag, when it was downloaded and until when it is fresh
 *   name/<sha512 of the name, 64>/sha512-<128>   empty: which images carry a name; likewise for the name, a NUL
 *                                and the version label, so that a name of many versions stays quick to look up
 *   used/sha512-<128>                 empty; its mtime is when the image was last used
 *   index/, mnt/, tree/, recipe/   what is rendered from images (render.h)
 *   partial/<sha512 of the URL, 64>  what has come of a download (partial.h)
 *   backend                      JSON: by which way that is done here (backend.h)
 *   lock                              flock: shared while images are in use, exclusive while store_gc() decides what goes
 * An image exists exactly when its info file does: import writes that last, removal takes it away first, so at
 * any moment of a power cut the store is right and at worst has leftovers, which store_gc() removes.
 * IDs: "sha512-" + 128 hex digits inside; every input takes a unique prefix of at least 2 digits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/archive/aci.h"
#include "core/base/err.h"

#define IMAGE_ID_LEN (sizeof("sha512-") - 1 + 128)
#define IMAGE_KEY_HEX 64  /* digits of rkt's key: printed by --full */
#define IMAGE_SHORT_HEX 32 /* digits that fetch prints */

struct image_id { char s[IMAGE_ID_LEN + 1]; };

struct store; /* holds cas_fd and the shared lock */

/* what those hear who may not use a data directory */
#define STORE_REMEDY "it is for root and, once root has run rkt install, for members of the group rkt; or use --dir=DIR of your own"

/**
 * store_open() - opens DIR/cas
 * @create: make what is missing; otherwise a store that is not there is an empty one
 * Takes the shared lock, waiting for a removal under way. Errors: EACCES with "cannot run as unprivileged user" etc.
 */
struct store *store_open(const char *dir, bool create, struct err *e);
void store_close(struct store *st);
/**
 * store_pause() - lets the shared lock go while something is waited for that is not the store: bytes of an archive, a server
 * A root that was lent out keeps it all the same, since it must not be collected. What was looked up before may be gone
 * after store_resume(), which waits for a removal under way.
 */
void store_pause(struct store *st);
int store_resume(struct store *st, struct err *e);
/** store_on_warning() - is told what went not quite well: an attribute the file system cannot keep, a damaged record */
void store_on_warning(struct store *st, void (*warn)(void *ctx, const char *text), void *ctx);
int store_cas_fd(const struct store *st); /* borrowed; for render.h */

/* by what an unchanged blob is known; see verify.h */
#define SEAL_VERITY_MAX 144
struct image_seal {
	uint64_t ino, ctime_ns, mtime_ns;    /* ino 0: none was taken */
	char     verity[SEAL_VERITY_MAX]; /* "sha256:<hex>": the digest that fs-verity enforces; "": it does not */
};

struct image_info {
	struct image_id   id;
	char             *name;         /* "example.com/app" */
	struct appc_pairs labels;
	uint64_t          tar_bytes;    /* size of the blob */
	uint64_t          archive_bytes; /* of the image as it came, compressed or not; 0: not known */
	int64_t           import_ns, last_used_ns; /* since 1970 */
	bool              latest;       /* fetched without a version label */
	bool              devices;      /* has device nodes, and was let in with them */
	char             *verified_by;  /* "insecure", or fingerprint of the key */
	char             *verified_prefix; /* of names that the key was trusted for, "" for all; NULL with "insecure" */
	char             *origin;       /* file path or URL it came from; NULL: not known */
	char             *damaged;      /* what is wrong with its content; NULL: nothing that we know of */
	struct image_seal seal;         /* of the blob */
	struct image_seal index_seal;   /* of the index that the import wrote */
};
void image_info_free(struct image_info *i);

struct image_infos { struct image_info *v; size_t n; };
void image_infos_free(struct image_infos *l);

/* ---- import ---- */

/* what is known when all of an image was read */
struct import_facts {
	const struct image_id       *id;
	const struct image_manifest *manifest;
	uint64_t                     tar_bytes, archive_bytes;
};
/* who vouches for it; both are the importer's to free */
struct import_verdict {
	char    *by, *prefix;   /* as image_info.verified_by and .verified_prefix; NULL: nobody does */
	uint64_t archive_bytes; /* of the file, where that was more than what was read here (encrypted); 0: it was not */
};

struct import_opts {
	bool        latest;
	bool        devices;     /* device nodes are let in */
	const char *origin;
	void       *ctx;
	void      (*progress)(void *ctx, uint64_t in_bytes);
	/* asked once, after the last byte and before anything is published, without the store's lock: 0 it may come in;
	 * -1 it may not, and the store stays as it was. NULL: it may, and nobody vouches for it. */
	int       (*judge)(void *ctx, const struct import_facts *f, struct import_verdict *out, struct err *e);
};

/**
 * store_import() - one pass from an archive to a published image
 * @in: the archive, compressed or not (borrowed)
 * @id: receives the image ID; @existed: the same image was there already, whole (then only info is refreshed: who
 *      vouches for it now takes the place of who did, but never does "insecure"). One that is marked as damaged, or
 *      whose blob is not known to be unchanged, is replaced.
 *
 * Device nodes: ENODEV unless @o lets them in, and then info remembers that the image has some. Character
 * device 0:0 is EINVAL even so: overlayfs takes it for "deleted", so that apps would not see what the archive has.
 *
 * Nothing is visible before everything is on disk. On any error the store is as it was. Two imports of the
 * same image at once make one blob.
 */
int store_import(struct store *st, struct source *in, const struct import_opts *o, struct image_id *id,
		 bool *existed, struct err *e);

/* ---- look-up ---- */
/** store_resolve() - "sha512-ab", "ab12" ...: EINVAL not an ID or "image ID too short", ENOENT "no image IDs found", ENOTUNIQ "ambiguous image ID" */
int store_resolve(struct store *st, const char *prefix, struct image_id *id, struct err *e);

/**
 * store_find_name() - by name and labels (all of @labels must match; others may be there)
 * Several match: latest first, then the newest import. ENOENT: none.
 */
int store_find_name(struct store *st, const char *name, const struct appc_pairs *labels, struct image_id *id,
		    struct err *e);
int store_find_url(struct store *st, const char *url, struct image_id *id, struct err *e);

/* what was fetched from a URL, and what its server said of it */
struct store_remote {
	struct image_id id;
	char           *etag;      /* NULL: none */
	int64_t         fetched_s; /* since 1970 */
	int64_t         max_age_s; /* so long it need not be asked for again; 0: always */
};
void store_remote_free(struct store_remote *r);
/** store_find_remote() - as store_find_url(), all of the record; store_remote_free() it
 * store_remote_fresh() - whether it need not be asked for at @now_s; a record of the future never is */
int store_find_remote(struct store *st, const char *url, struct store_remote *out, struct err *e);
bool store_remote_fresh(const struct store_remote *r, int64_t now_s);
/** store_each_url() - calls @fn for every URL that the image was fetched from; reads the records of all images */
int store_each_url(struct store *st, const struct image_id *id, void (*fn)(void *ctx, const char *url), void *ctx,
		   struct err *e);
/** store_set_url() - @etag: or NULL; @max_age_s: from now on. What was known of that URL is forgotten. */
int store_set_url(struct store *st, const char *url, const struct image_id *id, const char *etag, int64_t max_age_s,
		  struct err *e);

int store_info(struct store *st, const struct image_id *id, struct image_info *out, struct err *e);
int store_list(struct store *st, struct image_infos *out, struct err *e);
int store_manifest(struct store *st, const struct image_id *id, struct image_manifest *m, struct err *e);
int store_manifest_text(struct store *st, const struct image_id *id, char **text, size_t *len, struct err *e);
/** store_blob() - the tar, O_RDONLY; the caller's to close */
int store_blob(struct store *st, const struct image_id *id, struct err *e);
void store_touch(struct store *st, const struct image_id *id); /* "last used" = now; failure does not matter */

/* ---- upkeep ---- */
/**
 * store_verify() - re-hashes the blob: 0 same, EBADMSG in *e when a byte differs
 * Leaves a mark in info/ when it is damaged, takes one away when it is not; and compares manifests. See verify.h.
 */
int store_verify(struct store *st, const struct image_id *id, struct err *e);

/**
 * store_remove() - takes an image away: nobody finds it any more
 * Its content stays until store_discard() or store_gc(), since pods may use it; needs no running reader to stop.
 */
int store_remove(struct store *st, const struct image_id *id, struct err *e);

/**
 * store_gc() - leftovers of imports and removals, and what was rendered and is not needed any more
 * @render_used: asked under the exclusive lock whether a pod still uses what has this render ID: the ID of an image, or
 *	"deps-..." (render.h). All images that such a root is made of stay, also those that were removed.
 * @removed: told of each thing removed ("tree sha512-..."), may be NULL; under the lock, so it must not wait for anybody
 * @evict: asked first, under the exclusive lock: which images are to go as well; may be NULL. Nobody else uses or removes
 *	any until they are gone, so what the callback sees of the store is what there will be. Their files are not told of.
 */
struct image_ids { struct image_id *v; size_t n, cap; };
struct store_gc_opts {
	void *ctx;
	bool (*render_used)(void *ctx, const char *render_id);
	int  (*evict)(void *ctx, struct image_ids *out, struct err *e);
	void (*removed)(void *ctx, const char *what);
	bool  dry_run;
};
int image_ids_add(struct image_ids *s, const struct image_id *ids, size_t n, struct err *e);
int store_gc(struct store *st, const struct store_gc_opts *o, struct err *e);

/**
 * store_discard() - what store_remove() left of these images, and what was rendered from them, unless pods use it
 * @ids: those that stay are moved to the front, and *n is their number afterwards: because of pods, or because somebody
 *	else has been using the store all the time (this does not wait for long). store_gc() takes them later.
 */
int store_discard(struct store *st, const struct store_gc_opts *o, struct image_id *ids, size_t *n, struct err *e);
