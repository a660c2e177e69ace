/* SPDX-License-Identifier: Apache-2.0
 * keystore - trusted keys as files: trustedkeys/{prefix.d/PREFIX,root.d}/FINGERPRINT below configuration directories
 *
 * The name of a file is the lower-case fingerprint of the key in it; the slashes of PREFIX are directories. A key in
 * prefix.d is trusted for images whose names are PREFIX or go on with a slash behind it, one in root.d for all.
 * Of several files of one name the last that fits the image has the say, and takes the key away where it is empty:
 * root.d of the system, then of the local and of the user's configuration; then prefix.d of the three, each from the
 * shortest prefix to the longest.
 * Source: rkt Documentation/signing-and-verification-guide.md, and as rkt's keystore reads them; but prefixes end
 * where a component does, and one bad file does not spoil the rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define KEYSTORE_LOCAL    "/etc/rkt" /* where local keys are unless somebody says otherwise */
#define KEYSTORE_FILE_MAX (1u << 20)
#define KEYSTORE_DEPTH_MAX 32        /* components of a prefix */

struct keystore_dirs {
	const char *system_dir, *local_dir, *user_dir; /* NULL or "": none */
	void      (*warn)(void *ctx, const char *text); /* of files that are no keys; may be NULL */
	void       *ctx;
	const char *key_at; /* for messages: where the keys of the image in question are published; NULL: not known */
};

/**
 * keystore_add() - @prefix NULL: trusted for all images
 * @data: the key, not armored; @path receives where it is, the caller's to free
 */
int keystore_add(const char *local_dir, const char *prefix, const char *fingerprint, const void *data, size_t len,
		 char **path, struct err *e);

/** keystore_is_fingerprint() - 40 or 64 lower-case hexadecimal digits: how the file of a key is named */
bool keystore_is_fingerprint(const char *s);

struct keystore_entry {
	char    *prefix; /* NULL: root.d */
	char    *fingerprint, *path;
	unsigned place;  /* a later one has the say */
	bool     empty;
	bool     masked; /* does not count: empty, or another file has the say */
};
struct keystore_list { struct keystore_entry *v; size_t n; };

/**
 * keystore_list() - every file that is named like a key, sorted by prefix and fingerprint
 * What cannot be read is warned of and left out.
 */
int keystore_list(const struct keystore_dirs *d, struct keystore_list *l, struct err *e);

/**
 * keystore_find() - those that concern images named @name; the ones that are not masked are its keys, one per fingerprint
 * -1 also when a directory cannot be read, since what it masks is not known then.
 */
int keystore_find(const struct keystore_dirs *d, const char *name, struct keystore_list *l, struct err *e);
void keystore_list_free(struct keystore_list *l);

/**
 * keystore_decides() - the file that has the say for @fingerprint and images named @name, without reading directories
 * @path: of PATH_MAX bytes, receives it
 * 1: is trusted; 0: an empty file; -1: no file (ENOENT), or it cannot be told.
 */
int keystore_decides(const struct keystore_dirs *d, const char *name, const char *fingerprint, char *path, struct err *e);

/**
 * keystore_remove() - ends the trust: deletes local files, masks the system's with an empty one
 * @fingerprint: whole, or a unique end of at least 8 digits; @prefix NULL: root. ENOENT: no such key.
 */
int keystore_remove(const struct keystore_dirs *d, const char *prefix, const char *fingerprint, struct err *e);
