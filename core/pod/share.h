/* SPDX-License-Identifier: Apache-2.0
 * share - pods that the members of a group may look at; only root makes them
 *
 * pods/ and the places in it are the group's, 2750. A pod's directory is the group's, 0750, and nothing in it: what is
 * open to all there is open to the group, and what leads to files of apps is open to nobody. See pod.h.
 * Source: rkt dist/scripts/setup-data-dir.sh.
 */
#pragma once

#include "core/base/group.h"

/** pods_share() - prepares DIR/pods, and the pods there are */
int pods_share(const char *dir, struct group_set *s, struct err *e);
