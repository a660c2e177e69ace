/* SPDX-License-Identifier: Apache-2.0
 * trust - whether a key that is trusted for an image vouches for it
 *
 * Every refusal names its reason and, where there is one, the command that would change it.
 */
#pragma once

#include "core/base/err.h"
#include "core/trust/keystore.h"

/**
 * trust_still() - at every start: is the key that vouched for the image still trusted for that name?
 *
 * Looks at names of files only: a system call for each place where the key might be. ENOKEY: not any more.
 */
int trust_still(const struct keystore_dirs *d, const char *name, const char *fingerprint, struct err *e);
