/* SPDX-License-Identifier: Apache-2.0
 * seccomp - the isolators os/linux/seccomp-remove-set and os/linux/seccomp-retain-set, read
 *
 * Names that an architecture does not have mean nothing there: what cannot be called need not be denied, or allowed.
 * Source: appc spec, spec/ace.md "Linux Isolators"; wildcards as in rkt's Documentation/seccomp-guide.md.
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/appc/syscalls.h"

#define APPC_SECCOMP_REMOVE_SET "os/linux/seccomp-remove-set"
#define APPC_SECCOMP_RETAIN_SET "os/linux/seccomp-retain-set"
#define APPC_SECCOMP_ALL        "@appc.io/all"   /* in a retain set: no filter at all */
#define APPC_SECCOMP_EMPTY      "@appc.io/empty" /* in a remove set: the default filter */

enum appc_seccomp_mode {
	APPC_SECCOMP_DEFAULT,
	APPC_SECCOMP_REMOVE, /* denied: set, and what the default filter denies */
	APPC_SECCOMP_RETAIN, /* allowed: set */
	APPC_SECCOMP_NONE,
};

struct appc_seccomp {
	enum appc_seccomp_mode mode;
	int                    error;   /* what denied calls return; 0: not said */
	bool                   by_caps; /* retain: a default whitelist is in it, which capabilities widen */
	bool                   clone3;  /* retain: it is named itself, not only by a wildcard */
	struct syscall_set     set;
};

/** appc_seccomp_read() - the value of one of the two isolators */
int appc_seccomp_read(const cJSON *value, bool retain, struct appc_seccomp *out, struct err *e);

/** appc_seccomp_override() - what the list says of seccomp is replaced; @value is taken */
int appc_seccomp_override(struct appc_isolators *l, bool retain, cJSON *value, struct err *e);

enum appc_seccomp_doubt {
	APPC_SECCOMP_NO_GROUP,  /* no such wildcard */
	APPC_SECCOMP_NO_CALL,   /* no architecture has it */
	APPC_SECCOMP_ELSEWHERE, /* only others have it */
	APPC_SECCOMP_PART,      /* a wildcard that names such calls */
};
/** appc_seccomp_doubts() - calls @tell for each name in the sets of @l that means nothing to an image for @arch (its
 * label; NULL: this machine's) */
void appc_seccomp_doubts(const struct appc_isolators *l, const char *arch,
	void (*tell)(void *ctx, enum appc_seccomp_doubt, const char *name), void *ctx);
