/* SPDX-License-Identifier: Apache-2.0
 * trust - whether a key that is trusted for an image vouches for it
 *
 * Every refusal names its reason and, where there is one, the command that would change it.
 */
#pragma once

#include "core/base/err.h"
#include "core/trust/keystore.h"
#include "core/trust/sigcheck.h"

/**
 * trust_early() - before an image is read: could any of the signatures be by a key that is trusted for it?
 * @name: NULL when it is not known yet; then any key that is trusted for something will do
 * ENOKEY: none of them.
 */
int trust_early(const struct keystore_dirs *d, const struct sigcheck *c, const char *name, struct err *e);

/**
 * trust_vouch() - when @c was fed all of the image: does a key vouch for it that is trusted for that name?
 * @fingerprint, @prefix: who, and for what it is trusted ("": everything); the caller's to free
 *
 * One good signature will do. Otherwise the reason that tells most, with the code of sigcheck_verify(); ENOKEY also when
 * the key is trusted for other images only.
 */
int trust_vouch(const struct keystore_dirs *d, struct sigcheck *c, const char *name, int64_t now_s, char **fingerprint,
		char **prefix, struct err *e);

/**
 * trust_still() - at every start: is the key that vouched for the image still trusted for that name?
 *
 * Looks at names of files only: a system call for each place where the key might be. ENOKEY: not any more.
 */
int trust_still(const struct keystore_dirs *d, const char *name, const char *fingerprint, struct err *e);
