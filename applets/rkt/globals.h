/* SPDX-License-Identifier: Apache-2.0
 * globals - the options every rkt command takes, before or after its name
 */
#pragma once

#include <stdbool.h>

#include "applets/rkt/netopts.h"
#include "core/base/opt.h"
#include "core/conf/conf.h"
#include "core/store/render.h"

/* --insecure-options: what the user asked not to be protected from */
enum {
	INSECURE_IMAGE        = 1 << 0, /* signatures of images */
	INSECURE_TLS          = 1 << 1,
	INSECURE_ONDISK       = 1 << 2, /* re-checking what is in the store */
	INSECURE_HTTP         = 1 << 3,
	INSECURE_PUBKEY       = 1 << 4, /* public keys fetched without TLS */
	INSECURE_CAPABILITIES = 1 << 5,
	INSECURE_PATHS        = 1 << 6,
	INSECURE_SECCOMP      = 1 << 7,
	INSECURE_DEVICES      = 1 << 8, /* device nodes in images; ours, rkt never asked */
};

/* First member of every rkt command's options struct; the table goes last: OPT_PART("Global options", ...). */
struct rkt_globals {
	bool        debug;
	const char *dir; /* --dir as given, or NULL: ask globals_dir() */
	const char *system_config, *local_config, *user_config;
	bool        trust_keys_from_https;
	unsigned    insecure; /* INSECURE_* */
	struct netopts net; /* of commands that download */
	const char *render; /* --render as given, a name that is known, or NULL: ask globals_render() */
};

extern const struct opt rkt_globals_opts[];

void globals_init(void *opts);

/**
 * globals_conf() - reads the configuration directories; conf_free() it
 * globals_dir() - the data directory: --dir, else configuration, else /var/lib/rkt; borrowed from @c or @g
 */
int globals_conf(const struct rkt_globals *g, struct conf *c, struct err *e);
const char *globals_dir(const struct rkt_globals *g, const struct conf *c);
/** globals_conf_dirs() - the configuration directories, for what globals_conf() does not read (auth.h) */
struct conf_opts globals_conf_dirs(const struct rkt_globals *g);

/** globals_absolute() - the path @path for a process in another directory; free() it. NULL and *e: ours has gone */
char *globals_absolute(const char *path, struct err *e);

/** globals_render() - how images are rendered: --render, else configuration, else whatever works best; @c may be NULL */
int globals_render(const struct rkt_globals *g, const struct conf *c, struct render_how *out, struct err *e);

/**
 * globals_need_root() - EPERM and "cannot run as unprivileged user" for commands that only root can carry out
 * All of these look at processes, or open again by way of /proc what they have looked at: without it, ENODEV.
 */
int globals_need_root(struct err *e);

/**
 * globals_be_root() - the same for commands that any user can carry out on a data directory of his own: then this process
 *	is root of user and mount namespaces of its own afterwards (core/base/rootless.h), so it comes before threads and
 *	before anything is opened. EACCES, with the same words: the directory is somebody else's.
 * globals_be_owner() - without the namespaces
 * globals_be_root_of_own() - where the directory is somebody else's, the file modes there decide what works
 */
int globals_be_root(const struct rkt_globals *g, struct err *e);
int globals_be_owner(const struct rkt_globals *g, struct err *e);
int globals_be_root_of_own(const struct rkt_globals *g, struct err *e);
