/* SPDX-License-Identifier: Apache-2.0
 * num - the one strict reader of numbers, sizes and durations that people and images write
 *
 * No leading blanks, signs where none belong, empty strings or trailing characters are ever accepted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/** num_u64() - decimal digits only, at most @max; -1 and *e otherwise */
int num_u64(const char *s, uint64_t max, uint64_t *out, struct err *e);

/** num_id() - a uid or gid: 0..4294967294, digits only (4294967295 means "no change" to the kernel) */
int num_id(const char *s, uint32_t *out, struct err *e);

/**
 * num_user() - a user or group as manifests and options name it: 1: a number, in *out; 0: a name or a path; -1
 *
 * What begins like a number (a digit, a sign, a blank) is one or an error, never a name: "+0", "0x0" and "-1"
 * must not become root because the image's passwd has a line for them.
 */
int num_user(const char *s, uint32_t *out, struct err *e);

/** num_mode() - octal digits only, at most 07777 */
int num_mode(const char *s, uint32_t *out, struct err *e);

/**
 * num_quantity() - appc resource quantity: "128974848", "125952Ki", "123Mi", "0.3", "300m"
 * @scale: 1 for whole units (bytes), 1000 for thousandths (cores)
 * @out: quantity times @scale, rounded up
 *
 * Suffixes: m; K (also k), M, G, T, P, E (powers of 1000); Ki ... Ei (powers of 1024).
 * Errors: EINVAL not a quantity; ERANGE does not fit 63 bits. Source: appc spec, spec/ace.md, "Resource Isolators".
 */
int num_quantity(const char *s, uint64_t scale, int64_t *out, struct err *e);

/** num_bool() - the words that Go takes: 1, t, T, true, True, TRUE; 0, f, F, false, False, FALSE */
int num_bool(const char *s, bool *out, struct err *e);

/** num_duration() - Go style "1h30m", "24h0m0s", "1.5s", "300ms", "0"; nanoseconds, not negative */
int num_duration(const char *s, int64_t *ns, struct err *e);
