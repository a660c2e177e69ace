/* SPDX-License-Identifier: Apache-2.0
 * netopts - the options of commands that download: how long, how fast, and whom to believe
 *
 * The values are a part of the global options' struct, so that whoever has that can download; the table is for the
 * commands that do: OPT_PART("Transport", netopts_opts, struct fetch_opts, g.net).
 */
#pragma once

#include "core/base/opt.h"
#include "core/conf/auth.h"
#include "core/fetch/http.h"

struct rkt_globals;

struct netopts {
	const char *ca_file, *crl_file;
	uint64_t    rate, max_bytes;
	unsigned    attempts, stall_s, timeout_s;
};

extern const struct opt netopts_opts[];

/**
 * netopts_http() - what core/fetch has to know, with the credentials of the configuration directories
 * @a: receives these; auth_free() it when nothing made with *out is open any more
 */
int netopts_http(const struct rkt_globals *g, struct auth *a, struct http_opts *out, struct err *e);
