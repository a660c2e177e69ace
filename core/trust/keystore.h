/* SPDX-License-Identifier: Apache-2.0
 * keystore - trusted keys as files: trustedkeys/{prefix.d/PREFIX,root.d}/FINGERPRINT below configuration directories
 *
 * The name of a file is the lower-case fingerprint of the armored key in it. Local keys (/etc/rkt) come on top
 * of the system's (/usr/lib/rkt): an empty local file takes away the system's key of that name.
 * Source: rkt Documentation/signing-and-verification-guide.md.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/trust/openpgp.h"

struct keystore_dirs { const char *system_dir, *local_dir, *user_dir; }; /* may be NULL */

/** keystore_add() - prefix NULL: trusted for all images. @path receives where it is, the caller's to free. */
int keystore_add(const char *local_dir, const char *prefix, const struct openpgp_key *key, char **path, struct err *e);

struct keystore_entry { char *prefix, *fingerprint, *path; bool masked; }; /* prefix NULL: root */
struct keystore_list { struct keystore_entry *v; size_t n; };

/** keystore_list() - every trusted key, and the masked ones, sorted by prefix and fingerprint */
int keystore_list(const struct keystore_dirs *d, struct keystore_list *l, struct err *e);
void keystore_list_free(struct keystore_list *l);

/**
 * keystore_remove() - ends the trust: deletes local files, masks the system's with an empty one
 * @fingerprint: whole, or a unique end of at least 8 digits; @prefix NULL: root. ENOENT: no such key.
 */
int keystore_remove(const struct keystore_dirs *d, const char *prefix, const char *fingerprint, struct err *e);
