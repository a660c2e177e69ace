/* SPDX-License-Identifier: Apache-2.0
 * audit - what whoever runs an image would want to know of its entries: warnings, all of them
 *
 * Only who checks images asks for this; who stores or runs them does not, and what they refuse is not decided here.
 */
#pragma once

#include <stdint.h>

#include "core/appc/finding.h"
#include "core/archive/tar.h"

/* whose an extended attribute is */
enum xattr_class { XATTR_TRUSTED, XATTR_OVERLAY, XATTR_SELINUX, XATTR_SECURITY, XATTR_OTHER, XATTR_FOREIGN,
	XATTR_KEPT = XATTR_FOREIGN, /* the image's own: all others belong to the host's kernel, and are not handed on */
	XATTR_CAPABILITY };

enum xattr_class xattr_class(const char *name);

/* Zero-initialise, but for f. */
struct audit {
	struct findings *f; /* borrowed */
	/* attributes are often on every file: so each class is told of once, with the first and how many there are */
	struct audit_tally {
		uint64_t n, offset;
		char    *first; /* NULL also when there was no memory for it */
	} foreign[XATTR_FOREIGN];
};

/** audit_entry() - an entry below rootfs, or rootfs; its path begins with "rootfs" */
void audit_entry(struct audit *a, const struct tar_entry *en);

/** audit_xattrs() - the same for attributes alone, by their names: @len bytes with a NUL behind each */
void audit_xattrs(struct audit *a, const struct tar_entry *en, const char *names, size_t len);

/** audit_finish() - reports what could not be said before all entries were seen, and frees */
void audit_finish(struct audit *a);
void audit_free(struct audit *a);
