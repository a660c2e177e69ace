/* SPDX-License-Identifier: Apache-2.0
 * netconf - which networks there are, and which of them a pod joins
 *
 * Built in: default (ptp, 172.16.28.0/24, masqueraded, default route) and default-restricted (ptp, 172.17.0.0/16 as rkt
 * has it, neither). Then net.d of the system and of the local configuration: *.conf and *.json hold one plug-in,
 * *.conflist a chain. In the order of file names; a name of the local configuration replaces the same name of the
 * system's, and both what is built in. THREATS H: names and types are [A-Za-z0-9_-]+ (names also dots inside).
 * Source: rkt Documentation/networking/{overview,overriding-defaults}.md; CNI specification, "Configuration format".
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define NET_NAME_MAX 200

struct net_conf {
	char  *name, *file;   /* file "": built in */
	char  *version;       /* cniVersion; "0.1.0" where it is not said */
	cJSON **plugins;      /* one, or a chain; objects */
	size_t n_plugins;
	char  *args;          /* "IP=1.2.3.4;K=V", from --net; "" */
};

struct net_confs { struct net_conf *v; size_t n; };
void net_confs_free(struct net_confs *c);

/** net_confs_load() - all that there are; @system, @local: configuration directories, NULL: none. A file that cannot be
 * understood is an error that names it. */
int net_confs_load(const char *system, const char *local, struct net_confs *out, struct err *e);

enum net_mode { NET_NONE, NET_HOST, NET_JOIN };
/**
 * net_mode_parse() - the form of what --net says, without looking at any file: "", "none", "host", or a list
 * Errors: none or host beside others; a network twice; a malformed name or argument.
 */
int net_mode_parse(const char *net, enum net_mode *out, struct err *e);

/**
 * net_confs_select() - those that @net (a list) wants, in the order they are joined, with their arguments; the others
 * are freed. default-restricted is added where default is not among them. ENOENT: no such network, names those there are.
 */
int net_confs_select(struct net_confs *c, const char *net, struct err *e);

/** net_arg() - "IP" of "IP=1.2.3.4;K=V" into @out of @size; false: it is not there */
bool net_arg(const char *args, const char *key, char *out, size_t size);
