/* SPDX-License-Identifier: Apache-2.0
 * subject - one file under test: what it is, and all that there is to be said of it
 *
 * Never prints, and may be used by several threads at a time, each with its own subject.
 */
#pragma once

#include <stdbool.h>

#include "applets/passphrase.h"
#include "core/appc/finding.h"
#include "core/archive/inflate.h"
#include "core/archive/policy.h"
#include "core/base/hash.h"

enum subject_type { SUBJECT_UNKNOWN, SUBJECT_IMAGE, SUBJECT_LAYOUT, SUBJECT_MANIFEST };

#define SUBJECT_STDIN "-"

/* how all of a call are looked at */
struct subject_how {
	const struct policy *policy;
	enum subject_type    type;     /* what they have to be; SUBJECT_UNKNOWN: what they look like */
	unsigned             threads;  /* for each; 0: as many as there are processors */
	bool                 progress; /* show it, where there is a terminal */
	bool                 digest;   /* the ID of an image is wanted */
	const struct passphrase_opts *passphrase;
};

struct subject {
	const char       *file; /* borrowed; SUBJECT_STDIN: standard input */
	enum subject_type type;
	const char       *valid_as; /* "app container image"; NULL: not known */
	bool              plain;    /* offsets are those of bytes of the file itself: it is neither compressed nor encrypted */
	bool              encrypted;
	bool              unread;   /* could not be read to its end, so there may be more to be found */
	struct findings   f;
	char              id[sizeof("sha512-") + HASH_SHA512_HEX]; /* of an image that was read to its end, if wanted; or "" */
};

const char *subject_type_name(enum subject_type t); /* "appimage", "layout", "manifest"; "" */
enum subject_type subject_type_find(const char *name);

/** subject_check() - fills @s, of which only @file is set before */
void subject_check(struct subject *s, const struct subject_how *how);
void subject_free(struct subject *s);

/** subject_ok() - @strict: warnings count as well */
bool subject_ok(const struct subject *s, bool strict);
