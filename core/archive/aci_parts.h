/* SPDX-License-Identifier: Apache-2.0
 * aci_parts - what the modules behind aci.h and policy.h share: the rules of images and their report
 */
#pragma once

#include "core/appc/finding.h"
#include "core/archive/tar.h"

#define ACI_ARCHIVES "spec/aci.md, Image Archives"
#define ACI_LAYOUT   "spec/aci.md, Image Layout"
#define ACI_OURS     "rktbox" /* the spec is silent */

/** aci_rule() - the rule of that id, which there is */
const struct appc_rule *aci_rule(const char *id);

/** aci_report() - @en: what it is about, NULL: the image as a whole */
__attribute__((format(printf, 5, 6))) void aci_report(struct findings *f, enum finding_level level, const char *rule,
						      const struct tar_entry *en, const char *fmt, ...);
