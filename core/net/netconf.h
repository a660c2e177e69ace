/* SPDX-License-Identifier: Apache-2.0
 * netconf - which networks there are, and which of them a pod joins
 *
 * Built in: default (ptp, 172.16.28.0/24, masqueraded, default route) and default-restricted (ptp, 172.31.0.0/16 as rkt
 * has it since 1.28, neither). Then net.d of the system and of the local configuration: *.conf and *.json hold one
 * plug-in, *.conflist a chain. A name of the local configuration replaces the same name of the system's, and both what is
 * built in; twice in one directory it is an error. They are joined in the order of file names, what is built in last.
 * THREATS H: names and types are [A-Za-z0-9_-]+ (names also dots inside).
 *
 * "restricted": true, a member of ours, closes a network: what comes from it reaches the host alone, whatever routes the
 * pod makes for itself. default-restricted has it; other configurations may, on the first plug-in of a chain.
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
	cJSON **plugins;      /* one, or a chain; objects, each with "name" and "cniVersion" of the whole */
	size_t n_plugins;
	bool   unasked;       /* nobody named it: default-restricted, beside others */
	char  *args;          /* "IP=1.2.3.4;K=V", from --net; "" */
};

struct net_confs { struct net_conf *v; size_t n; };
void net_confs_free(struct net_confs *c);
void net_conf_free(struct net_conf *c);

/**
 * net_conf_parse() - one network
 * @j: what is taken from it is gone; the rest is the caller's still
 * @chain: a list of plug-ins
 * @file: for out->file
 */
int net_conf_parse(cJSON *j, bool chain, const char *file, struct net_conf *out, struct err *e);

/** net_type_name() - whether it can be the name of a type, which becomes part of a path */
bool net_type_name(const char *s);

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
 * are freed. "": default. "all": those of files, and default. default-restricted is added where default is not among
 * them. ENOENT: no such network, names those there are.
 */
int net_confs_select(struct net_confs *c, const char *net, struct err *e);

/** net_arg() - "IP" of "IP=1.2.3.4;K=V" into @out of @size; false: it is not there */
bool net_arg(const char *args, const char *key, char *out, size_t size);
