/* SPDX-License-Identifier: Apache-2.0
 * images_store - see images_store.h
 */
#include "applets/rkt/images_store.h"

#include <string.h>

#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/store/render.h"
#include "core/store/verify.h"

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

struct store *images_open(const struct rkt_globals *g, const struct conf *c, const char *dir, bool create,
			  struct err *e)
{
	struct render_how render = { .mode = RENDER_AUTO };

	if (g && globals_render(g, c, &render, e) < 0)
		return NULL;
	struct store *st = store_open(dir, create, e);
	if (!st)
		return NULL;
	store_on_warning(st, warn, NULL);
	render_set_how(st, &render);
	return st;
}

struct store *images_store(const struct rkt_globals *g, bool create, struct err *e)
{
	struct conf c;

	if (globals_conf(g, &c, e) < 0)
		return NULL;
	struct store *st = images_open(g, &c, globals_dir(g, &c), create, e);
	if (st && images_verify(st, g, &c, NULL, e) < 0) {
		store_close(st);
		st = NULL;
	}
	conf_free(&c);
	return st;
}

static void verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	if (!done)
		ui_progress_start(ctx, "Verifying the image", total);
	if (done == total)
		ui_progress_end(ctx);
	else
		ui_progress_at(ctx, done);
}

int images_verify(struct store *st, const struct rkt_globals *g, const struct conf *c, const char *policy,
		  struct err *e)
{
	static struct ui_progress on_terminal;
	struct verify_opts o = { .ctx = &on_terminal, .progress = verify_progress };
	const char *otherwise = g->insecure & INSECURE_ONDISK ? "never" : c->verify ? c->verify : "changed";

	if (verify_policy_parse(policy ? policy : otherwise, &o.policy, e) < 0)
		return err_wrap(e, "--verify");
	store_on_verify(st, &o);
	return 0;
}

int images_remove(struct store *st, const struct image_id *id, struct err *untold, struct err *e)
{
	struct buf out = { 0 };
	struct err why;

	if (store_remove(st, id, e) < 0)
		return -1;
	buf_fmt(&out, "successfully removed aci for image: \"%.*s\"\n", (int)strlen(IMAGE_ID_PREFIX) + IMAGE_KEY_HEX,
		id->s);
	if (ui_out(&out, &why) < 0)
		*untold = why;
	return 0;
}
