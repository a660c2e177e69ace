/* SPDX-License-Identifier: Apache-2.0
 * build_sign - see build_sign.h; keys, agents, smart cards and passphrases are gpg's business
 */
#include "applets/actool/build_sign.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"

const struct opt build_sign_opts[] = {
	OPT_BOOL(0, "sign", struct build_sign, sign, "have gpg sign the image: OUTPUT.aci.asc"),
	OPT_TEXT('u', "local-user", "KEY", struct build_sign, local_user, "with this key (default: gpg's)"),
	OPT_TEXT(0, "gpg", "PROGRAM", struct build_sign, gpg, "run PROGRAM instead of gpg"),
	OPT_END
};

/* gpg reads the image and writes the signature through descriptors: neither has a name yet */
static int start(char **argv, int in_fd, int out_fd, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t fds;

	if (posix_spawn_file_actions_init(&fds))
		return err_set(e, ENOMEM, "out of memory");
	int r = posix_spawn_file_actions_adddup2(&fds, in_fd, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&fds, out_fd, 1);
	r = r ? r : posix_spawnp(pid, argv[0], &fds, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fds);
	if (!r)
		return 0;
	errno = r;
	err_sys(e, "run %s", argv[0]);
	return r == ENOENT ? err_wrap(e, "install gnupg, or name it with --gpg=PROGRAM") : err_failed();
}

static int wait_for(pid_t pid, const char *name, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for %s", name);
	if (WIFSIGNALED(status))
		return err_set(e, EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) == 127)
		return err_set(e, ENOENT, "%s could not be run: install gnupg, or name it with --gpg=PROGRAM", name);
	if (WEXITSTATUS(status))
		return err_set(e, EIO, "%s failed with status %d; what it said stands above", name, WEXITSTATUS(status));
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
