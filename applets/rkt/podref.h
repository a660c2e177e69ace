/* SPDX-License-Identifier: Apache-2.0
 * podref - what the commands about existing pods share: from arguments to pods, their removal, their JSON
 */
#pragma once

#include <cjson/cJSON.h>

#include "applets/rkt/globals.h"
#include "core/pod/pod.h"

struct podref {
	struct conf  conf;
	const char  *dir;  /* the data directory */
	struct pods *pods;
	struct pod   pod;  /* opened by podref_find(); dir_fd -1 otherwise */
};
#define auto_podref __attribute__((cleanup(podref_close)))
#define PODREF_NONE { .pod = { .dir_fd = -1 } }

/** podref_open() - the data directory's pods; where there is none, there are no pods */
int podref_open(struct podref *r, const struct rkt_globals *g, struct err *e);

/** podref_find() - podref_open(), then r->pod by UUID prefix */
int podref_find(struct podref *r, const struct rkt_globals *g, const char *prefix, struct err *e);
void podref_close(struct podref *r);

/**
 * podref_uuids() - the UUIDs a command is about: its operands, or the content of @uuid_file, never both
 * The operands are borrowed; of a file, one string is allocated into *owned (free it).
 */
int podref_uuids(int argc, char **argv, const char *uuid_file, struct opt_list *out, char **owned, struct err *e);

/** podref_one() - the same where exactly one is wanted; @more operands may follow it */
int podref_one(int argc, char **argv, const char *uuid_file, const char **out, char **owned, struct err *e);

/** podref_after_run() - the pod ran and does not any more */
bool podref_after_run(const struct pod *p);

/**
 * podref_app() - the app that --app=@name means; without a name the only one, or an error that lists them
 * "unable to determine app name: specify app using "rkt COMMAND --app= ...""
 */
const struct appc_runtime_app *podref_app(const struct pod_manifest *m, const char *name, const char *command,
					  struct err *e);

/**
 * podref_image_name() - "example.com/app:1.0" for lists; NULL: not known. free() it
 * @name, @version: as the pod manifest has them; where it does not say, the image's own manifest does
 */
char *podref_image_name(const struct pod *p, const char *app, const char *name, const char *version);

/** podref_stage1_gc() - for struct pod_remove_opts: runs the entry point; what goes wrong there is only told */
int podref_stage1_gc(void *ctx, struct pod *p, struct err *e); /* ctx: const struct rkt_globals */

/** podref_networks() - "default:ip4=172.16.28.2, ..." of a pod that runs; nothing is added where there is nothing */
void podref_networks(const struct pod *p, struct buf *b);

/** podref_json() - as rkt's `list` and `status --format=json` print a pod; NULL and *e */
cJSON *podref_json(const struct pod *p, struct err *e);
