/* SPDX-License-Identifier: Apache-2.0
 * rkt image rm - removes images from the store
 *
 * A name stands for all images of that name (and labels). Pods go on with what they use: the content stays until no
 * pod needs it any more, which rkt gc finds out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/pod/pod.h"

struct rm_opts {
	struct rkt_globals g;
};

static const struct opt rm_opts[] = {
	OPT_PART("Global options", rkt_globals_opts, struct rm_opts, g),
	OPT_END
};

/* the images that were removed */
struct removed {
	struct image_id *v;
	size_t           n;
	struct err       untold; /* why standard output could not be written; code 0: it could */
};

static void remember(struct removed *r, const struct image_id *id)
{
	r->v = xrealloc(r->v, (r->n + 1) * sizeof(*r->v));
	r->v[r->n++] = *id;
}

static int remove_all(struct store *st, const char *arg, struct removed *r, struct err *e)
{
	struct image_id id;

	if (images_find(st, arg, &id, e) < 0)
		return -1;
	do {
		if (images_remove(st, &id, &r->untold, e) < 0)
			return -1;
		remember(r, &id);
	} while (strncmp(arg, "sha512-", 7) && images_find(st, arg, &id, e) == 0);
	return 0;
}

/* What no pod uses goes now. That it cannot is no failure: the images are gone for all who look for them. */
static int discard(const struct rm_opts *o, struct store *st, struct removed *r, struct err *e)
{
	struct conf c;

	if (globals_conf(&o->g, &c, e) < 0)
		return -1;
	struct images_roots used = { .st = st, .pods = pods_open(globals_dir(&o->g, &c), false, e) };
	conf_free(&c);
	if (!used.pods)
		return -1;
	const struct store_gc_opts how = { .ctx = &used, .render_used = images_root_used };
	int left = store_discard(st, &how, r->v, &r->n, e);
	images_roots_free(&used);
	pods_close(used.pods);
	for (size_t i = 0; left == 0 && i < r->n; i++)
		ui_info("image %.19s is still in use: its content goes with a later rkt gc", r->v[i].s);
	return left;
}

static int rm_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	struct removed r = { .n = 0 };
	size_t removed;
	int failed = 0;

	if (!argc)
		return err_set(e, EINVAL, "must provide at least one image ID or name (see --help)");
	if (globals_be_root_of_own(&o->g, e) < 0)
		return -1;
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (remove_all(st, argv[i], &r, e) == 0)
			continue;
		ui_error(e);
		failed++;
	}
	removed = r.n;
	if (removed && discard(o, st, &r, e) < 0)
		ui_warn("%s", e->msg);
	free(r.v);
	store_close(st);
	if (removed)
		ui_info("%zu image(s) successfully removed", removed);
	if (failed)
		return err_set(e, EIO, "%d image(s) cannot be removed", failed);
	*e = r.untold;
	return r.untold.code ? -1 : 0;
}

const struct cmd rkt_image_rm_cmd = {
	.name = "rm", .args = "IMAGE...", .summary = "Remove images from the store.",
	.opts = rm_opts, .opts_size = sizeof(struct rm_opts), .inherits = true, .run = rm_run,
};
