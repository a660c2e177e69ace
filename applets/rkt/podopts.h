/* SPDX-License-Identifier: Apache-2.0
 * podopts - the part of the command line that describes a pod: images, what is changed about each, volumes
 *
 * rkt run [options of the pod] IMAGE [options of that image] [-- ARGS] [--- IMAGE ...]: what stands after an image
 * belongs to it. Options that mean one image are refused before the first; --mount and --environment mean all
 * images there. Only the form is checked here; reify.h makes a pod manifest of it.
 * Source: rkt Documentation/subcommands/run.md and prepare.md.
 */
#pragma once

#include "applets/rkt/dnsopts.h"
#include "applets/rkt/images.h"
#include "applets/rkt/stage1.h"
#include "core/base/opt.h"

/* Strings are borrowed from the command line. */
struct podopts_mount { const char *volume, *target; size_t volume_len, target_len; };

struct podopts_app {
	const char     *image, *signature, *name, *exec, *user, *group, *working_dir, *memory, *cpu, *seccomp;
	const char     *gids; /* "1024,2048" */
	const char     *caps_retain, *caps_remove, *cpu_shares, *oom_score_adj, *isolators_from;
	bool            read_only;
	struct opt_list args, environment, mounts, annotations, labels;
};

struct podopts {
	struct podopts_app *apps;
	size_t              n_apps;
	bool                between; /* after "---": the next word is an image */
	struct opt_list     volumes, mounts, env, env_files, ports;
	bool                inherit_env, no_overlay, private_users;
	const char         *manifest; /* --pod-manifest */
	const char         *pull_policy;
	struct passphrase_opts passphrase;
	bool                store_only, no_store;
	const char         *verify; /* for images_verify() */
	struct stage1_opts  stage1;
	struct dnsopts      dns;
};

/* the table describes struct podopts; use with OPT_PART */
extern const struct opt podopts_pod[], podopts_app[], podopts_images[];

/* for cmd.operand and cmd.rest, on the struct podopts inside the command's options */
int podopts_operand(struct podopts *o, const char *arg, struct err *e);
int podopts_rest(struct podopts *o, int argc, char **argv, struct err *e);

/** podopts_set_text() - the field at offset @at of the image before; each may be given once per image */
int podopts_set_text(void *opts, size_t at, const char *arg, struct err *e);

/** podopts_check() - what no single option can know: no image, options that exclude each other */
int podopts_check(const struct podopts *o, struct err *e);

void podopts_free(struct podopts *o);

/**
 * podopts_mount_parse() - "volume=NAME,target=PATH"
 * podopts_env_parse() - "NAME=VALUE": the length of the name, or -1
 */
int podopts_mount_parse(const char *arg, struct podopts_mount *m, struct err *e);
int podopts_env_parse(const char *arg, struct err *e);

/**
 * podopts_seccomp() - "mode=retain|remove,errno=ENAME,CALL,@GROUP/NAME,..." as the value of the isolator for that mode
 *
 * Only the form; what is a name, the check of the manifest says. Source: rkt Documentation/seccomp-guide.md.
 */
int podopts_seccomp(const char *arg, bool *retain, cJSON **value, struct err *e);

/**
 * podopts_volume() - "NAME,kind=host,source=PATH,readOnly=BOOL,recursive=BOOL", "NAME,kind=empty,mode=MODE,uid=UID,
 * gid=GID", or the oldest spelling, "bind:PATH", a host volume named after the last component of its path
 */
int podopts_volume(const char *arg, struct pod_manifest *m, struct err *e);
