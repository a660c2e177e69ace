/* SPDX-License-Identifier: Apache-2.0
 * image_name - see image_name.h
 */
#include "core/appc/image_name.h"

#include <errno.h>
#include <string.h>

#include "core/appc/types.h"

static int parse_labels(char *p, struct appc_pairs *labels, struct err *e)
{
	for (char *next; p; p = next) {
		next = strchr(p, ',');
		if (next)
			*next++ = 0;
		char *eq = strchr(p, '=');
		if (!eq || eq == p)
			return err_set(e, EINVAL, "bad label \"%s\", want NAME=VALUE", p);
		*eq = 0;
		if (!ac_identifier_ok(p))
			return err_set(e, EINVAL, "bad label name \"%s\"", p);
		if (appc_pair_find(labels, p))
			return err_set(e, EINVAL, "label \"%s\" is given twice", p);
		if (appc_pairs_set(labels, p, eq + 1, e) < 0)
			return -1;
	}
	return 0;
}

int image_name_parse(char *text, struct appc_pairs *labels, struct err *e)
{
	char *rest = strchr(text, ',');

	if (rest)
		*rest++ = 0;
	char *version = strchr(text, ':');
	if (version)
		*version++ = 0;
	if (!ac_identifier_ok(text))
		return err_set(e, EINVAL, "\"%s\" is not an image name (like example.com/app), ID, URL or file", text);
	if (version && appc_pairs_set(labels, "version", version, e) < 0)
		return -1;
	return rest ? parse_labels(rest, labels, e) : 0;
}
