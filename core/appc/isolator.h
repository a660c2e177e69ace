/* SPDX-License-Identifier: Apache-2.0
 * isolator - typed reading of the isolators that rktbox enforces, and the rules for all that the spec knows
 *
 * Source: appc spec, spec/ace.md "Isolators"; spec/types.md "Isolator Type".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/appc/seccomp.h"

#define APPC_UNLIMITED INT64_MAX

/* Capabilities as a bit mask by number (linux/capability.h); the spec's default set of 14. */
extern const uint64_t appc_caps_default;
/** appc_cap_number() - "CAP_CHOWN" -> 0; -1: no such capability */
int appc_cap_number(const char *name);
/** appc_cap_name() - 0 -> "CAP_CHOWN"; NULL beyond the last */
const char *appc_cap_name(int number);

/** appc_errno_number() - "EPERM" -> 1, as seccomp sets write it; -1: no such name on Linux */
int appc_errno_number(const char *name);

/* What a list of isolators amounts to, for one app or the whole pod. */
struct appc_limits {
	int64_t  memory_bytes;        /* resource/memory limit, APPC_UNLIMITED: none */
	int64_t  memory_request;      /* resource/memory request, 0: none */
	int64_t  cpu_millis;          /* resource/cpu limit in 1/1000 cores, APPC_UNLIMITED: none */
	int64_t  cpu_request_millis;  /* 0: none */
	int64_t  cpu_shares;          /* os/linux/cpu-shares, 0: not set */
	int64_t  pids;                /* resource/pids (ours), APPC_UNLIMITED: none */
	int      oom_score_adj;       /* os/linux/oom-score-adj */
	bool     has_oom_score_adj;
	uint64_t caps;                /* bounding set: default set, minus remove set, or the retain set */
	bool     no_new_privs;
	struct appc_seccomp seccomp;
	/* isolators in the list that nothing above stands for; NULL-terminated names, borrowed from the list */
	const char *ignored[32];
};

/** appc_limits_read() - -1 and EINVAL in *e when a value is malformed (a checked manifest has none) */
int appc_limits_read(const struct appc_isolators *l, struct appc_limits *out, struct err *e);
