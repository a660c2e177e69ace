/* SPDX-License-Identifier: Apache-2.0
 * filter - the seccomp filter of an app, compiled: the default one, or that of its isolators
 *
 * The default denies what lets a process reach past its namespaces or into the kernel's rarely walked corners,
 * unless the app keeps the capability that the call asks for anyway. A remove set comes on top of it, a retain set
 * takes its place. In each of them calls newer than the table are ENOSYS, so that programs fall back to older ones;
 * so is anything that enters the kernel by another architecture's door; and arguments that make a harmless call a
 * dangerous one (new namespaces, typing into terminals, vsock) stay denied.
 *
 * Which doors there are the image's label says: i386's numbers mean other calls than amd64's, so an image for i386 has
 * its sets by i386's numbers there, and by ours at our own door.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/seccomp.h"
#include "core/base/err.h"
#include "stage1-init/seccomp.h"

/* whose calls it is about: an architecture for an image of ours, two for one of the other that this machine runs. Stage 1
 * itself and what enter brings are of ours in any case. */
struct filter_for {
	const struct syscall_arch *arches[SYSCALL_ARCHES]; /* NULL: none */
	uint64_t                   caps;                   /* what the app keeps */
};

/** filter_arches() - by the label of the app's image, which may be NULL */
void filter_arches(const char *label, struct filter_for *f);

/**
 * filter_build() - p->code is allocated; without a filter (APPC_SECCOMP_NONE) it is NULL.
 */
int filter_build(const struct filter_for *f, const struct appc_seccomp *s, struct seccomp_prog *p, struct err *e);

/** filter_learn() - adds what a pod that learns needs: see learn.h */
int filter_learn(const struct filter_for *f, struct seccomp_prog *p, struct err *e);

/** filter_denies() - whether the default filter denies the call to one who keeps no capability */
bool filter_denies(unsigned call);
