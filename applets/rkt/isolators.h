/* SPDX-License-Identifier: Apache-2.0
 * isolators - what becomes of a pod's isolators, told before it starts and kept in its manifest; what it was prepared
 * not to be protected from
 *
 * Judged by core/host/verdict.h. A manifest that somebody brings along says nothing of it: such annotations in it are
 * dropped first.
 */
#pragma once

#include "applets/rkt/globals.h"
#include "applets/rkt/launch.h"
#include "core/appc/manifest.h"

/** isolators_record() - a new pod's: the part of --insecure-options that is about running; before isolators_judge() */
int isolators_record(struct pod_manifest *m, unsigned insecure, struct err *e);
/** isolators_recorded() - INSECURE_* that the pod was prepared with */
unsigned isolators_recorded(const struct pod_manifest *m);

/**
 * isolators_judge() - annotates @m for a start like that; *any: there is something to be annotated
 *
 * Warns of each isolator that is ignored; with --strict it is an error that names them all, and the manifest stays as
 * it is. A foreign stage 1 does as it likes, so nothing is said of it, and --strict refuses it.
 */
int isolators_judge(struct pod_manifest *m, unsigned insecure, const struct launch_opts *o, bool builtin, bool *any,
	struct err *e);

/** isolators_text() - for rkt status: "isolator-app/web/resource/memory=enforced", a line each */
void isolators_text(const struct pod_manifest *m, struct buf *b);
/** isolators_json() - adds "isolators" to @o, if there are any; @app NULL: of the pod */
void isolators_json(const struct pod_manifest *m, const char *app, cJSON *o);
