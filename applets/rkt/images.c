/* SPDX-License-Identifier: Apache-2.0
 * images - see images.h
 */
#include "applets/rkt/images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/images_fetch.h"
#include "applets/rkt/images_trust.h"
#include "applets/ui.h"
#include "core/appc/image_name.h"
#include "core/appc/types.h"
#include "core/base/fd.h"
#include "core/fetch/http.h"

/* ---- what an argument is ---- */

static bool has_scheme(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n && !strncmp(s + n, "://", 3);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum images_kind images_kind_of(const char *arg)
{
	if (!strncmp(arg, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX)))
		return IMAGES_ID;
	if (has_scheme(arg))
		return IMAGES_URL;
	if (*arg == '/' || is_file(arg))
		return IMAGES_PATH;
	/* a colon is before a version; the rest is for files that are missing, so that the message names the file */
	if (!strchr(arg, ':') && (strstr(arg, "./") || ends_with(arg, ".aci")))
		return IMAGES_PATH;
	return IMAGES_NAME;
}

int images_pull_parse(const char *policy, bool store_only, bool no_store, enum images_pull *out, struct err *e)
{
	if (store_only && no_store)
		return err_set(e, EINVAL, "both --store-only and --no-store specified");
	if (policy && !strcmp(policy, "new"))
		*out = IMAGES_PULL_NEW;
	else if (policy && !strcmp(policy, "never"))
		*out = IMAGES_PULL_NEVER;
	else if (policy && !strcmp(policy, "update"))
		*out = IMAGES_PULL_UPDATE;
	else if (policy)
		return err_set(e, EINVAL, "--pull-policy: unknown policy \"%s\" (new, never, update)", policy);
	if (store_only)
		*out = IMAGES_PULL_NEVER;
	if (no_store)
		*out = IMAGES_PULL_UPDATE;
	return 0;
}

/* whether the store itself knows of nothing that is wrong with an image */
static bool is_whole(struct store *st, const struct image_id *id)
{
	struct image_info i;
	struct err ignored;

	if (store_info(st, id, &i, &ignored) < 0)
		return false;
	bool whole = !i.damaged;
	image_info_free(&i);
	return whole;
}

static int resolve_url(const struct images_fetch *f, const char *url, enum images_pull pull, struct image_id *out,
		       struct err *e)
{
	if (pull != IMAGES_PULL_UPDATE && !images_is_file_url(url)) {
		int r = store_find_url(f->st, url, out, e);
		bool whole = r == 0 && (pull == IMAGES_PULL_NEVER || is_whole(f->st, out));
		if (whole)
			images_say("using image from local store for url %s", url);
		if (whole || (r < 0 && (e->code != ENOENT || pull == IMAGES_PULL_NEVER)))
			return r;
		if (r == 0)
			images_say("image from local store for url %s is damaged", url);
	}
	return images_fetch_url(f, url, NULL, out, e);
}

/* ---- names ---- */

/* of several images the one for this machine, unless the labels say which */
static int find_name(struct store *st, const struct image_name *n, struct image_id *out, struct err *e)
{
	const struct appc_pairs asked = { n->labels.v, n->n_asked };

	if (store_find_name(st, n->name, &n->labels, out, e) == 0)
		return 0;
	return e->code == ENOENT ? store_find_name(st, n->name, &asked, out, e) : -1;
}

static int find_by_name(struct store *st, const char *arg, struct image_id *out, struct err *e)
{
	struct image_name n = { .name = NULL };

	int r = image_name_read(arg, &n, e) < 0 ? -1 : find_name(st, &n, out, e);
	image_name_free(&n);
	return r;
}

static int resolve_name(struct images_fetch f, const char *arg, enum images_pull pull, struct image_id *out, struct err *e)
{
	int r = pull == IMAGES_PULL_UPDATE ? -1 : find_name(f.st, f.name, out, e);

	if (r == 0)
		images_say("using image from local store for image name %s", arg);
	if (r == 0 || pull == IMAGES_PULL_NEVER || (pull == IMAGES_PULL_NEW && e->code != ENOENT))
		return r;
	return images_fetch_name(&f, out, e);
}

static int read_and_resolve_name(const struct images_fetch *f, const char *arg, enum images_pull pull, struct image_id *out,
				 struct err *e)
{
	struct image_name n = { .name = NULL };
	struct images_fetch named = *f;

	named.name = &n;
	int r = image_name_read(arg, &n, e) < 0 ? -1 : resolve_name(named, arg, pull, out, e);
	image_name_free(&n);
	return r;
}

/* ---- all of them ---- */

static int from_origin(const struct images_fetch *f, const char *origin, const struct image_id *id, struct err *e)
{
	struct images_fetch same = { .st = f->st, .g = f->g, .passphrase = f->passphrase, .id = id };
	struct image_id got;

	images_say("image %.19s from local store is damaged, fetching it again from %s", id->s, origin);
	int r = http_is_url(origin) ? images_fetch_url(&same, origin, NULL, &got, e) : images_fetch_path(&same, origin, &got, e);
	return r < 0 ? err_wrap(e, "image %.19s is damaged", id->s) : 0;
}

/* One that is whole, or that came from nowhere that we know of, is left as it is: verify_image() has the last word. */
static int heal(const struct images_fetch *f, const struct image_id *id, struct err *e)
{
	struct image_info i;

	if (store_info(f->st, id, &i, e) < 0)
		return -1;
	int r = i.damaged && i.origin ? from_origin(f, i.origin, id, e) : 0;
	image_info_free(&i);
	return r;
}

static int resolve(const struct images_fetch *f, const char *arg, const struct images_policy *p, struct image_id *out,
		   struct err *e)
{
	switch (p->kind == IMAGES_GUESS ? images_kind_of(arg) : p->kind) {
	case IMAGES_ID:
		if (f->signature)
			return err_set(e, EINVAL, "--signature: %s is in the store, and not verified again", arg);
		return store_resolve(f->st, arg, out, e);
	case IMAGES_URL:
		return resolve_url(f, arg, p->pull, out, e);
	case IMAGES_PATH:
		return images_fetch_path(f, arg, out, e);
	case IMAGES_NAME:
	case IMAGES_GUESS:
		return read_and_resolve_name(f, arg, p->pull, out, e);
	}
	abort();
}

int images_resolve(struct store *st, const struct rkt_globals *g, const char *arg, const struct images_policy *p,
		   struct image_id *out, struct err *e)
{
	const struct images_fetch f = {
		.st = st, .g = g, .signature = p->signature, .passphrase = p->passphrase,
	};

	if (!*arg)
		return err_set(e, EINVAL, "the name of an image cannot be empty");
	if (resolve(&f, arg, p, out, e) < 0 || images_trust(st, g, out, e) < 0)
		return -1;
	if (p->heal && p->pull != IMAGES_PULL_NEVER && heal(&f, out, e) < 0)
		return -1;
	store_touch(st, out);
	return 0;
}

int images_find(struct store *st, const char *arg, struct image_id *out, struct err *e)
{
	if (!*arg)
		return err_set(e, EINVAL, "the name of an image cannot be empty");
	if (!strncmp(arg, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX)))
		return store_resolve(st, arg, out, e);
	return find_by_name(st, arg, out, e);
}
