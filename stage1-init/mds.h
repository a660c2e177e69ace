/* SPDX-License-Identifier: Apache-2.0
 * mds - the pod's own metadata service: a socket that is there from the start, and a worker once somebody connects
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"
#include "core/mds/service.h"
#include "stage1-init/plan.h"

struct mds {
	int         listen_fd; /* in the pod's network namespace; -1: this pod has no service of its own */
	int         pod_fd;    /* borrowed */
	int         data_fd;
	bool        rootless;
	const char *uuid;
	char        token[MDS_TOKEN_MAX + 1], url[MDS_URL_MAX]; /* url "": the apps have none */
};

/**
 * mds_prepare() - the apps' AC_METADATA_URL, and whose service that is: ours with a network of the pod's own, with the
 * host's that which stage 0 has registered the pod with, if it has
 * @token: from another stage 0, or NULL
 * @note: is told why there is no service where there should be one
 */
int mds_prepare(struct mds *m, struct plan *p, const char *token, void (*note)(const struct err *), struct err *e);

/** mds_main() - in the worker; returns when nobody has asked for a while */
int mds_main(void *mds);
