/* SPDX-License-Identifier: Apache-2.0
 * image_tree - an image, read from its blob into the tree that index and extraction are made from
 */
#include <errno.h>

#include "core/store/internal.h"

int image_tree_add(void *tree, const struct tar_entry *entry, struct tar *tar, struct err *e)
{
	(void)tar; /* content stays where it is */
	return tree_add(tree, entry, e);
}

static int read_pass(struct tree *t, int blob_fd, const struct appc_strings *whitelist, struct aci_result *res,
		     struct err *e)
{
	const struct aci_handler h = { .ctx = t, .entry = image_tree_add };
	const struct aci_bounds bounds = { 0 };
	struct findings f = { 0 };
	auto_source struct source *in = source_fd(blob_fd, e);

	if (!in || tree_pass(t, 0, &whitelist, 1, e) < 0)
		return -1;
	int r = aci_read(in, &bounds, ACI_STRICT, &h, res, &f, e);
	findings_free(&f);
	return r < 0 ? -1 : tree_pass_end(t, e);
}

struct tree *image_tree(int blob_fd, const struct appc_strings *whitelist, int spill_dir_fd, struct aci_result *res,
			struct err *e)
{
	const struct tree_opts o = { .spill_dir_fd = spill_dir_fd };
	struct tree *t = tree_new(&o, e);

	if (t && read_pass(t, blob_fd, whitelist, res, e) == 0) {
		tree_finish(t);
		return t;
	}
	tree_free(t);
	return NULL;
}
