/* SPDX-License-Identifier: Apache-2.0
 * check - the rules of manifests, and the walk that reports against them
 *
 * Internal to core/appc. A struct check carries the JSON pointer of the value being looked at; what is
 * reported gets that pointer, and the id and section of its rule.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/finding.h"
#include "core/base/buf.h"

#define ACI_MANIFEST "spec/aci.md, Image Manifest Schema"
#define POD_MANIFEST "spec/pods.md, Pod Manifest Schema"

/* Every rule: enum name, id, section of the spec, what must hold. */
#define APPC_RULES(X) \
	X(RULE_SIZE, "manifest-size", "spec/aci.md, Image Manifest", \
	  "a manifest has at most 4 MiB, and each of its lists at most 10000 objects") \
	X(RULE_JSON, "json", "spec/aci.md, Image Manifest; RFC 8259", \
	  "a manifest is one well-formed JSON object, without duplicate keys") \
	X(RULE_TYPE, "json-type", ACI_MANIFEST, \
	  "each member has the JSON type that the schema gives it") \
	X(RULE_REQUIRED, "member-required", ACI_MANIFEST, \
	  "required members are there") \
	X(RULE_KIND, "ac-kind", "spec/types.md, AC Kind Type", \
	  "acKind is ImageManifest in an image and PodManifest in a pod") \
	X(RULE_VERSION, "ac-version", "spec/types.md, AC Version Type", \
	  "acVersion is a semantic version of a major series that is supported") \
	X(RULE_IMAGE_NAME, "image-name", "spec/types.md, AC Identifier Type", \
	  "the names of images are AC Identifiers") \
	X(RULE_IMAGE_ID, "image-id", "spec/types.md, Image ID Type", \
	  "an image ID is sha512- and hexadecimal digits") \
	X(RULE_LABEL_NAME, "label-name", ACI_MANIFEST, \
	  "the names of labels are AC Identifiers, unique in their list, and not \"name\"") \
	X(RULE_LABEL_OS, "label-os-arch", ACI_MANIFEST, \
	  "os and arch labels are a known combination") \
	X(RULE_LABEL_MISSING, "label-missing", ACI_MANIFEST, \
	  "an image that is to run says for which os and arch it was made") \
	X(RULE_EXEC, "app-exec", ACI_MANIFEST, \
	  "exec is not empty and begins with an absolute path") \
	X(RULE_USER, "app-user", ACI_MANIFEST, \
	  "user and group are a name, an absolute path, or a number from 0 to 4294967294") \
	X(RULE_GID, "app-gids", ACI_MANIFEST, \
	  "supplementary groups are numbers from 0 to 4294967294") \
	X(RULE_HANDLER, "app-handler", ACI_MANIFEST, \
	  "event handlers are pre-start and post-stop, each at most once") \
	X(RULE_WORKDIR, "app-workdir", ACI_MANIFEST, \
	  "workingDirectory is an absolute path") \
	X(RULE_ENV, "app-environment", ACI_MANIFEST, \
	  "environment names are letters, digits and _, do not begin with a digit, and are unique") \
	X(RULE_MOUNT_POINT, "mount-point", ACI_MANIFEST, \
	  "a mount point has an AC Name and a path") \
	X(RULE_PATH, "path-plain", "spec/ace.md, Volume Setup", \
	  "paths are absolute, without \"..\" and without control characters") \
	X(RULE_PORT, "port", ACI_MANIFEST, \
	  "a port has an AC Name, a protocol, and a range of numbers from 1 to 65535") \
	X(RULE_PORT_UNIQUE, "port-unique", POD_MANIFEST, \
	  "port names are unique among the apps of a pod") \
	X(RULE_ISOLATOR_NAME, "isolator-name", "spec/types.md, Isolator Type", \
	  "the names of isolators are AC Identifiers") \
	X(RULE_ISOLATOR_VALUE, "isolator-value", "spec/ace.md, Isolators", \
	  "the value of a known isolator has the form that the isolator wants") \
	X(RULE_ISOLATOR_LIST, "isolator-list", "spec/ace.md, Isolators", \
	  "isolators of a list do not contradict each other and stand where they have an effect") \
	X(RULE_CAPABILITY, "capability", "spec/ace.md, Linux Isolators", \
	  "capabilities are those of Linux") \
	X(RULE_SECCOMP, "seccomp", "spec/ace.md, Linux Isolators", \
	  "a seccomp set names system calls and known wildcards; errno is the name of an error") \
	X(RULE_QUANTITY, "quantity", "spec/ace.md, Resource Isolators", \
	  "quantities are not negative and have at most a suffix m, K to E or Ki to Ei") \
	X(RULE_DEPENDENCY, "dependency", ACI_MANIFEST, \
	  "a dependency's size is not negative") \
	X(RULE_WHITELIST, "path-whitelist", ACI_MANIFEST, \
	  "pathWhitelist holds absolute paths") \
	X(RULE_ANNOTATION, "annotation", ACI_MANIFEST, \
	  "the names of annotations are AC Identifiers, unique in their list") \
	X(RULE_CREATED, "annotation-created", "spec/types.md, Timestamps Type", \
	  "created is an RFC 3339 date-time") \
	X(RULE_URL, "annotation-url", ACI_MANIFEST, \
	  "homepage and documentation are http or https URLs") \
	X(RULE_APP_NAME, "pod-app-name", POD_MANIFEST, \
	  "the names of apps are AC Names, unique in the pod") \
	X(RULE_APPS, "pod-apps", POD_MANIFEST, \
	  "a pod has at least one app") \
	X(RULE_VOLUME, "volume", POD_MANIFEST, \
	  "a volume has an AC Name, unique in the pod, is of kind host or empty, and says what that kind needs") \
	X(RULE_MOUNT, "mount", POD_MANIFEST, \
	  "a mount names a volume of the pod and has a path of its own") \
	X(RULE_REIFIED, "pod-reified", "spec/pods.md, App Container Pods", \
	  "each mount point is satisfied by a volume") \
	X(RULE_EXPOSED, "exposed-port", POD_MANIFEST, \
	  "an exposed port names one port of an app, and has a host port from 1 to 65535")

#define RULE_ENUM_(id, name, section, text) id,
enum rule { APPC_RULES(RULE_ENUM_) RULE_COUNT };
#undef RULE_ENUM_

struct check {
	struct findings *f;
	struct buf       where;
	size_t           parse_first, parse_end; /* findings about JSON types: what is below them is not judged again */
	bool             no_memory;              /* nothing more can be said */
};

void check_begin(struct check *c, struct findings *f);
/** check_end() - true when nothing of level error was reported since check_begin(), given what it was before */
bool check_end(struct check *c, size_t errors_before);

/** check_enter() - from here on, what is reported is about that member; give the result to check_leave() */
size_t check_enter(struct check *c, const char *member);
size_t check_enter_index(struct check *c, size_t i);
void check_leave(struct check *c, size_t mark);

__attribute__((format(printf, 3, 4))) void check_error(struct check *c, enum rule rule, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void check_warn(struct check *c, enum rule rule, const char *fmt, ...);
void check_no_memory(struct check *c);

/**
 * struct names - names with the place where each was found, sorted: membership and duplicates in n log n
 *
 * Borrowed strings; NULL is never a name.
 */
struct named { const char *name; size_t i, j; };
struct names { struct named *v; size_t n, cap; };
void names_add(struct check *c, struct names *l, const char *name, size_t i, size_t j);
void names_sort(struct names *l);
/** names_find() - the first entry of that name; l->n: none */
size_t names_find(const struct names *l, const char *name);
/** names_next_duplicate() - the next entry after @at (-1: from the start) that equals the one before it, or -1 */
ptrdiff_t names_next_duplicate(const struct names *l, ptrdiff_t at);
void names_free(struct names *l);

/* ---- rules about one string; @what names it in messages ---- */
void check_identifier(struct check *c, enum rule rule, const char *what, const char *s);
void check_name(struct check *c, enum rule rule, const char *what, const char *s);
/** check_path() - warnings about paths that are unusual: relative, "..", control characters */
void check_path(struct check *c, const char *s);

struct appc_isolators;
enum isolator_scope { SCOPE_APP = 1, SCOPE_POD = 2 };
/** check_isolators() - all of a list; implemented by isolator.c */
void check_isolators(struct check *c, const struct appc_isolators *l, enum isolator_scope scope);
