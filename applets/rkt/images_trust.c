/* SPDX-License-Identifier: Apache-2.0
 * images_trust - see images_trust.h
 */
#include "applets/rkt/images_trust.h"

#include <errno.h>
#include <string.h>

#include "applets/rkt/globals.h"
#include "applets/rkt/keys.h"
#include "core/base/defence.h"
#include "core/trust/trust.h"

static bool is_insecure(const struct image_info *i)
{
	return !strcmp(i->verified_by, "insecure");
}

static int check_verified(const struct rkt_globals *g, const struct image_info *i, struct err *e)
{
	const struct keystore_dirs d = keys_dirs(g);

	if (g->insecure & INSECURE_IMAGE || !DEFENCE("trust-at-start"))
		return 0;
	if (!is_insecure(i))
		return trust_still(&d, i->name, i->verified_by, e) < 0 ? err_wrap(e, "image %.19s", i->id.s) : 0;
	return err_set(e, EACCES, "image %.19s: its signature was not verified when it was fetched: fetch it again with its "
		       "signature, or --insecure-options=image uses it all the same", i->id.s);
}

int images_trust(struct store *st, const struct rkt_globals *g, const struct image_id *id, struct err *e)
{
	struct image_info i;

	if (store_info(st, id, &i, e) < 0)
		return -1;
	int r = check_verified(g, &i, e);
	bool devices = i.devices;
	image_info_free(&i);
	if (r == 0 && devices && !(g->insecure & INSECURE_DEVICES) && DEFENCE("devices"))
		r = err_set(e, EACCES, "image %.19s: has device nodes; --insecure-options=devices uses it all the same", id->s);
	return r;
}

struct asking { struct store *st; const struct rkt_globals *g; };

static int trust_part(void *ctx, const struct image_id *id, struct err *e)
{
	const struct asking *a = ctx;

	return images_trust(a->st, a->g, id, e);
}

int images_trust_root(struct store *st, const struct rkt_globals *g, const struct render_id *root, struct err *e)
{
	struct asking a = { st, g };

	return render_each_image(st, root->s, trust_part, &a, e);
}

/* ---- what a prepared pod remembers ---- */

struct record { struct store *st; struct buf *out; };

static int record_part(void *ctx, const struct image_id *id, struct err *e)
{
	const struct record *r = ctx;
	struct image_info i;

	if (store_info(r->st, id, &i, e) < 0)
		return -1;
	if (!is_insecure(&i))
		buf_fmt(r->out, "%s %s\n", i.verified_by, i.name);
	image_info_free(&i);
	return 0;
}

int images_trust_record(struct store *st, const struct image_id *id, const struct render_id *root, struct buf *out,
			struct err *e)
{
	struct record r = { st, out };

	return render_id_is_image(root) ? record_part(&r, id, e) : render_each_image(st, root->s, record_part, &r, e);
}

int images_trust_again(const struct rkt_globals *g, char *text, struct err *e)
{
	const struct keystore_dirs d = keys_dirs(g);
	char *rest;

	if (g->insecure & INSECURE_IMAGE || !DEFENCE("trust-at-start"))
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *name = strchr(line, ' ');
		if (!name)
			return err_set(e, EBADMSG, "the pod's record of who vouched for its images is damaged");
		*name++ = 0;
		if (trust_still(&d, name, line, e) < 0)
			return -1;
	}
	return 0;
}
