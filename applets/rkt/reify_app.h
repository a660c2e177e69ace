/* SPDX-License-Identifier: Apache-2.0
 * reify_app - the app of an image as the command line changes it; for reify.c
 */
#pragma once

#include "applets/rkt/podopts.h"
#include "core/appc/manifest.h"

/** reify_app() - changes @app as the options of the pod and of the image say; reads files of environment variables */
int reify_app(const struct podopts *o, const struct podopts_app *a, struct appc_app *app, struct err *e);

/** reify_plain_app() - for an image without one: it can be run all the same when --exec says what */
struct appc_app *reify_plain_app(struct err *e);

/** reify_tell_doubts() - warns of names in seccomp sets that mean nothing here, and so are left out */
void reify_tell_doubts(const struct pod_manifest *m);

/** reify_user_file() - a file named on the command line: unlike files of our own it may be reached through symlinks */
int reify_user_file(const char *path, size_t max, char **text, size_t *len, struct err *e);
