/* SPDX-License-Identifier: Apache-2.0
 * build_sign - options for the signature and the encryption of an image, which gpg makes
 */
#pragma once

#include "applets/passphrase.h"
#include "core/base/opt.h"

extern const struct opt build_sign_opts[];

struct build_sign {
	bool                   sign, encrypt;
	const char            *gpg, *local_user;
	struct passphrase_opts passphrase;
};

/** output_sign() - has gpg write the armored signature of what was written to @image into @signature */
int output_sign(const struct build_sign *s, const struct output *image, const struct output *signature, struct err *e);

/** build_sign_check() - EINVAL: options that mean nothing without --sign */
int build_sign_check(const struct build_sign *s, struct err *e);
