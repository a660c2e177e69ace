/* SPDX-License-Identifier: Apache-2.0
 * plugin - network types and address managements that are programs of others, executed as CNI has it
 *
 * Looked for by name in LOCAL/net.d, /usr/lib/rkt/plugins/net, SYSTEM/net.d, /usr/lib/cni and /opt/cni/bin. Where a name
 * is also one of ours, ours is meant, unless the program lies in LOCAL/net.d: there only an administrator can have put it.
 * A program or directory that others than root can write to is refused.
 *
 * The program gets the environment of the specification and a PATH, the configuration on standard input, no descriptor
 * beside the three standard ones, and a process group of its own, so that ^C does not end it half-way; it dies with us. It is
 * executed in the mount namespace host_mnt_fd, and looked for there.
 * Source: CNI specification, "Parameters", "Result", "Network Configuration Lists".
 */
#pragma once

#include "core/base/buf.h"
#include "core/net/join.h"

#define PLUGIN_LIMIT_S 120
#define PLUGIN_OUT_MAX (1u << 20) /* of what it prints */

/** plugin_overrides() - whether the administrator put a program of that name in the place of ours */
bool plugin_overrides(const char *local, const char *name);
/** plugin_find() - its path, or "" */
void plugin_find(const struct net_join *j, const char *name, char *out, size_t size);
/** plugin_netns() - the path by which other processes open the pod's namespace; "": gone. 64 bytes are enough. */
void plugin_netns(const struct net_join *j, char *out, size_t size);

/**
 * plugin_run() - executes @name with the configuration of @j
 * @command: "ADD" or "DEL"
 * @prev: goes along as prevResult, if not NULL; for DEL only where the configuration is of 0.4.0 or later
 * @r: empty, receives the result of ADD; NULL for DEL
 * Errors: ENOENT no such program; EACCES others can write to it; ETIMEDOUT; else what the program says.
 */
int plugin_run(const struct net_join *j, const char *name, const char *command, const struct net_result *prev,
	       struct net_result *r, struct err *e);

/**
 * plugin_exec() - the same below the protocol: @in to its standard input, @out from its standard output
 * Returns its exit status; -1: it could not be executed, was killed by a signal or by us, or printed too much.
 * @errors: receives the end of what it wrote to standard error, which with j->debug goes to ours instead
 */
int plugin_exec(const struct net_join *j, const char *name, const char *command, const struct buf *in, int limit_s,
		struct buf *out, struct buf *errors, struct err *e);
