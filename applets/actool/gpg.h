/* SPDX-License-Identifier: Apache-2.0
 * gpg - what it does for actool: signatures, and encryption while an image is written
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "applets/actool/output.h"
#include "applets/passphrase.h"

/** gpg_sign() - has @program write the armored signature of what was written to @image into @signature */
int gpg_sign(const char *program, const char *local_user, const struct output *image, const struct output *signature,
	     struct err *e);

/* an image on its way through gpg, which never lies on the disk as it is */
struct gpg_encrypt {
	const char                   *program;
	const struct passphrase_opts *passphrase;
	int                           to_fd, out_fd; /* where to write the image; where it comes out */
	pid_t                         pid;
	void                        (*on_pipe)(int);
};

/**
 * gpg_encrypt_start() - @x->to_fd is to be written to then; gpg_encrypt_end() has to be called
 * @out_fd: can be read again; borrowed
 * @fresh: the passphrase is a new one, so somebody who types it does so twice
 */
int gpg_encrypt_start(struct gpg_encrypt *x, const char *program, const struct passphrase_opts *o, bool fresh, int out_fd,
		      struct err *e);

/** gpg_encrypt_end() - @written: what came of it, 0 or -1 and *e; returns the same, or -1 when gpg has failed */
int gpg_encrypt_end(struct gpg_encrypt *x, int written, struct err *e);
