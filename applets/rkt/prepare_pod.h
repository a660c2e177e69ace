/* SPDX-License-Identifier: Apache-2.0
 * prepare_pod - from the command line to a pod directory that is complete (see core/pod/pod.h), but for its state
 */
#pragma once

#include "applets/rkt/launch.h"
#include "applets/rkt/podopts.h"
#include "applets/rkt/reify.h"
#include "core/pod/ids.h"
#include "core/pod/pod.h"

/* in a prepared pod's directory: who vouched for its images; see images_trust.h */
#define PREPARE_POD_TRUST "verified"

/* All that rkt run knows about a new pod. Zero-initialise; prepare_pod_free() it either way. */
struct prepared_pod {
	struct conf    conf;
	struct store  *st;
	struct pods   *pods;
	struct pod     pod;       /* in prepare/, locked; dir_fd -1: none yet */
	struct stage1  stage1;
	struct reified r;
	int           *lower_fds; /* rendered roots, one per app, then stage 1's (-1 for the built-in one) */
	struct pod_ids ids;       /* with --private-users; else count 0 */
	bool           no_source; /* it failed because the source of a volume is not there */
};

/**
 * prepare_pod() - resolves, fetches, renders and fills
 * @now: how it is started at once, NULL: some time later; only then the sources of its volumes are needed, and its
 * isolators are judged
 *
 * Comes after podopts_check() and globals_be_root(). Everything that can fail for reasons of the images does before there is a pod directory; when something fails
 * after that, the directory is removed again.
 */
int prepare_pod(const struct rkt_globals *g, struct podopts *o, const struct launch_opts *now,
	struct prepared_pod *out, struct err *e);
/** prepare_pod_undo() - removes the directory again */
void prepare_pod_undo(struct prepared_pod *pp);
void prepare_pod_free(struct prepared_pod *pp);
