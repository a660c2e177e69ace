/* SPDX-License-Identifier: Apache-2.0
 * words - what stands in one argument: NAME=VALUE, lists, and "NAME,KEY=VALUE,KEY=VALUE" for mount points and ports
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/base/opt.h"

/** words_next() - the next of the words that @sep separates, cut off; NULL: that was the last */
char *words_next(char **rest, char sep);

/** words_pair() - cuts "KEY=VALUE" into two, returns the value; NULL: there is no KEY, or no "=" */
char *words_pair(char *pair, struct err *e);

/** words_members() - calls @member for each "KEY=VALUE" of what is left behind a name, or NULL */
int words_members(char *rest, void *to, int (*member)(void *to, const char *key, const char *value, struct err *e),
		  struct err *e);

int words_number(const char *text, uint64_t max, int64_t *out, struct err *e);

/** words_pairs() - sets each NAME=VALUE that was given to --@option */
int words_pairs(struct appc_pairs *l, const struct opt_list *given, const char *option, struct err *e);

/** words_mount(), words_port() - the members of a mount point ("path=/data,readOnly=true") and of a port; @rest: or NULL */
int words_mount(char *rest, struct appc_mount_point *m, struct err *e);
int words_port(char *rest, struct appc_port *p, struct err *e);
