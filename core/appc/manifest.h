/* SPDX-License-Identifier: Apache-2.0
 * manifest - image and pod manifests of the App Container specification 0.8.11, as structs
 *
 * Every string and list belongs to its manifest struct; *_free() releases all of it and zeroes the struct.
 * Optional strings that were not there are NULL. Members that the spec does not know are kept in `extra`
 * (a cJSON object, or NULL) and written back. Lists keep their order.
 * Source: appc spec, spec/aci.md "Image Manifest Schema", spec/pods.md "Pod Manifest Schema", spec/types.md;
 * members that only the reference schema has (supplementaryGIDs, userAnnotations, userLabels, readOnlyRootFS,
 * recursive, mode, uid, gid, hostIP, podPort, appVolume) as there.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/finding.h"
#include "core/base/buf.h"
#include "core/base/err.h"

#define APPC_VERSION         "0.8.11"
#define APPC_MANIFEST_MAX    (4u << 20) /* bytes; larger manifests are refused unread */

struct appc_strings { char **v; size_t n; };
struct appc_ints { int64_t *v; size_t n; };

/* labels, annotations, environment, userLabels, userAnnotations */
struct appc_pair { char *name, *value; cJSON *extra; };
struct appc_pairs { struct appc_pair *v; size_t n; };

struct appc_handler { char *name; struct appc_strings exec; cJSON *extra; }; /* "pre-start", "post-stop" */
struct appc_handlers { struct appc_handler *v; size_t n; };

struct appc_mount_point { char *name, *path; bool read_only; cJSON *extra; };
struct appc_mount_points { struct appc_mount_point *v; size_t n; };

struct appc_port { char *name, *protocol; int64_t port, count; bool socket_activated; cJSON *extra; }; /* count >= 1 */
struct appc_ports { struct appc_port *v; size_t n; };

struct appc_isolator { char *name; cJSON *value; cJSON *extra; }; /* typed reading: isolator.h */
struct appc_isolators { struct appc_isolator *v; size_t n; };

struct appc_app {
	struct appc_strings      exec;
	char                    *user, *group; /* as written: number, name or absolute path */
	struct appc_ints         supplementary_gids;
	struct appc_handlers     event_handlers;
	char                    *working_dir;  /* NULL: "/" */
	struct appc_pairs        environment;
	struct appc_mount_points mount_points;
	struct appc_ports        ports;
	struct appc_isolators    isolators;
	cJSON                   *user_annotations, *user_labels; /* objects of strings, or NULL */
	cJSON                   *extra;
};

struct appc_dependency { char *image_name, *image_id; struct appc_pairs labels; int64_t size; cJSON *extra; }; /* size 0: not said */
struct appc_dependencies { struct appc_dependency *v; size_t n; };

struct image_manifest {
	char                    *ac_kind, *ac_version, *name;
	struct appc_pairs        labels;
	struct appc_app         *app; /* NULL: nothing to execute */
	struct appc_dependencies dependencies;
	struct appc_strings      path_whitelist;
	struct appc_pairs        annotations;
	cJSON                   *extra;
};

struct appc_volume {
	char   *name, *kind, *source; /* kind "host" or "empty" */
	bool    read_only;
	int     recursive;            /* -1 not said, 0, 1 */
	char   *mode;                 /* octal text, "0755"; NULL: not said */
	int64_t uid, gid;             /* -1: not said */
	cJSON  *extra;
};
struct appc_volumes { struct appc_volume *v; size_t n; };

struct appc_mount { char *volume, *path; struct appc_volume *app_volume; cJSON *extra; };
struct appc_mounts { struct appc_mount *v; size_t n; };

struct appc_runtime_app {
	char              *name;
	char              *image_name, *image_id; /* id as written, "sha512-..." */
	struct appc_pairs  image_labels;
	cJSON             *image_extra;
	struct appc_app   *app;                   /* NULL: the image's own */
	bool               read_only_rootfs;
	struct appc_mounts mounts;
	struct appc_pairs  annotations;
	cJSON             *extra;
};
struct appc_runtime_apps { struct appc_runtime_app *v; size_t n; };

struct appc_exposed_port { char *name; int64_t host_port; char *host_ip; cJSON *pod_port; cJSON *extra; };
struct appc_exposed_ports { struct appc_exposed_port *v; size_t n; };

struct pod_manifest {
	char                     *ac_kind, *ac_version;
	struct appc_runtime_apps  apps;
	struct appc_volumes       volumes;
	struct appc_isolators     isolators;
	struct appc_pairs         annotations;
	struct appc_exposed_ports ports;
	cJSON                    *user_annotations, *user_labels;
	cJSON                    *extra;
};

/**
 * image_manifest_parse() - text to struct, every rule checked
 * @f: receives all findings, with JSON pointers; rules as listed by appc_rules()
 *
 * Returns true when there was no error (warnings are fine); then *m is filled. On false *m is empty.
 * Older acVersions are accepted; a newer major version is an error.
 */
bool image_manifest_parse(const char *text, size_t len, struct image_manifest *m, struct findings *f);
bool pod_manifest_parse(const char *text, size_t len, struct pod_manifest *m, struct findings *f);

/**
 * manifest_locate() - tells the findings about a manifest their bytes
 * @text: the manifest; @base: where it begins, for offsets that are there already as well
 * @f: those from number @first on, which *_parse() has just made
 *
 * Apart from parsing, because only few want to know.
 */
void manifest_locate(const char *text, size_t len, struct findings *f, size_t first, uint64_t base);

/** *_check() - the rules over a struct that was built or changed in memory (by rkt run, patch-manifest) */
bool image_manifest_check(const struct image_manifest *m, struct findings *f);
bool pod_manifest_check(const struct pod_manifest *m, struct findings *f);

/** image_manifest_check_labels() - error findings for missing os and arch labels: the spec lets them be absent
 * (any machine), but actool asks for them */
bool image_manifest_check_labels(const struct image_manifest *m, struct findings *f);

/** *_print() - appends JSON: members in the order of the spec's example, then `extra`; see json_print() */
void image_manifest_print(const struct image_manifest *m, bool pretty, struct buf *b);
void pod_manifest_print(const struct pod_manifest *m, bool pretty, struct buf *b);

void image_manifest_free(struct image_manifest *m);
void pod_manifest_free(struct pod_manifest *m);

/** appc_app_copy() - a deep copy (an image's app becomes the runtime app's); NULL and *e: ENOMEM */
struct appc_app *appc_app_copy(const struct appc_app *app, struct err *e);
void appc_app_free(struct appc_app *app); /* also the struct itself */

/** appc_mount_volume() - the volume that fulfils a mount of one of the pod's apps, or NULL; borrowed */
const struct appc_volume *appc_mount_volume(const struct pod_manifest *m, const struct appc_mount *mount);

/** appc_pair_find() - the value of that name, or NULL; borrowed */
const char *appc_pair_find(const struct appc_pairs *p, const char *name);
/** appc_pairs_lacking() - the first one of @want that @have lacks, or has with another value; NULL: none */
const struct appc_pair *appc_pairs_lacking(const struct appc_pairs *have, const struct appc_pairs *want);

/**
 * Building and changing manifests: each copies its arguments and returns -1 with ENOMEM in *e.
 * appc_pairs_set() replaces the value when the name is there.
 */
int appc_string_set(char **field, const char *value, struct err *e);
int appc_strings_add(struct appc_strings *l, const char *s, struct err *e);
void appc_strings_clear(struct appc_strings *l);
int appc_ints_add(struct appc_ints *l, int64_t v, struct err *e);
int appc_pairs_set(struct appc_pairs *l, const char *name, const char *value, struct err *e);
void appc_pairs_remove(struct appc_pairs *l, const char *name); /* all of that name */
void appc_pairs_clear(struct appc_pairs *l);
void appc_isolators_remove(struct appc_isolators *l, const char *name); /* all of that name */
int appc_isolators_set(struct appc_isolators *l, const char *name, cJSON *value, struct err *e); /* takes value */
struct appc_runtime_app *pod_manifest_add_app(struct pod_manifest *m, struct err *e); /* zeroed, in the manifest; moves earlier ones */
struct appc_volume *pod_manifest_add_volume(struct pod_manifest *m, struct err *e);   /* recursive, uid, gid = -1 */
struct appc_exposed_port *pod_manifest_add_port(struct pod_manifest *m, struct err *e);
struct appc_mount *appc_mounts_add(struct appc_mounts *l, struct err *e);
void appc_mounts_remove(struct appc_mounts *l, size_t i);

/** appc_rules() - every rule id that image_/pod_manifest_parse() can report; ends with id NULL */
const struct appc_rule *appc_rules(void);
