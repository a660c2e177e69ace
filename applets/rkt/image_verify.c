/* SPDX-License-Identifier: Apache-2.0
 * rkt image verify - reads images in the store again, whole, and compares them with their IDs
 */
#include <errno.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"

struct verify_opts {
	struct rkt_globals g;
};

static const struct opt verify_opts[] = {
	OPT_PART("Global options", rkt_globals_opts, struct verify_opts, g),
	OPT_END
};

static int verify(struct store *st, const char *arg, struct err *e)
{
	struct buf out = { 0 };
	struct image_id id;

	if (images_find(st, arg, &id, e) < 0 || store_verify(st, &id, e) < 0)
		return -1;
	buf_str(&out, "successfully verified checksum for image: \"");
	buf_str(&out, arg);
	buf_fmt(&out, "\" (\"%.*s\")\n", (int)(sizeof("sha512-") - 1) + IMAGE_KEY_HEX, id.s);
	return ui_out(&out, e);
}

static int verify_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct verify_opts *o = opts;
	int failed = 0;

	if (!argc)
		return err_set(e, EINVAL, "must provide at least one image ID or name (see --help)");
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	for (int i = 0; i < argc; i++)
		if (verify(st, argv[i], e) < 0) {
			ui_error(e);
			failed++;
		}
	store_close(st);
	return failed ? err_set(e, EBADMSG, "%d of %d image(s) could not be verified", failed, argc) : 0;
}

const struct cmd rkt_image_verify_cmd = {
	.name = "verify", .args = "IMAGE...", .summary = "Check images in the store against their IDs.",
	.opts = verify_opts, .opts_size = sizeof(struct verify_opts), .inherits = true, .run = verify_run,
};
