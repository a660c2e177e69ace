/* SPDX-License-Identifier: Apache-2.0
 * auth - credentials for servers, from DIR/auth.d of the configuration directories
 *
 * Kinds "auth" (types basic, oauth, aws) and "dockerAuth"; a later directory overrides single domains, and the same domain
 * twice in one directory is an error. Source: rkt Documentation/configuration.md; what type aws holds, rkt's own code.
 */
#pragma once

#include <stdbool.h>

#include "core/conf/conf.h"

enum auth_type { AUTH_BASIC, AUTH_OAUTH, AUTH_AWS, AUTH_DOCKER };

struct auth_entry {
	enum auth_type type;
	char          *domain; /* HOST or HOST:PORT; a registry for AUTH_DOCKER */
	char          *user;   /* the token of AUTH_OAUTH, the access key's ID of AUTH_AWS */
	char          *secret; /* NULL for AUTH_OAUTH */
	char          *region; /* of AUTH_AWS; NULL: as the host's name says */
	char          *file;   /* where it stands */
	unsigned       level;  /* of its directory */
};

/* zero-initialise */
struct auth { struct auth_entry *v; size_t n; };

int auth_read(const struct conf_opts *o, struct auth *a, struct err *e);
void auth_free(struct auth *a);

/** auth_parse() - one file's text, of directory @level; on errors *a may have some of its entries */
int auth_parse(struct auth *a, unsigned level, const char *file, const char *text, size_t len, struct err *e);

/**
 * auth_find() - what to say to a server, or NULL; never AUTH_DOCKER
 * @default_port: @port is the scheme's own. Then an entry with it, and else one without a port, is meant.
 */
const struct auth_entry *auth_find(const struct auth *a, const char *host, unsigned port, bool default_port);

/** auth_region() - of AWS, as the name of one of its hosts says, else us-east-1 */
void auth_region(const char *host, char *out, size_t size);

/** auth_json() - adds to the array a configuration file for each domain, as `rkt config` prints them */
void auth_json(const struct auth *a, cJSON *list);
