/* SPDX-License-Identifier: Apache-2.0
 * images_roots - see images_roots.h
 */
#include "applets/rkt/images_roots.h"

#include <errno.h>

#include "core/store/render.h"

struct expand {
	struct pods_trees *to;
	size_t             first, n; /* the entries of the merged root */
};

static int add_image(void *ctx, const struct image_id *id, struct err *e)
{
	const struct expand *x = ctx;

	return pods_trees_also(x->to, x->first, x->n, id->s, e);
}

/* A merged root that cannot be told from its recipe cannot be used either, and must not stand in the way. */
int images_trees(struct store *st, struct pods *ps, struct pods_trees *out, struct err *e)
{
	struct err why;

	if (pods_trees(ps, out, e) < 0)
		return -1;
	for (size_t first = 0, n, end = out->n; first < end; first += n) {
		n = pods_trees_run(out, first, end);
		struct expand x = { out, first, n };
		/* a recipe that is gone or damaged keeps nothing, one that cannot be read just now may name anything */
		if (render_each_image(st, out->v[first].id, add_image, &x, &why) < 0)
			out->unknown |= why.code != ENOENT && why.code != EBADMSG && why.code != EINVAL;
	}
	pods_trees_sort(out);
	return 0;
}

static void look_at_pods(struct images_roots *r)
{
	struct err ignored;

	if (!r->looked && images_trees(r->st, r->pods, &r->trees, &ignored) < 0)
		r->trees.unknown = true;
	r->looked = true;
}

bool images_root_used(void *roots, const char *render_id)
{
	struct images_roots *r = roots;

	look_at_pods(r);
	return pods_trees_root(&r->trees, render_id);
}

bool images_used(struct images_roots *r, const char *id)
{
	look_at_pods(r);
	return pods_trees_used(&r->trees, id);
}

void images_roots_free(struct images_roots *r)
{
	pods_trees_free(&r->trees);
}
