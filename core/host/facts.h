/* SPDX-License-Identifier: Apache-2.0
 * facts - what isolators depend on besides cgroups of memory, processors and processes: asked when one is there
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* the security module that labels processes; there is at most one of these. SELinux without a policy is none. */
enum facts_lsm { FACTS_LSM_NONE, FACTS_LSM_APPARMOR, FACTS_LSM_SELINUX };
enum facts_lsm facts_lsm(void);
/** facts_selinux_permissive() - what its policy forbids is only logged */
bool facts_selinux_permissive(void);

/** facts_landlock() - the version of Landlock's interface; 0: there is none */
int facts_landlock(void);

/** facts_controller() - whether groups below our own can have it (CGROUP_*, see cgroup_find.h); *e says why not */
bool facts_controller(int bit, struct err *e);

/**
 * facts_delegated() - whether somebody who is not root of the host can limit what it is for (CGROUP_*) below his own group
 *
 * Takes that the caller is alone there, as version 2 wants it of a group that passes a controller on.
 */
bool facts_delegated(int bit, struct err *e);

/** facts_io() - that of block devices, with limits; facts_io_v1(): and it is that of version 1 */
bool facts_io(struct err *e);
bool facts_io_v1(void);

/** facts_oom_score_adj() - our own; without root nobody gets below it */
int facts_oom_score_adj(void);

/** facts_nr_open() - what RLIMIT_NOFILE can be at most */
uint64_t facts_nr_open(void);

/** facts_caps() - capabilities that we can leave to an app */
uint64_t facts_caps(void);
