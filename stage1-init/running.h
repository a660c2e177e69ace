/* SPDX-License-Identifier: Apache-2.0
 * running - the file `running` in the pod directory: which process is which app, for `enter`
 *
 * One line per app, "PID UID GID NAME", of the length that it keeps: a line is overwritten in
 * place. PID is the host's view of the app's main process, 0 when it does not run.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "stage1-init/plan.h"

int running_open(int pod_fd, struct err *e);
void running_set(int fd, const struct plan *p, size_t app, pid_t pid, uid_t uid, gid_t gid);

/** running_no_seccomp_set() - that the pod runs without filters; so shall what enters it */
int running_no_seccomp_set(int pod_fd, struct err *e);
bool running_no_seccomp(int pod_fd);
/** running_no_caps_set() - the same of apps that keep all capabilities */
int running_no_caps_set(int pod_fd, struct err *e);
bool running_no_caps(int pod_fd);

/**
 * running_mds_url() - AC_METADATA_URL of the pod's apps, for those who enter later, and from our stage 0, if it has
 * registered the pod; the file is root's alone, since its token is a secret
 */
int running_mds_url_set(int pod_fd, const char *url, struct err *e);
/** @out: MDS_URL_MAX bytes; "" when there is none */
void running_mds_url(int pod_fd, char *out);

struct running { pid_t pid; uid_t uid; gid_t gid; };
/** running_get() - EAGAIN: the app has not been started; ESRCH: it has ended */
int running_get(int pod_fd, const char *app, struct running *r, struct err *e);
