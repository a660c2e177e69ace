/* SPDX-License-Identifier: Apache-2.0
 * isolator - typed reading of the isolators that rktbox enforces, and the rules for all that the spec knows
 *
 * Source: appc spec, spec/ace.md "Isolators"; spec/types.md "Isolator Type".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/appc/seccomp.h"

#define APPC_UNLIMITED INT64_MAX

#define APPC_CAPS_RETAIN_SET "os/linux/capabilities-retain-set"
#define APPC_CAPS_REMOVE_SET "os/linux/capabilities-remove-set"

/* Capabilities as a bit mask by number (linux/capability.h); the spec's default set of 14. */
extern const uint64_t appc_caps_default;
/** appc_cap_number() - "CAP_CHOWN" -> 0; -1: no such capability */
int appc_cap_number(const char *name);
/** appc_cap_name() - 0 -> "CAP_CHOWN"; NULL beyond the last */
const char *appc_cap_name(int number);

/** appc_errno_number() - "EPERM" -> 1, as seccomp sets write it; -1: no such name on Linux */
int appc_errno_number(const char *name);

struct appc_rlimit { bool set; uint64_t soft, hard; }; /* UINT64_MAX: unlimited, as the kernel has it */
#define APPC_RLIMITS   16  /* they are numbered from 0, see rlimit.h */
#define APPC_PIDS_MAX  4194304 /* the kernel has no more processes, and takes no higher limit */
#define APPC_LABEL_MAX 1000 /* bytes of a label of a security module */

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
	int64_t  block_bps, block_iops; /* resource/block-bandwidth and -iops, for each device; APPC_UNLIMITED: none */
	int64_t  network_bps;         /* resource/network-bandwidth: bytes per second, of each interface; APPC_UNLIMITED: none */
	struct appc_rlimit rlimits[APPC_RLIMITS]; /* os/unix/rlimits */
	/* values with members to be walked, NULL: not there; borrowed from the list */
	const cJSON *landlock, *sysctl, *selinux;
	const char  *apparmor;        /* name of the profile, borrowed */
	/* isolators in the list that nothing above stands for; NULL-terminated names, borrowed from the list */
	const char *ignored[32];
};

/** appc_limits_read() - -1 and EINVAL in *e when a value is malformed (a checked manifest has none) */
int appc_limits_read(const struct appc_isolators *l, struct appc_limits *out, struct err *e);

/** appc_limits_bound() - an app's limits, none of them above what the pod allows; what only the pod has, the app gets */
void appc_limits_bound(struct appc_limits *app, const struct appc_limits *pod);

enum appc_scope { APPC_APP = 1, APPC_POD = 2 };
/** appc_isolator_scope() - where an isolator has a meaning, APPC_*; 0: its name is not known */
unsigned appc_isolator_scope(const char *name);
