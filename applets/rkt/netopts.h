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

/* what core/fetch has to know, with the credentials of the configuration directories; zero-initialise */
struct net {
	struct http_opts http;
	struct auth      auth;
};

/**
 * net_open() - connections are kept until net_close(), so no two requests with it may be at work at once
 * net_close() - after all that was made with it; also when net_open() failed
 */
int net_open(const struct rkt_globals *g, struct net *n, struct err *e);
void net_close(struct net *n);
#define auto_net __attribute__((cleanup(net_close)))
