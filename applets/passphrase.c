/* SPDX-License-Identifier: Apache-2.0
 * passphrase - see passphrase.h
 */
#include "applets/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <mbedtls/platform_util.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/trust/decrypt.h"

#define CONTROL_C 3

const struct opt passphrase_opts[] = {
	OPT_TEXT(0, "passphrase-file", "FILE", struct passphrase_opts, file,
		 "its first line is the passphrase of encrypted images; -: of stdin"),
	OPT_END
};

/* several threads read images, and all of them want the same one */
static struct {
	pthread_mutex_t lock;
	bool            have;
	size_t          len;
	char            text[DECRYPT_PASSPHRASE_MAX + 1];
} secret = { .lock = PTHREAD_MUTEX_INITIALIZER };

void passphrase_forget(void)
{
	mbedtls_platform_zeroize(secret.text, sizeof(secret.text));
}

/* Byte by byte, as gpg does it: what comes behind the line is for somebody else. */
static int read_line(int fd, char *text, size_t *len, struct err *e)
{
	ssize_t n;

	for (*len = 0; (n = fd_read_full(fd, text + *len, 1)) > 0 && text[*len] != '\n'; ++*len) {
		if (*len == DECRYPT_PASSPHRASE_MAX)
			return err_set(e, EFBIG, "the passphrase is longer than %u bytes", DECRYPT_PASSPHRASE_MAX);
		if (!text[*len])
			return err_set(e, EINVAL, "the passphrase has a NUL byte");
		if (text[*len] == CONTROL_C && isatty(fd))
			return err_set(e, EINTR, "interrupted");
	}
	if (n < 0)
		return err_sys(e, "read");
	return *len ? 0 : err_set(e, EINVAL, "the passphrase is empty");
}

static int read_file(const char *file, struct err *e)
{
	bool standard = !strcmp(file, "-");
	struct stat st;

	auto_close int fd = standard ? -1 : fd_open_input(file, &st, e);
	if (!standard && fd < 0)
		return -1;
	if (!standard && S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
		ui_warn("%s: everybody can read it (chmod 600)", file);
	return read_line(standard ? 0 : fd, secret.text, &secret.len, e);
}

/*
 * Without an echo; and without signals, which could leave the terminal so: control-C ends the line instead. What was typed
 * before the question can be seen is no answer to it.
 */
static int ask(int tty, const char *question, char *text, size_t *len, struct err *e)
{
	struct termios before, silent;

	if (tcgetattr(tty, &before) < 0)
		return err_sys(e, "terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	silent.c_lflag |= ECHONL;
	silent.c_cc[VEOL] = CONTROL_C;
	if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
		return err_sys(e, "terminal");
	int r = fd_write_all(tty, question, strlen(question)) < 0 ? err_sys(e, "terminal") : read_line(tty, text, len, e);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	return r;
}

static int ask_twice(int tty, struct err *e)
{
	char again[sizeof(secret.text)];
	size_t len;

	int r = ask(tty, "Again: ", again, &len, e);
	if (r == 0 && (len != secret.len || memcmp(again, secret.text, len) != 0))
		r = err_set(e, EINVAL, "the two passphrases differ");
	mbedtls_platform_zeroize(again, sizeof(again));
	return r;
}

static int ask_terminal(bool twice, struct err *e)
{
	auto_close int tty = isatty(2) ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;

	if (tty < 0)
		return err_set(e, EACCES, "a passphrase is needed: give --passphrase-file=FILE (there is no terminal to "
			       "ask on)");
	if (ask(tty, "Passphrase of the image: ", secret.text, &secret.len, e) < 0)
		return -1;
	return twice ? ask_twice(tty, e) : 0;
}

int passphrase_get(const struct passphrase_opts *o, bool twice, const char **text, size_t *len, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&secret.lock);
	if (!secret.have) {
		r = o->file ? read_file(o->file, e) : ask_terminal(twice, e);
		if (r < 0 && o->file)
			err_wrap(e, "--passphrase-file=%s", o->file);
		secret.have = r == 0;
	}
	pthread_mutex_unlock(&secret.lock);
	*text = secret.text;
	*len = secret.len;
	return r;
}

int passphrase_check(const struct passphrase_opts *o, const char *file, struct err *e)
{
	if (!o->file || strcmp(o->file, "-") != 0 || strcmp(file, "-") != 0)
		return 0;
	return err_set(e, EINVAL, "the standard input cannot be both the image and the passphrase");
}

struct source *passphrase_source(struct source *in, const struct passphrase_opts *o, struct err *e)
{
	const char *text;
	const uint8_t *p;
	size_t len;

	in = source_peek(in, &p, &len, e);
	if (!in || !decrypt_wanted(p, len))
		return in;
	if (passphrase_get(o, false, &text, &len, e) == 0)
		return decrypt_open(in, text, len, e);
	in->close(in);
	err_wrap(e, "is encrypted");
	return NULL;
}
