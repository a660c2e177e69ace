/* SPDX-License-Identifier: Apache-2.0
 * foreign_root - an app's root that another stage 0 than ours has made
 *
 * rkt's stage1 implementors' guide promises a directory. Ours mounts something there, nodev; others may have unpacked the
 * image, and a directory that is no mount can become nobody's root. Or they have mounted it with devices. No heap.
 */
#pragma once

#include "core/base/err.h"

/** foreign_root() - in the app's mount namespace: *@root_fd, O_PATH, becomes a mount of its own, and nodev */
int foreign_root(int *root_fd, struct err *e);
