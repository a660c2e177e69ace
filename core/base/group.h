/* SPDX-License-Identifier: Apache-2.0
 * group - gives directories and files to a group whose members may write there, so may put anything anywhere
 *
 * Everything is opened without following links, and changed by descriptor. A file with more names than one is left
 * alone: it may be somebody else's, which a member has put there to get at it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"

struct group_set {
	gid_t  gid;
	void (*changed)(void *ctx, const char *what); /* "cas: mode 0700 to 2770"; may be NULL */
	void  *ctx;
	size_t n_files; /* that were changed, of which nobody is told one by one */
};

/** group_dir() - makes it if need be, root's; its descriptor, the caller's; no link is followed on the way */
int group_dir(struct group_set *s, int at_fd, const char *name, mode_t mode, struct err *e);
/** group_file() - nothing is made; 1: changed, 0: it was so, or is no file of ours */
int group_file(struct group_set *s, int at_fd, const char *name, mode_t mode, struct err *e);
