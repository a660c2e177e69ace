/* SPDX-License-Identifier: Apache-2.0
 * types - the App Container spec's basic types, as predicates over strings
 *
 * Source: appc spec, spec/types.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/** AC Identifier: words of lower-case letters and digits, with exactly one of - . _ ~ / between them */
bool ac_identifier_ok(const char *s);

/** AC Name: words of lower-case letters and digits, with exactly one - between them */
bool ac_name_ok(const char *s);

/** ac_name_from() - the AC Name nearest to @s (last path component of an image name, lower case); false if none */
bool ac_name_from(const char *s, char *out, size_t size);

/** AC Version: semantic version 2.0.0; fills major, minor, patch when not NULL */
bool ac_version_ok(const char *s, uint64_t v[3]);

#define IMAGE_ID_PREFIX "sha512-"
/** Image ID as written in manifests: "sha512-" and 1 to 128 lower-case hex digits (64 = rkt's key, 128 = whole) */
bool image_id_ok(const char *s);
/** image_id_ok_upper() - the same, but with capitals among the digits: hexadecimal, but not how anybody writes it */
bool image_id_ok_upper(const char *s);

/** os/arch combinations of the spec's table plus those rktbox runs on; either may be NULL (then the label is absent) */
bool ac_os_ok(const char *os);
bool ac_os_arch_ok(const char *os, const char *arch);

/** ac_host_arch() - "amd64", "aarch64", "i386" ...: the arch label of images this binary can run */
const char *ac_host_arch(void);

/** environment variable names: letters, digits and _, not beginning with a digit (IEEE Std 1003.1) */
bool ac_env_name_ok(const char *s);

/**
 * ac_time_parse() - the date formats of the "created" annotation (RFC 3339) into ns since 1970; -1 and *e
 * ac_date_ok() - the predicate alone
 */
bool ac_date_ok(const char *s);

/** ac_url_ok() - an absolute http or https URL with a host (the documentation and homepage annotations) */
bool ac_url_ok(const char *s);
