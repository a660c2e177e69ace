/* SPDX-License-Identifier: Apache-2.0
 * ids - the user and group ids that a pod with users of its own (--private-users) has on the host
 *
 * Such a pod has a range of 65536 ids: its user 0 is the first of them. No two pods of a data directory have the same,
 * and none has an id that the host uses. The record is a file in the pod's directory, with a second name in pods/ids; the
 * range is taken as long as both are there. So nothing can leak, wherever a power cut or a kill comes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"
#include "core/pod/pod.h"

struct pod_ids { uint32_t first, count; }; /* count 0: the pod has the host's ids */

#define POD_IDS_COUNT      65536u
#define POD_IDS_RECORD     "private-users-prepared" /* in the pod directory: "FIRST:COUNT", as in rkt's */
#define POD_IDS_ANNOTATION "rktbox/private-users"   /* the same in the pod manifest, for whoever reads that anyway */
#define POD_IDS_TEXT_MAX   24

/** pod_ids_parse() - "FIRST:COUNT", of which neither is 0 */
int pod_ids_parse(const char *text, struct pod_ids *out, struct err *e);
void pod_ids_text(const struct pod_ids *ids, char out[POD_IDS_TEXT_MAX]);

/** pod_ids_of() - what the manifest says; count 0: nothing */
int pod_ids_of(const struct pod_manifest *m, struct pod_ids *out, struct err *e);

/**
 * pod_ids_reserve() - takes a range that is free and records it, in the directory of a pod that is being prepared
 *
 * Waits for others that do the same. Errors: ENOSPC: no range is free.
 */
int pod_ids_reserve(struct pod *p, struct pod_ids *out, struct err *e);

/** pod_ids_sweep() - removes the second names of records whose pods are gone */
int pod_ids_sweep(struct pods *ps, struct err *e);

/**
 * pod_ids_host() - calls @use for all ids that the host gives to somebody: those in DIR/passwd and DIR/group, and the
 * ranges in DIR/subuid and DIR/subgid
 *
 * Our own reader, which asks no name service: lines that are none of these (NIS, comments, damage) name no ids. A file
 * that is not there names none, one that cannot be read is an error.
 */
int pod_ids_host(const char *dir, void (*use)(void *ctx, uint64_t first, uint64_t count), void *ctx, struct err *e);
