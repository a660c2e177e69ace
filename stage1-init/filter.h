/* SPDX-License-Identifier: Apache-2.0
 * filter - the seccomp filter of an app, compiled: the default one, or that of its isolators
 *
 * The default denies what lets a process reach past its namespaces or into the kernel's rarely walked corners,
 * unless the app keeps the capability that the call asks for anyway. A remove set comes on top of it, a retain set
 * takes its place. In each of them calls newer than the table are ENOSYS, so that programs fall back to older ones;
 * so is anything that enters the kernel by another architecture's door; and arguments that make a harmless call a
 * dangerous one (new namespaces, typing into terminals, vsock) stay denied.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/seccomp.h"
#include "core/base/err.h"
#include "stage1-init/seccomp.h"

/**
 * filter_build() - @caps: what the app keeps
 *
 * p->code is allocated; without a filter (APPC_SECCOMP_NONE) it is NULL.
 */
int filter_build(uint64_t caps, const struct appc_seccomp *s, struct seccomp_prog *p, struct err *e);

/** filter_learn() - adds what a pod that learns needs: see learn.h */
int filter_learn(struct seccomp_prog *p, struct err *e);

/** filter_denies() - whether the default filter denies the call to one who keeps no capability */
bool filter_denies(int nr);
