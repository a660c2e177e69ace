/* SPDX-License-Identifier: Apache-2.0
 * verdict - what becomes of each isolator of a pod on this host with the built-in stage 1
 *
 * Judged before anything is started: what is not ignored here, stage 1 enforces, or the pod does not start. Kept in the
 * pod manifest as annotations rktbox/isolators/pod/NAME and rktbox/isolators/app/APP/NAME: "enforced", "changed: TO WHAT",
 * "ignored: WHY". Of several isolators of a name in a list the last counts, and only that is judged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"

enum verdict_kind { VERDICT_ENFORCED, VERDICT_CHANGED, VERDICT_IGNORED };
const char *verdict_kind_name(enum verdict_kind k);

struct verdict {
	const char       *app, *name; /* borrowed from the manifest; app NULL: the pod's own */
	enum verdict_kind kind;
	char              text[300];  /* to what, or why */
};
struct verdicts { struct verdict *v; size_t n; };

/* what the pod is started with */
struct verdict_how { bool own_net, no_caps, no_seccomp, rootless; };

/** verdicts_make() - for @m, which is checked; EPERM: a pod with such an isolator is not started at all */
int  verdicts_make(const struct pod_manifest *m, const struct verdict_how *how, struct verdicts *out, struct err *e);
void verdicts_free(struct verdicts *l);

/** verdicts_annotate() - writes these; frees nothing */
int verdicts_annotate(const struct verdicts *l, struct pod_manifest *m, struct err *e);

#define VERDICT_ANNOTATION "rktbox/isolators/"
