/* SPDX-License-Identifier: Apache-2.0
 * podnet_record - the file that says which networks a pod has, or was about to join: podnet.h has its format
 */
#pragma once

#include "core/net/podnet.h"

/** podnet_record() - writes it, whole or not at all; no fsync, since a reboot takes the networks too */
int podnet_record(const struct podnet *p, int pod_fd, struct err *e);
/** podnet_forget() - 0 also when it is not there */
int podnet_forget(int pod_fd, struct err *e);
