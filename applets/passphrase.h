/* SPDX-License-Identifier: Apache-2.0
 * passphrase - of encrypted images: from a file or the terminal, once for a command
 */
#pragma once

#include <stdbool.h>

#include "core/archive/source.h"
#include "core/base/opt.h"

/* a part of every command that reads images */
struct passphrase_opts {
	const char *file; /* NULL: ask, where there is somebody to ask */
};

extern const struct opt passphrase_opts[];

/**
 * passphrase_source() - puts the decryption behind @in if that is encrypted
 * @in: taken over, also on failure
 *
 * Only its first block is looked at; the passphrase is asked for only if it is needed. Any thread may call this.
 * What next() lends must not be published before the end: see core/trust/decrypt.h, decrypt_is() says if it applies.
 */
struct source *passphrase_source(struct source *in, const struct passphrase_opts *o, struct err *e);

/** passphrase_get() - *text has *len bytes, until the process ends; @twice: on a terminal, because it is a new one */
int passphrase_get(const struct passphrase_opts *o, bool twice, const char **text, size_t *len, struct err *e);

void passphrase_forget(void); /* wipes it */

/** passphrase_check() - EINVAL if @file, an operand, and the passphrase would both be the standard input */
int passphrase_check(const struct passphrase_opts *o, const char *file, struct err *e);
