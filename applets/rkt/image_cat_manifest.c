/* SPDX-License-Identifier: Apache-2.0
 * rkt image cat-manifest - prints the manifest of an image in the store
 */
#include <errno.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"

struct cat_opts {
	struct rkt_globals g;
	bool               pretty;
};

static const struct opt cat_opts[] = {
	OPT_BOOL(0, "pretty-print", struct cat_opts, pretty, "indent the output (default true)"),
	OPT_PART("Global options", rkt_globals_opts, struct cat_opts, g),
	OPT_END
};

static void cat_init(void *opts)
{
	((struct cat_opts *)opts)->pretty = true;
}

static int print(struct store *st, const char *arg, bool pretty, struct err *e)
{
	auto_free char *text = NULL;
	struct buf out = { 0 };
	struct image_id id;
	size_t len;

	if (images_find(st, arg, &id, e) < 0 || store_manifest_text(st, &id, &text, &len, e) < 0)
		return -1;
	auto_json cJSON *j = json_parse_err(text, len, e);
	if (!j)
		return err_wrap(e, "manifest of %s", id.s);
	json_print(j, pretty, &out);
	if (!pretty)
		buf_str(&out, "\n");
	return ui_out(&out, e);
}

static int cat_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct cat_opts *o = opts;

	if (argc != 1)
		return err_set(e, EINVAL, "must provide one image (see --help)");
	struct store *st = images_store(&o->g, false, e);
	int r = st ? print(st, argv[0], o->pretty, e) : -1;
	store_close(st);
	return r;
}

const struct cmd rkt_image_cat_manifest_cmd = {
	.name = "cat-manifest", .args = "IMAGE", .summary = "Print the manifest of an image in the store.",
	.opts = cat_opts, .opts_size = sizeof(struct cat_opts), .init = cat_init, .inherits = true, .run = cat_run,
};
