/* SPDX-License-Identifier: Apache-2.0
 * image_name - see image_name.h
 */
#include "core/appc/image_name.h"

#include <errno.h>
#include <stdlib.h>
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
	if (version && *version && appc_pairs_set(labels, "version", version, e) < 0)
		return -1;
	return rest ? parse_labels(rest, labels, e) : 0;
}

/* ---- and whether it is that one ---- */

static int set_here(struct appc_pairs *labels, const char *name, const char *value, struct err *e)
{
	return appc_pair_find(labels, name) ? 0 : appc_pairs_set(labels, name, value, e);
}

int image_name_here(struct image_name *n, struct err *e)
{
	return set_here(&n->labels, "os", "linux", e) < 0 ? -1 : set_here(&n->labels, "arch", ac_host_arch(), e);
}

int image_name_read(const char *text, struct image_name *n, struct err *e)
{
	n->name = strdup(text);
	if (!n->name)
		return err_set(e, ENOMEM, "out of memory");
	if (image_name_parse(n->name, &n->labels, e) < 0)
		return -1;
	n->n_asked = n->labels.n;
	return image_name_here(n, e);
}

void image_name_free(struct image_name *n)
{
	free(n->name);
	appc_pairs_clear(&n->labels);
	*n = (struct image_name){ 0 };
}

int image_name_match(const struct image_name *n, const struct image_manifest *m, struct err *e)
{
	if (strcmp(n->name, m->name) != 0)
		return err_set(e, ENOENT, "the image is %.200s, not %.200s", m->name, n->name);
	for (size_t i = 0; i < n->labels.n; i++) {
		const struct appc_pair *want = &n->labels.v[i];
		const char *has = appc_pair_find(&m->labels, want->name);
		if (has ? !strcmp(has, want->value) : i >= n->n_asked)
			continue;
		return err_set(e, ENOENT, "label %.80s: want \"%.100s\"%s, the image has %s%.100s%s", want->name,
			       want->value, i < n->n_asked ? "" : " (this machine's)", has ? "\"" : "none",
			       has ? has : "", has ? "\"" : "");
	}
	return 0;
}
