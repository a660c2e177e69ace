/* SPDX-License-Identifier: Apache-2.0
 * patch_edit - the options of patch-manifest that say what is to be different, and a manifest changed by them
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/base/opt.h"

struct patch_edit {
	/* as the original had them */
	const char *name, *exec, *user, *group, *gids, *retain_caps, *remove_caps, *mounts, *ports, *isolators;
	const char *seccomp_mode, *seccomp_set;
	const char *isolators_from; /* ours */
	/* each may be given several times */
	struct opt_list labels, annotations, environment, dependencies, whitelist;
	struct opt_list no_labels, no_annotations, no_environment, no_dependencies, no_whitelist;
};

extern const struct opt patch_edit_opts[];

/** patch_edit_any() - whether any of the options was given */
bool patch_edit_any(const struct patch_edit *o);

/**
 * patch_edit() - changes @m as the options say: what they remove goes before anything is added
 *
 * Values are only looked at as far as the manifest's structure needs it: the result is to be checked as a whole.
 * Errors: EINVAL malformed values, ENOENT nothing there to be removed.
 */
int patch_edit(const struct patch_edit *o, struct image_manifest *m, struct err *e);

/** patch_app() - what of that is about @app of image @image itself, but for its environment; for patch_edit() */
int patch_app(const struct patch_edit *o, const char *image, struct appc_app *app, struct err *e);
