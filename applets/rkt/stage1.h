/* SPDX-License-Identifier: Apache-2.0
 * stage1 - which stage 1 a pod gets, and how the entry points of a pod's stage 1 are executed
 *
 * The built-in stage 1 is this very binary; any other comes as an image. Which one a pod has is told by
 * stage1/manifest in the pod directory: the built-in one's has the annotation STAGE1_ANNOTATION "built-in", an
 * image's says in annotations where its entry points are. A pod with a foreign stage 1 also has, in its
 * directory, stage1TreeStoreID (the image ID) and appsinfo/.stage1/{upper,work}, or, without overlayfs, a copy of
 * the image's tree in stage1/rootfs and no stage1TreeStoreID.
 * Source: rkt Documentation/devel/stage1-implementors-guide.md.
 */
#pragma once

#include <stdbool.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "core/appc/manifest.h"
#include "core/pod/pod.h"
#include "core/store/store.h"

#define STAGE1_ANNOTATION "rktbox/stage1"
#define STAGE1_MAPPED     "rktbox/stage1-mapped" /* "true": knows roots of apps that have the pod's owners */
#define STAGE1_TREE_ID    "stage1TreeStoreID"

/* ---- choosing one: rkt run, rkt prepare ---- */

/* as given on the command line; at most one may be; none: configuration (stage1.d), else the built-in one */
struct stage1_opts { const char *path, *url, *name, *hash, *from_dir, *image; };
extern const struct opt stage1_opts_table[];

struct stage1 {
	bool                  builtin;
	struct image_id       id;       /* of a foreign one that was chosen */
	struct render_id      root;     /* of a foreign one: its root file system; "": not known (yet), or a copy */
	char                 *text;     /* what goes into stage1/manifest */
	size_t                text_len;
	struct image_manifest manifest; /* of a foreign one: its annotations name the entry points */
};
void stage1_free(struct stage1 *s);
#define auto_stage1 __attribute__((cleanup(stage1_free)))

/** stage1_choose() - resolves options and configuration; a foreign one is in the store afterwards */
int stage1_choose(struct store *st, const struct rkt_globals *g, const struct conf *c, const struct stage1_opts *o,
		  enum images_pull pull, struct stage1 *out, struct err *e);

/** stage1_check_users() - whether it can be given a pod with users of its own: ENOTSUP */
int stage1_check_users(const struct stage1 *s, struct err *e);

/** stage1_load() - the stage 1 that an existing pod was made with */
int stage1_load(const struct pod *p, struct stage1 *out, struct err *e);

/** stage1_version() - of the interface: annotation coreos.com/rkt/stage1/interface-version, 1 without it */
unsigned stage1_version(const struct stage1 *s);

/* ---- executing entry points ---- */

/**
 * stage1_exec() - becomes an entry point of the pod's stage 1
 * @entry: "enter", "stop" or "gc"
 * @args:  arguments after argv[0], NULL-terminated, as the implementor's guide lists them
 *
 * Changes to the pod directory and executes; the environment is passed on as it is. The tree of a foreign stage 1
 * is mounted at stage1/rootfs in a mount namespace of its own first (read-only, with what the pod's stage 1
 * changed), because the mounts of a running pod are only seen inside it.
 * Returns only on failure: -1. ENOSYS: the pod's stage 1 has no such entry point ("gc" and "stop" are optional).
 */
int stage1_exec(struct pod *p, const char *entry, char *const args[], struct err *e);

/** stage1_run() - the same in a child; *status: its exit status, or 128 + signal. -1: it could not be started */
int stage1_run(struct pod *p, const char *entry, char *const args[], int *status, struct err *e);

/* ---- for launch ---- */

/** stage1_entry() - path of an entry point inside the stage 1 image, or NULL; borrowed */
const char *stage1_entry(const struct stage1 *s, const char *entry);

/**
 * stage1_self() - the running binary, to be executed with AT_EMPTY_PATH
 *
 * Behind the descriptor is a read-only detached mount of the binary, or a sealed copy in memory: through
 * /proc/PID/exe of what is executed from it nobody can write to the binary on disk (runc CVE-2019-5736).
 * Call it before unshare(CLONE_NEWNS): only mounts of the caller's own namespace can be cloned.
 */
int stage1_self(struct err *e);

/**
 * stage1_become() - executes: @self_fd as "stage1-init ENTRY ARGS...", or for a foreign one (@self_fd -1)
 * its entry point below stage1/rootfs of the current directory. Returns only on failure.
 */
int stage1_become(const struct stage1 *s, int self_fd, const char *entry, char *const args[], struct err *e);
