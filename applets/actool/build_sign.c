/* SPDX-License-Identifier: Apache-2.0
 * build_sign - see build_sign.h
 */
#include "applets/actool/build_sign.h"

#include <errno.h>

const struct opt build_sign_opts[] = {
	OPT_BOOL(0, "sign", struct build_sign, sign, "have gpg sign the image: a file .aci.asc beside it"),
	OPT_TEXT('u', "local-user", "KEY", struct build_sign, local_user, "with this key (default: gpg's)"),
	OPT_TEXT(0, "gpg", "PROGRAM", struct build_sign, gpg, "run PROGRAM instead of gpg"),
	OPT_END
};

const struct opt build_encrypt_opts[] = {
	OPT_BOOL(0, "encrypt", struct build_sign, encrypt, "have gpg encrypt the image with a passphrase"),
	OPT_TEXT(0, "passphrase-file", "FILE", struct build_sign, passphrase.file,
		 "its first line (-: of stdin); without it, the terminal is asked"),
	OPT_END
};

int build_sign_check(const struct build_sign *s, struct err *e)
{
	if (!s->sign && s->local_user)
		return err_set(e, EINVAL, "--local-user is about --sign: give that too");
	if (!s->encrypt && s->passphrase.file)
		return err_set(e, EINVAL, "--passphrase-file is about --encrypt: give that too");
	if (!s->sign && !s->encrypt && s->gpg)
		return err_set(e, EINVAL, "--gpg is about --sign and --encrypt: give one of them");
	return 0;
}
