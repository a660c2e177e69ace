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

enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_IGNORED };

#define FINDING_NO_OFFSET UINT64_MAX

/* a rule: one kind of finding */
struct appc_rule {
	const char *id;      /* stable */
	const char *section; /* of the specification; "rktbox": it is silent, the rule is ours */
	unsigned    flags;
	const char *text;    /* what must hold */
	const char *remedy;  /* what to do where it does not */
};

enum {
	RULE_ERRORS = 1, RULE_WARNINGS = 2, RULE_BOTH = 3, /* the levels of what it finds */
	RULE_OURS = 4,       /* the spec does not ask for it */
	RULE_FINAL = 8,      /* nothing can be said of the rest: so it cannot be ignored */
	RULE_SPEC_ONLY = 16, /* we allow more than the spec does */
};

struct finding {
	enum finding_level level;
	const char        *rule;    /* stable id, "manifest-name" (a literal) */
	const char        *section; /* "spec/aci.md, Image Manifest Schema" (a literal) */
	char              *where;   /* JSON pointer, or entry path in the archive; "" for the whole */
	char              *text;    /* what is wrong and what would be right */
	uint64_t           offset;  /* byte in the uncompressed stream or document; FINDING_NO_OFFSET: none */
};

/* what a finding is worth to who asked: policy.h has one */
struct finding_policy {
	enum finding_level (*level)(const struct finding_policy *p, const char *rule, enum finding_level level);
};

/* Zero-initialise. A hostile file cannot make it grow without bound: after FINDINGS_MAX of a level only counts go on. */
#define FINDINGS_MAX 1000
struct findings {
	struct finding *v;
	size_t          n, cap;
	size_t          errors, warnings; /* all that were reported, also those not kept */
	size_t          kept[2];          /* of v, by level: warnings never take the room of errors */
	const struct finding_policy *policy; /* borrowed; NULL: every finding has the level it was reported with */
};

void findings_free(struct findings *f);

/** findings_add() - out of memory is counted as an error, so that it can never read as "valid" */
__attribute__((format(printf, 7, 8))) void findings_add(struct findings *f, enum finding_level level,
	const char *rule, const char *section, const char *where, uint64_t offset, const char *fmt, ...);

/** findings_err() - the first error as one message, "WHERE: text (and 2 more errors)"; returns -1 if there was one,
 * else 0 */
int findings_err(const struct findings *f, struct err *e);
