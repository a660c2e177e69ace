/* SPDX-License-Identifier: Apache-2.0
 * user - who an app runs as: numbers, names of the image's own /etc/passwd and /etc/group, owners
 * of a path
 *
 * No heap, no C library look-ups: the files belong to the image and are read here, on a descriptor,
 * line by line.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "core/pod/ids.h"

#define USER_NAME_MAX 64
#define USER_PATH_MAX 256

struct user {
	uid_t uid;
	gid_t gid;
	/* for HOME, USER, LOGNAME and SHELL; from the uid's line in /etc/passwd, else "/", the
	 * number and "/bin/sh" */
	char  name[USER_NAME_MAX], home[USER_PATH_MAX], shell[USER_PATH_MAX];
};

/**
 * user_resolve() - the manifest's user and group, inside the image at @root_fd
 *
 * Something that begins like a number is a number (0..2^32-2) or an error, never a name; something
 * that begins with "/" is a path in the image, whose owner or group is meant; all else is a name.
 * @ids: the pod's, to which owners of files in the image are mapped; NULL or count 0: they are not
 * Errors: `"NAME" user not found`, `"NAME" group not found`.
 */
int user_resolve(int root_fd, const char *user, const char *group, const struct pod_ids *ids, struct user *out,
		 struct err *e);

struct passwd_line { /* one line of passwd or group; what group lacks is empty */
	char  name[USER_NAME_MAX], home[USER_PATH_MAX], shell[USER_PATH_MAX];
	uid_t id;  /* the third field */
	gid_t gid; /* the fourth, of passwd */
};

/** passwd_find() - the first well-formed line with that name, or, @name NULL, with that id: 1, 0
 * not there, -1/errno */
int passwd_find(int fd, bool group, const char *name, uid_t id, struct passwd_line *out);
