/* SPDX-License-Identifier: Apache-2.0
 * capwatch_prog - the BPF program of capwatch; nothing else includes it
 */
#pragma once

#include "core/host/capwatch.h"

enum { ARG_CRED, ARG_NS, ARG_CAP, ARG_LAST };
enum { TASK_CRED, CRED_CAPS, CRED_NS, NS_LEVEL, NS_NUMBER };

struct capwatch_ns {
	uint64_t pid_dev, pid_ino; /* as the kernel has them */
	uint32_t user_ino;
};

/** capwatch_load() - the program's descriptor; -1/errno */
int capwatch_load(const struct capwatch *w, const struct capwatch_ns *ns);
int capwatch_bpf(int command, void *attr, size_t size);
