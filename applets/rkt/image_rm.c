/* SPDX-License-Identifier: Apache-2.0
 * rkt image rm - removes images from the store
 *
 * A name stands for all images of that name (and labels). Pods go on with what they use: the rendered tree stays
 * until no pod needs it any more, which rkt gc finds out.
 */
#include <errno.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/ui.h"

struct rm_opts {
	struct rkt_globals g;
};

static const struct opt rm_opts[] = {
	OPT_PART("Global options", rkt_globals_opts, struct rm_opts, g),
	OPT_END
};

/* how many were removed; -1: none */
static int remove_all(struct store *st, const char *arg, struct err *e)
{
	struct image_id id;
	int n = 0;

	if (images_find(st, arg, &id, e) < 0)
		return -1;
	do {
		if (images_remove(st, &id, e) < 0)
			return -1;
		n++;
	} while (strncmp(arg, "sha512-", 7) && images_find(st, arg, &id, e) == 0);
	return n;
}

static int rm_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	int removed = 0, failed = 0;

	if (!argc)
		return err_set(e, EINVAL, "must provide at least one image ID or name (see --help)");
	if (globals_need_root(e) < 0)
		return -1;
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	for (int i = 0; i < argc; i++) {
		int n = remove_all(st, argv[i], e);
		if (n < 0) {
			ui_error(e);
			failed++;
		} else {
			removed += n;
		}
	}
	store_close(st);
	if (removed)
		ui_info("%d image(s) successfully removed", removed);
	return failed ? err_set(e, EIO, "%d image(s) cannot be removed", failed) : 0;
}

const struct cmd rkt_image_rm_cmd = {
	.name = "rm", .args = "IMAGE...", .summary = "Remove images from the store.",
	.opts = rm_opts, .opts_size = sizeof(struct rm_opts), .inherits = true, .run = rm_run,
};
