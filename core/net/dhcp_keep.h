/* SPDX-License-Identifier: Apache-2.0
 * dhcp_keep - what joining and keeping a lease have in common
 */
#pragma once

#include "core/net/dhcp_client.h"

/** dhcp_lent() - the lease as the answer has it, from now on */
void dhcp_lent(struct dhcp_lease *l, const struct dhcp_client *c, const struct dhcp_answer *a);
/** dhcp_note() - writes down what giving it back needs; a full disk is no reason to do without the address */
void dhcp_note(const struct dhcp_lease *l);
