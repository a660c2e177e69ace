/* SPDX-License-Identifier: Apache-2.0
 * images_discover - an image by its name alone: from discovery to the first place that has it
 */
#include "applets/rkt/images_fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/fetch/discovery.h"
#include "core/fetch/http.h"

static struct source *open_page(void *http, const char *url, struct err *e)
{
	return http_open(url, http, e);
}

static int no_place(const struct image_name *n, const struct discovery *d, struct err *e)
{
	auto_buf struct buf why = { 0 };

	if (e->code != ENOENT)
		return err_wrap(e, "discovery failed for \"%.200s\"", n->name);
	for (size_t i = 0; i < d->n_failures; i++) {
		buf_fmt(&why, "%s%s: ", i ? "; " : "", d->failures[i].prefix);
		buf_clean(&why, d->failures[i].why, strlen(d->failures[i].why));
	}
	return err_set(e, ENOENT, "discovery failed for \"%.200s\": %s", n->name, why.failed || !why.len ? e->msg : why.data);
}

static int discover(const struct images_fetch *f, struct discovery *d, struct err *e)
{
	auto_net struct net n = { .auth = { 0 } };
	const struct discovery_opts o = { .http = f->g->insecure & INSECURE_HTTP, .ctx = &n.http, .open = open_page };
	struct err why;

	if (net_open(f->g, &n, e) < 0)
		return -1;
	store_pause(f->st);
	int r = discovery_find(f->name->name, &f->name->labels, &o, d, e);
	if (store_resume(f->st, &why) < 0) {
		*e = why;
		r = -1;
	}
	return r < 0 ? no_place(f->name, d, e) : 0;
}

static int try_all(const struct images_fetch *f, const struct discovery *d, struct image_id *out, struct err *e)
{
	struct images_fetch from = *f;

	from.keys = &d->keys;
	for (size_t i = 0; i < d->n_images; i++) {
		ui_debug("fetching image from %s", d->images[i].aci);
		if (!http_is_url(d->images[i].aci))
			err_set(e, EPERM, "%s: only https URLs are followed by discovery", d->images[i].aci);
		else if (images_fetch_url(&from, d->images[i].aci, d->images[i].asc, out, e) == 0)
			return 0;
		if (i + 1 < d->n_images)
			ui_warn("%s; trying the next place", e->msg);
	}
	return -1; /* there is one at least */
}

int images_fetch_name(const struct images_fetch *f, struct image_id *out, struct err *e)
{
	struct discovery d = { .n_images = 0 };

	images_say("searching for app image %s", f->name->name);
	int r = discover(f, &d, e) < 0 ? -1 : try_all(f, &d, out, e);
	discovery_free(&d);
	return r;
}
