/* SPDX-License-Identifier: Apache-2.0
 * dnsopts - the options about /etc/resolv.conf and /etc/hosts of a pod's apps, shared by run, prepare and run-prepared
 *
 * What they say goes into annotations of the pod manifest; core/pod/dns.h makes files of these.
 * Source: rkt Documentation/subcommands/run.md, run-prepared.md.
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/base/opt.h"

struct dnsopts {
	struct opt_list servers, search, options, hosts;
	const char     *domain;
};
extern const struct opt dnsopts_table[];

/**
 * dnsopts_record() - into the annotations of the pod, and checks what these say then
 *
 * Any option about resolv.conf replaces all that the pod said about it before, as one about hosts does there.
 */
int dnsopts_record(const struct dnsopts *o, struct appc_pairs *annotations, struct err *e);

/** dnsopts_check() - the same for its errors only, before anything is fetched */
int dnsopts_check(const struct dnsopts *o, struct err *e);
