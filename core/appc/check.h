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
#define APPC_OURS    "rktbox" /* the spec is silent */

/*
 * Every rule: enum name, id, section of the spec, flags (finding.h), what must hold, what to do where it does not.
 * The lists of `actool rules` and in its man page are made of this.
 */
#define APPC_RULES(X) \
	X(RULE_SIZE, "manifest-size", "spec/aci.md, Image Manifest", RULE_ERRORS | RULE_FINAL, \
	  "a manifest has at most 4 MiB, and each of its lists at most 10000 objects", \
	  "make it smaller: split the lists, and leave out what nobody reads") \
	X(RULE_JSON, "json", "spec/aci.md, Image Manifest; RFC 8259", RULE_ERRORS | RULE_FINAL, \
	  "a manifest is one well-formed JSON object, without duplicate keys", \
	  "repair the text at that byte; any JSON checker finds the place") \
	X(RULE_TYPE, "json-type", ACI_MANIFEST, RULE_ERRORS | RULE_FINAL, \
	  "each member has the JSON type that the schema gives it", \
	  "write a value of the type that is wanted") \
	X(RULE_REQUIRED, "member-required", ACI_MANIFEST, RULE_ERRORS, \
	  "required members are there", \
	  "add the member") \
	X(RULE_KIND, "ac-kind", "spec/types.md, AC Kind Type", RULE_ERRORS, \
	  "acKind is ImageManifest in an image and PodManifest in a pod", \
	  "set acKind to what the file is") \
	X(RULE_VERSION, "ac-version", "spec/types.md, AC Version Type", RULE_ERRORS, \
	  "acVersion is a semantic version of a major series that is supported", \
	  "set acVersion to the version of the specification, \"0.8.11\"") \
	X(RULE_IMAGE_NAME, "image-name", "spec/types.md, AC Identifier Type", RULE_ERRORS, \
	  "the names of images are AC Identifiers", \
	  "rename it, as in example.com/name") \
	X(RULE_IMAGE_ID, "image-id", "spec/types.md, Image ID Type", RULE_ERRORS, \
	  "an image ID is sha512- and hexadecimal digits", \
	  "copy the ID that rkt image list --full shows") \
	X(RULE_LABEL_NAME, "label-name", ACI_MANIFEST, RULE_ERRORS, \
	  "the names of labels are AC Identifiers, unique in their list, and not \"name\"", \
	  "rename the label, or leave one of the two out") \
	X(RULE_LABEL_OS, "label-os-arch", ACI_MANIFEST, RULE_BOTH, \
	  "os and arch labels are a known combination", \
	  "use a pair that the specification lists, as linux and amd64, or leave both out") \
	X(RULE_LABEL_MISSING, "label-missing", ACI_MANIFEST, RULE_ERRORS, \
	  "an image that is to run says for which os and arch it was made", \
	  "add labels os and arch (only actool build asks for them)") \
	X(RULE_EXEC, "app-exec", ACI_MANIFEST, RULE_ERRORS, \
	  "exec is not empty and begins with an absolute path", \
	  "give the program with its path in the image, from / on") \
	X(RULE_USER, "app-user", ACI_MANIFEST, RULE_ERRORS, \
	  "user and group are not empty", \
	  "name a user and a group, by number if in doubt: \"0\"") \
	X(RULE_USER_ID, "app-user-id", APPC_OURS, RULE_ERRORS | RULE_OURS, \
	  "users and groups in digits are numbers from 0 to 4294967294; the one above stands for \"nobody asked\"", \
	  "choose another number") \
	X(RULE_GID, "app-gids", APPC_OURS, RULE_ERRORS | RULE_OURS, \
	  "supplementary groups are numbers from 0 to 4294967294", \
	  "list numbers of groups") \
	X(RULE_HANDLER, "app-handler", ACI_MANIFEST, RULE_ERRORS, \
	  "event handlers are pre-start and post-stop, each at most once", \
	  "keep one pre-start and one post-stop handler") \
	X(RULE_WORKDIR, "app-workdir", ACI_MANIFEST, RULE_ERRORS, \
	  "workingDirectory is an absolute path", \
	  "give the directory from / on") \
	X(RULE_WORKDIR_PROC, "app-workdir-proc", APPC_OURS, RULE_WARNINGS | RULE_OURS, \
	  "workingDirectory is not below /proc, where links lead out of the app's root", \
	  "work in another directory") \
	X(RULE_ENV, "app-environment", ACI_MANIFEST, RULE_ERRORS, \
	  "environment names are letters, digits and _, do not begin with a digit, and are unique", \
	  "rename the variable, or leave one of the two out") \
	X(RULE_ENV_CONTROL, "app-environment-control", APPC_OURS, RULE_WARNINGS | RULE_OURS, \
	  "environment values have no control characters, which logs and terminals would obey", \
	  "leave them out, or put the text into a file") \
	X(RULE_MOUNT_POINT, "mount-point", ACI_MANIFEST, RULE_BOTH, \
	  "a mount point has an AC Name and a path", \
	  "rename the mount point, as in data-dir; give each its own name") \
	X(RULE_PATH, "path-plain", "spec/ace.md, Volume Setup", RULE_WARNINGS, \
	  "paths are absolute, without \"..\" and without control characters", \
	  "write the path from / on and without detours") \
	X(RULE_PORT, "port", ACI_MANIFEST, RULE_ERRORS, \
	  "a port has an AC Name, a protocol, and a range of numbers from 1 to 65535", \
	  "rename the port, as in http, or correct its numbers") \
	X(RULE_PORT_UNIQUE, "port-unique", POD_MANIFEST, RULE_WARNINGS, \
	  "port names are unique among the apps of a pod", \
	  "give each port a name of its own") \
	X(RULE_ISOLATOR_NAME, "isolator-name", "spec/types.md, Isolator Type", RULE_ERRORS, \
	  "the names of isolators are AC Identifiers", \
	  "correct the name, as in resource/memory") \
	X(RULE_ISOLATOR_VALUE, "isolator-value", "spec/ace.md, Isolators", RULE_BOTH, \
	  "the value of a known isolator has the form that the isolator wants", \
	  "correct the value; the section shows its form") \
	X(RULE_ISOLATOR_LIST, "isolator-list", "spec/ace.md, Isolators", RULE_BOTH, \
	  "isolators of a list do not contradict each other and stand where they have an effect", \
	  "keep the one that is meant") \
	X(RULE_CAPABILITY, "capability", "spec/ace.md, Linux Isolators", RULE_ERRORS, \
	  "capabilities are those of Linux", \
	  "use a name that capabilities(7) lists") \
	X(RULE_SECCOMP, "seccomp", "spec/ace.md, Linux Isolators", RULE_ERRORS, \
	  "a seccomp set names system calls and known wildcards; errno is the name of an error", \
	  "use names that syscalls(2) and errno(3) list") \
	X(RULE_SECCOMP_NAME, "seccomp-name", APPC_OURS, RULE_WARNINGS | RULE_OURS, \
	  "each system call and wildcard of a seccomp set is one that rktbox knows on some architecture", \
	  "correct the name: without it the filter allows or denies something else") \
	X(RULE_QUANTITY, "quantity", "spec/ace.md, Resource Isolators", RULE_ERRORS, \
	  "quantities are not negative and have at most a suffix m, K to E or Ki to Ei", \
	  "write a number with at most one suffix, as in 128Mi") \
	X(RULE_DEPENDENCY, "dependency", ACI_MANIFEST, RULE_ERRORS, \
	  "a dependency's size is not negative", \
	  "give the size in bytes, or leave it out") \
	X(RULE_WHITELIST, "path-whitelist", ACI_MANIFEST, RULE_ERRORS, \
	  "pathWhitelist holds absolute paths", \
	  "give the path from / on") \
	X(RULE_ANNOTATION, "annotation", ACI_MANIFEST, RULE_ERRORS, \
	  "the names of annotations are AC Identifiers, unique in their list", \
	  "rename the annotation, or leave one of the two out") \
	X(RULE_CREATED, "annotation-created", "spec/types.md, Timestamps Type", RULE_ERRORS, \
	  "created is an RFC 3339 date-time", \
	  "write it as 2015-05-18T13:49:28Z") \
	X(RULE_URL, "annotation-url", ACI_MANIFEST, RULE_ERRORS, \
	  "homepage and documentation are http or https URLs", \
	  "begin it with http:// or https:// and a host") \
	X(RULE_APP_NAME, "pod-app-name", POD_MANIFEST, RULE_ERRORS, \
	  "the names of apps are AC Names, unique in the pod", \
	  "rename the app; give each its own name") \
	X(RULE_APPS, "pod-apps", POD_MANIFEST, RULE_ERRORS, \
	  "a pod has at least one app", \
	  "list an app") \
	X(RULE_VOLUME_OWNER, "volume-owner", APPC_OURS, RULE_ERRORS | RULE_OURS, \
	  "mode is octal and at most 7777, uid and gid are numbers from 0 to 4294967294", \
	  "correct mode, uid or gid, or leave it out") \
	X(RULE_VOLUME, "volume", POD_MANIFEST, RULE_ERRORS, \
	  "a volume has an AC Name, unique in the pod, is of kind host or empty, and says what that kind needs", \
	  "correct the volume as its kind wants it") \
	X(RULE_MOUNT, "mount", POD_MANIFEST, RULE_BOTH, \
	  "a mount names a volume of the pod and has a path of its own", \
	  "name a volume of the pod, and a path that no other mount has") \
	X(RULE_REIFIED, "pod-reified", "spec/pods.md, App Container Pods", RULE_WARNINGS, \
	  "each mount point is satisfied by a volume", \
	  "add a mount with that path") \
	X(RULE_EXPOSED, "exposed-port", POD_MANIFEST, RULE_ERRORS, \
	  "an exposed port names one port of an app, and has a host port from 1 to 65535", \
	  "name a port that exactly one app of the pod has")

#define RULE_ENUM_(rule, id, section, flags, text, remedy) rule,
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
bool has_control(const char *s);
/** check_path() - warnings about paths that are unusual: relative, "..", control characters */
void check_path(struct check *c, const char *s);

struct appc_isolators;
enum isolator_scope { SCOPE_APP = 1, SCOPE_POD = 2 };
/** check_isolators() - all of a list; implemented by isolator.c */
void check_isolators(struct check *c, const struct appc_isolators *l, enum isolator_scope scope);
