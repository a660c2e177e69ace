/* SPDX-License-Identifier: Apache-2.0
 * build_sign - the signature of an image, made by gpg
 */
#pragma once

#include "applets/actool/output.h"
#include "core/base/opt.h"

extern const struct opt build_sign_opts[];

struct build_sign {
	bool        sign;
	const char *gpg, *local_user;
};

/** output_sign() - has gpg write the armored signature of what was written to @image into @signature */
int output_sign(const struct build_sign *s, const struct output *image, const struct output *signature, struct err *e);
