/* SPDX-License-Identifier: Apache-2.0
 * keys - public keys from files, from URLs and as hosts publish them: shown, asked for, trusted
 */
#pragma once

#include <stdbool.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"
#include "core/trust/keystore.h"

struct rkt_globals;

/** keys_dirs() - the keystore as configured, its warnings going to the terminal */
struct keystore_dirs keys_dirs(const struct rkt_globals *g);

struct keys_wish {
	const struct rkt_globals *g;
	const char *prefix;      /* what they are to be trusted for; NULL: all images */
	bool        skip_review; /* do not ask */
	bool        allow_http;
	bool        by_the_way;  /* for an image that is being fetched: standard output is not ours, nor is standard input */
};

/**
 * keys_trust() - the keys at @where, a file, "-" for standard input, or a URL
 *
 * Those from https are not asked for with --trust-keys-from-https, unless something that https is to protect from was
 * allowed. By the way, keys that are trusted already are passed over. ECANCELED: the user did not want one of them.
 */
int keys_trust(const struct keys_wish *w, const char *where, struct err *e);

/** keys_discover() - the URLs of the keys that the host publishes for the prefix, at least one; clear @urls */
int keys_discover(const struct keys_wish *w, struct appc_strings *urls, struct err *e);

/** keys_offer() - keys_trust() by the way for what was discovered with an image; what goes wrong is warned of */
void keys_offer(const struct rkt_globals *g, const char *name, const struct appc_strings *urls);
