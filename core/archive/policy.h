/* SPDX-License-Identifier: Apache-2.0
 * policy - which rules count for who checks an image, and how much
 *
 * A profile says it for all rules; for single ones the last word that was given counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/appc/finding.h"
#include "core/base/buf.h"

enum policy_profile {
	POLICY_SECURITY, /* the spec's rules and ours: errors what breaks or harms, warnings what one should know */
	POLICY_APPC,     /* what the spec demands, and nothing else */
};

#define POLICY_RULES_MAX 128

/* Zero-initialise for the first profile, then policy_start(). */
struct policy {
	struct finding_policy base;
	enum policy_profile   profile;
	unsigned char         chosen[POLICY_RULES_MAX]; /* 0: as the profile has it; else 1 + enum finding_level */
};

/** policy_rule() - the @i-th of all rules, those of manifests first; NULL: no more */
const struct appc_rule *policy_rule(size_t i);

/** policy_find() - the rule of that id, or NULL */
const struct appc_rule *policy_find(const char *id);

/** policy_start() - &@p->base may be a struct findings' policy from now on */
void policy_start(struct policy *p);

/**
 * policy_choose() - from now on the findings of a rule have that level
 * EINVAL: there is no such rule (the message names those with like names), or it cannot be ignored.
 */
int policy_choose(struct policy *p, const char *id, enum finding_level level, struct err *e);

/** policy_levels() - "error", "warning", "error or warning", "ignored": what findings of @r are under a profile */
const char *policy_levels(const struct appc_rule *r, enum policy_profile profile);
