/* SPDX-License-Identifier: Apache-2.0
 * build_sign - options for the signature and the encryption of an image, which gpg makes
 */
#pragma once

#include "applets/passphrase.h"
#include "core/base/opt.h"

/* build_encrypt_opts: for who writes images anew */
extern const struct opt build_sign_opts[], build_encrypt_opts[];

struct build_sign {
	bool                   sign, encrypt;
	const char            *gpg, *local_user;
	struct passphrase_opts passphrase;
};

/** build_sign_check() - EINVAL when an option says how, and none says that */
int build_sign_check(const struct build_sign *s, struct err *e);
