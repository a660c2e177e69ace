/* SPDX-License-Identifier: Apache-2.0
 * flannel - the network type that is no type of its own: it makes another one's configuration of what flanneld found out
 *
 * That is done once, before the pod joins; from then on, and in the record, there is only the configuration made. So a
 * pod leaves its network when flanneld, and its file, are long gone.
 * Source: CNI plug-ins' documentation, meta/flannel.
 */
#pragma once

#include <cjson/cJSON.h>

#include "core/base/err.h"

/**
 * flannel_expand() - replaces the configuration *conf of type "flannel" by that of its delegate
 *
 * Type bridge unless "delegate" says another; ipam is host-local on flanneld's subnet, with a route to all of flannel's
 * network; ipMasq, mtu, and for a bridge isGateway, as far as "delegate" does not say.
 * Errors: ENOENT flanneld's file ("subnetFile", /run/flannel/subnet.env) is not there; EINVAL.
 */
int flannel_expand(cJSON **conf, struct err *e);
