/* SPDX-License-Identifier: Apache-2.0
 * volume - the sources of the pod's mounts, opened on the host side before the pod is cloned
 *
 * What an app gets is a detached mount of its own: no device nodes, no propagation, read-only all
 * the way down where the manifest says so. It is the very object that was looked at here; nothing
 * is resolved again later.
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/plan.h"

/**
 * volume_open() - fills fd, dir, host and masks of every mount in the plan
 *
 * Empty volumes are made in volumes/ of the pod directory unless they are there. A source that is
 * not there is `Failed to stat /x: No such file or directory`, and p->failure becomes 1. Symbolic
 * links on the way to a source are an error, as the spec wants: the message names the real path.
 * masks is about the image as it is rendered, before anything is mounted in it or any app has run.
 * Source: appc spec, spec/ace.md, "Volume Setup".
 */
int volume_open(struct plan *p, int pod_fd, struct err *e);
