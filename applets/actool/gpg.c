/* SPDX-License-Identifier: Apache-2.0
 * gpg - see gpg.h; keys, agents, smart cards and how to encrypt are gpg's business
 */
#include "applets/actool/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/trust/decrypt.h"

#define PASSPHRASE_FD 3

/* gpg reads and writes through descriptors: the files have no names yet; @passphrase_fd: -1: none */
static int start(const char *const *argv, int in_fd, int out_fd, int passphrase_fd, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t fds;

	if (posix_spawn_file_actions_init(&fds))
		return err_set(e, ENOMEM, "out of memory");
	int r = posix_spawn_file_actions_adddup2(&fds, in_fd, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&fds, out_fd, 1);
	if (passphrase_fd >= 0)
		r = r ? r : posix_spawn_file_actions_adddup2(&fds, passphrase_fd, PASSPHRASE_FD);
	r = r ? r : posix_spawnp(pid, argv[0], &fds, NULL, (char **)(uintptr_t)argv, environ);
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

/* ---- signatures ---- */

/* a program that says 0 and has written something else is not believed */
static int check_armor(int fd, const char *name, struct err *e)
{
	static const char head[] = "-----BEGIN PGP SIGNATURE-----";
	char begin[sizeof(head)] = "";

	if (pread(fd, begin, sizeof(head) - 1, 0) < 0)
		return err_sys(e, "read");
	return strcmp(begin, head) == 0 ? 0 : err_set(e, EIO, "%s wrote no armored signature", name);
}

int gpg_sign(const char *program, const char *local_user, const struct output *image, const struct output *signature,
	     struct err *e)
{
	const char *gpg = program ? program : "gpg";
	const char *argv[] = { gpg, "--batch", "--yes", "--armor", "--detach-sign", "--output", "-",
		local_user ? "--local-user" : NULL, local_user, NULL };
	pid_t pid;

	if (lseek(image->fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read");
	if (start(argv, image->fd, signature->fd, -1, &pid, e) < 0)
		return -1;
	return wait_for(pid, gpg, e) < 0 ? -1 : check_armor(signature->fd, gpg, e);
}

/* ---- encryption ---- */

/* a pipe takes all of it at once */
static int give_passphrase(const struct gpg_encrypt *x, bool fresh, int *read_fd, struct err *e)
{
	const char *text;
	size_t len;
	int fds[2];

	if (passphrase_get(x->passphrase, fresh, &text, &len, e) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*read_fd = fds[0];
	auto_close int to_fd = fds[1];
	if (fd_write_all(to_fd, text, len) < 0 || fd_write_all(to_fd, "\n", 1) < 0)
		return err_sys(e, "pipe");
	return 0;
}

int gpg_encrypt_start(struct gpg_encrypt *x, const char *program, const struct passphrase_opts *o, bool fresh, int out_fd,
		      struct err *e)
{
	/* what a user's gpg.conf says otherwise is not for images; the image is compressed, or is not to be */
	static const char *const how[] = { "gpg", "--batch", "--yes", "--quiet", "--no-armor", "--pinentry-mode",
		"loopback", "--passphrase-fd", "3", "--symmetric", "--cipher-algo", "AES256", "--compress-algo", "none",
		"--s2k-mode", "3", "--s2k-digest-algo", "SHA512", "--s2k-count", "65011712", "--output", "-", NULL };
	const char *argv[sizeof(how) / sizeof(*how)];
	auto_close int passphrase_fd = -1;
	int fds[2];

	memcpy(argv, how, sizeof(argv));
	if (program)
		argv[0] = program;
	*x = (struct gpg_encrypt){ .program = argv[0], .passphrase = o, .to_fd = -1, .out_fd = out_fd };
	if (give_passphrase(x, fresh, &passphrase_fd, e) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	auto_close int from_fd = fds[0];
	x->to_fd = fds[1];
	if (start(argv, from_fd, out_fd, passphrase_fd, &x->pid, e) < 0) {
		fd_cleanup(&x->to_fd);
		return -1;
	}
	x->on_pipe = signal(SIGPIPE, SIG_IGN); /* if it ends early, that is told in words */
	return 0;
}

/* that it is encrypted, protected, and with this passphrase */
static int check_message(const struct gpg_encrypt *x, struct err *e)
{
	const char *text;
	size_t len;

	if (lseek(x->out_fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read");
	if (passphrase_get(x->passphrase, false, &text, &len, e) < 0)
		return -1;
	struct source *in = source_fd(x->out_fd, e);
	auto_source struct source *plain = in ? decrypt_open(in, text, len, e) : NULL;
	return plain ? 0 : err_wrap(e, "%s wrote no message that can be read", x->program);
}

int gpg_encrypt_end(struct gpg_encrypt *x, int written, struct err *e)
{
	struct err its;

	fd_cleanup(&x->to_fd);
	int r = wait_for(x->pid, x->program, &its);
	signal(SIGPIPE, x->on_pipe);
	if (r < 0 && (written == 0 || e->code == EPIPE))
		return err_set(e, its.code, "%s", its.msg);
	return written < 0 ? -1 : check_message(x, e);
}
