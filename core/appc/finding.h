/* SPDX-License-Identifier: Apache-2.0
 * finding - what a check found: all of it, each with its place, its rule and the text of the spec behind it
 *
 * Findings are about untrusted input, so their texts are already free of control characters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum finding_level { FINDING_ERROR, FINDING_WARNING };

#define FINDING_NO_OFFSET UINT64_MAX

struct finding {
	enum finding_level level;
	const char        *rule;    /* stable id, "manifest-name" (a literal) */
	const char        *section; /* "spec/aci.md, Image Manifest Schema" (a literal) */
	char              *where;   /* JSON pointer, or entry path in the archive; "" for the whole */
	char              *text;    /* what is wrong and what would be right */
	uint64_t           offset;  /* byte in the uncompressed stream or document; FINDING_NO_OFFSET: none */
};

/* Zero-initialise. A hostile file cannot make it grow without bound: after FINDINGS_MAX only counts go on. */
#define FINDINGS_MAX 1000
struct findings {
	struct finding *v;
	size_t          n, cap;
	size_t          errors, warnings; /* all that were reported, also those not kept */
};

void findings_free(struct findings *f);

/** findings_add() - out of memory is counted as an error, so that it can never read as "valid" */
__attribute__((format(printf, 7, 8))) void findings_add(struct findings *f, enum finding_level level,
	const char *rule, const char *section, const char *where, uint64_t offset, const char *fmt, ...);

/** findings_err() - the first error as one message, "WHERE: text (and 2 more errors)"; returns -1 if there was one,
 * else 0 */
int findings_err(const struct findings *f, struct err *e);
