/* SPDX-License-Identifier: Apache-2.0
 * podopts_isolators - options of one image that replace isolators of it: capabilities, processor shares, OOM score
 *
 * Source: rkt Documentation/capabilities-guide.md and subcommands/run.md; older spellings as rkt before 1.18 had them.
 */
#pragma once

#include "applets/rkt/podopts.h"
#include "core/appc/manifest.h"

/* the table describes struct podopts; use with OPT_PART */
extern const struct opt podopts_isolators[];

/** podopts_isolators_apply() - to the isolators of that image's app */
int podopts_isolators_apply(const struct podopts_app *a, struct appc_isolators *l, struct err *e);
