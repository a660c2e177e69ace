/* SPDX-License-Identifier: Apache-2.0
 * build_sign - see build_sign.h
 */
#include "applets/actool/build_sign.h"

#include <errno.h>

const struct opt build_sign_opts[] = {
	OPT_BOOL(0, "sign", struct build_sign, sign, "have gpg sign the image: a file .aci.asc beside it"),
	OPT_TEXT('u', "local-user", "KEY", struct build_sign, local_user, "with this key (default: gpg's)"),
	OPT_BOOL(0, "encrypt", struct build_sign, encrypt, "have gpg encrypt the image with a passphrase"),
	OPT_TEXT(0, "passphrase-file", "FILE", struct build_sign, passphrase.file,
		 "its first line (-: of stdin); without it, the terminal is asked"),
	OPT_TEXT(0, "gpg", "PROGRAM", struct build_sign, gpg, "run PROGRAM instead of gpg"),
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

/* a program that says 0 and has written something else is not believed */
static int check_armor(int fd, const char *name, struct err *e)
{
	static const char head[] = "-----BEGIN PGP SIGNATURE-----";
	char begin[sizeof(head)] = "";

	if (pread(fd, begin, sizeof(head) - 1, 0) < 0)
		return err_sys(e, "read");
	return strcmp(begin, head) == 0 ? 0 : err_set(e, EIO, "%s wrote no armored signature", name);
}

int output_sign(const struct build_sign *s, const struct output *image, const struct output *signature, struct err *e)
{
	const char *gpg = s->gpg ? s->gpg : "gpg";
	const char *argv[] = { gpg, "--batch", "--yes", "--armor", "--detach-sign", "--output", "-",
		s->local_user ? "--local-user" : NULL, s->local_user, NULL };
	pid_t pid;

	if (lseek(image->fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read");
	if (start((char **)(uintptr_t)argv, image->fd, signature->fd, &pid, e) < 0)
		return -1;
	return wait_for(pid, gpg, e) < 0 ? -1 : check_armor(signature->fd, gpg, e);
}

int build_sign_check(const struct build_sign *s, struct err *e)
{
	if (!s->sign && (s->local_user || s->gpg))
		return err_set(e, EINVAL, "--local-user and --gpg are about --sign: give that too");
	return 0;
}
