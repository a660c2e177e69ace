/* SPDX-License-Identifier: Apache-2.0
 * http - a URL as a source of bytes, over libcurl
 *
 * https always verifies chain and name unless told otherwise; http only when allowed; redirects are bounded and
 * never go from https to http. The CA bundle: SSL_CERT_FILE, else where distributions put theirs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/source.h"

struct http_opts {
	bool insecure_tls; /* no verification of certificates */
	bool allow_http;
};

/**
 * http_open() - connects, follows redirects, and returns when the first bytes of the body are there
 *
 * Statuses other than 200 are errors: "bad HTTP status code: 404". Reading on may fail with EIO when the
 * connection breaks or stalls (less than 1 byte/s for 60 s) or the body is shorter than announced.
 */
struct source *http_open(const char *url, const struct http_opts *o, struct err *e);

/** http_length() - announced length of the body of a source made by http_open(); 0: not announced */
uint64_t http_length(const struct source *s);

/** http_is_url() - "https://..." or "http://..." */
bool http_is_url(const char *s);
