/* SPDX-License-Identifier: Apache-2.0
 * publish - a tree of files that any web server can serve, and that clients discover images in
 *
 *	DIR/index.html                                      the meta tags
 *	DIR/example.com/app-1.0-linux-amd64.aci, .aci.asc   an image and its signature
 *	DIR/example.com/app-pubkeys.gpg                     the keys
 *
 * All is made without names first, in DIR, and gets its names at once, the index last; so nothing is half there.
 */
#pragma once

#include <stdbool.h>

#include "applets/actool/build_sign.h"
#include "applets/actool/output.h"
#include "core/base/buf.h"
#include "core/trust/openpgp.h"

/* what clients make of a name and labels, behind the URL of the tree; paths in it are made likewise */
#define PUBLISH_TEMPLATE "/{name}-{version}-{os}-{arch}.{ext}"

struct publish_file {
	char *path, *full; /* below DIR, and with it */
	char *url;
};

struct publish_key {
	char       fingerprint[FINGERPRINT_MAX + 1];
	struct buf data; /* with all that belongs to it */
};

struct publish {
	const char              *dir, *name;
	char                    *base;   /* URL of the tree, without a slash at its end */
	int                      dir_fd; /* -1: there is none yet */
	bool                     dry_run, overwrite, latest;
	const struct build_sign *sign;
	struct buf               tags, names; /* in HTML: tags for other names, which stay; all names */
	struct publish_key      *keys;
	size_t                   n_keys;
	struct publish_file    **files;
	size_t                   n_files;
	struct output           *outs;   /* what will get a name */
	size_t                   n_outs, n_staged;
};

/* ---- publish.c ---- */

/** publish_file() - one more file of the tree; takes @path and @url; NULL and EEXIST: it is one already */
struct publish_file *publish_file(struct publish *p, char *path, char *url, struct err *e);

/** publish_stage() - a new file without a name yet; nothing at all in a dry run */
int publish_stage(struct publish *p, struct output *o, struct err *e);

/**
 * publish_put() - has a staged file named for @f
 * @fd: receives the staged file when it was not put before, and is what is put again under another name
 */
int publish_put(struct publish *p, struct output *o, int *fd, const struct publish_file *f, struct err *e);

/** publish_text() - a file of the tree with that text */
int publish_text(struct publish *p, char *path, char *url, const struct buf *text, struct err *e);

/** publish_read() - a file that a user names, at most a MiB */
int publish_read(const char *path, struct buf *out, struct err *e);

/* ---- publish_image.c ---- */

/** publish_image() - checks an image and stages it with its signature */
int publish_image(struct publish *p, const char *file, struct err *e);

/* ---- publish_page.c ---- */

/** publish_index_read() - what the tree's index has for other names; EEXIST: it is not ours. Completes @p->base. */
int publish_index_read(struct publish *p, struct err *e);

/** publish_index() - stages the index */
int publish_index(struct publish *p, struct err *e);

/* ---- publish_keys.c ---- */

char *publish_key_path(const struct publish *p);

/** publish_keys_read() - those in @files, and those that are there already, into @p->keys */
int publish_keys_read(struct publish *p, size_t n, const char *const *files, struct err *e);

/** publish_keys() - stages them */
int publish_keys(struct publish *p, struct err *e);
void publish_keys_free(struct publish *p);

/**
 * publish_check_signature() - whether signatures of @image_fd are some, and vouch for it if a key of ours made them
 * That none of our keys did is only warned of, since whoever fetches may have others.
 * -1: EINVAL no signature; those of sigcheck_verify()
 */
int publish_check_signature(const struct publish *p, const char *text, size_t len, int image_fd, const char *file, struct err *e);
